/**
 * Every safe default that config can take away, one at a time, from prod: it is refused, or the pack names it until it is an
 * exception with an expiry date.
 */
import { describe, expect, it } from "vitest";
import { parseStack } from "../../../components/stack/read";
import { unsafeChoices } from "../../../components/stack/unsafe.plan";
import { exceptionsIn } from "../../../policies/exceptions";
import { findings, type Finding } from "../../../policies/findings";
import type { Resource } from "../../../policies/rule";
import { rules } from "../../../policies/table";
import { asResources, everythingNew } from "../../aws-programs";
import { nextMonth } from "../../policy/cases";
import { run, settingsOf } from "../../harness";

type Settings = Record<string, unknown>;

/** `settings` with the value at a path such as `aws.bucket`. */
function withSetting(settings: Settings, path: string, value: unknown): Settings {
    const [key = "", ...rest] = path.split(".");
    const inner = rest.length === 0 ? value : withSetting((settings[key] ?? {}) as Settings, rest.join("."), value);
    return { ...settings, [key]: inner };
}

/** What the program registers; @throws what it refuses. */
async function registered(settings: Settings): Promise<readonly Resource[]> {
    const made = await run({ stack: "prod", settings }, false);
    if (made.error !== undefined) throw new Error(made.error);
    return asResources(made);
}

/** Mandatory findings of the pack, each with its resource. */
function evaluated(resources: readonly Resource[], exceptions: readonly object[] = []): readonly Finding[] {
    const located = resources.map((resource) => ({ file: "Pulumi.prod.yaml", line: 1, resource }));
    const names = rules.map(({ name }) => name);
    const all = findings(located, rules, { exceptions: exceptionsIn(exceptions, names) });
    return all.filter(({ level }) => level === "mandatory");
}

const acm = { kind: "acm", certificateArns: ["arn:aws:acm:eu-central-1:111122223333:certificate/1234"] };
const behind = (controller: Settings): Settings => ({
    ...settingsOf("prod"),
    entrance: { controller: { kind: "awsLoadBalancer", ...controller }, tls: acm },
    network: { ingressCidrs: ["10.20.0.0/16"] },
});
const ownGateway = (gateway: Settings): Settings =>
    behind({ kind: "awsGateway", gateway: { kind: "created", className: "alb", ...gateway } });
const external = (section: string, url: string, cidrs: readonly string[]): Settings => ({
    ...settingsOf("prod"),
    [section]: {
        kind: "external",
        url: { kind: "secret", name: "theirs", key: url },
        reach: { kind: "addresses", cidrs },
    },
});

const inCluster = { kind: "pods", namespace: "monitoring", podLabels: { app: "otel" } };

/** What is unsafe, and the whole settings, or the one value that differs from Pulumi.prod.yaml. */
type Choice = [setting: string, value: unknown, base?: Settings];
const choices: readonly Choice[] = [
    ["kubernetes.admission.kind", { kind: "off" }],
    ["kubernetes.admission.kind", { kind: "warn" }],
    ["kubernetes.admission.warnOnly", { kind: "enforce", warnOnly: ["no-host-path"] }],
    ["registry.plainHttp", true],
    ["backup.plainHttp", { kind: "s3", endpoint: "http://10.1.2.3:9000", plainHttp: true }],
    ["monitoring.endpoint", { kind: "otlp", endpoint: "http://otel.monitoring.svc:4318/v1/metrics", reach: inCluster }],
    ["tracing.endpoint", { kind: "otlp", endpoint: "http://otel.monitoring.svc:4318/v1/traces", reach: inCluster }],
    ["entrance.hstsSeconds", 0],
    ["network.ingressCidrs", ["0.0.0.0/0"]],
    ["network.dnsCidrs", ["::/0"]],
    ["network.privateCidrs", ["0.0.0.0/1"]],
    ["network.privateCidrs", ["169.254.0.0/16"]],
    ["network.privateCidrs", ["fd00::/20"]],
    ["database.reach.cidrs", undefined, external("database", "url", ["0.0.0.0/0"])],
    ["cache.reach.cidrs", undefined, external("cache", "url", ["128.0.0.0/1"])],
    [
        "backup.reach.cidrs",
        undefined,
        { ...settingsOf("prod"), backup: { kind: "s3", reach: { kind: "addresses", cidrs: ["0.0.0.0/0"] } } },
    ],
    ["aws.cluster.publicCidrs", ["128.0.0.0/1"], everythingNew],
    ["entrance.controller.scheme", undefined, behind({ scheme: "internet-facing" })],
    ["entrance.controller.sslPolicy", undefined, behind({ sslPolicy: "ELBSecurityPolicy-2016-08" })],
    ["entrance.controller.gateway.scheme", undefined, ownGateway({ scheme: "internet-facing" })],
    [
        "entrance.controller.gateway.sslPolicy",
        undefined,
        ownGateway({ sslPolicy: "ELBSecurityPolicy-TLS13-1-0-2021-06" }),
    ],
    ["auth.clientUploads", true],
    ["api.scaling.minReplicas", 1],
    ["worker.replicas", 1],
    ["worker.browser", true],
    ["canvas.replicas", 1],
    ["aws.cluster.nodes.minNodes", 1, everythingNew],
    ["database.kind", { kind: "statefulset" }],
    ["cache.kind", { kind: "valkey" }],
    ["aws.network.natPerZone", false, everythingNew],
    ["aws.alarmEmails", []],
    ["backup.kind", { kind: "none" }],
];

