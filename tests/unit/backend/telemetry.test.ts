/** Where traces go: what the pods get for it, what the network opens, and which settings are refused. */
import { output } from "@pulumi/pulumi";
import { describe, expect, it } from "vitest";
import { planDeployment, planEnvironment } from "../../../components/backend/backend.plan";
import { planRuleGroups } from "../../../components/monitoring/monitoring.plan";
import { planNetworkPolicies } from "../../../components/network/network.plan";
import { parseStack } from "../../../components/stack/read";
import { runBoth, settingsOf } from "../../harness";
import { exported, traced } from "../../variants";

const endpoint = "https://otel.example.com/v1/traces";
const pods = { kind: "pods", namespace: "monitoring", podLabels: { app: "otel" } };

const parsed = (tracing: object) =>
    parseStack({
        stack: "dev",
        keys: [],
        json: JSON.stringify({ ...settingsOf("dev"), tracing }),
        secret: false,
    });
function stackOf(tracing: object = { kind: "none" }) {
    const { stack, problems } = parsed(tracing);
    if (stack === undefined || problems.length > 0) throw new Error(JSON.stringify(problems));
    return stack;
}

const server = { url: { kind: "value" as const, value: output("") }, trust: { kind: "stack" as const } };
const inputs = {
    ...{ namespace: "orcheo", image: "i", serviceAccountName: "a", certificateSecret: "c", secretName: "s" },
    servers: { database: server, cache: server },
};
const roles = ["api", "worker", "beat"] as const;
const otlp = (role: "api" | "worker" | "beat" | "init", tracing?: object) =>
    Object.fromEntries(
        Object.entries(planEnvironment(role, stackOf(tracing))).filter(([name]) => /OTLP|TRACING/.test(name)),
    );

describe("the pods", () => {
    it("know nothing of it by default", () => {
        for (const role of [...roles, "init"] as const) expect(otlp(role)).toEqual({});
        for (const role of roles)
            expect(JSON.stringify(planDeployment(role, stackOf(), inputs))).not.toMatch(/otlp|tracing/i);
        expect(planNetworkPolicies(stackOf())).not.toHaveProperty("traces-out");
    });

    it("that serve requests and execute runs get the server, and no others", () => {
        const tracing = {
            kind: "otlp",
            endpoint,
            samplePercent: 2.5,
            continuedBy: ["api.example.com", ".team.example"],
        };
        const expected = {
            ORCHEO_OTLP_NAMESPACE: "orcheo",
            ORCHEO_OTLP_VERSION: stackOf().version,
            ORCHEO_OTLP_TRACES_ENDPOINT: endpoint,
            ORCHEO_OTLP_TRACES_PERCENT: "2.5",
            ORCHEO_OTLP_TRACES_HOSTS: "api.example.com,.team.example",
        };
        expect(otlp("api", tracing)).toEqual(expected);
        expect(otlp("worker", tracing)).toEqual(expected);
        expect(otlp("beat", tracing)).toEqual({});
        expect(otlp("init", tracing)).toEqual({});
    });

    it("get headers and the CA as files", () => {
        const stack = stackOf({
            kind: "otlp",
            endpoint,
            headers: { kind: "secret", name: "otel-credentials", key: "team" },
            authority: { kind: "configMap", name: "otel-ca" },
        });
        const trust = { traces: { kind: "configMap" as const, name: "otel-ca", key: "ca.crt" } };
        const filesOf = (role: "api" | "worker" | "beat") =>
            JSON.stringify(planDeployment(role, stack, { ...inputs, telemetryTrust: trust }));
        for (const role of ["api", "worker"] as const) {
            expect(filesOf(role)).toContain(
                JSON.stringify({
                    secret: { name: "otel-credentials", items: [{ key: "team", path: "otlp-traces-headers" }] },
                }),
            );
            expect(filesOf(role)).toContain(
                JSON.stringify({ name: "otlp-traces-ca", mountPath: "/etc/orcheo/otlp-traces-ca", readOnly: true }),
            );
            expect(planEnvironment(role, stack)["ORCHEO_OTLP_TRACES_CA_FILE"]).toBe(
                "/etc/orcheo/otlp-traces-ca/ca.crt",
            );
        }
        expect(filesOf("beat")).not.toContain("otel");
    });

    it("are made with the server's CA from a file", async () => {
        const { resources } = await runBoth({ stack: "dev", settings: traced });
        const ca = resources.find(({ name }) => name === "backend-traces-ca");
        expect(ca?.inputs["data"]).toHaveProperty(["ca.crt"]);
        expect(JSON.stringify(resources.find(({ name }) => name === "worker")?.inputs)).toContain("otlp-traces-ca");
    });
});

