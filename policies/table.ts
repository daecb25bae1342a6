/** Every rule of the pack, in the order of docs/policies.md. A rule that is not listed here does not exist. */
import type { Rule } from "./rule.ts";
import { appArmorProfile } from "./rules/app-armor-profile.ts";
import { awsPolicyNotPublic } from "./rules/aws-policy-not-public.ts";
import { budgetLetsDrain } from "./rules/budget-lets-drain.ts";
import { defaultProcMount } from "./rules/default-proc-mount.ts";
import { dropAllCapabilities } from "./rules/drop-all-capabilities.ts";
import { ecrImmutableTags } from "./rules/ecr-immutable-tags.ts";
import { ecrScanOnPush } from "./rules/ecr-scan-on-push.ts";
import { eksControlPlaneLogs } from "./rules/eks-control-plane-logs.ts";
import { eksEndpointRestricted } from "./rules/eks-endpoint-restricted.ts";
import { eksSecretsEncrypted } from "./rules/eks-secrets-encrypted.ts";
import { eksStandardSupport } from "./rules/eks-standard-support.ts";
import { eksSupportedVersion } from "./rules/eks-supported-version.ts";
import { elasticacheAuth } from "./rules/elasticache-auth.ts";
import { elasticacheRestEncryption } from "./rules/elasticache-rest-encryption.ts";
import { elasticacheTransitEncryption } from "./rules/elasticache-transit-encryption.ts";
import { ephemeralStorageLimits } from "./rules/ephemeral-storage-limits.ts";
import { graceCoversPreStop } from "./rules/grace-covers-pre-stop.ts";
import { hpaOwnsReplicas } from "./rules/hpa-owns-replicas.ts";
import { iamNoLongLivedKeys } from "./rules/iam-no-long-lived-keys.ts";
import { iamNoWildcards } from "./rules/iam-no-wildcards.ts";
import { imageByDigest } from "./rules/image-by-digest.ts";
import { imageRegistry } from "./rules/image-registry.ts";
import { imageSigned } from "./rules/image-signed.ts";
import { ingressClass } from "./rules/ingress-class.ts";
import { ingressTls } from "./rules/ingress-tls.ts";
import { kmsRotation } from "./rules/kms-rotation.ts";
import { logRetention } from "./rules/log-retention.ts";
import { monthlyCostEstimate } from "./rules/monthly-cost-estimate.ts";
import { monthlyCostWithinBudget } from "./rules/monthly-cost-within-budget.ts";
import { namespaceDefaultDeny } from "./rules/namespace-default-deny.ts";
import { namespacePodSecurity } from "./rules/namespace-pod-security.ts";
import { namespaceQuotaAndLimits } from "./rules/namespace-quota-and-limits.ts";
import { noAddedCapabilities } from "./rules/no-added-capabilities.ts";
import { noHostNamespaces } from "./rules/no-host-namespaces.ts";
import { noHostPath } from "./rules/no-host-path.ts";
import { noHostPorts } from "./rules/no-host-ports.ts";
import { noHostProcess } from "./rules/no-host-process.ts";
import { noOpaqueResources } from "./rules/no-opaque-resources.ts";
import { noPrivilegeEscalation } from "./rules/no-privilege-escalation.ts";
import { noPrivilegedContainers } from "./rules/no-privileged-containers.ts";
import { noProbeHosts } from "./rules/no-probe-hosts.ts";
import { noRootGroup } from "./rules/no-root-group.ts";
import { noSecretLiterals } from "./rules/no-secret-literals.ts";
import { noSecretsInConfigMaps } from "./rules/no-secrets-in-config-maps.ts";
import { noSharedProcessNamespace } from "./rules/no-shared-process-namespace.ts";
import { noTokenAutomount } from "./rules/no-token-automount.ts";
import { nonZeroUid } from "./rules/non-zero-uid.ts";
import { oneBeat } from "./rules/one-beat.ts";
import { podSize } from "./rules/pod-size.ts";
import { probesOnWhatServes } from "./rules/probes-on-what-serves.ts";
import { rbacNoClusterAdmin } from "./rules/rbac-no-cluster-admin.ts";
import { rbacNoWildcards } from "./rules/rbac-no-wildcards.ts";
import { rdsBackupRetention } from "./rules/rds-backup-retention.ts";
import { rdsDeletionProtection } from "./rules/rds-deletion-protection.ts";
import { rdsEncrypted } from "./rules/rds-encrypted.ts";
import { rdsFinalSnapshot } from "./rules/rds-final-snapshot.ts";
import { rdsForcedTls } from "./rules/rds-forced-tls.ts";
import { rdsLogExports } from "./rules/rds-log-exports.ts";
import { rdsMinorUpgrades } from "./rules/rds-minor-upgrades.ts";
import { rdsMultiAz } from "./rules/rds-multi-az.ts";
import { rdsPrivate } from "./rules/rds-private.ts";
import { readOnlyRootFilesystem } from "./rules/read-only-root-filesystem.ts";
import { readablePodTemplate } from "./rules/readable-pod-template.ts";
import { referencesResolve } from "./rules/references-resolve.ts";
import { replicasAreSpread } from "./rules/replicas-are-spread.ts";
import { requestsAndLimits } from "./rules/requests-and-limits.ts";
import { requiredTags } from "./rules/required-tags.ts";
import { rolloutKeepsCapacity } from "./rules/rollout-keeps-capacity.ts";
import { routeTls } from "./rules/route-tls.ts";
import { runAsNonRoot } from "./rules/run-as-non-root.ts";
import { s3Encrypted } from "./rules/s3-encrypted.ts";
import { s3PublicAccessBlocked } from "./rules/s3-public-access-blocked.ts";
import { s3TlsOnly } from "./rules/s3-tls-only.ts";
import { s3Versioned } from "./rules/s3-versioned.ts";
import { safeSysctls } from "./rules/safe-sysctls.ts";
import { seccompProfile } from "./rules/seccomp-profile.ts";
import { secretRecoveryWindow } from "./rules/secret-recovery-window.ts";
import { secretsAsFiles } from "./rules/secrets-as-files.ts";
import { securityGroupNotOpen } from "./rules/security-group-not-open.ts";
import { selinuxOptions } from "./rules/selinux-options.ts";
import { serviceType } from "./rules/service-type.ts";
import { unsafeChoice } from "./rules/unsafe-choice.ts";
import { volumeClass } from "./rules/volume-class.ts";
import { volumeRetention } from "./rules/volume-retention.ts";
import { volumeTypes } from "./rules/volume-types.ts";

