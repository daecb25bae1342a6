/** One compliant object of every kind that carries a pod template, and for each pod rule the changes that break it. */
import { templatePaths } from "../../policies/workloads.ts";

export interface Manifest {
    readonly apiVersion: string;
    readonly kind: string;
    readonly metadata: { readonly name: string; readonly namespace?: string };
    [key: string]: unknown;
}

export type Mutable = Record<string, unknown>;

const digest = `sha256:${"a".repeat(64)}`;

/** A compliant container. */
export function container(name: string): Mutable {
    return {
        name,
        image: `registry.example.com/orcheo/api@${digest}`,
        securityContext: {
            allowPrivilegeEscalation: false,
            readOnlyRootFilesystem: true,
            capabilities: { drop: ["ALL"] },
        },
        resources: {
            requests: { cpu: "10m", memory: "16Mi" },
            limits: { memory: "32Mi", "ephemeral-storage": "64Mi" },
        },
    };
}

function podSpec(kind: string): Mutable {
    const serves = {
        ports: [{ containerPort: 8000 }],
        readinessProbe: { tcpSocket: { port: 8000 } },
        livenessProbe: { tcpSocket: { port: 8000 } },
        lifecycle: { preStop: { sleep: { seconds: 5 } } },
    };
    return {
        automountServiceAccountToken: false,
        terminationGracePeriodSeconds: 30,
        ...(kind === "Job" || kind === "CronJob" ? { restartPolicy: "Never" } : {}),
        securityContext: { runAsNonRoot: true, runAsUser: 1000, seccompProfile: { type: "RuntimeDefault" } },
        containers: [{ ...container("main"), ...serves }],
        initContainers: [container("init")],
    };
}

const labels = { "app.kubernetes.io/name": "api" };

/** The compliant object of a kind, fresh on every call. */
export function compliant(kind: string): Manifest {
    const metadata = { name: `good-${kind.toLowerCase()}`, namespace: "orcheo-policies" };
    const template = { metadata: { labels }, spec: podSpec(kind) };
    const selector = { matchLabels: labels };
    switch (kind) {
        case "Pod":
            return { apiVersion: "v1", kind, metadata, spec: podSpec(kind) };
        case "PodTemplate":
            return { apiVersion: "v1", kind, metadata, template };
        case "ReplicationController":
            return { apiVersion: "v1", kind, metadata, spec: { replicas: 1, selector: labels, template } };
        case "Job":
            return { apiVersion: "batch/v1", kind, metadata, spec: { template } };
        case "CronJob":
            return {
                apiVersion: "batch/v1",
                kind,
                metadata,
                spec: { schedule: "0 0 * * *", jobTemplate: { spec: { template } } },
            };
        case "StatefulSet":
            return { apiVersion: "apps/v1", kind, metadata, spec: { selector, template } };
        default:
            return { apiVersion: "apps/v1", kind, metadata, spec: { selector, template } };
    }
}

/** A compliant pod of Windows, to which the API server gives none of Linux' security fields. */
export function windowsPod(): Manifest {
    const manifest = compliant("Pod");
    const plain = (name: string): Mutable => ({ ...container(name), securityContext: {} });
    const spec = {
        ...podSpec("Pod"),
        os: { name: "windows" },
        securityContext: { runAsNonRoot: true },
        containers: [plain("main")],
        initContainers: [plain("init")],
    };
    return { ...manifest, metadata: { ...manifest.metadata, name: "good-windows" }, spec };
}

