/** The state of a stack, decided from what was read of it. */
import { alertFindings, firingAlerts, knowsRules, type FiringAlert } from "./alerts.plan.ts";
import { backupFindings, backupOf, type Backup } from "./backups.plan.ts";
import { certificateFindings, certificatesOf, type Certificate } from "./certificates.plan.ts";
import { initialized, podFindings, restartsOf, workloadsOf, type Restart, type Workload } from "./pods.plan.ts";
import {
    at,
    componentOf,
    duration,
    listAt,
    textAt,
    type Answer,
    type Inside,
    type Reading,
    type Runs,
} from "./reading.ts";

export interface Status {
    readonly healthy: boolean;
    /** Why it is not. */
    readonly problems: readonly string[];
    /** What needs attention although everything works. */
    readonly warnings: readonly string[];
    /** What this status does not know. */
    readonly notRead: readonly string[];
    readonly context: string;
    readonly namespace: string;
    readonly url?: string;
    readonly answers: readonly Answer[];
    readonly signIn: string;
    readonly versions: {
        readonly kubernetes: string;
        /** Orcheo's release and packages; undefined when no pod could be asked. */
        readonly orcheo?: string;
        /** Of this deployment. */
        readonly deployment?: string;
    };
    readonly workloads: readonly Workload[];
    /** What the last initialization of the database did, in its own words. */
    readonly initialized?: string;
    readonly runs?: Runs;
    /** Messages that wait for a worker. */
    readonly queued?: number;
    readonly backup?: Backup;
    readonly certificates: readonly Certificate[];
    readonly restarts: readonly Restart[];
    /** Undefined when no server of alerts was asked, or none answered. */
    readonly alerts?: readonly FiringAlert[];
    /** Command that prints the logs of a workload. */
    readonly logs: string;
}

/** From then on waiting runs are reported. */
const waitingSeconds = 60;
/** The API is told these addresses: the first that is set is the public one. */
const urlVariables = ["ORCHEO_CORS_ALLOW_ORIGINS", "ORCHEO_STUDIO_URL", "ORCHEO_CHATKIT_PUBLIC_BASE_URL"];
const serving = ["api", "worker", "beat", "canvas"];

export function statusOf(reading: Reading): Status {
    const backup = backupOf(reading);
    const certificates = certificatesOf(reading);
    const cronJob = reading.cronJobs.find((each) => componentOf(each) === "backup");
    const { namespace } = reading;
    const watched = reading.alerts !== undefined && knowsRules(reading.alerts, namespace);
    const alerts = watched ? firingAlerts(reading.alerts, namespace) : undefined;
    const all = [
        alertFindings(alerts, reading.now),
        missingFindings(reading),
        answerFindings(reading),
        podFindings(reading),
        runFindings(reading),
        backupFindings(backup, textAt(cronJob, "metadata", "creationTimestamp"), reading.now),
        certificateFindings(certificates),
    ];
    const problems = all.flatMap((each) => each.problems);
    const inside = reading.inside;
    const api = workload(reading, "api");
    return {
        healthy: problems.length === 0,
        problems,
        warnings: all.flatMap((each) => each.warnings),
        notRead: [
            ...reading.notRead,
            ...(reading.alerts === undefined || watched
                ? []
                : [
                      "alerts: the server that --alerts names has no OrcheoWatchdog, so it does not have this stack's rules",
                  ]),
        ],
        context: reading.context,
        namespace: reading.namespace,
        url: urlOf(reading),
        answers: reading.answers,
        signIn: signInOf(reading),
        versions: {
            kubernetes: reading.version,
            ...(inside !== undefined && { orcheo: orcheoOf(inside) }),
            deployment: textAt(api, "metadata", "labels", "app.kubernetes.io/version"),
        },
        workloads: workloadsOf(reading),
        initialized: initialized(reading),
        runs: runsOf(inside),
        queued: typeof inside?.queued === "number" ? inside.queued : undefined,
        backup,
        certificates,
        restarts: restartsOf(reading),
        alerts,
        logs: `kubectl --context ${reading.context} --namespace ${reading.namespace} logs --prefix --selector app.kubernetes.io/component=NAME`,
    };
}

const workload = ({ workloads }: Pick<Reading, "workloads">, name: string): unknown =>
    workloads.find(({ metadata }) => metadata.name === name);

/** Literal value of a variable of the API. */
function variable(reading: Pick<Reading, "workloads">, name: string): string | undefined {
    const env = listAt(workload(reading, "api"), "spec", "template", "spec", "containers", 0, "env");
    return textAt(
        env.find((each) => at(each, "name") === name),
        "value",
    );
}

/** The public URL; undefined when the API's environment has none. */
export function urlOf(reading: Pick<Reading, "workloads">): string | undefined {
    return urlVariables.map((name) => variable(reading, name)).find((value) => value?.startsWith("http") === true);
}

function signInOf(reading: Reading): string {
    if (workload(reading, "api") === undefined) return "unknown: there is no API";
    const issuer = variable(reading, "ORCHEO_AUTH_ISSUER");
    if (variable(reading, "ORCHEO_AUTH_MODE") !== "required") return "not required: anonymous callers are answered";
    return issuer === undefined ? "service tokens only" : `OpenID Connect, by ${issuer}`;
}

function orcheoOf({ release, packages }: Inside): string {
    const named = Object.entries(packages).flatMap(([name, version]) =>
        version === null ? [] : [`${name} ${version}`],
    );
    return `${release ?? "unknown release"}${named.length === 0 ? "" : ` (${named.join(", ")})`}`;
}

function runsOf(inside: Inside | undefined): Runs | undefined {
    return inside !== undefined && "waiting" in inside.runs ? (inside.runs as Runs) : undefined;
}

function missingFindings(reading: Reading) {
    const missing = serving.filter((name) => workload(reading, name) === undefined);
    return { problems: missing.map((name) => `there is no Deployment ${name}`), warnings: [] };
}

function answerFindings({ answers }: Reading) {
    const problems = answers.flatMap(({ path, status, error }) =>
        status === 200 ? [] : [`${path} answers ${status ?? `not: ${error ?? "no reason is known"}`}`],
    );
    const unverified = answers.some(({ status, verified }) => status !== undefined && verified === false);
    const warnings = unverified
        ? ["the certificate of the URL is signed by no CA that is known here: name its CA with --ca-file"]
        : [];
    return { problems, warnings };
}

function runFindings({ inside }: Reading) {
    if (inside === undefined) return { problems: [], warnings: [] };
    const problems = [
        ...("error" in inside.runs ? [`the database does not answer (${inside.runs.error})`] : []),
        ...(typeof inside.queued === "object" ? [`the cache does not answer (${inside.queued.error})`] : []),
    ];
    const oldest = runsOf(inside)?.oldestWaitingSeconds ?? 0;
    const warnings =
        oldest >= waitingSeconds
            ? [`the oldest waiting run has waited for ${duration(oldest)}: see docs/runbooks/stuck-runs.md`]
            : [];
    return { problems, warnings };
}
