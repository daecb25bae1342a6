import { readFileSync } from "node:fs";
import * as fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { parseStack } from "../../../components/stack/read";
import type { Stack } from "../../../components/config/schema";
import { longestIdleSeconds } from "../../../components/config/schema.entrance";
import { planEntrance, type EntrancePlan } from "../../../components/entrance/entrance.plan";
import { issuerOf, planAcme } from "../../../components/entrance/issuer.plan";
import { caText, run, runBoth, type Registered, type Run } from "../../harness";
import { password, variants, type Variant } from "../../variants";

const names = Object.keys(variants) as Variant[];

function stackOf(settings: object, secretKeys: readonly string[] = []): Stack {
    const keys = ["orcheo:stack", ...secretKeys];
    const json = JSON.stringify(settings);
    const { stack, problems } = parseStack({ stack: "dev", keys, json, secret: false, secretKeys });
    if (stack === undefined || problems.length > 0) throw new Error(JSON.stringify(problems));
    return stack;
}

function planOf(name: Variant): EntrancePlan {
    const stack = stackOf(variants[name], password.of(name).secretKeys);
    return planEntrance(stack, "orcheo", { api: "api-tls", canvas: "canvas-tls" });
}

type Fields = Record<string, unknown>;
const at = (value: unknown, ...path: (string | number)[]): unknown =>
    path.reduce<unknown>((here, key) => (here as Fields | undefined)?.[key], value);

/** Prefixes and the server behind each, whatever routes them: what Ingress and Gateway API both call the longest match. */
function routesOf({ routes, ingresses }: EntrancePlan): Map<string, string> {
    const ofIngress = Object.entries(ingresses)
        .filter(([name]) => name !== "redirect")
        .flatMap(([, { spec }]) => at(spec, "rules", 0, "http", "paths") as Fields[])
        .map((path) => [String(path["path"]), String(at(path, "backend", "service", "name"))] as const);
    const ofRoute = ["route-orcheo", "route-streams"]
        .flatMap((name) => (at(routes[name]?.spec, "rules") ?? []) as Fields[])
        .map(
            (rule) =>
                [String(at(rule, "matches", 0, "path", "value")), String(at(rule, "backendRefs", 0, "name"))] as const,
        );
    return new Map([...ofIngress, ...ofRoute]);
}

function serverOf(routes: ReadonlyMap<string, string>, path: string): string | undefined {
    const within = (prefix: string) => prefix === "/" || path === prefix || path.startsWith(`${prefix}/`);
    const [longest = ""] = [...routes.keys()].filter(within).sort((one, other) => other.length - one.length);
    return routes.get(longest);
}

describe.each(names)("%s", (name) => {
    const routes = routesOf(planOf(name));

    it("refuses internal paths from outside, however deep", () => {
        fc.assert(
            fc.property(
                fc.constantFrom("/internal", "/api/internal"),
                fc.array(fc.stringMatching(/^[a-z]{1,8}$/), { maxLength: 3 }),
                (root, parts) => {
                    expect(serverOf(routes, [root, ...parts].join("/"))).toBe("canvas");
                },
            ),
        );
    });

    it("leads the API's paths to the API and all else to the canvas", () => {
        for (const path of ["/api", "/api/workflows", "/api/chatkit/x", "/ws/workflow/1"])
            expect(serverOf(routes, path)).toBe("api");
        for (const path of ["/", "/workflows", "/apix"]) expect(serverOf(routes, path)).toBe("canvas");
    });
});

const kind = ({ type }: Pick<Registered, "type">) => type.slice(type.lastIndexOf(":") + 1);
const entranceOf = ({ resources }: Run): string[] =>
    resources
        .filter(({ type, name }) => name.startsWith("entrance-") && !type.startsWith("orcheo:"))
        .map((each) => `${kind(each)} ${each.name}`)
        .sort();

