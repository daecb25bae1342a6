/** Alertmanager's receivers, in both forms, and what is probed from outside. */
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { parseStack } from "../../../components/stack/read";
import { runBoth, settingsOf, type Run } from "../../harness";
import { notified } from "../../variants";

type Fields = Record<string, unknown>;

const problemsOf = (monitoring: object) => {
    const json = JSON.stringify({ ...settingsOf("dev"), monitoring });
    return parseStack({ stack: "dev", keys: [], json, secret: false }).problems;
};

const ofKind = ({ resources }: Run, kind: string): Fields[] =>
    resources.filter(({ type }) => type.endsWith(`:${kind}`)).map(({ inputs }) => inputs);

describe("with the operator", () => {
    it("one AlertmanagerConfig has a receiver for each, which reads its credential from a Secret", async () => {
        const [config, ...others] = ofKind(await runBoth({ stack: "dev", settings: notified }), "AlertmanagerConfig");
        expect(others).toEqual([]);
        expect(config).toMatchObject({
            metadata: { name: "alertmanager", labels: { release: "kube-prometheus-stack" } },
            spec: {
                receivers: [
                    { name: "nobody" },
                    {
                        name: "email",
                        emailConfigs: [
                            {
                                to: "on-call@example.com, team@example.com",
                                authPassword: { name: "alerting", key: "smtp-password" },
                                requireTLS: true,
                            },
                        ],
                    },
                    { name: "slack", slackConfigs: [{ apiURL: { name: "alerting", key: "slack-url" } }] },
                    {
                        name: "pagerduty",
                        pagerdutyConfigs: [{ routingKey: { name: "alerting", key: "pagerduty-key" } }],
                    },
                    { name: "webhook", webhookConfigs: [{ urlSecret: { name: "alerting", key: "webhook-url" } }] },
                    { name: "dead-mans-switch", webhookConfigs: [{ sendResolved: false }] },
                ],
            },
        });
        const { route } = config?.["spec"] as { route: { receiver: string; routes: Fields[] } };
        expect(route.receiver).toBe("nobody");
        expect(route.routes.map(({ receiver, matchers }) => [receiver, (matchers as Fields[])[0]?.["value"]])).toEqual([
            ["email", "critical|warning"],
            ["slack", "warning"],
            ["pagerduty", "critical"],
            ["webhook", "critical|warning"],
            ["dead-mans-switch", "OrcheoWatchdog"],
        ]);
    });

    it("probes ask the page, the API and a WebSocket; the sign-in page where people sign in", async () => {
        const signIn = { kind: "oidc", issuer: "https://id.example.com/realms/team", clientId: "o", audience: "o" };
        const targets = async (settings: object) =>
            ofKind(await runBoth({ stack: "dev", settings }), "Probe")
                .map(({ spec }) => spec as Fields)
                .sort((one, other) => String(one["module"]).localeCompare(String(other["module"])));
        const own = (urls: readonly string[], module: string) => ({
            jobName: "orcheo-outside",
            interval: "60s",
            module,
            prober: { url: "blackbox-exporter.monitoring.svc:9115" },
            targets: { staticConfig: { static: urls, labels: { namespace: "orcheo" } } },
        });
        const pages = ["https://orcheo.localhost/", "https://orcheo.localhost/api/system/health"];
        const socket = own(["https://orcheo.localhost/ws/workflow/probe"], "orcheo_websocket");
        expect(await targets(notified)).toEqual([own(pages, "http_2xx"), socket]);
        const discovery = `${signIn.issuer}/.well-known/openid-configuration`;
        expect(await targets({ ...notified, auth: { signIn } })).toEqual([
            own([...pages, discovery], "http_2xx"),
            socket,
        ]);
    });
});

