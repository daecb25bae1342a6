import { describe, expect, it } from "vitest";
import { ConfigError } from "../../../components/config/problems";
import { parseStack } from "../../../components/stack/read";
import { ClusterError } from "../../../components/kubernetes/cluster-api";
import { checkCluster, preflight } from "../../../components/preflight/preflight";
import type { Stack } from "../../../components/config/schema";
import { everythingNew } from "../../aws-programs";
import { goodProbes, run } from "../../harness";
import type { Probes } from "../../../components/machine";

const least = {
    kubernetes: { context: "orcheo-local" },
    registry: { prefix: "127.0.0.1:5000/orcheo" },
    version: "1.2.3",
};

function read(settings: unknown, keys: string[] = [], secret = false) {
    return parseStack({ stack: "dev", keys: ["orcheo:stack", ...keys], json: JSON.stringify(settings), secret });
}

/** The lines of the whole message. */
function messages(settings: unknown, keys: string[] = [], secret = false): string[] {
    return lines(read(settings, keys, secret).problems);
}

function lines(problems: ConfigError["problems"]): string[] {
    return problems.length === 0 ? [] : new ConfigError("Pulumi.dev.yaml", problems).message.split("\n").slice(1);
}

function valid(settings: object = {}): Stack {
    const { stack, problems } = read({ ...least, ...settings });
    if (stack === undefined || problems.length > 0) throw new Error(JSON.stringify(problems));
    return stack;
}

describe("accepted", () => {
    it("three settings are enough; the defaults fit a laptop", () => {
        const stack = valid();
        expect(stack.release).toBe("0.33");
        expect(stack.images.kind).toBe("build");
        expect(stack.api.scaling).toMatchObject({ minReplicas: 2, maxReplicas: 4, cpuPercent: 70, memoryPercent: 80 });
        expect(stack.database).toMatchObject({ kind: "statefulset", storageGiB: 8 });
    });

    it("the policy pack's own key", () => {
        expect(messages(least, ["orcheo:policyExceptions", "kubernetes:context"])).toEqual([]);
    });
});

const replicas = "orcheo:stack.api.scaling.minReplicas";