describe("the program, as preview and as update", () => {
    let runs: Record<Variant, Run>;
    beforeAll(async () => {
        const all: [string, Run][] = [];
        // One after the other: the mocks are global.
        for (const name of names)
            all.push([name, await runBoth({ stack: "dev", settings: variants[name], ...password.of(name) })]);
        runs = Object.fromEntries(all) as Record<Variant, Run>;
    }, 120_000);

    it("an object has one name in Pulumi, whatever the settings: a new name would create and then delete it", () => {
        const named = new Map<string, Set<string>>();
        for (const { type, name, inputs } of Object.values(runs).flatMap(({ resources }) => resources)) {
            const object = at(inputs, "metadata", "name");
            if (!type.startsWith("kubernetes:") || typeof object !== "string") continue;
            const key = `${kind({ type })} ${object}`;
            named.set(key, (named.get(key) ?? new Set()).add(name));
        }
        expect(named.size).toBeGreaterThan(50);
        expect([...named].filter(([, names]) => names.size > 1).map(([key, names]) => [key, ...names])).toEqual([]);
    });

    it.each<[Variant, string[]]>([
        [
            "Traefik with ACME over http",
            [
                "Certificate entrance-tls",
                "Ingress entrance-orcheo",
                "Ingress entrance-redirect",
                "Ingress entrance-streams",
                "Issuer entrance-acme",
                "Middleware entrance-middleware-body",
                "Middleware entrance-middleware-headers",
                "Middleware entrance-middleware-redirect",
                "NetworkPolicy entrance-acme-solver",
                "ServersTransport entrance-transport-api",
                "ServersTransport entrance-transport-canvas",
            ],
        ],
        [
            "Traefik's Gateway with ACME over http",
            [
                "BackendTLSPolicy entrance-tls-api",
                "BackendTLSPolicy entrance-tls-canvas",
                "Certificate entrance-tls",
                "Gateway entrance-gateway",
                "HTTPRoute entrance-route-orcheo",
                "HTTPRoute entrance-route-redirect",
                "HTTPRoute entrance-route-streams",
                "Issuer entrance-acme",
                "Middleware entrance-middleware-body",
                "Middleware entrance-middleware-headers",
                "Middleware entrance-middleware-redirect",
                "NetworkPolicy entrance-acme-solver",
                "ServersTransport entrance-transport-api",
                "ServersTransport entrance-transport-canvas",
            ],
        ],
        [
            "Envoy Gateway with ACME by DNS",
            [
                "BackendTLSPolicy entrance-tls-api",
                "BackendTLSPolicy entrance-tls-canvas",
                "BackendTrafficPolicy entrance-body-limit",
                "Certificate entrance-tls",
                "Gateway entrance-gateway",
                "HTTPRoute entrance-route-orcheo",
                "HTTPRoute entrance-route-redirect",
                "HTTPRoute entrance-route-streams",
                "Issuer entrance-acme",
                "Role entrance-acme-role",
                "RoleBinding entrance-acme-binding",
                "ServiceAccount entrance-acme-account",
            ],
        ],
        [
            "a Gateway that exists",
            [
                "BackendTLSPolicy entrance-tls-api",
                "BackendTLSPolicy entrance-tls-canvas",
                "BackendTrafficPolicy entrance-body-limit",
                "HTTPRoute entrance-route-orcheo",
                "HTTPRoute entrance-route-redirect",
                "HTTPRoute entrance-route-streams",
            ],
        ],
        ["an AWS load balancer of an Ingress", ["Ingress entrance-orcheo"]],
        [
            "an AWS load balancer of a Gateway",
            [
                "Gateway entrance-gateway",
                "HTTPRoute entrance-route-orcheo",
                "HTTPRoute entrance-route-redirect",
                "HTTPRoute entrance-route-streams",
                "LoadBalancerConfiguration entrance-balancer",
                "TargetGroupConfiguration entrance-target-api",
                "TargetGroupConfiguration entrance-target-canvas",
            ],
        ],
    ])("%s: what is declared", (name, expected) => {
        expect(entranceOf(runs[name])).toEqual(expected);
    });

    it("every child has a parent", () => {
        for (const { resources } of Object.values(runs))
            expect(resources.filter(({ type, options }) => !type.startsWith("orcheo:") && !options.parented)).toEqual(
                [],
            );
    });

    it("an AWS load balancer deregisters terminating pods in time, and health-checks ready ones", () => {
        const { resources } = runs["an AWS load balancer of an Ingress"];
        const find = (wanted: string, name: string) =>
            resources.find((each) => kind(each) === wanted && each.name === name);
        const pod = (name: string) => at(find("Deployment", name)?.inputs, "spec", "template", "spec");
        expect(pod("api")).toMatchObject({
            terminationGracePeriodSeconds: 60,
            containers: [{ lifecycle: { preStop: { sleep: { seconds: 20 } } } }],
        });
        expect(pod("canvas")).toMatchObject({ terminationGracePeriodSeconds: 45 });
        expect(find("Namespace", "cluster-namespace")?.inputs).toMatchObject({
            metadata: { labels: { "elbv2.k8s.aws/pod-readiness-gate-inject": "enabled" } },
        });
        expect(find("Service", "api-service")?.inputs).toMatchObject({
            metadata: { annotations: { "alb.ingress.kubernetes.io/healthcheck-path": "/healthz/ready" } },
        });
    });
});

