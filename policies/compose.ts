/**
 * Services of a Compose file as the Kubernetes objects that they correspond to, so that the same rules evaluate them. What
 * Docker does by default is set as such: its own seccomp profile, and no service account.
 */
import { at, fields, isObject, list, number, text, unknownText, type Fields } from "./values.ts";

/** How Compose says what a rule asks for. */
export const composeRemedies: Readonly<Record<string, string>> = {
    "run-as-non-root": 'Set user to a numeric uid:gid other than 0, such as "1000:1000".',
    "non-zero-uid": 'Set user to a numeric uid:gid other than 0, such as "1000:1000".',
    "no-root-group": "Give user and group_add groups of the image's own.",
    "read-only-root-filesystem": "Set read_only: true, and tmpfs for what has to be writable.",
    "no-privilege-escalation": "Set security_opt: [no-new-privileges:true].",
    "no-privileged-containers": "Remove privileged: true.",
    "drop-all-capabilities": "Set cap_drop: [ALL].",
    "no-added-capabilities": "Remove cap_add.",
    "seccomp-profile": "Remove seccomp=unconfined from security_opt.",
    "app-armor-profile": "Remove apparmor=unconfined from security_opt.",
    "selinux-options": "Remove label options from security_opt.",
    "safe-sysctls": "Remove it from sysctls, or set it on the machine.",
    "no-host-namespaces": "Remove network_mode, pid and ipc: host.",
    "no-host-path": "Use a named volume, a secret or a config instead of a path or a device of the machine.",
    "requests-and-limits": "Set deploy.resources: limits.cpus and memory, reservations.cpus and memory.",
    "ephemeral-storage-limits": "Set read_only: true and logging.options max-size and max-file.",
    "probes-on-what-serves": "Set healthcheck.",
    "secrets-as-files": "Use secrets, which are files below /run/secrets.",
    "no-secret-literals": "Use secrets, which are files below /run/secrets.",
    "one-beat": "Keep one beat: one service, without scale or deploy.replicas above 1.",
};

export interface Translated {
    readonly type: string;
    readonly name: string;
    readonly props: Fields;
    /** Where it stands in the file. */
    readonly path: readonly string[];
}

export const isCompose = (value: unknown): boolean =>
    isObject(at(value, "services")) && at(value, "apiVersion") === undefined && at(value, "kind") === undefined;

/**
 * A text as Compose reads it without an environment: the default of a variable, or unknown.
 *
 * @see https://docs.docker.com/reference/compose-file/interpolation/
 */
function interpolated(value: string): string {
    const unknown: string[] = [];
    const read = value.replace(
        /\$(?:\$|\{([A-Za-z_]\w*)([^}]*(?:\{[^}]*\}[^}]*)*)\}|[A-Za-z_]\w*)/g,
        (found, _name, rest?: string) => {
            if (found === "$$") return "$";
            const usual = /^:?-(.+)$/s.exec(rest ?? "")?.[1];
            if (usual !== undefined && !usual.includes("$")) return usual;
            unknown.push(found);
            return "";
        },
    );
    return unknown.length > 0 ? unknownText : read;
}

function resolved(value: unknown): unknown {
    if (typeof value === "string") return interpolated(value);
    if (Array.isArray(value)) return value.map(resolved);
    if (!isObject(value)) return value;
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, resolved(inner)]));
}

/** `NAME: value`, or `- NAME=value`. */
function pairs(value: unknown): readonly (readonly [string, string])[] {
    if (Array.isArray(value))
        return list(value).map((each) => {
            const [name = "", ...rest] = String(each).split("=");
            return [name, rest.join("=")] as const;
        });
    return Object.entries(fields(value)).map(([name, each]) => [
        name,
        ["string", "number", "boolean"].includes(typeof each) ? String(each) : "",
    ]);
}

const words = (value: unknown): readonly string[] | undefined => {
    const one = text(value);
    if (one !== undefined) return ["/bin/sh", "-c", one];
    return Array.isArray(value) ? value.map(String) : undefined;
};

/** A text or a number as one; "" for anything else. */
const textOf = (value: unknown): string => (typeof value === "number" ? String(value) : (text(value) ?? ""));

/** `1G`, `512m` or a number of bytes, as a quantity; Docker's units are powers of 1024. */
function memory(value: unknown): unknown {
    if (value === unknownText) return value;
    const [, amount, unit = ""] = /^(\d+(?:\.\d+)?)\s*([bkmgt]?)(?:i?b)?$/i.exec(textOf(value)) ?? [];
    if (amount === undefined) return undefined;
    const scale = { "": 1, b: 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, t: 2 ** 40 }[unit.toLowerCase()] ?? 1;
    return String(Math.round(Number(amount) * scale));
}