describe("refused, each with its whole message", () => {
    it("an unknown key that every object of JavaScript has", () => {
        for (const key of ["valueOf", "constructor"])
            expect(messages({ ...least, [key]: 1 })).toEqual([
                expect.stringMatching(
                    `^ {2}- orcheo:stack\\.${key}: unknown key; accepted here: kubernetes, registry,`,
                ),
            ]);
    });

    it.each<[string, object, string]>([
        [
            "an unknown key",
            { hots: "a.example.com" },
            '  - orcheo:stack.hots: unknown key; did you mean "host"? accepted here: kubernetes, registry, release, version, images, rollbackTo, host, entrance, database, cache, api, worker, beat, canvas, auth, tracing, monitoring, network, aws, backup, outbound, secrets, pods, serviceAccounts, transforms, extraObjects',
        ],
        [
            "an unknown key of a chosen kind",
            { images: { kind: "build", canvas: { source: { kind: "git", rev: "main" } } } },
            '  - orcheo:stack.images.canvas.source.rev: unknown key; did you mean "ref"? accepted here: kind, url, ref',
        ],
        [
            "a wrong type",
            { worker: { replicas: "many" } },
            '  - orcheo:stack.worker.replicas: found "many"; accepted: a whole number from 1 to 200',
        ],
        [
            "out of range",
            { worker: { concurrency: 0 } },
            "  - orcheo:stack.worker.concurrency: found 0; accepted: a whole number from 1 to 64",
        ],
        [
            "fewest above most",
            { api: { scaling: { minReplicas: 5 } } },
            `  - ${replicas}: found 5; accepted: at most maxReplicas, which is 4`,
        ],
        [
            "a request above its limit",
            { api: { resources: { memoryRequestMiB: 4096 } } },
            "  - orcheo:stack.api.resources.memoryRequestMiB: found 4096; accepted: at most memoryLimitMiB, which is 1024",
        ],
        [
            "an unknown database kind",
            { database: { kind: "mysql" } },
            '  - orcheo:stack.database.kind: found "mysql"; accepted: "statefulset" or "external" or "rds"',
        ],
        [
            "more connections than memory",
            { database: { kind: "statefulset", maxConnections: 1000 } },
            "  - orcheo:stack.database.maxConnections: found 1000; accepted: at most 256 with memoryMiB 512 (1.5 MiB a connection beside the shared buffers)",
        ],
        [
            "a disk too small",
            { cache: { kind: "valkey", memoryMiB: 1024 } },
            "  - orcheo:stack.cache.storageGiB: left at its default; accepted: at least 4 with memoryMiB 1024 (the append-only file and its rewrite)",
        ],
        [
            "latest",
            { version: "latest" },
            '  - orcheo:stack.version: found "latest"; accepted: a semantic version such as 1.4.0 or 1.4.0-rc.1 (no `latest`, no leading `v`)',
        ],
        [
            "an unknown release, written as a number",
            { release: 0.33 },
            '  - orcheo:stack.release: found 0.33; accepted: "0.33" or "0.46"',
        ],
        [
            "a published image without its digest",
            {
                images: {
                    kind: "published",
                    ...Object.fromEntries(
                        ["canvas", "postgres", "valkey"].map((name) => [
                            name,
                            `ghcr.io/a/${name}@sha256:${"0".repeat(64)}`,
                        ]),
                    ),
                    backend: "ghcr.io/a/backend:1.0.0",
                },
            },
            '  - orcheo:stack.images.backend: found "ghcr.io/a/backend:1.0.0"; accepted: an image by digest, such as ghcr.io/team/orcheo/api:1.4.0@sha256:<64 hex digits>',
        ],
        [
            "a quota that the workloads exceed",
            { kubernetes: { context: "orcheo-local", quota: { pods: 3 } } },
            "  - orcheo:stack.kubernetes.quota.pods: found 3; accepted: at least 17, the sum of the workloads at their peak; or remove the setting",
        ],
        [
            "0.46 with the canvas of 0.33",
            { release: "0.46" },
            '  - orcheo:stack.images.canvas.source: found the public canvas canvas-v0.16.0 with release "0.46"; the front end of 0.46 is not public: name your own with kind "directory", "git" or "image"',
        ],
        [
            "processes that together may take more memory than their worker",
            { worker: { concurrency: 2, memoryPerProcessMiB: 600 } },
            "  - orcheo:stack.worker.memoryPerProcessMiB: found 600; accepted: at most 512 with concurrency 2 and resources.memoryLimitMiB 1536 (512 MiB are the worker's own, and every process may reach its limit at once)",
        ],
        [
            "a worker that its processes do not fit into",
            { worker: { concurrency: 16 } },
            "  - orcheo:stack.worker.resources.memoryLimitMiB: left at its default; accepted: at least 2560 with concurrency 16 (256 MiB, 128 MiB for each process, and 256 MiB while a lost run is settled)",
        ],
    ])("%s", (_, settings, message) => {
        expect(messages({ ...least, ...settings })).toEqual([message]);
    });

    it("everything that is missing", () => {
        expect(messages({})).toEqual([
            "  - orcheo:stack.kubernetes: is missing; accepted: an object with context, kubeconfig, namespace, namespaceKind, clusterDomain, podUser, adopt, podSecurityVersion, admission, quota",
            "  - orcheo:stack.registry: is missing; accepted: an object with prefix, plainHttp, pull, mirrors",
            "  - orcheo:stack.version: is missing; accepted: a semantic version such as 1.4.0 or 1.4.0-rc.1 (no `latest`, no leading `v`)",
        ]);
    });

    it("no settings at all", () => {
        const { problems } = parseStack({ stack: "dev", keys: [], json: undefined, secret: false });
        expect(lines(problems)).toEqual([
            "  - orcheo:stack: is missing; accepted: the settings listed in docs/config.md, at least kubernetes.context, registry.prefix and version",
        ]);
    });

    it("a stray key of the project", () => {
        expect(messages(least, ["orcheo:replicas"])).toEqual([
            "  - orcheo:replicas: unknown key; accepted: orcheo:stack, orcheo:registryPassword (and orcheo:policyExceptions of the policy pack); write settings below it, as in orcheo:stack.host",
        ]);
    });

    it("never shows the value of a secret", () => {
        const text = messages({ ...least, host: "hunter2 hunter2" }, [], true).join("\n");
        expect(text).toContain("orcheo:stack.host: found [secret]; accepted: ");
        expect(text).not.toContain("hunter2");
    });

    it("all at once, under one heading", () => {
        const { problems } = read({ ...least, hots: 1, worker: { replicas: 0 }, version: "1" });
        expect(new ConfigError("Pulumi.dev.yaml", problems).message).toMatch(
            /^Pulumi\.dev\.yaml: 3 problems, nothing was changed\n(\s+- orcheo:stack\.\S+: .*\n?){3}$/,
        );
    });
});