export const rules: readonly Rule[] = [
    runAsNonRoot,
    nonZeroUid,
    noRootGroup,
    readOnlyRootFilesystem,
    noPrivilegeEscalation,
    noPrivilegedContainers,
    dropAllCapabilities,
    noAddedCapabilities,
    seccompProfile,
    imageByDigest,
    imageRegistry,
    imageSigned,
    defaultProcMount,
    safeSysctls,
    appArmorProfile,
    selinuxOptions,
    noHostNamespaces,
    noHostPath,
    volumeTypes,
    noHostPorts,
    noHostProcess,
    noProbeHosts,
    noTokenAutomount,
    noSharedProcessNamespace,
    requestsAndLimits,
    ephemeralStorageLimits,
    probesOnWhatServes,
    graceCoversPreStop,
    noSecretLiterals,
    noSecretsInConfigMaps,
    secretsAsFiles,
    readablePodTemplate,
    podSize,
    noOpaqueResources,
    hpaOwnsReplicas,
    budgetLetsDrain,
    replicasAreSpread,
    rolloutKeepsCapacity,
    oneBeat,
    referencesResolve,
    namespacePodSecurity,
    namespaceDefaultDeny,
    namespaceQuotaAndLimits,
    rbacNoWildcards,
    rbacNoClusterAdmin,
    ingressTls,
    ingressClass,
    routeTls,
    serviceType,
    volumeClass,
    volumeRetention,
    rdsEncrypted,
    rdsPrivate,
    rdsMultiAz,
    rdsDeletionProtection,
    rdsFinalSnapshot,
    rdsBackupRetention,
    rdsForcedTls,
    rdsMinorUpgrades,
    rdsLogExports,
    elasticacheTransitEncryption,
    elasticacheRestEncryption,
    elasticacheAuth,
    s3PublicAccessBlocked,
    s3Encrypted,
    s3Versioned,
    s3TlsOnly,
    ecrImmutableTags,
    ecrScanOnPush,
    eksEndpointRestricted,
    eksSecretsEncrypted,
    eksControlPlaneLogs,
    eksSupportedVersion,
    eksStandardSupport,
    iamNoWildcards,
    iamNoLongLivedKeys,
    awsPolicyNotPublic,
    securityGroupNotOpen,
    kmsRotation,
    secretRecoveryWindow,
    logRetention,
    requiredTags,
    unsafeChoice,
    monthlyCostWithinBudget,
    monthlyCostEstimate,
];