describe("Gateway API", () => {
    it("Envoy: headers on all routes; body limit and timeout on plain requests only", () => {
        const { objects, routes } = planOf("Envoy Gateway with ACME by DNS");
        expect(at(routes["route-orcheo"]?.spec, "rules", 0)).toEqual({
            matches: [{ path: { type: "PathPrefix", value: "/" } }],
            filters: [
                {
                    type: "ResponseHeaderModifier",
                    responseHeaderModifier: {
                        set: [
                            { name: "Strict-Transport-Security", value: "max-age=31536000; includeSubDomains" },
                            { name: "X-Content-Type-Options", value: "nosniff" },
                        ],
                    },
                },
            ],
            timeouts: { request: "120s" },
            backendRefs: [{ name: "canvas", port: 8443 }],
        });
        expect(at(routes["route-streams"]?.spec, "rules", 0)).toMatchObject({ timeouts: { request: "0s" } });
        expect(objects["body-limit"]?.spec).toEqual({
            targetRefs: [{ group: "gateway.networking.k8s.io", kind: "HTTPRoute", name: "orcheo" }],
            requestBuffer: { limit: "32Mi" },
        });
    });

    it("Traefik: its own middleware limits the body of plain requests", () => {
        const { objects, routes } = planOf("Traefik's Gateway with ACME over http");
        const body = { type: "ExtensionRef", extensionRef: { group: "traefik.io", kind: "Middleware", name: "body" } };
        expect(at(routes["route-orcheo"]?.spec, "rules", 0, "filters")).toContainEqual(body);
        expect(at(routes["route-streams"]?.spec, "rules", 0, "filters")).not.toContainEqual(body);
        expect(at(objects["gateway"]?.spec, "listeners")).toMatchObject([
            { name: "http", protocol: "HTTP", port: 8000, hostname: "orcheo.localhost" },
            {
                name: "https",
                protocol: "HTTPS",
                port: 8443,
                tls: { mode: "Terminate", certificateRefs: [{ name: "entrance-tls" }] },
            },
        ]);
    });

    it("a route counts as created once its controller has accepted it", () => {
        const wait = at(
            planOf("Traefik's Gateway with ACME over http").routes["route-orcheo"],
            "metadata",
            "annotations",
        );
        const said = (type: string) => `jsonpath={.status.parents[0].conditions[?(@.type=="${type}")].status}=True`;
        expect(wait).toEqual({ "pulumi.com/waitFor": JSON.stringify([said("Accepted"), said("ResolvedRefs")]) });
    });

    it("pods are verified with the Secret that signs them", () => {
        expect(planOf("Envoy Gateway with ACME by DNS").objects["tls-api"]?.spec).toEqual({
            targetRefs: [{ group: "", kind: "Service", name: "api" }],
            validation: { hostname: "api", caCertificateRefs: [{ group: "", kind: "Secret", name: "api-tls" }] },
        });
    });

    it("routes hang on a Gateway that exists; without its http listener there is no redirect", () => {
        const { routes } = planOf("a Gateway that exists");
        expect(at(routes["route-orcheo"]?.spec, "parentRefs")).toEqual([
            { name: "shared", namespace: "edge", sectionName: "https" },
        ]);
        expect(at(routes["route-redirect"]?.spec, "parentRefs")).toEqual([
            { name: "shared", namespace: "edge", sectionName: "http" },
        ]);
        const controller = { kind: "envoyGateway", gateway: { kind: "existing", name: "shared" } };
        const settings = { ...variants["a Gateway that exists"], entrance: { controller, tls: { kind: "gateway" } } };
        const plan = planEntrance(stackOf(settings), "orcheo", { api: "a", canvas: "c" });
        expect(plan.routes).not.toHaveProperty("route-redirect");
        expect(at(plan.routes["route-orcheo"]?.spec, "parentRefs")).toEqual([{ name: "shared" }]);
    });

    it("plain http is sent to the public port", () => {
        expect(at(planOf("Envoy Gateway with ACME by DNS").routes["route-redirect"]?.spec, "rules")).toEqual([
            {
                matches: [{ path: { type: "PathPrefix", value: "/" } }],
                filters: [
                    { type: "RequestRedirect", requestRedirect: { scheme: "https", port: 443, statusCode: 301 } },
                ],
            },
        ]);
    });
});

