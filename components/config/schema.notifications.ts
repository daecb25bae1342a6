/** Settings of whom alerts are sent to, and who sees the entrance from outside. */
import { z } from "zod";
import { choice, email, flag, objectName, secretKey, text, whole, words } from "./fields";

const credential = (what: string) =>
    z.strictObject({
        name: objectName().describe(`Secret with ${what}, in the stack's namespace.`),
        key: secretKey().describe("Its key."),
    });

const severities = (preset: readonly ("critical" | "warning")[]) =>
    z
        .array(choice(["critical", "warning"]))
        .min(1, { error: "at least one severity" })
        .default([...preset])
        .describe("Severities that are sent here.");

const hostAndPort = (example: string) =>
    text(
        /^([a-z0-9]([-a-z0-9]*[a-z0-9])?\.)*[a-z0-9]([-a-z0-9]*[a-z0-9])?:[1-9]\d{0,4}$/,
        `host:port, such as ${example}`,
    );

export const notifications = z
    .strictObject({
        email: z
            .strictObject({
                to: z.array(email()).min(1, { error: "at least one address" }).describe("Addresses."),
                from: email().describe("Sender."),
                smarthost: hostAndPort("smtp.example.com:587").describe("SMTP server; it has to speak TLS."),
                username: words("a user of the SMTP server").optional().describe("User of the SMTP server."),
                password: credential("the user's password").optional(),
                severities: severities(["critical", "warning"]),
            })
            .refine(({ username, password }) => (username === undefined) === (password === undefined), {
                error: "username and password together, or neither",
            })
            .optional()
            .describe("E-mail."),
        slack: z
            .strictObject({
                url: credential("the URL of an incoming webhook"),
                channel: text(/^[#@][^\s#@]+$/, "a channel such as #alerts").describe("Channel."),
                severities: severities(["critical", "warning"]),
            })
            .optional()
            .describe("Slack."),
        pagerDuty: z
            .strictObject({
                routingKey: credential("the integration key (Events API v2)"),
                severities: severities(["critical"]),
            })
            .optional()
            .describe("PagerDuty."),
        webhook: z
            .strictObject({
                url: credential("the URL"),
                severities: severities(["critical", "warning"]),
            })
            .optional()
            .describe("Any URL that takes Alertmanager's JSON."),
        deadMansSwitch: z
            .strictObject({
                url: credential("the URL"),
            })
            .optional()
            .describe(
                "URL that `OrcheoWatchdog` calls every five minutes; whoever is behind it raises the alarm when it stops.",
            ),
        sendResolved: flag().default(true).describe("Also says when an alert ends."),
        repeatHours: whole(1, 168).default(4).describe("An alert that goes on is sent again after so many hours."),
    })
    .refine(
        ({ email: mail, slack, pagerDuty, webhook, deadMansSwitch }) =>
            [mail, slack, pagerDuty, webhook, deadMansSwitch].some((each) => each !== undefined),
        { error: "at least one of email, slack, pagerDuty, webhook, deadMansSwitch" },
    )
    .optional()
    .describe(
        "Receivers of the alerts: an AlertmanagerConfig for `prometheusOperator`, a configuration file in the ConfigMap `alertmanager` for `annotations`. Credentials are keys of Secrets.",
    );

export const probe = z
    .strictObject({
        prober: hostAndPort("blackbox-exporter.monitoring.svc:9115").describe(
            "A blackbox exporter, best in another network.",
        ),
        module: words("a module of the exporter").default("http_2xx").describe("Its module for pages."),
        websocketModule: words("a module of the exporter")
            .optional()
            .describe("Its module for a WebSocket, as docs/monitoring.md has it; without one, none is opened."),
        seconds: whole(15, 600).default(60).describe("Seconds between two requests to each URL."),
    })
    .optional()
    .describe(
        "Asks `/`, the API's health and the sign-in page through the public URL, by a blackbox exporter, and raises alerts about them: a Probe for `prometheusOperator`, a scrape job in the ConfigMap `probes` for `annotations`.",
    );

export type Notifications = NonNullable<z.output<typeof notifications>>;
export type Probed = NonNullable<z.output<typeof probe>>;