/** Compliant pods that say things in other ways than `compliant` does. */
export function otherCompliantPods(): readonly Manifest[] {
    const named = (name: string, more: Mutable): Manifest => {
        const pod = compliant("Pod");
        return { ...pod, metadata: { ...pod.metadata, name }, spec: { ...podSpec("Pod"), ...more } };
    };
    const limits = { "ephemeral-storage": "64Mi" };
    const sha512 = `registry.example.com/orcheo/api@sha512:${"b".repeat(128)}`;
    return [
        named("resources-of-the-pod", {
            resources: { requests: { cpu: "100m", memory: "64Mi" }, limits: { memory: "64Mi" } },
            containers: [{ ...container("main"), resources: { limits } }],
            initContainers: [{ ...container("init"), resources: { limits } }],
        }),
        named("sha512", { containers: [{ ...container("main"), image: sha512 }] }),
        named("image-volume", { volumes: [{ name: "model", image: { reference: sha512 } }] }),
        named("groups", {
            securityContext: {
                ...object(podSpec("Pod")["securityContext"]),
                ...{ runAsGroup: 1000, fsGroup: 1000, supplementalGroups: [1000, 2000] },
            },
        }),
    ];
}

export const kinds = Object.keys(templatePaths);

/** Pulumi's type token of a manifest. */
export function tokenOf(manifest: { apiVersion: string; kind: string }): string {
    const version = manifest.apiVersion.includes("/") ? manifest.apiVersion : `core/${manifest.apiVersion}`;
    return `kubernetes:${version}:${manifest.kind}`;
}

function object(value: unknown): Mutable {
    if (typeof value !== "object" || value === null) throw new Error(`not an object: ${JSON.stringify(value)}`);
    return value as Mutable;
}

/** The pod template of a manifest: the part with the pod's metadata and spec, to be changed in place. */
export function templateOf(manifest: Manifest): Mutable {
    const path = templatePaths[manifest.kind];
    if (path === undefined) throw new Error(`${manifest.kind} carries no pod template`);
    return path.reduce((here, key) => object(here[key]), object(manifest));
}

export interface Mutation {
    readonly rule: string;
    /** What is changed, as the verdict table shows it. */
    readonly change: string;
    readonly apply: (pod: Mutable, template: Mutable) => void;
    /** What the message must contain. */
    readonly says: string;
    /** The change by itself, once for each rule on containers: what it does to an ephemeral one is evaluated too. */
    readonly alone?: {
        readonly says: string;
        readonly apply: (container: Mutable, context: Mutable) => void;
    };
    /** Settings under which the rule evaluates. */
    readonly settings?: Readonly<Record<string, unknown>>;
    /** Kinds in which the change means something; all by default. */
    readonly kinds?: readonly string[];
    /** Feature gate without which the API server drops the field before any policy sees it. */
    readonly gate?: string;
    /** What an API server may say that refuses the object by its own flags, before any policy is asked. */
    readonly serverItself?: string;
}

/** The container of a pod spec by its list, the first one. */
function first(pod: Mutable, key = "containers"): Mutable {
    const containers = pod[key];
    if (!Array.isArray(containers)) throw new Error(`${key} is not a list`);
    return object(containers[0]);
}

function context(pod: Mutable, key = "containers"): Mutable {
    const found = first(pod, key);
    found["securityContext"] ??= {};
    return object(found["securityContext"]);
}

const longRunning = kinds.filter((kind) => kind !== "Job" && kind !== "CronJob");

/** Rules on containers are broken twice: in a container and in an init container. */
function inBoth(
    rule: string,
    change: string,
    says: string,
    apply: (container: Mutable, context: Mutable) => void,
    more: Partial<Mutation> = {},
): Mutation[] {
    return [["containers", "main", { says, apply }] as const, ["initContainers", "init"] as const].map(
        ([key, name, alone]) => ({
            rule,
            change: `${name}: ${change}`,
            says: `container "${name}" ${says}`,
            apply: (pod: Mutable) => {
                apply(first(pod, key), context(pod, key));
            },
            ...(alone === undefined ? {} : { alone }),
            ...more,
        }),
    );
}