describe("AWS load balancers", () => {
    it("of an Ingress: https to the pods, redirect, certificates, WAF, headers", () => {
        const { ingresses } = planOf("an AWS load balancer of an Ingress");
        const { metadata, spec } = ingresses["orcheo"] ?? {};
        const prefix = "alb.ingress.kubernetes.io/";
        expect(at(metadata, "annotations")).toEqual({
            "pulumi.com/skipAwait": "true",
            [`${prefix}scheme`]: "internet-facing",
            [`${prefix}target-type`]: "ip",
            [`${prefix}listen-ports`]: '[{"HTTP":80},{"HTTPS":443}]',
            [`${prefix}ssl-redirect`]: "443",
            [`${prefix}ssl-policy`]: "ELBSecurityPolicy-TLS13-1-2-2021-06",
            [`${prefix}certificate-arn`]:
                "arn:aws:acm:eu-central-1:111122223333:certificate/1,arn:aws:acm:eu-central-1:111122223333:certificate/2",
            [`${prefix}backend-protocol`]: "HTTPS",
            [`${prefix}healthcheck-protocol`]: "HTTPS",
            [`${prefix}load-balancer-attributes`]:
                "idle_timeout.timeout_seconds=3600,routing.http.drop_invalid_header_fields.enabled=true,access_logs.s3.enabled=true,access_logs.s3.bucket=example-logs",
            [`${prefix}listener-attributes.HTTPS-443`]:
                "routing.http.response.strict_transport_security.header_value=max-age=31536000; includeSubDomains,routing.http.response.x_content_type_options.header_value=nosniff",
            [`${prefix}target-group-attributes`]: "deregistration_delay.timeout_seconds=40",
            [`${prefix}inbound-cidrs`]: "198.51.100.0/24",
            [`${prefix}wafv2-acl-arn`]: "arn:aws:wafv2:eu-central-1:111122223333:regional/webacl/orcheo/1",
        });
        expect(spec).toMatchObject({ ingressClassName: "alb" });
        expect(spec).not.toHaveProperty("tls");
    });

    it("are internal and only reachable from the network, unless configured otherwise", () => {
        const given = variants["an AWS load balancer of an Ingress"];
        const entrance = { controller: { kind: "awsLoadBalancer" }, tls: given.entrance.tls, hstsSeconds: 0 };
        const { ingresses } = planEntrance(stackOf({ ...given, entrance }), "orcheo", { api: "a", canvas: "c" });
        const annotations = at(ingresses["orcheo"], "metadata", "annotations");
        expect(annotations).toMatchObject({
            "alb.ingress.kubernetes.io/scheme": "internal",
            "alb.ingress.kubernetes.io/listener-attributes.HTTPS-443":
                "routing.http.response.x_content_type_options.header_value=nosniff",
        });
        expect(annotations).not.toHaveProperty("alb.ingress.kubernetes.io/wafv2-acl-arn");
    });

    it("of a Gateway: the same in its own objects, and nothing it does not know", () => {
        const { objects, routes } = planOf("an AWS load balancer of a Gateway");
        expect(objects["balancer"]?.spec).toMatchObject({
            scheme: "internet-facing",
            listenerConfigurations: [
                {
                    protocolPort: "HTTPS:443",
                    defaultCertificate: "arn:aws:acm:eu-central-1:111122223333:certificate/1",
                    certificates: ["arn:aws:acm:eu-central-1:111122223333:certificate/2"],
                },
            ],
            sourceRanges: ["198.51.100.0/24"],
            wafV2: { webACL: "arn:aws:wafv2:eu-central-1:111122223333:regional/webacl/orcheo/1" },
        });
        expect(objects["target-api"]?.spec).toEqual({
            targetReference: { name: "api" },
            defaultConfiguration: {
                targetType: "ip",
                protocol: "HTTPS",
                healthCheckConfig: { healthCheckPath: "/healthz/ready", healthCheckProtocol: "HTTPS" },
                targetGroupAttributes: [{ key: "deregistration_delay.timeout_seconds", value: "40" }],
            },
        });
        expect(at(objects["gateway"]?.spec, "infrastructure")).toEqual({
            parametersRef: { group: "gateway.k8s.aws", kind: "LoadBalancerConfiguration", name: "orcheo" },
        });
        // Neither timeouts nor header filters: the controller would refuse the route.
        expect(Object.keys(at(routes["route-orcheo"]?.spec, "rules", 0) as object)).toEqual(["matches", "backendRefs"]);
        expect(at(objects["gateway"]?.spec, "listeners", 1, "tls")).toBeUndefined();
    });
});