describe("preflight", () => {
    const { aws: own } = everythingNew as { aws: object };
    const theirs = { kind: "existing", name: "prod", securityGroupId: "sg-00000000000000001" };
    const existing = { ...own, cluster: theirs };

    const found = async (probes: Partial<Probes>, settings: object = {}, update = true) =>
        lines(await preflight(valid(settings), { ...goodProbes, ...probes }, update));

    it("accepts a good environment", async () => {
        expect(await found({})).toEqual([]);
    });

    it("a wrong kube context, with the right ones", async () => {
        const contexts = () => ({ where: "~/.kube/config", names: ["kind-kind", "prod"] });
        expect(await found({ contexts })).toEqual([
            '  - orcheo:stack.kubernetes.context: found "orcheo-local", which is no context of ~/.kube/config; accepted: kind-kind, prod',
        ]);
    });

    it.each<[string, boolean, object | string | undefined]>([
        ["none", true, undefined],
        ["another key of AWS", true, { ...existing, zone: "a" }],
        ["the cluster's name", true, { ...own, cluster: { ...theirs, name: 5 } }],
        ["another key of AWS, with a cluster of the stack's own", false, { ...own, zone: "a" }],
        ["the nodes of the stack's own cluster", false, { ...own, cluster: { kind: "new", nodes: { minNodes: 0 } } }],
        ["the kind of cluster", false, { ...own, cluster: { kind: "nwe" } }],
        ["no cluster", false, { region: "eu-central-1" }],
        ["all of AWS", false, "yes"],
    ])(
        "refused settings of AWS: the cluster of the context is checked only where it is meant: %s",
        async (_, asked, aws) => {
            const { sections, problems } = read({ ...least, aws });
            expect(problems.length > 0).toBe(aws !== undefined);
            const contexts = () => ({ where: "~/.kube/config", names: ["another"] });
            const around = await preflight(sections, { ...goodProbes, contexts }, false);
            expect(around.map(({ at }) => at)).toEqual(asked ? ["orcheo:stack.kubernetes.context"] : []);
            const cluster = () => Promise.reject(new ClusterError("away"));
            const { warnings } = await checkCluster(sections, { ...goodProbes, cluster }, false);
            expect(warnings).toHaveLength(asked ? 1 : 0);
        },
    );

    it("no kubeconfig", async () => {
        const contexts = () => ({ where: "/nowhere", names: undefined });
        expect(await found({ contexts })).toEqual([
            "  - orcheo:stack.kubernetes.kubeconfig: no kubeconfig at /nowhere; name one with orcheo:stack.kubernetes.kubeconfig or $KUBECONFIG, or start a cluster with `make up`",
        ]);
    });

    it("a registry that is down fails an update but not a preview", async () => {
        const registry = () => Promise.resolve("connect ECONNREFUSED");
        expect(await found({ registry })).toEqual([
            "  - orcheo:stack.registry.prefix: the registry does not answer at http://127.0.0.1:5000/v2/ (connect ECONNREFUSED); start it (`make up` starts the embedded one), or name another; plainHttp decides between http and https",
        ]);
        expect(await found({ registry }, {}, false)).toEqual([]);
    });

    it("a missing canvas tree, CA bundle and builder", async () => {
        const images = {
            kind: "build",
            builder: "mine",
            caBundleFile: "ca.pem",
            canvas: { source: { kind: "directory", path: "../orcheo" } },
        };
        const probes = { isFile: () => false, isDirectory: () => false, builders: () => ["default"] };
        expect(await found(probes, { images })).toEqual([
            "  - orcheo:stack.images.caBundleFile: there is no file ca.pem; accepted: a PEM file; or leave it out",
            "  - orcheo:stack.images.canvas.source.path: there is no directory ../orcheo; accepted: an Orcheo source tree",
            '  - orcheo:stack.images.builder: found "mine", which buildx does not know; accepted: default',
        ]);
    });
});