export const mutations: readonly Mutation[] = [
    ...inBoth("run-as-non-root", "runAsNonRoot: false", "runAsNonRoot is false", (_, c) => (c["runAsNonRoot"] = false)),
    {
        rule: "run-as-non-root",
        change: "pod without runAsNonRoot",
        says: 'container "init" runAsNonRoot is not set',
        apply: (pod) => delete object(pod["securityContext"])["runAsNonRoot"],
    },
    ...inBoth("non-zero-uid", "runAsUser: 0", "runAsUser is 0", (_, c) => (c["runAsUser"] = 0)),
    {
        rule: "non-zero-uid",
        change: "pod runAsUser: 0",
        says: 'container "main" runAsUser is 0',
        apply: (pod) => (object(pod["securityContext"])["runAsUser"] = 0),
    },
    ...inBoth("no-root-group", "runAsGroup: 0", "", (_, c) => (c["runAsGroup"] = 0)).map((each) => ({
        ...each,
        says: "is in group 0 by runAsGroup of container",
        alone: undefined,
    })),
    ...[
        ["runAsGroup", 0],
        ["fsGroup", 0],
        ["supplementalGroups", [1000, 0]],
    ].map(([field, value]): Mutation => ({
        rule: "no-root-group",
        change: `pod ${String(field)}: ${JSON.stringify(value)}`,
        says: `is in group 0 by ${String(field)}`,
        apply: (pod) => (object(pod["securityContext"])[String(field)] = value),
    })),
    ...inBoth(
        "read-only-root-filesystem",
        "readOnlyRootFilesystem: false",
        "readOnlyRootFilesystem is false",
        (_, c) => (c["readOnlyRootFilesystem"] = false),
    ),
    ...inBoth(
        "read-only-root-filesystem",
        "no readOnlyRootFilesystem",
        "readOnlyRootFilesystem is not set",
        (_, c) => delete c["readOnlyRootFilesystem"],
    ),
    ...inBoth(
        "no-privilege-escalation",
        "allowPrivilegeEscalation: true",
        "allowPrivilegeEscalation is true",
        (_, c) => (c["allowPrivilegeEscalation"] = true),
    ),
    ...inBoth(
        "no-privilege-escalation",
        "no allowPrivilegeEscalation",
        "allowPrivilegeEscalation is not set",
        (_, c) => delete c["allowPrivilegeEscalation"],
    ),
    // The API server demands that a privileged container may escalate: the object breaks two rules.
    ...inBoth(
        "no-privileged-containers",
        "privileged: true",
        "privileged is true",
        (_, c) => {
            c["privileged"] = true;
            c["allowPrivilegeEscalation"] = true;
        },
        { serverItself: "disallowed by cluster policy" },
    ),
    ...inBoth(
        "drop-all-capabilities",
        "drop: [NET_RAW]",
        "capabilities.drop is [NET_RAW]",
        (_, c) => (c["capabilities"] = { drop: ["NET_RAW"] }),
    ),
    ...inBoth(
        "drop-all-capabilities",
        "no capabilities",
        "capabilities.drop is []",
        (_, c) => delete c["capabilities"],
    ),
    ...inBoth(
        "no-added-capabilities",
        "add: [SYS_TIME]",
        "capabilities.add has SYS_TIME",
        (_, c) => (c["capabilities"] = { drop: ["ALL"], add: ["NET_BIND_SERVICE", "SYS_TIME"] }),
    ),
    ...inBoth(
        "seccomp-profile",
        "Unconfined",
        "seccompProfile.type is Unconfined",
        (_, c) => (c["seccompProfile"] = { type: "Unconfined" }),
    ),
    {
        rule: "seccomp-profile",
        change: "pod without seccompProfile",
        says: 'container "main" seccompProfile.type is not set',
        apply: (pod) => delete object(pod["securityContext"])["seccompProfile"],
    },
    ...inBoth(
        "image-by-digest",
        "a tag",
        'uses image "registry.example.com/orcheo/api:1.2"',
        (c) => (c["image"] = "registry.example.com/orcheo/api:1.2"),
    ),
    ...inBoth(
        "image-by-digest",
        "a digest that is too short",
        "uses image",
        (c) => (c["image"] = `registry.example.com/orcheo/api@sha512:${"a".repeat(64)}`),
    ),
    {
        rule: "image-by-digest",
        change: "an image volume by tag",
        gate: "ImageVolume",
        says: 'mounts image "registry.example.com/orcheo/model:latest" as volume "model"',
        apply: (pod) =>
            (pod["volumes"] = [{ name: "model", image: { reference: "registry.example.com/orcheo/model:latest" } }]),
    },
    {
        rule: "image-registry",
        change: "an image volume of another registry",
        gate: "ImageVolume",
        says: `mounts image "models.example.com/a@${digest}" as volume "model"`,
        settings: { registries: ["registry.example.com/orcheo"] },
        apply: (pod) =>
            (pod["volumes"] = [
                { name: "own", image: { reference: `registry.example.com/orcheo/model@${digest}` } },
                { name: "model", image: { reference: `models.example.com/a@${digest}` } },
            ]),
    },
    ...inBoth(
        "image-registry",
        "a short name",
        `uses image "nginx@${digest}"`,
        (c) => (c["image"] = `nginx@${digest}`),
        { settings: { registries: ["registry.example.com/orcheo"] } },
    ),
    ...inBoth(
        "image-registry",
        "another registry",
        `uses image "docker.io/library/nginx@${digest}"`,
        (c) => (c["image"] = `docker.io/library/nginx@${digest}`),
        { settings: { registries: ["registry.example.com/orcheo"] } },
    ),
    // The API server takes Unmasked only with hostUsers: false.
    ...inBoth("default-proc-mount", "procMount: Unmasked", "procMount is Unmasked", (_, c) => {
        c["procMount"] = "Unmasked";
    }).map((each) => ({
        ...each,
        apply: (pod: Mutable, template: Mutable) => {
            pod["hostUsers"] = false;
            each.apply(pod, template);
        },
    })),
    {
        rule: "safe-sysctls",
        change: "kernel.msgmax",
        says: "sets unsafe sysctl kernel.msgmax",
        apply: (pod) =>
            (object(pod["securityContext"])["sysctls"] = [
                { name: "net.ipv4.tcp_syncookies", value: "1" },
                { name: "kernel.msgmax", value: "65536" },
            ]),
    },
    ...inBoth(
        "app-armor-profile",
        "Unconfined",
        "its AppArmor profile is Unconfined",
        (_, c) => (c["appArmorProfile"] = { type: "Unconfined" }),
    ),
    {
        rule: "app-armor-profile",
        change: "annotation unconfined",
        says: 'container "main" its AppArmor profile is Unconfined',
        apply: (_, template) => {
            template["metadata"] ??= {};
            object(template["metadata"])["annotations"] = {
                "container.apparmor.security.beta.kubernetes.io/main": "unconfined",
            };
        },
    },
    ...inBoth(
        "selinux-options",
        "type: spc_t",
        'its SELinux context is "::spc_t"',
        (_, c) => (c["seLinuxOptions"] = { type: "spc_t" }),
    ),
    {
        rule: "no-host-namespaces",
        change: "hostPID and hostIPC",
        says: "shares the node's namespaces: hostPID, hostIPC",
        apply: (pod) => Object.assign(pod, { hostPID: true, hostIPC: true }),
    },
    {
        rule: "no-host-namespaces",
        change: "hostNetwork",
        says: "shares the node's namespaces: hostNetwork",
        apply: (pod) => {
            pod["hostNetwork"] = true;
            // With hostNetwork every port is a host port; without ports only one rule is broken.
            delete first(pod)["ports"];
        },
    },
    {
        rule: "no-host-path",
        change: "hostPath volume",
        says: `mounts the node's files as volume "node"`,
        apply: (pod) => (pod["volumes"] = [{ name: "node", hostPath: { path: "/" } }]),
    },
    ...inBoth(
        "no-host-ports",
        "hostPort: 80",
        "takes host port 80",
        (c) => (c["ports"] = [{ containerPort: 80, hostPort: 80 }]),
    ),
    {
        rule: "volume-types",
        change: "nfs and iscsi volumes",
        says: 'mounts iscsi "disk", nfs "files"',
        apply: (pod) =>
            (pod["volumes"] = [
                { name: "files", nfs: { server: "nfs.example.com", path: "/" } },
                { name: "disk", iscsi: { targetPortal: "192.0.2.1", iqn: "iqn.2001-04.com.example:a", lun: 0 } },
            ]),
    },
    {
        rule: "no-probe-hosts",
        change: "host in a probe and a hook",
        says: 'container "main" names a host in livenessProbe, lifecycle.preStop',
        apply: (pod) => {
            first(pod)["livenessProbe"] = { tcpSocket: { port: 8000, host: "127.0.0.1" } };
            first(pod)["lifecycle"] = { preStop: { httpGet: { port: 80, host: "192.0.2.1" } } };
        },
    },
    {
        rule: "no-host-process",
        change: "windowsOptions.hostProcess: true",
        says: 'container "main" windowsOptions.hostProcess is true',
        alone: {
            says: "windowsOptions.hostProcess is true",
            apply: (_, c) => (c["windowsOptions"] = { hostProcess: true }),
        },
        serverItself: "disallowed by cluster policy",
        apply: (pod) => {
            // The API server demands hostNetwork of such a pod: the object breaks two rules.
            Object.assign(object(pod["securityContext"]), { windowsOptions: { hostProcess: true } });
            pod["hostNetwork"] = true;
            delete first(pod)["ports"];
        },
    },
    {
        rule: "no-token-automount",
        change: "no automountServiceAccountToken",
        says: "automountServiceAccountToken is not set",
        apply: (pod) => delete pod["automountServiceAccountToken"],
    },
    {
        rule: "no-token-automount",
        change: "automountServiceAccountToken: true",
        says: "automountServiceAccountToken is true",
        apply: (pod) => (pod["automountServiceAccountToken"] = true),
    },
    {
        rule: "no-shared-process-namespace",
        change: "shareProcessNamespace: true",
        says: "shareProcessNamespace is true",
        apply: (pod) => (pod["shareProcessNamespace"] = true),
    },
    ...inBoth(
        "requests-and-limits",
        "no resources",
        "has no CPU request, no memory request, no memory limit",
        (c) => delete c["resources"],
    ),
    ...inBoth(
        "ephemeral-storage-limits",
        "no ephemeral-storage limit",
        "has no ephemeral-storage limit",
        (c) => (c["resources"] = { requests: { cpu: "10m", memory: "16Mi" }, limits: { memory: "32Mi" } }),
    ),
    ...inBoth(
        "requests-and-limits",
        "no memory limit",
        "has no memory limit",
        (c) => (c["resources"] = { requests: { cpu: "1", memory: "1Mi" } }),
    ),
    {
        rule: "probes-on-what-serves",
        change: "no readinessProbe",
        says: 'container "main" serves without readinessProbe',
        kinds: longRunning,
        apply: (pod) => delete first(pod)["readinessProbe"],
    },
    {
        rule: "probes-on-what-serves",
        change: "no probes",
        says: 'container "main" serves without livenessProbe and readinessProbe',
        kinds: longRunning,
        apply: (pod) => {
            delete first(pod)["readinessProbe"];
            delete first(pod)["livenessProbe"];
        },
    },
    {
        rule: "probes-on-what-serves",
        change: "a sidecar without probes",
        says: 'container "init" serves without livenessProbe and readinessProbe',
        kinds: longRunning,
        apply: (pod) =>
            Object.assign(first(pod, "initContainers"), { restartPolicy: "Always", ports: [{ containerPort: 9000 }] }),
    },
    {
        rule: "grace-covers-pre-stop",
        change: "grace period of 5 s",
        says: 'container "main" waits 5 s in preStop of a grace period of 5 s',
        apply: (pod) => (pod["terminationGracePeriodSeconds"] = 5),
    },
    {
        rule: "grace-covers-pre-stop",
        change: "preStop: sleep 40",
        says: 'container "main" waits 40 s in preStop of a grace period of 30 s',
        apply: (pod) =>
            (first(pod)["lifecycle"] = { preStop: { exec: { command: ["sh", "-c", "echo bye; sleep 40"] } } }),
    },
    {
        rule: "pod-size",
        change: "101 containers",
        says: "has 102 containers (at most 100)",
        kinds: ["Pod"],
        apply: (pod) => (pod["containers"] = Array.from({ length: 101 }, (_, index) => container(`c${index}`))),
    },
    {
        rule: "pod-size",
        change: "1,001 supplemental groups",
        says: "has 1001 supplemental groups (at most 1000)",
        kinds: ["Pod"],
        apply: (pod) =>
            (object(pod["securityContext"])["supplementalGroups"] = Array.from(
                { length: 1001 },
                (_, group) => group + 1,
            )),
    },
    ...inBoth(
        "no-secret-literals",
        "env POSTGRES_PASSWORD",
        "holds what looks like a secret in env POSTGRES_PASSWORD",
        (c) => (c["env"] = [{ name: "POSTGRES_PASSWORD", value: "hunter2hunter2" }]),
    ),
    ...inBoth(
        "no-secret-literals",
        "password in a URL",
        "holds what looks like a secret in env DATABASE",
        (c) => (c["env"] = [{ name: "DATABASE", value: "postgresql://orcheo:hunter2@postgres/orcheo" }]),
    ),
    ...inBoth(
        "no-secret-literals",
        "--password=",
        "holds what looks like a secret in args",
        (c) => (c["args"] = ["serve", "--db-password=hunter2"]),
    ),
    ...inBoth(
        "no-secret-literals",
        "--password and its value",
        "holds what looks like a secret in command",
        (c) => (c["command"] = ["serve", "--password", "hunter2"]),
    ),
    ...inBoth(
        "secrets-as-files",
        "env from a Secret",
        "takes a Secret as env TOKEN",
        (c) => (c["env"] = [{ name: "TOKEN", valueFrom: { secretKeyRef: { name: "s", key: "token" } } }]),
    ),
    ...inBoth(
        "secrets-as-files",
        "envFrom a Secret",
        "takes a Secret as envFrom s",
        (c) => (c["envFrom"] = [{ secretRef: { name: "s" } }]),
    ),
];

/** A compliant pod with an ephemeral container, as `kubectl debug` adds one; the API gives such a container no resources. */
export function debugged(ephemeral: Mutable): Manifest {
    const pod = compliant("Pod");
    const metadata = { ...pod.metadata, name: "debugged" };
    return { ...pod, metadata, spec: { ...podSpec("Pod"), ephemeralContainers: [ephemeral] } };
}

/** For each rule that looks at them: an ephemeral container that breaks it. */
export const ephemeralMutations = mutations.flatMap(({ rule, change, alone, settings = {} }) => {
    if (alone === undefined) return [];
    const ephemeral: Mutable = { ...container("debug"), resources: undefined };
    const security = { ...object(ephemeral["securityContext"]) };
    ephemeral["securityContext"] = security;
    alone.apply(ephemeral, security);
    return [{ rule, change, says: alone.says, settings, ephemeral }];
});

/** The mutated object of a kind. Its name tells the mutation's place in the table. */
export function mutated(mutation: Mutation, kind: string, name: string): Manifest {
    const manifest = compliant(kind);
    const template = templateOf(manifest);
    mutation.apply(object(template["spec"]), template);
    return { ...manifest, metadata: { ...manifest.metadata, name } };
}
