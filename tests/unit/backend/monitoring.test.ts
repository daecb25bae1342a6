/** Who may read the metrics, how it finds them, and that without it there is neither a port nor anything else. */
import { output } from "@pulumi/pulumi";
import { beforeAll, describe, expect, it } from "vitest";
import { planDeployment } from "../../../components/backend/backend.plan";
import { planCanvas } from "../../../components/canvas/canvas.plan";
import { planNetworkPolicies } from "../../../components/network/network.plan";
import { parseStack } from "../../../components/stack/read";
import { runBoth, settingsOf, type Registered, type Run } from "../../harness";
import { monitored } from "../../variants";

const processes = ["api", "worker", "beat"] as const;
const roles = [...processes, "canvas"] as const;
type Fields = Record<string, unknown>;
const at = (value: unknown, ...path: (string | number)[]): unknown =>
    path.reduce<unknown>((here, key) => (here as Fields | undefined)?.[key], value);

const parsed = (monitoring?: object) => {
    const json = JSON.stringify({ ...settingsOf("dev"), ...(monitoring && { monitoring }) });
    return parseStack({ stack: "dev", keys: [], json, secret: false });
};

function stackOf(monitoring?: object) {
    const { stack, problems } = parsed(monitoring);
    if (stack === undefined || problems.length > 0) throw new Error(JSON.stringify(problems));
    return stack;
}

const server = { url: { kind: "value" as const, value: output("") }, trust: { kind: "stack" as const } };
const inputs = {
    ...{ namespace: "orcheo", image: "i", serviceAccountName: "a", certificateSecret: "c", secretName: "s" },
    servers: { database: server, cache: server },
};

const planned = (role: (typeof roles)[number], stack: ReturnType<typeof stackOf>) =>
    role === "canvas" ? planCanvas(stack, inputs) : planDeployment(role, stack, inputs);

const named = ({ resources }: Run, type: string): Map<string, Registered> =>
    new Map(resources.filter((each) => each.type.endsWith(type)).map((each) => [each.name, each]));

const deploymentOf = (run: Run, role: string): unknown => named(run, ":Deployment").get(role)?.inputs;
const containerOf = (deployment: unknown): unknown => at(deployment, "spec", "template", "spec", "containers", 0);

const portsOf = (deployment: unknown): unknown[] =>
    ((at(containerOf(deployment), "ports") ?? []) as Fields[]).map(({ name, containerPort }) => [name, containerPort]);

const environmentOf = (deployment: unknown): Fields =>
    Object.fromEntries(
        (at(containerOf(deployment), "env") as Fields[]).map(({ name, value }) => [String(name), value]),
    );

const metricsPolicy = ({ resources }: Run): unknown =>
    resources.find(
        ({ type, inputs }) => type.endsWith(":NetworkPolicy") && at(inputs, "metadata", "name") === "metrics",
    )?.inputs["spec"];

describe("without monitoring", () => {
    it("no pod has a port, a variable or a certificate for it, and no policy opens one", () => {
        const ports = { api: [["https", 8443]], worker: [], beat: [], canvas: [["https", 8443]] };
        for (const role of roles) {
            const deployment = planned(role, stackOf());
            expect(portsOf(deployment), role).toEqual(ports[role]);
            expect(environmentOf(deployment), role).not.toHaveProperty("ORCHEO_METRICS_PORT");
            expect(JSON.stringify(at(deployment, "spec", "template", "metadata")), role).not.toContain("prometheus");
        }
        expect(planNetworkPolicies(stackOf())).not.toHaveProperty("metrics");
    });
});