function cpu(value: unknown): unknown {
    if (value === unknownText) return value;
    const cores = Number(value);
    return value === undefined || !(cores > 0) ? undefined : `${Math.round(cores * 1000)}m`;
}

const options = (service: Fields, name: string): readonly string[] =>
    list(service["security_opt"]).flatMap((each) => {
        const [key = "", ...rest] = String(each).split(/[=:]/);
        return key === name ? [rest.join(":")] : [];
    });

function securityContext(service: Fields): object {
    const user = service["user"] === unknownText ? unknownText : textOf(service["user"]);
    const [uid = "", gid = ""] = user.split(":");
    const numeric = /^\d+$/.test(uid);
    const [seccomp = "default"] = options(service, "seccomp");
    const [appArmor] = options(service, "apparmor");
    const labels = options(service, "label");
    const escalation = options(service, "no-new-privileges");
    const capabilities = (key: string) => list(service[key]).map((each) => String(each).replace(/^CAP_/, ""));
    const profile = (given: string) => ({ type: given === "unconfined" ? "Unconfined" : "Localhost" });
    const isPrivileged = service["privileged"] === true;
    return {
        ...(user === unknownText && { runAsUser: unknownText, runAsNonRoot: unknownText }),
        // A name is one of the image's: nobody knows here which uid it has.
        ...(numeric && { runAsUser: Number(uid), runAsNonRoot: Number(uid) !== 0 }),
        ...(/^\d+$/.test(gid) && { runAsGroup: Number(gid) }),
        readOnlyRootFilesystem: service["read_only"] === true,
        privileged: isPrivileged,
        allowPrivilegeEscalation: !escalation.some((each) => each === "" || each === "true"),
        capabilities: { drop: capabilities("cap_drop"), add: capabilities("cap_add") },
        seccompProfile: isPrivileged
            ? { type: "Unconfined" }
            : seccomp === "default"
              ? { type: "RuntimeDefault" }
              : profile(seccomp),
        ...(appArmor !== undefined && { appArmorProfile: profile(appArmor) }),
        ...(labels.length > 0 && { seLinuxOptions: { type: labels.join(",") } }),
    };
}

/** A path of the machine, as opposed to the name of a volume. */
const isPath = (source: string): boolean => /^[./~\\]|^[A-Za-z]:[\\/]/.test(source);

function volumeOf(entry: unknown): object {
    if (isObject(entry)) {
        const source = text(at(entry, "source"));
        switch (at(entry, "type")) {
            case "volume":
                return source === undefined ? { emptyDir: {} } : { persistentVolumeClaim: { claimName: source } };
            case "tmpfs":
                return { emptyDir: { medium: "Memory" } };
            case "image":
                return { image: { reference: source } };
            default:
                return { hostPath: { path: source ?? unknownText } };
        }
    }
    const given = String(entry);
    // What a variable names is a path in all but odd files.
    if (given === unknownText) return { hostPath: { path: unknownText } };
    const [source = "", target] = given.split(":");
    if (target === undefined) return { emptyDir: {} };
    return isPath(source) ? { hostPath: { path: source } } : { persistentVolumeClaim: { claimName: source } };
}

const sourceOf = (each: unknown): string => text(each) ?? text(at(each, "source")) ?? unknownText;

function volumes(service: Fields): readonly object[] {
    const devices = list(service["devices"]).map((each) => ({
        hostPath: { path: String(text(at(each, "source")) ?? each).split(":")[0] },
    }));
    const all = [
        ...list(service["volumes"]).map(volumeOf),
        ...[service["tmpfs"]]
            .flat()
            .filter((each) => each !== undefined)
            .map(() => ({ emptyDir: { medium: "Memory" } })),
        ...list(service["secrets"]).map((each) => ({ secret: { secretName: sourceOf(each) } })),
        ...list(service["configs"]).map((each) => ({ configMap: { name: sourceOf(each) } })),
        ...devices,
    ];
    return all.map((volume, index) => ({ name: `volume-${index}`, ...volume }));
}

function resources(service: Fields): object {
    const given = (group: string, key: string) => at(service, "deploy", "resources", group, key);
    const limits = {
        cpu: cpu(given("limits", "cpus") ?? service["cpus"]),
        memory: memory(given("limits", "memory") ?? service["mem_limit"]),
    };
    const requests = {
        cpu: cpu(given("reservations", "cpus")),
        memory: memory(given("reservations", "memory") ?? service["mem_reservation"]),
    };
    const logs = fields(at(service, "logging", "options"));
    // Nothing but its logs grows then, and those have an end.
    const bounded = service["read_only"] === true && logs["max-size"] !== undefined && logs["max-file"] !== undefined;
    const set = (values: Fields) => Object.fromEntries(Object.entries(values).filter(([, each]) => each !== undefined));
    return {
        limits: set({ ...limits, ...(bounded && { "ephemeral-storage": memory(logs["max-size"]) }) }),
        requests: set(requests),
    };
}