/** The settings with the choice made: a value that is a section of its own replaces the section. */
function chosen(setting: string, value: unknown, base: Settings = settingsOf("prod")): Settings {
    if (value === undefined) return base;
    const section = typeof value === "object" && value !== null && !Array.isArray(value);
    return withSetting(base, section ? setting.slice(0, setting.lastIndexOf(".")) : setting, value);
}

/** The rule on clusters of EKS refuses wide ranges as well, in any project. */
const byThisProject = (...given: Parameters<typeof evaluated>) =>
    evaluated(...given).filter(({ rule }) => rule !== "eks-endpoint-restricted");

describe("the pack reports each safe default that is given up, until an exception covers it", () => {
    it.each<Choice>(choices)("%s: %j", async (setting, value, base) => {
        const resources = await registered(chosen(setting, value, base));
        const found = byThisProject(resources);
        expect(found.map(({ rule, resource }) => `${rule} ${resource}`)).toEqual([
            `unsafe-choice UnsafeChoice::${setting}`,
        ]);
        expect(found[0]?.message).toContain(`"${setting}" is `);
        const exception = {
            rule: "unsafe-choice",
            resource: `UnsafeChoice::${setting}`,
            reason: "a test",
            expires: nextMonth,
        };
        expect(byThisProject(resources, [exception])).toEqual([]);
        expect(byThisProject(resources, [{ ...exception, expires: "2020-01-01" }]).map(({ rule }) => rule)).toEqual([
            "unsafe-choice",
            "exceptions-are-current",
        ]);
    });

    it("narrow ranges are not reported as unsafe", async () => {
        const settings = {
            ...behind({ scheme: "internet-facing", inboundCidrs: ["198.51.100.0/24"] }),
            // NodeLocal DNSCache, a proxy, a load balancer's subnets.
            network: {
                dnsCidrs: ["169.254.20.10/32"],
                privateCidrs: ["10.0.0.10/32", "fd00:ec2:1::/48"],
                ingressCidrs: ["10.20.0.0/16", "2001:db8::/32"],
            },
            tracing: { kind: "otlp", endpoint: "https://otel.example.com/v1/traces" },
        };
        expect(evaluated(await registered(settings))).toEqual([]);
    });

    it("the committed prod stack makes none", async () => {
        expect(evaluated(await registered(settingsOf("prod")))).toEqual([]);
        expect(evaluated(await registered(everythingNew))).toEqual([]);
    });
});