describe("with the Prometheus operator", () => {
    let run: Run;
    beforeAll(async () => {
        run = await runBoth({ stack: "dev", settings: monitored });
    }, 120_000);

    it("each process serves its metrics by https with the certificate of its own name", () => {
        for (const role of roles) {
            const deployment = deploymentOf(run, role);
            expect(environmentOf(deployment), role).toMatchObject({ ORCHEO_METRICS_PORT: "9464" });
            expect(portsOf(deployment), role).toContainEqual(["metrics", 9464]);
            const mounts = at(containerOf(deployment), "volumeMounts") as Fields[];
            expect(mounts.map(({ mountPath }) => mountPath)).toContain("/etc/orcheo/tls");
            const volumes = at(deployment, "spec", "template", "spec", "volumes") as Fields[];
            expect(volumes.find(({ name }) => name === "tls")).toMatchObject({ secret: { secretName: `${role}-tls` } });
        }
    });

    it("beat also sees the latest update, which appears without a restart", () => {
        const volumesOf = (role: string) =>
            at(deploymentOf(run, role), "spec", "template", "spec", "volumes") as Fields[];
        expect(volumesOf("beat").find(({ name }) => name === "update")).toEqual({
            name: "update",
            configMap: {
                name: "updates",
                items: [{ key: "latest.json", path: "latest.json" }],
                optional: true,
                defaultMode: 0o440,
            },
        });
        for (const role of ["api", "worker"]) expect(volumesOf(role).map(({ name }) => name)).not.toContain("update");
        expect(JSON.stringify(planDeployment("beat", stackOf(), inputs))).not.toContain("latest.json");
    });

    it("only the scraper's pods reach that port, and it alone", () => {
        expect(metricsPolicy(run)).toEqual({
            podSelector: { matchExpressions: [{ key: "app.kubernetes.io/component", operator: "In", values: roles }] },
            policyTypes: ["Ingress"],
            ingress: [
                {
                    from: [
                        {
                            namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "monitoring" } },
                            podSelector: { matchLabels: { "app.kubernetes.io/name": "prometheus" } },
                        },
                    ],
                    ports: [{ port: 9464, protocol: "TCP" }],
                },
            ],
        });
    });

    it.each(roles)("a PodMonitor finds %s and verifies its certificate", (role) => {
        const monitor = named(run, ":PodMonitor").get(`${role}-metrics`);
        expect(at(monitor?.inputs, "metadata")).toMatchObject({
            name: role,
            labels: { release: "kube-prometheus-stack", "app.kubernetes.io/component": role },
        });
        expect(at(monitor?.inputs, "spec")).toEqual({
            selector: {
                matchLabels: { "app.kubernetes.io/name": "orcheo", "app.kubernetes.io/component": role },
            },
            podTargetLabels: ["app.kubernetes.io/component"],
            podMetricsEndpoints: [
                {
                    port: "metrics",
                    path: "/metrics",
                    scheme: "https",
                    interval: "30s",
                    tlsConfig: {
                        ca: { secret: { name: `${role}-tls`, key: "ca.crt" } },
                        serverName: `${role}.orcheo.svc`,
                    },
                },
            ],
        });
    });
});

describe("with annotations", () => {
    it("pods say where their metrics are", () => {
        const stack = stackOf({ kind: "annotations", namespace: "agents" });
        for (const role of roles)
            expect(at(planned(role, stack), "spec", "template", "metadata", "annotations")).toEqual({
                "prometheus.io/scrape": "true",
                "prometheus.io/scheme": "https",
                "prometheus.io/port": "9464",
                "prometheus.io/path": "/metrics",
            });
        expect(JSON.stringify(planNetworkPolicies(stack)["metrics"])).toContain(
            '"kubernetes.io/metadata.name":"agents"',
        );
    });
});

describe("settings that are refused", () => {
    it("all at once", () => {
        const labels = { "app.kubernetes.io/name": "x" };
        const { problems } = parsed({ kind: "prometheusOperator", podLabels: {}, scrapeSeconds: 1, labels });
        expect(problems).toHaveLength(3);
    });

    it.each([
        [{ kind: "none", namespace: "monitoring" }, "monitoring.namespace"],
        [{ kind: "annotations", scrapeSeconds: 30 }, "monitoring.scrapeSeconds"],
        [{ kind: "annotations", labels: { release: "x" } }, "monitoring.labels"],
        [{ kind: "operator" }, "monitoring.kind"],
    ])("%j", (monitoring, key) => {
        expect(parsed(monitoring).problems.map(({ at: setting }) => setting)).toEqual([`orcheo:stack.${key}`]);
    });
});