it("a refused stack registers nothing and reports every problem at once", async () => {
    const contexts = () => ({ where: "~/.kube/config", names: ["kind-kind"] });
    const registry = () => Promise.resolve("connect ECONNREFUSED");
    const settings = { ...least, hots: 1 };
    const { resources, error } = await run({ stack: "dev", settings, probes: { contexts, registry } }, false);
    expect(resources).toEqual([]);
    expect(error?.split("\n").map((line) => line.split(";")[0])).toEqual([
        "Pulumi.dev.yaml: 3 problems, nothing was changed",
        "  - orcheo:stack.hots: unknown key",
        '  - orcheo:stack.kubernetes.context: found "orcheo-local", which is no context of ~/.kube/config',
        "  - orcheo:stack.registry.prefix: the registry does not answer at http://127.0.0.1:5000/v2/ (connect ECONNREFUSED)",
    ]);
});

describe("a refused setting", () => {
    const typo = "  - orcheo:stack.api.extraEnv.ORCHEO_LOGLEVEL: is not read by release 0.33";
    const bad = { api: { extraEnv: { ORCHEO_LOGLEVEL: "DEBUG" } } };
    const heads = (settings: object) => messages({ ...least, ...settings }).map((line) => line.split(";")[0]);
    const at = (settings: object) => heads(settings).map((line) => /orcheo:stack\.([^:]+)/.exec(line ?? "")?.[1]);

    it.each<[string, object, string[]]>([
        ["another section", { canvas: { contentSecurityOrigins: ["*"] } }, ["canvas.contentSecurityOrigins[0]"]],
        ["a rule of another section", { worker: { concurrency: 60 } }, ["worker.resources.memoryLimitMiB"]],
        ["a section that is no object", { worker: 5 }, ["worker"]],
        ["an unknown section", { wroker: {} }, ["wroker"]],
        ["a missing section", { registry: undefined }, ["registry"]],
        ["what the environment follows from", { host: "a b" }, ["host"]],
        ["another key of its section", { api: { ...bad.api, drainSeconds: 0 } }, ["api.drainSeconds"]],
        ["a rule of its section", { api: { ...bad.api, scaling: { minReplicas: 9 } } }, ["api.scaling.minReplicas"]],
        ["another entry", { api: { extraEnv: { ...bad.api.extraEnv, lower: "x" } } }, ["api.extraEnv.lower"]],
        ["the pods' section", { pods: { api: { tolerations: 1 } } }, ["pods.api.tolerations"]],
    ])("hides no problem of others: %s", (_, settings, keys) => {
        const all = at({ ...bad, ...settings });
        expect(all).toEqual([...keys, "api.extraEnv.ORCHEO_LOGLEVEL"]);
        expect(heads({ ...bad, ...settings })).toContain(typo);
    });

    it("hides no conflict between other sections", () => {
        const settings = {
            canvas: { replicas: 0 },
            database: { kind: "rds", storageGiB: "x" },
            cache: { kind: "elasticache", snapshotWindow: "04:00-05:00", maintenanceWindow: "sun:04:30-sun:05:30" },
            kubernetes: { context: "c", quota: { pods: 1 }, namespaceKind: "existing" },
            worker: { resources: { ephemeralRequestMiB: 90_000 } },
            entrance: { controller: { kind: "awsLoadBalancer", certificateArn: 1 }, tls: { kind: "acme" } },
        };
        const all = at(settings);
        for (const key of ["cache.kind", "cache.snapshotWindow", "kubernetes.quota"]) expect(all).toContain(key);
        expect(all).toContain("worker.resources.ephemeralRequestMiB");
        // What depends on the canvas or the database.
        expect(all).not.toContain("kubernetes.quota.pods");
    });

    it("has no value that a conflict could be found with", () => {
        const settings = { release: "0.46", images: { kind: "build" } };
        expect(at(settings)).toEqual(["images.canvas.source"]);
        expect(at({ ...settings, images: { kind: "build", canvs: {} } })).toEqual(["images.canvs"]);
        expect(at({ ...settings, images: { kind: "build", canvas: { source: { kind: "gti" } } } })).toEqual([
            "images.canvas.source.kind",
        ]);
        expect(at({ ...bad, release: "0.45" })).toEqual(["release"]);
        expect(at({ network: { ingressCidrs: ["x"] }, entrance: { controller: { kind: "awsLoadBalancer" } } })).toEqual(
            expect.not.arrayContaining(["network.ingressCidrs"]),
        );
    });
});
