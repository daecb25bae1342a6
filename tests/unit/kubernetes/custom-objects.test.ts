import { expect, test } from "vitest";
import type * as kinds from "../../../components/kubernetes/custom-object";

/** `npm run types` checks these: each misspelt field below is an error, and a field that is no error would be one. */
const misspelt = {
    Certificate: {
        secretName: "it-tls",
        issuerRef: { name: "ca" },
        // @ts-expect-error it is called dnsNames
        dnsName: ["it"],
    } satisfies kinds.Certificate["spec"],
    Issuer: {
        // @ts-expect-error it is called secretName
        ca: { secretname: "ca-tls" },
    } satisfies kinds.Issuer["spec"],
    ClusterIssuer: {
        acme: {
            server: "https://acme.example.com",
            privateKeySecretRef: { name: "account" },
            // @ts-expect-error it is called hostedZoneID
            solvers: [{ dns01: { route53: { region: "eu-central-1", hostedZoneId: "Z1" } } }],
        },
    } satisfies kinds.ClusterIssuer["spec"],
    ExternalSecret: {
        // @ts-expect-error it is called remoteRef
        data: [{ secretKey: "key", remoteref: { key: "orcheo" } }],
    } satisfies kinds.ExternalSecret["spec"],
    Gateway: {
        gatewayClassName: "traefik",
        // @ts-expect-error it is called certificateRefs
        listeners: [{ name: "https", protocol: "HTTPS", port: 443, tls: { certificateRef: [{ name: "tls" }] } }],
    } satisfies kinds.Gateway["spec"],
    HTTPRoute: {
        // @ts-expect-error it is called PathPrefix
        rules: [{ matches: [{ path: { type: "Prefix", value: "/" } }] }],
    } satisfies kinds.HTTPRoute["spec"],
    BackendTLSPolicy: {
        targetRefs: [{ group: "", kind: "Service", name: "api" }],
        // @ts-expect-error it is called caCertificateRefs
        validation: { hostname: "api", caCertRefs: [{ group: "", kind: "Secret", name: "ca" }] },
    } satisfies kinds.BackendTLSPolicy["spec"],
    BackendTrafficPolicy: {
        // @ts-expect-error it is called limit
        requestBuffer: { size: "1Mi" },
    } satisfies kinds.BackendTrafficPolicy["spec"],
    Middleware: {
        // @ts-expect-error it is called maxRequestBodyBytes
        buffering: { maxRequestBytes: 1 },
    } satisfies kinds.Middleware["spec"],
    ServersTransport: {
        // @ts-expect-error it is called rootCAs
        rootCas: [{ secret: "ca" }],
    } satisfies kinds.ServersTransport["spec"],
    LoadBalancerConfiguration: {
        // @ts-expect-error it is called webACL
        wafV2: { webAcl: "arn" },
    } satisfies kinds.LoadBalancerConfiguration["spec"],
    TargetGroupConfiguration: {
        targetReference: { name: "api" },
        // @ts-expect-error HTTPS: only release 2.14 accepted lower case
        defaultConfiguration: { healthCheckConfig: { healthCheckProtocol: "https" } },
    } satisfies kinds.TargetGroupConfiguration["spec"],
    PodMonitor: {
        selector: { matchLabels: {} },
        // @ts-expect-error it is called podMetricsEndpoints
        endpoints: [],
    } satisfies kinds.PodMonitor["spec"],
    Probe: {
        jobName: "outside",
        interval: "60s",
        module: "http_2xx",
        prober: { url: "blackbox:9115" },
        // @ts-expect-error it is called static
        targets: { staticConfig: { targets: [], labels: {} } },
    } satisfies kinds.Probe["spec"],
    AlertmanagerConfig: {
        route: { receiver: "webhook" },
        // @ts-expect-error it is called urlSecret
        receivers: [{ name: "webhook", webhookConfigs: [{ url: { name: "s", key: "k" }, sendResolved: true }] }],
    } satisfies kinds.AlertmanagerConfig["spec"],
    PrometheusRule: {
        // @ts-expect-error it is called groups
        group: [],
    } satisfies kinds.PrometheusRule["spec"],
    ClusterImagePolicy: {
        images: [{ glob: "ghcr.io/example/**" }],
        // @ts-expect-error it is called data
        authorities: [{ key: { publicKey: "PEM" } }],
    } satisfies kinds.ClusterImagePolicy["spec"],
} satisfies Record<kinds.CustomObject["kind"], unknown>;

test("every kind of custom resource has a misspelt field that does not compile", () => {
    expect(Object.keys(misspelt)).toHaveLength(17);
});