describe("ACME", () => {
    const issued = (name: Variant): object | undefined => {
        const stack = stackOf(variants[name]);
        const issuer = issuerOf(stack);
        const { tls } = stack.entrance;
        return issuer && tls.kind === "acme" ? planAcme(stack, tls, issuer, "orcheo") : undefined;
    };

    it.each<[Variant, string, object, object]>([
        [
            "Traefik with ACME over http",
            "Issuer",
            { name: "acme", namespace: "orcheo" },
            { http01: { ingress: { serviceType: "ClusterIP", ingressClassName: "traefik" } } },
        ],
        [
            "Traefik's Gateway with ACME over http",
            "Issuer",
            { name: "acme", namespace: "orcheo" },
            {
                http01: {
                    gatewayHTTPRoute: {
                        serviceType: "ClusterIP",
                        parentRefs: [{ name: "orcheo", sectionName: "http" }],
                    },
                },
            },
        ],
        [
            "Envoy Gateway with ACME by DNS",
            "Issuer",
            { name: "acme", namespace: "orcheo" },
            {
                dns01: {
                    route53: {
                        region: "eu-central-1",
                        hostedZoneID: "Z0123456789",
                        role: "arn:aws:iam::111122223333:role/acme",
                        auth: { kubernetes: { serviceAccountRef: { name: "acme-route53" } } },
                    },
                },
            },
        ],
        [
            "ACME with cert-manager's own credentials",
            "ClusterIssuer",
            { name: "orcheo-acme" },
            { dns01: { route53: { region: "eu-central-1", hostedZoneID: "Z0123456789" } } },
        ],
    ])("%s", (name, issuerKind, metadata, solver) => {
        expect(issued(name)).toEqual({
            apiVersion: "cert-manager.io/v1",
            kind: issuerKind,
            metadata: { ...metadata, annotations: { "pulumi.com/waitFor": "condition=Ready" } },
            spec: {
                acme: {
                    email: "ops@example.com",
                    server: "https://acme-v02.api.letsencrypt.org/directory",
                    privateKeySecretRef: { name: `${String(at(metadata, "name"))}-account` },
                    solvers: [{ selector: { dnsNames: ["orcheo.localhost"] }, ...solver }],
                },
            },
        });
    });

    it("a private CA is named with the certificate that signed it", async () => {
        const caBundleFile = "certificates/acme.pem";
        const tls = { ...variants["Traefik with ACME over http"].entrance.tls, caBundleFile };
        const settings = { ...variants["Traefik with ACME over http"], entrance: { tls } };
        const { resources } = await runBoth({ stack: "dev", settings });
        const issuer = resources.find((each) => kind(each) === "Issuer" && each.name === "entrance-acme");
        expect(at(issuer?.inputs, "spec", "acme", "caBundle")).toBe(btoa(caText));
        const missing = await run({ stack: "dev", settings, probes: { isFile: () => false } }, true);
        expect(missing.error).toContain(
            "orcheo:stack.entrance.tls.caBundleFile: there is no file certificates/acme.pem; accepted: a PEM file",
        );
    });
});

describe("connections from the entrance to the pods", () => {
    it("are kept by Traefik for as many requests at a time as it is used to elsewhere", () => {
        for (const name of names)
            for (const { kind, spec } of Object.values(planOf(name).objects))
                if (kind === "ServersTransport") expect(at(spec, "maxIdleConnsPerHost"), name).toBe(200);
    });

    it.each([
        ["images/backend/orcheo_runtime/api.py", /^KEEP_ALIVE_SECONDS = (\d+)$/m],
        ["images/canvas/nginx.conf", /^ +keepalive_timeout (\d+)s;$/m],
    ])("are closed by the entrance and not by the server of %s", (file, setting) => {
        const text = readFileSync(file, "utf8");
        expect(Number(setting.exec(text)?.[1])).toBeGreaterThan(longestIdleSeconds);
    });
});
