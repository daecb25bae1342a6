/** The embedded cluster's monitoring: its switch, its manifests, and what it changes in a stack's settings. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse, parseAllDocuments } from "yaml";
import { scrapeConfig } from "../../local/cluster/addons/monitoring/scrape.ts";
import { fillIn } from "../../local/cluster/cluster.ts";
import { auditPolicy } from "../../local/cluster/configs.ts";
import {
    monitoringImages,
    monitoringManifests,
    monitoringProblems,
    monitoringSettings,
    tracingSettings,
} from "../../local/cluster/monitoring.ts";
import { monitoringFrom } from "../../local/main.ts";
import { embeddedSettings, stackArguments } from "../../local/settings.ts";
import { binariesOf } from "../../local/toolchain/build.ts";
import { monitoredUpGroups, tools, upGroups } from "../../local/toolchain/tools.ts";

const project = join(import.meta.dirname, "../..");

interface Container {
    readonly image: string;
    readonly securityContext: object;
    readonly volumeMounts?: readonly { readonly name: string; readonly readOnly?: boolean }[];
    readonly resources: { readonly requests: object; readonly limits: { readonly memory: string } };
}
interface Found {
    readonly kind: string;
    readonly metadata: { readonly name: string; readonly namespace?: string; readonly labels?: object };
    readonly spec?: {
        readonly podSelector?: object;
        readonly policyTypes?: readonly string[];
        readonly selector?: { readonly matchLabels: object };
        readonly template?: {
            readonly metadata: { readonly labels: object };
            readonly spec: {
                readonly containers: readonly Container[];
                readonly securityContext: { readonly runAsUser: number };
                readonly volumes?: readonly { readonly name: string; readonly hostPath?: object }[];
            };
        };
    };
}

const values = new Map([
    ...monitoringImages.map(({ name }): [string, string] => [`image:${name}`, `registry/${name}@sha256:0`]),
    ["image:worker", "registry/backend@sha256:0"],
    ["apiPort", "6443"],
    ["httpsPort", "443"],
    ...[
        ...["stackNamespace", "host", "signInHost", "nodeAddress"],
        ...["entranceAddress", "latencyOffset", "configKey", "auditLogs"],
    ].map((name): [string, string] => [name, name.toLowerCase()]),
]);
const [kept = [], ...others] = monitoringManifests().map((text) => {
    const documents = parseAllDocuments(fillIn(text, values));
    expect(documents.flatMap(({ errors }) => errors)).toEqual([]);
    return documents.map((each) => each.toJS() as Found);
});
const removed = others.flat();
const deployments = removed.filter(({ kind }) => kind === "Deployment");

describe("the switch", () => {
    it.each([
        [undefined, false],
        ["", false],
        ["0", false],
        ["1", true],
    ])("%s is %s", (found, on) => {
        expect(monitoringFrom({ ORCHEO_MONITORING: found })).toBe(on);
    });

    it("refuses anything else", () => {
        expect(() => monitoringFrom({ ORCHEO_MONITORING: "yes" })).toThrow(
            'ORCHEO_MONITORING: found "yes"; accepted: 1, or 0 or nothing for no monitoring',
        );
    });

    it("alone brings its tools", () => {
        const binaries = (groups: readonly string[]) =>
            tools.filter(({ group }) => groups.includes(group)).flatMap(binariesOf);
        const own = monitoringImages.flatMap((image) => image.binaries);
        expect(binaries(monitoredUpGroups)).toEqual(expect.arrayContaining(own));
        for (const binary of own) expect(binaries(upGroups)).not.toContain(binary);
    });
});

describe("a stack's settings", () => {
    it("keep their objectives, and are scraped by the cluster's own", () => {
        const cluster = { context: "orcheo-x", kubeconfig: "/k", registry: "127.0.0.1:1", builder: "orcheo-x" };
        const machine = { cluster, httpsPort: 443, monitoring: monitoringSettings };
        const serviceLevels = { latencySeconds: 1 };
        const own = { kind: "annotations", namespace: "mine", serviceLevels };
        expect(embeddedSettings({ monitoring: own }, machine).monitoring).toEqual({
            ...monitoringSettings,
            serviceLevels,
        });
        expect(embeddedSettings({ monitoring: { kind: "none" } }, machine).monitoring).toEqual(monitoringSettings);
        expect(embeddedSettings({}, machine).monitoring).toEqual(monitoringSettings);
    });

    it("send their traces to the cluster's own collector, unless they have a server of their own", () => {
        const cluster = { context: "orcheo-x", kubeconfig: "/k", registry: "127.0.0.1:1", builder: "orcheo-x" };
        const tracing = tracingSettings("/ca.crt");
        const machine = { cluster, httpsPort: 443, tracing };
        expect(embeddedSettings({}, machine).tracing).toEqual(tracing);
        expect(embeddedSettings({ tracing: { kind: "none" } }, machine).tracing).toEqual(tracing);
        const own = { kind: "otlp", endpoint: "https://otel.example.com/v1/traces" };
        expect(embeddedSettings({ tracing: own }, machine).tracing).toEqual(own);
    });

    it("are refused when they send their metrics elsewhere", () => {
        for (const monitoring of [undefined, { kind: "none" }, { kind: "annotations" }])
            expect(monitoringProblems({ monitoring }, "Pulumi.dev.yaml")).toEqual([]);
        expect(monitoringProblems({ monitoring: { kind: "otlp" } }, "Pulumi.dev.yaml")).toEqual([
            'ORCHEO_MONITORING: found 1 beside monitoring.kind "otlp" in Pulumi.dev.yaml; accepted: 1 beside "annotations", "none" or no such key',
        ]);
    });

    it("`make status` asks Alertmanager, on the embedded cluster alone", () => {
        const cluster = { context: "orcheo-x", kubeconfig: "/k", caFile: "/ca.crt" };
        const asked = ["--alerts", "service/monitoring/alertmanager:9093"];
        expect(stackArguments({}, cluster, asked[1]).slice(-2)).toEqual(asked);
        expect(stackArguments({ kubernetes: { context: "mine" } }, cluster, asked[1])).toEqual(["--context", "mine"]);
    });
});

describe("its objects", () => {
    it("stay or go by their label", () => {
        const label = { "app.kubernetes.io/part-of": "orcheo-monitoring" };
        const claim = "PersistentVolumeClaim";
        expect(kept.map(({ kind }) => kind)).toEqual(["Namespace", claim, claim, "Namespace", claim]);
        for (const { metadata } of kept) expect(metadata.labels ?? {}).not.toMatchObject(label);
        for (const { metadata } of removed) expect(metadata.labels, metadata.name).toMatchObject(label);
    });

    it("run under Pod Security restricted, within 1.5 GiB together, from images by digest", () => {
        expect(kept[0]?.metadata.labels).toEqual({ "pod-security.kubernetes.io/enforce": "restricted" });
        const containers = deployments.flatMap(({ spec }) => spec?.template?.spec.containers ?? []);
        expect(containers).toHaveLength(9);
        for (const { securityContext, image } of containers) {
            expect(securityContext).toEqual({
                allowPrivilegeEscalation: false,
                readOnlyRootFilesystem: true,
                capabilities: { drop: ["ALL"] },
            });
            expect(image).toContain("@sha256:");
        }
        const mebibytes = containers.map(({ resources }) => Number(/^(\d+)Mi$/.exec(resources.limits.memory)?.[1]));
        expect(mebibytes.reduce((sum, each) => sum + each, 0)).toBeLessThanOrEqual(1536);
    });

    it("the log agent alone is root and sees files of the node, which it cannot write", () => {
        const pods = deployments.map(({ metadata, spec }) => ({ metadata, spec: spec?.template?.spec }));
        const reading = pods.filter(({ spec }) => spec?.volumes?.some(({ hostPath }) => hostPath !== undefined));
        expect(reading.map(({ metadata }) => metadata)).toMatchObject([{ name: "vlagent", namespace: "log-agent" }]);
        expect(pods.filter(({ spec }) => spec?.securityContext.runAsUser === 0)).toEqual(reading);
        for (const { spec } of reading)
            for (const { name } of spec?.volumes?.filter(({ hostPath }) => hostPath !== undefined) ?? [])
                expect(spec?.containers[0]?.volumeMounts).toContainEqual(
                    expect.objectContaining({ name, readOnly: true }),
                );
        expect(pods.filter(({ metadata }) => metadata.namespace === "log-agent")).toEqual(reading);
    });

    it("nobody is reached without a policy of their own", () => {
        const policies = removed.filter(({ kind }) => kind === "NetworkPolicy");
        const all = policies.find(({ spec }) => JSON.stringify(spec?.podSelector) === "{}");
        expect(all?.spec?.policyTypes).toEqual(["Ingress", "Egress"]);
        for (const { spec } of deployments) {
            const labels = spec?.selector?.matchLabels;
            expect(policies.map((each) => each.spec?.podSelector)).toContainEqual({ matchLabels: labels });
        }
    });
});

it("the API server's audit log has reads of Secrets, and who enters a pod, but not the kubelet's reads", () => {
    interface Rule {
        readonly level: string;
        readonly verbs?: readonly string[];
        readonly userGroups?: readonly string[];
        readonly users?: readonly string[];
        readonly resources?: readonly { readonly resources?: readonly string[] }[];
    }
    const { rules } = parse(auditPolicy()) as { rules: readonly Rule[] };
    // The first rule that fits decides.
    const levelOf = (
        verb: string,
        resource: string,
        user: string,
        group = "system:authenticated",
    ): string | undefined =>
        rules.find(
            ({ verbs, users, userGroups, resources }) =>
                (verbs?.includes(verb) ?? true) &&
                (users?.includes(user) ?? true) &&
                (userGroups?.includes(group) ?? true) &&
                (resources?.some((each) => each.resources?.includes(resource) ?? false) ?? true),
        )?.level;
    expect(levelOf("get", "pods/exec", "jane")).toBe("Metadata");
    expect(levelOf("list", "secrets", "jane")).toBe("Metadata");
    expect(levelOf("watch", "secrets", "system:node:n", "system:nodes")).toBe("None");
    expect(levelOf("get", "secrets", "system:apiserver")).toBe("None");
    expect(levelOf("update", "secrets", "system:apiserver")).toBe("Metadata");
    expect(levelOf("get", "pods", "jane")).toBe("None");
    expect(levelOf("patch", "networkpolicies", "jane")).toBe("Request");
});

describe("the WebSocket's module", () => {
    it("is that of docs/monitoring.md", () => {
        interface Modules {
            readonly modules: Readonly<Record<string, { readonly http: object }>>;
        }
        const page = readFileSync(join(project, "docs", "monitoring.md"), "utf8");
        const [, documented = ""] = /^```yaml\n(modules:\n.*?)^```$/ms.exec(page) ?? [];
        const file = readFileSync(join(project, "local/cluster/addons/monitoring/blackbox.yaml"), "utf8");
        const own = (parse(file) as Modules).modules["orcheo_websocket"]?.http;
        const shown = (parse(documented) as Modules).modules["orcheo_websocket"]?.http;
        const tls_config = { ca_file: "/etc/blackbox/ca.crt" };
        expect(own).toEqual({ ...shown, preferred_ip_protocol: "ip4", tls_config });
    });
});

it("each role of the stack is scraped by https under its own name", () => {
    const scraped = { namespace: "n", seconds: 30, kubeletSeconds: 30, probes: [{ job_name: "outside" }] };
    const { scrape_configs: jobs } = scrapeConfig(scraped) as {
        scrape_configs: readonly {
            readonly job_name: string;
            readonly tls_config?: { readonly server_name?: string };
        }[];
    };
    expect(jobs.map(({ tls_config }) => tls_config?.server_name).filter((each) => each !== undefined)).toEqual([
        ...["api.n.svc", "worker.n.svc", "beat.n.svc", "canvas.n.svc"],
    ]);
    expect(jobs.at(-1)).toEqual({ job_name: "outside" });
});
