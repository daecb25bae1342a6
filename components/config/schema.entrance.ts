/** Ingress settings: controller and TLS certificate. */
import { z } from "zod";
import { cidr } from "./addresses";
import { arn, choice, email, httpsUrl, kind, labelKey, name, objectName, oneOf, path, whole, words } from "./fields";

/** What AWS accepts. The servers keep unused connections for longer (images/): of two sides, the entrance has to close them. */
export const longestIdleSeconds = 4000;

const loadBalancer = {
    scheme: choice(["internal", "internet-facing"])
        .default("internal")
        .describe("Reachable from the VPC, or from everywhere."),
    inboundCidrs: z.array(cidr()).default([]).describe("Who may connect; default everyone that can reach it."),
    webAclArn: arn("wafv2").optional().describe("WAFv2 web ACL in front of it."),
    sslPolicy: words("the name of a TLS policy")
        .default("ELBSecurityPolicy-TLS13-1-2-2021-06")
        .describe("TLS versions and ciphers of the load balancer."),
    idleTimeoutSeconds: whole(1, longestIdleSeconds)
        .default(3600)
        .describe("Silence after which it closes a connection, WebSockets too."),
    accessLogsBucket: words("the name of an S3 bucket").optional().describe("Bucket for its access logs."),
};

const existingGateway = z.strictObject({
    kind: kind("existing"),
    name: objectName().describe("Gateway."),
    namespace: name().optional().describe("Its namespace; default the stack's. It must admit routes from there."),
    httpsSection: name().optional().describe("Its https listener; default all of its listeners."),
    httpSection: name()
        .optional()
        .describe("Its http listener, for the redirect to https; without it the stack declares no redirect."),
});
const createdGateway = z.strictObject({
    kind: kind("created"),
    className: objectName().describe("GatewayClass."),
    httpPort: whole(1, 65_535).default(80).describe("Port of the http listener; for Traefik that of its entry point."),
    httpsPort: whole(1, 65_535).default(443).describe("Port of the https listener, likewise."),
});
const createdBalancer = z.strictObject({
    kind: kind("created"),
    className: objectName().describe("GatewayClass of the AWS Load Balancer Controller."),
    ...loadBalancer,
});
const gateway = oneOf([createdGateway, existingGateway]).describe(
    "A Gateway of the stack's own, or one that is there.",
);

const controller = oneOf([
    z.strictObject({ kind: kind("traefik") }),
    z.strictObject({
        kind: kind("standard"),
        annotations: z
            .record(labelKey(), z.string())
            .default({})
            .describe("Annotations of the controller for https backends, body size, redirect and HSTS."),
    }),
    z.strictObject({ kind: kind("awsLoadBalancer"), ...loadBalancer }),
    z.strictObject({ kind: kind("traefikGateway"), gateway }),
    z.strictObject({ kind: kind("envoyGateway"), gateway }),
    z.strictObject({
        kind: kind("awsGateway"),
        gateway: oneOf([createdBalancer, existingGateway]).describe(
            "A Gateway (and load balancer) of the stack's own, or one that is there.",
        ),
    }),
])
    .prefault({ kind: "traefik" })
    .describe(
        "Ingress: `traefik` with its Middleware and ServersTransport, `awsLoadBalancer` of the AWS Load Balancer Controller, `standard` for any other. Gateway API: `traefikGateway`, `envoyGateway`, `awsGateway`.",
    );

const route53 = {
    region: words("an AWS region").describe("Region of the calls."),
    hostedZoneId: words("the id of a hosted zone").describe("Hosted zone of the host's domain."),
};
const solver = oneOf([
    z.strictObject({ kind: kind("http01") }),
    z.strictObject({
        kind: kind("route53"),
        ...route53,
        roleArn: arn("iam").describe(
            "Role that may change the zone and trusts the ServiceAccount `acme-route53` of the namespace (IRSA).",
        ),
        certManagerNamespace: name().default("cert-manager").describe("Namespace of cert-manager."),
        certManagerServiceAccount: objectName().default("cert-manager").describe("Its ServiceAccount."),
    }),
    z.strictObject({
        kind: kind("route53Ambient"),
        ...route53,
        roleArn: arn("iam").optional().describe("Role to assume; default cert-manager's own (EKS Pod Identity)."),
    }),
]).describe(
    "How the host is proven: over http, by a DNS record with the stack's own role, or by a DNS record with cert-manager's credentials (a ClusterIssuer, as cert-manager lends them to no Issuer).",
);

const tls = oneOf([
    z.strictObject({ kind: kind("clusterIssuer"), name: name().describe("ClusterIssuer of cert-manager.") }),
    z.strictObject({ kind: kind("issuer"), name: name().describe("Issuer of cert-manager in the namespace.") }),
    z.strictObject({
        kind: kind("acme"),
        email: email().describe("Contact address for the certificate authority."),
        server: httpsUrl()
            .default("https://acme-v02.api.letsencrypt.org/directory")
            .describe("ACME directory; default Let's Encrypt."),
        caBundleFile: path()
            .optional()
            .describe("PEM file of the CA that signed the ACME directory's own certificate, if it is private."),
        solver,
    }),
    z.strictObject({
        kind: kind("acm"),
        certificateArns: z
            .array(arn("acm"))
            .min(1, { error: "a list of at least one ARN" })
            .describe("Certificates of AWS Certificate Manager; the first is the default one."),
    }),
    z.strictObject({
        kind: kind("secret"),
        name: name().describe("TLS Secret that is already in the namespace."),
    }),
    z.strictObject({ kind: kind("gateway") }),
])
    .prefault({ kind: "clusterIssuer", name: "orcheo-local-ca" })
    .describe(
        "Who signs the public certificate. AWS load balancers take only `acm`; a Gateway that exists has its own: `gateway`.",
    );

export const entrance = z
    .strictObject({
        className: name()
            .optional()
            .describe("IngressClass; default alb with controller.kind awsLoadBalancer, else traefik."),
        controller,
        hostSharedWith: z
            .array(words("an object as namespace/name"))
            .default([])
            .describe(
                "Ingresses, routes and Gateways of others that serve a part of the host on purpose, as namespace/name; any other that has the host is refused.",
            ),
        port: whole(1, 65_535).default(443).describe("Public https port; part of the URL unless 443."),
        tls,
        maxBodyMiB: whole(1, 1024)
            .default(32)
            .describe("Largest request body, MiB (Traefik and Envoy Gateway; AWS load balancers know no such limit)."),
        responseTimeoutSeconds: whole(1, 3600)
            .default(120)
            .describe(
                "Longest wait for an answer (Traefik's Ingress and Envoy Gateway). WebSockets and streams stay open without limit.",
            ),
        hstsSeconds: whole(0, 63_072_000)
            .default(31_536_000)
            .describe("Strict-Transport-Security max-age; 0 leaves the header out (all but the standard controller)."),
    })
    .prefault({})
    .describe("Access from outside the cluster.");

export type Entrance = z.output<typeof entrance>;