describe("metrics", () => {
    const stack = (settings: object = exported) => {
        const json = JSON.stringify(settings);
        const { stack, problems } = parseStack({ stack: "dev", keys: [], json, secret: false });
        if (stack === undefined || problems.length > 0) throw new Error(JSON.stringify(problems));
        return stack;
    };

    it("are sent by all processes, which serve none: no port, no certificate, no ingress", async () => {
        for (const role of roles) {
            expect(planEnvironment(role, stack())).toMatchObject({
                ORCHEO_OTLP_METRICS_ENDPOINT: "https://otel.example.com/v1/metrics",
                ORCHEO_OTLP_METRICS_SECONDS: "30",
                ORCHEO_OTLP_NAMESPACE: "orcheo",
            });
            expect(planEnvironment(role, stack())).not.toHaveProperty("ORCHEO_METRICS_PORT");
            expect(JSON.stringify(planDeployment(role, stack(), inputs))).not.toMatch(/9464|prometheus/);
        }
        expect(JSON.stringify(planDeployment("beat", stack(), inputs))).toContain("/etc/orcheo/update");
        expect(planEnvironment("init", stack())).not.toHaveProperty("ORCHEO_OTLP_METRICS_ENDPOINT");
        expect(planNetworkPolicies(stack())).not.toHaveProperty("metrics");
        const { resources } = await runBoth({ stack: "dev", settings: exported });
        expect(resources.filter(({ name }) => /^(worker|beat)-(certificate|tls)/.test(name))).toEqual([]);
    });

    it("come with the same alerts as those of a scraper, as a rules file", async () => {
        const groups = planRuleGroups(stack());
        expect(groups).toEqual(planRuleGroups(stack({ ...exported, monitoring: { kind: "annotations" } })));
        const { resources } = await runBoth({ stack: "dev", settings: exported });
        const rules = resources.find(({ name }) => name === "monitoring-rules");
        expect(rules?.type).toBe("kubernetes:core/v1:ConfigMap");
        expect(JSON.stringify(rules?.inputs["data"])).toContain("OrcheoApiDown");
    });
});

describe("settings", () => {
    const refused = (tracing: object) =>
        parsed(tracing).problems.map(({ at, found, remedy }) => `${at}: ${found}; ${remedy}`);

    it.each<[string, object, RegExp]>([
        [
            "in the clear, to a server outside the cluster",
            { kind: "otlp", endpoint: "http://otel.example.com/v1/traces" },
            /^orcheo:stack\.tracing\.endpoint: found "http:.*; accepted: an https:\/\/ URL; http:\/\/ to pods .* tracing\.reach of kind "pods"$/,
        ],
        [
            "in the clear, to an address",
            { kind: "otlp", endpoint: "http://10.1.2.3:4318", reach: { kind: "addresses", cidrs: ["10.1.2.3/32"] } },
            /tracing\.endpoint: found "http:/,
        ],
        [
            "a credential in the URL",
            { kind: "otlp", endpoint: `${endpoint}?api-key=1` },
            /without credentials or a query/,
        ],
        ["more than everything", { kind: "otlp", endpoint, samplePercent: 101 }, /samplePercent: .*from 0 to 100/],
        ["a pattern as a host", { kind: "otlp", endpoint, continuedBy: ["*.example.com"] }, /continuedBy.*host name/],
        [
            "the setting's old name",
            { kind: "otlp", otlpEndpoint: endpoint },
            /otlpEndpoint: is no longer a setting; accepted instead: tracing\.endpoint$/,
        ],
    ])("refused: %s", (_, tracing, expected) => {
        const found = refused(tracing);
        expect(found.length, JSON.stringify(found)).toBeGreaterThan(0);
        expect(
            found.some((each) => expected.test(each)),
            JSON.stringify(found),
        ).toBe(true);
    });

    it("in the clear, to pods of the cluster, is accepted", () => {
        expect(refused({ kind: "otlp", endpoint: "http://otel.monitoring.svc:4318/v1/traces", reach: pods })).toEqual(
            [],
        );
    });
});