describe("where a safe default ends", () => {
    const found = (settings: Settings): readonly string[] => {
        const { stack, problems } = parseStack({ stack: "x", keys: [], json: JSON.stringify(settings), secret: true });
        if (stack === undefined || problems.length > 0) throw new Error(JSON.stringify(problems));
        return unsafeChoices(stack).map(({ setting, found: value }) => `${setting} ${value}`);
    };
    const [dev, prod] = [settingsOf("dev"), settingsOf("prod")];
    const privateCidrs = (cidr: string): Settings => ({ ...prod, network: { privateCidrs: [cidr] } });
    const facing = (more: Settings): Settings => behind({ scheme: "internet-facing", ...more });

    it.each<[string, Settings, readonly string[]]>([
        ["16 million IPv4 addresses", privateCidrs("10.0.0.0/8"), []],
        ["twice as many", privateCidrs("10.0.0.0/7"), ['network.privateCidrs ["10.0.0.0/7"]']],
        ["a /20 of IPv6", privateCidrs("2001:d000::/20"), []],
        ["a /19 of IPv6", privateCidrs("2001:c000::/19"), ['network.privateCidrs ["2001:c000::/19"]']],
        ...["169.254.169.254/32", "fd00:ec2::254/128", "fd20:ce::254/128"].map(
            (cidr): [string, Settings, readonly string[]] => [
                `credentials at ${cidr}`,
                privateCidrs(cidr),
                [`network.privateCidrs ["${cidr}"]`],
            ],
        ),
        ["the address beside it", privateCidrs("169.254.169.253/32"), []],
        [
            "only the wide ones of several",
            { ...prod, network: { dnsCidrs: ["10.0.0.10/32", "0.0.0.0/0"] } },
            ['network.dnsCidrs ["0.0.0.0/0"]'],
        ],
        ["callers who are named", facing({ inboundCidrs: ["198.51.100.0/24"] }), []],
        [
            "one of them everybody",
            facing({ inboundCidrs: ["198.51.100.0/24", "0.0.0.0/0"] }),
            ['entrance.controller.scheme "internet-facing"'],
        ],
        [
            "a firewall before everybody",
            facing({ webAclArn: "arn:aws:wafv2:eu-central-1:111122223333:regional/webacl/orcheo/1" }),
            [],
        ],
        ["TLS 1.3 alone", behind({ sslPolicy: "ELBSecurityPolicy-TLS13-1-3-2021-06" }), []],
        [
            "TLS 1.1",
            behind({ sslPolicy: "ELBSecurityPolicy-TLS13-1-1-2021-06" }),
            ['entrance.controller.sslPolicy "ELBSecurityPolicy-TLS13-1-1-2021-06"'],
        ],
        ["uploads on a laptop", dev, []],
        ["on a host of a like name", { ...dev, host: "orcheo.not-localhost" }, ["auth.clientUploads true"]],
        [
            "a registry without TLS on a laptop",
            { ...dev, registry: { ...(dev["registry"] as Settings), plainHttp: true } },
            [],
        ],
        ["two replicas", { ...prod, worker: { ...(prod["worker"] as Settings), replicas: 2 } }, []],
        ["its only server on a laptop", { ...dev, api: { scaling: { minReplicas: 1, maxReplicas: 1 } } }, []],
        [
            "no dumps of a database that others keep",
            {
                ...prod,
                database: { kind: "external", url: { kind: "secret", name: "theirs" } },
                backup: { kind: "none" },
            },
            [],
        ],
    ])("%s", (_, settings, expected) => {
        expect(found(settings)).toEqual(expected);
    });
});

describe("another rule refuses what passes through to pods", () => {
    it.each([
        [["secrets-as-files"], "pods.api.envFrom", [{ kind: "secret", name: "theirs" }]],
        [
            // The record of updates holds the settings as well.
            ["no-secret-literals", "no-secrets-in-config-maps"],
            "worker.extraEnv",
            { OPENAI_API_KEY: "sk-0123456789abcdef0123456789abcdef" },
        ],
    ])("%j: %s", async (refusing, setting, value) => {
        const found = evaluated(await registered(withSetting(settingsOf("prod"), setting, value)));
        expect(new Set(found.map((each) => each.rule))).toEqual(new Set(refusing));
    });
});

describe("settings that no exception can allow are refused before anything is registered", () => {
    const hash = "d".repeat(64);
    it.each<Choice>([
        ["kubernetes.podSecurity", "baseline"],
        [
            "images.kind",
            { kind: "published", backend: "ghcr.io/a/backend:1.0.0", canvas: `ghcr.io/a/canvas@sha256:${hash}` },
        ],
        ["database.multiAz", false],
        ["database.deletionProtection", false],
        ["database.skipFinalSnapshot", true],
        ["database.storageEncrypted", false],
        ["database.publiclyAccessible", true],
        ["database.backupRetentionDays", 0],
        ["cache.nodes", 1],
        ["cache.transitEncryption", false],
        ["cache.snapshotRetentionDays", 0],
        ["aws.cluster.publicCidrs", ["0.0.0.0/0"], everythingNew],
        ["aws.cluster.endpointPublicAccess", true, everythingNew],
        ["aws.bucket.versioned", false, everythingNew],
        ["aws.deployerRoleArns", ["*"]],
        ["aws.watcherRoleArns", ["*"]],
        ["aws.logRetentionDays", 1],
        ["aws.budgetUsdPerMonth", 0],
        ["aws.keptImages", 0],
        ["beat.replicas", 2],
        ["auth.mode", "optional"],
        ["pods.api.volumes", [{ name: "host", mountPath: "/host", source: { kind: "hostPath", path: "/" } }]],
        ["backup.kind", { kind: "s3", endpoint: "http://10.1.2.3:9000" }],
        ["entrance.tls.kind", { kind: "none" }],
        ["auth.signIn.issuer", "http://id.example.com"],
        ["outbound.verifyTls", false],
    ])("%s: %j", async (setting, value, base) => {
        const oidc = { kind: "oidc", issuer: "", clientId: "orcheo", audience: "orcheo" };
        const settings =
            setting === "auth.signIn.issuer"
                ? withSetting(settingsOf("prod"), "auth.signIn", { ...oidc, issuer: value })
                : chosen(setting, value, base);
        const key = setting.endsWith(".kind") ? setting.slice(0, -".kind".length) : setting;
        await expect(registered(settings)).rejects.toThrow(new RegExp(`orcheo:stack\\.${key.replaceAll(".", "\\.")}`));
    });
});