describe("without the operator", () => {
    it("a scrape job asks the same URLs, each by its module, and the alerts come with it", async () => {
        const probe = { prober: "prober.monitoring.svc:9115", websocketModule: "orcheo_websocket", seconds: 30 };
        const settings = { ...notified, monitoring: { kind: "annotations", probe } };
        const run = await runBoth({ stack: "dev", settings });
        const maps = ofKind(run, "ConfigMap") as { metadata: Fields; data?: Record<string, string> }[];
        const file = (name: string) => maps.find(({ metadata }) => metadata["name"] === name)?.data ?? {};
        const origin = "https://orcheo.localhost";
        expect(parse(file("probes")["probes.yaml"] ?? "")).toEqual({
            scrape_configs: [
                {
                    job_name: "orcheo-outside-orcheo",
                    metrics_path: "/probe",
                    scrape_interval: "30s",
                    static_configs: [
                        {
                            targets: [`${origin}/`, `${origin}/api/system/health`],
                            labels: { namespace: "orcheo", __param_module: "http_2xx" },
                        },
                        {
                            targets: [`${origin}/ws/workflow/probe`],
                            labels: { namespace: "orcheo", __param_module: "orcheo_websocket" },
                        },
                    ],
                    relabel_configs: [
                        { source_labels: ["__address__"], target_label: "__param_target" },
                        { source_labels: ["__param_target"], target_label: "instance" },
                        { target_label: "__address__", replacement: "prober.monitoring.svc:9115" },
                        // By which the alerts know them.
                        { target_label: "job", replacement: "orcheo-outside" },
                    ],
                },
            ],
        });
        const rules = file("alert-rules")["rules.yaml"] ?? "";
        for (const alert of ["OrcheoUnreachable", "OrcheoPublicCertificateExpires", "OrcheoCanvasUnavailable"])
            expect(rules).toContain(alert);
        const unprobed = await runBoth({
            stack: "dev",
            settings: { ...settings, monitoring: { kind: "annotations" } },
        });
        const texts = JSON.stringify(ofKind(unprobed, "ConfigMap"));
        expect(texts).toContain("OrcheoApiDown");
        for (const absent of ["OrcheoUnreachable", "OrcheoCanvasUnavailable"]) expect(texts).not.toContain(absent);
        expect(texts).not.toContain("probes.yaml");
    });
});

it("without the operator, the file reads credentials from files and takes the alerts of this namespace alone", async () => {
    const { notifications } = notified.monitoring;
    const settings = { ...notified, monitoring: { kind: "annotations", notifications } };
    const maps = ofKind(await runBoth({ stack: "dev", settings }), "ConfigMap") as { data?: Record<string, string> }[];
    const text = maps.map(({ data }) => data?.["alertmanager.yaml"]).find((each) => each !== undefined) ?? "";
    const { route, receivers } = parse(text) as { route: { routes: Fields[] }; receivers: Fields[] };
    for (const { matchers } of route.routes) expect(matchers).toContain('namespace = "orcheo"');
    expect(receivers).toMatchObject([
        { name: "nobody" },
        {
            email_configs: [
                { auth_password_file: "/etc/alertmanager/secrets/alerting/smtp-password", require_tls: true },
            ],
        },
        { slack_configs: [{ api_url_file: "/etc/alertmanager/secrets/alerting/slack-url" }] },
        { pagerduty_configs: [{ routing_key_file: "/etc/alertmanager/secrets/alerting/pagerduty-key" }] },
        { webhook_configs: [{ url_file: "/etc/alertmanager/secrets/alerting/webhook-url" }] },
        { webhook_configs: [{ url_file: "/etc/alertmanager/secrets/alerting/switch-url", send_resolved: false }] },
    ]);
});

describe("refused", () => {
    const url = { name: "alerting", key: "url" };
    it.each<[string, object, string]>([
        ["no receiver", {}, "monitoring.notifications"],
        [
            "a credential in plain text",
            { webhook: { url: "https://example.com/T0KEN" } },
            "monitoring.notifications.webhook.url",
        ],
        ["a channel without #", { slack: { url, channel: "alerts" } }, "monitoring.notifications.slack.channel"],
        [
            "a user without a password",
            { email: { to: ["a@example.com"], from: "b@example.com", smarthost: "smtp:25", username: "u" } },
            "monitoring.notifications.email",
        ],
        [
            "an unknown severity",
            { webhook: { url, severities: ["page"] } },
            "monitoring.notifications.webhook.severities[0]",
        ],
    ])("%s", (_, notifications, key) => {
        const found = problemsOf({ kind: "annotations", notifications });
        expect(found.map(({ at }) => at)).toEqual([`orcheo:stack.${key}`]);
    });

    it("a probe without a scraper", () => {
        const found = problemsOf({
            kind: "otlp",
            endpoint: "https://otel.example.com/v1/metrics",
            probe: { prober: "blackbox:9115" },
        });
        expect(found.map(({ at }) => at)).toEqual(["orcheo:stack.monitoring.probe"]);
    });
});
