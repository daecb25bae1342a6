/** How bad it is to break each rule, and the smallest profile that holds it. */
import { didYouMean } from "./nearest.ts";
import { text } from "./values.ts";

export type Severity = "critical" | "high" | "medium" | "low";
export const severities: readonly Severity[] = ["critical", "high", "medium", "low"];

/**
 * `baseline`: what leads out of a container, into an account or to the data, or shows a secret. `restricted`: also what
 * Pod Security's restricted asks for, encryption, and rights no wider than needed. `full`: every rule, operation and cost
 * included.
 */
export type Profile = "baseline" | "restricted" | "full";
export const profiles: readonly Profile[] = ["baseline", "restricted", "full"];

/** The key in the stack's config. */
export const profileKey = "orcheo:policyProfile";

interface Grade {
    readonly severity: Severity;
    readonly profile: Profile;
}

const graded: Readonly<Record<Profile, Readonly<Record<Severity, string>>>> = {
    baseline: {
        critical: `
            no-privileged-containers no-host-namespaces no-host-path no-host-process rbac-no-cluster-admin iam-no-wildcards
            aws-policy-not-public`,
        high: `
            no-added-capabilities no-host-ports default-proc-mount safe-sysctls app-armor-profile selinux-options no-probe-hosts
            no-secret-literals no-secrets-in-config-maps readable-pod-template rds-private s3-public-access-blocked
            security-group-not-open eks-endpoint-restricted exceptions-are-current`,
        medium: `no-opaque-resources pod-size`,
        low: ``,
    },
    restricted: {
        critical: ``,
        high: `
            run-as-non-root non-zero-uid no-privilege-escalation rbac-no-wildcards ingress-tls route-tls rds-encrypted
            rds-forced-tls elasticache-transit-encryption elasticache-auth eks-secrets-encrypted s3-tls-only
            iam-no-long-lived-keys eks-supported-version`,
        medium: `
            drop-all-capabilities seccomp-profile volume-types no-root-group read-only-root-filesystem no-token-automount
            no-shared-process-namespace image-by-digest image-registry image-signed namespace-pod-security namespace-default-deny
            elasticache-rest-encryption s3-encrypted kms-rotation ecr-immutable-tags eks-control-plane-logs
            unsafe-choice service-type`,
        low: `secrets-as-files ecr-scan-on-push`,
    },
    full: {
        critical: ``,
        high: `
            rds-deletion-protection rds-final-snapshot rds-backup-retention volume-retention`,
        medium: `
            requests-and-limits probes-on-what-serves hpa-owns-replicas budget-lets-drain replicas-are-spread
            rollout-keeps-capacity one-beat references-resolve namespace-quota-and-limits rds-multi-az
            rds-minor-upgrades rds-log-exports eks-standard-support s3-versioned secret-recovery-window log-retention monthly-cost-within-budget`,
        low: `ephemeral-storage-limits grace-covers-pre-stop ingress-class volume-class required-tags
            monthly-cost-estimate`,
    },
};

const grades = new Map<string, Grade>(
    profiles.flatMap((profile) =>
        severities.flatMap((severity) =>
            graded[profile][severity]
                .split(/\s+/)
                .filter((name) => name !== "")
                .map((name) => [name, { severity, profile }] as const),
        ),
    ),
);

/** Names of all rules that have a grade. */
export const gradedRules: readonly string[] = [...grades.keys()];

/** @throws when the rule has none, which a test keeps from happening */
export function gradeOf(rule: string): Grade {
    const grade = grades.get(rule);
    if (grade === undefined) throw new Error(`rule ${rule} has no severity and no profile`);
    return grade;
}

/** Whether a profile holds a rule. */
export function inProfile(rule: string, profile: Profile): boolean {
    return profiles.indexOf(gradeOf(rule).profile) <= profiles.indexOf(profile);
}

/**
 * The profile that a name means; every rule where there is none.
 *
 * @throws when there is no such profile
 */
export function profileNamed(name: unknown): Profile {
    if (name === undefined || name === null) return "full";
    const found = profiles.find((each) => each === name);
    if (found === undefined) {
        throw new Error(`there is no profile "${text(name) ?? "?"}"${didYouMean(text(name) ?? "", profiles)}`);
    }
    return found;
}