function probes(service: Fields): object {
    const check = service["healthcheck"];
    const test = words(at(check, "test"));
    if (check === undefined || at(check, "disable") === true || test === undefined || test[0] === "NONE") return {};
    const probe = { exec: { command: test[0] === "CMD" ? test.slice(1) : test } };
    // Docker has one for all three.
    return { startupProbe: probe, readinessProbe: probe, livenessProbe: probe };
}

/** Where others reach it; a network of the machine's own is found by network_mode. */
function ports(service: Fields): object {
    const all = [...list(service["ports"]), ...list(service["expose"])].flatMap((each) => {
        const target = number(at(each, "target")) ?? number(/(\d+)(?:\/\w+)?$/.exec(String(each))?.[1]);
        return target === undefined ? [] : [{ containerPort: target }];
    });
    return all.length > 0 ? { ports: all } : {};
}

function podSpec(name: string, service: Fields): object {
    const env = pairs(service["environment"]).map(([key, value]) => ({ name: key, value }));
    const files = [service["env_file"]].flat().filter((each) => each !== undefined);
    const groups = list(service["group_add"]).map((each) => number(each) ?? each);
    const sysctls = pairs(service["sysctls"]).map(([key, value]) => ({ name: key, value }));
    const seconds = /^(\d+)s$/.exec(String(service["stop_grace_period"]))?.[1];
    return {
        automountServiceAccountToken: false,
        ...(service["network_mode"] === "host" && { hostNetwork: true }),
        ...(service["pid"] === "host" && { hostPID: true }),
        ...(service["ipc"] === "host" && { hostIPC: true }),
        ...(seconds !== undefined && { terminationGracePeriodSeconds: Number(seconds) }),
        securityContext: {
            ...(groups.length > 0 && { supplementalGroups: groups }),
            ...(sysctls.length > 0 && { sysctls }),
        },
        containers: [
            {
                name,
                image: service["image"] ?? (service["build"] === undefined ? "" : unknownText),
                ...(words(service["entrypoint"]) && { command: words(service["entrypoint"]) }),
                ...(words(service["command"]) && { args: words(service["command"]) }),
                env,
                ...(files.length > 0 && { envFrom: files.map(() => ({ configMapRef: { name: "env-file" } })) }),
                ...ports(service),
                ...probes(service),
                resources: resources(service),
                securityContext: securityContext(service),
            },
        ],
        volumes: volumes(service),
    };
}

/** What this file does not show: the services that it takes from elsewhere. */
export function hiddenInCompose(value: unknown): string | undefined {
    if (at(value, "include") !== undefined) return "includes other files";
    const extending = Object.entries(fields(at(value, "services"))).filter(
        ([, each]) => at(each, "extends") !== undefined,
    );
    return extending.length > 0 ? `extends services (${extending.map(([name]) => name).join(", ")})` : undefined;
}

/** Every service, as a Deployment that Compose recreates, or as a Job when it ends by itself; and texts among the configs. */
export function fromCompose(value: unknown): readonly Translated[] {
    const services = Object.entries(fields(at(value, "services"))).map(([name, given]): Translated => {
        const service = fields(resolved(given));
        const labels = { "compose.service": name };
        const template = { metadata: { labels }, spec: podSpec(name, service) };
        const path = ["services", name];
        const metadata = { name };
        if (service["restart"] === "no")
            return { type: "kubernetes:batch/v1:Job", name, props: { metadata, spec: { template } }, path };
        const replicas = number(service["scale"]) ?? number(at(service, "deploy", "replicas")) ?? 1;
        const selector = { matchLabels: labels };
        // There is one machine, and all replicas are on it.
        const spread = [{ topologyKey: "kubernetes.io/hostname", labelSelector: selector }];
        const pod = { ...template, spec: { ...template.spec, topologySpreadConstraints: spread } };
        const spec = {
            replicas,
            selector,
            strategy: replicas > 1 ? { type: "RollingUpdate" } : { type: "Recreate" },
            template: pod,
        };
        return { type: "kubernetes:apps/v1:Deployment", name, props: { metadata, spec }, path };
    });
    const configs = Object.entries(fields(at(value, "configs"))).flatMap(([name, given]): Translated[] => {
        const content = text(at(given, "content"));
        if (content === undefined) return [];
        const props = { metadata: { name }, data: { [name]: interpolated(content) } };
        return [{ type: "kubernetes:core/v1:ConfigMap", name, props, path: ["configs", name] }];
    });
    return [...services, ...configs];
}
