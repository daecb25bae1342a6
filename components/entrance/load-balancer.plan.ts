/**
 * AWS load balancers that the AWS Load Balancer Controller creates from an Ingress or a Gateway.
 *
 * They use https to the pods without verifying their certificates, as AWS does; the VPC limits what they can reach.
 *
 * @see https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/ingress/annotations/
 */
import type { Input } from "@pulumi/pulumi";
import type { Stack } from "../config/schema";
import type { Entrance } from "../config/schema.entrance";
import type { CustomObject, LoadBalancerConfiguration, TargetGroupConfiguration } from "../kubernetes/custom-object";
import { healthPath } from "../kubernetes/service.plan";
import { planIngress, type Ingress, type IngressSettings } from "./ingress.plan";
import { planRoutes, servers, strictTransport, type FrontServer } from "./routes.plan";

type Options = Omit<Extract<Entrance["controller"], { kind: "awsLoadBalancer" }>, "kind">;
type Attributes = Readonly<Record<string, string>>;

function balancerAttributes({ idleTimeoutSeconds, accessLogsBucket }: Options): Attributes {
    return {
        "idle_timeout.timeout_seconds": String(idleTimeoutSeconds),
        "routing.http.drop_invalid_header_fields.enabled": "true",
        ...(accessLogsBucket !== undefined && {
            "access_logs.s3.enabled": "true",
            "access_logs.s3.bucket": accessLogsBucket,
        }),
    };
}

function listenerAttributes(entrance: Stack["entrance"]): Attributes {
    const hsts = strictTransport(entrance);
    return {
        ...(hsts !== undefined && { "routing.http.response.strict_transport_security.header_value": hsts }),
        "routing.http.response.x_content_type_options.header_value": "nosniff",
    };
}

/** Open requests end while the pod drains. */
function targetAttributes(api: Stack["api"]): Attributes {
    return { "deregistration_delay.timeout_seconds": String(api.drainSeconds) };
}

function certificateArns({ tls }: Stack["entrance"]): readonly string[] {
    return tls.kind === "acm" ? tls.certificateArns : [];
}

const joined = (attributes: Attributes): string =>
    Object.entries(attributes)
        .map(([key, value]) => `${key}=${value}`)
        .join(",");

export function planBalancerIngress(
    stack: IngressSettings & Pick<Stack, "api" | "release">,
    options: Options,
    namespace: Input<string>,
): Record<string, Ingress> {
    const { plain, streams } = planRoutes(stack.release);
    const { port } = stack.entrance;
    const annotations = {
        scheme: options.scheme,
        "target-type": "ip",
        "listen-ports": JSON.stringify([{ HTTP: 80 }, { HTTPS: port }]),
        "ssl-redirect": String(port),
        "ssl-policy": options.sslPolicy,
        "certificate-arn": certificateArns(stack.entrance).join(","),
        "backend-protocol": "HTTPS",
        "healthcheck-protocol": "HTTPS",
        "load-balancer-attributes": joined(balancerAttributes(options)),
        [`listener-attributes.HTTPS-${port}`]: joined(listenerAttributes(stack.entrance)),
        "target-group-attributes": joined(targetAttributes(stack.api)),
        ...(options.inboundCidrs.length > 0 && { "inbound-cidrs": options.inboundCidrs.join(",") }),
        ...(options.webAclArn !== undefined && { "wafv2-acl-arn": options.webAclArn }),
    };
    const named = Object.entries(annotations).map(
        ([key, value]) => [`alb.ingress.kubernetes.io/${key}`, value] as const,
    );
    return {
        orcheo: planIngress("orcheo", stack, namespace, { ...plain, ...streams }, Object.fromEntries(named)),
    };
}

const listed = (attributes: Attributes) => Object.entries(attributes).map(([key, value]) => ({ key, value }));

// Served by every release that has HTTPRoutes. The first, 2.14, accepts `https` for health checks only in lower case, every later one only HTTPS.
const apiVersion = "gateway.k8s.aws/v1beta1";

/** The Gateway's load balancer. */
export function planBalancerConfiguration(
    { entrance }: Pick<Stack, "entrance">,
    options: Options,
    namespace: Input<string>,
): LoadBalancerConfiguration {
    const [defaultCertificate, ...certificates] = certificateArns(entrance);
    return {
        apiVersion,
        kind: "LoadBalancerConfiguration",
        metadata: { name: "orcheo", namespace },
        spec: {
            scheme: options.scheme,
            loadBalancerAttributes: listed(balancerAttributes(options)),
            listenerConfigurations: [
                {
                    protocolPort: `HTTPS:${entrance.port}`,
                    sslPolicy: options.sslPolicy,
                    defaultCertificate,
                    certificates: certificates.length > 0 ? certificates : undefined,
                    listenerAttributes: listed(listenerAttributes(entrance)),
                },
            ],
            sourceRanges: options.inboundCidrs.length > 0 ? options.inboundCidrs : undefined,
            wafV2: options.webAclArn === undefined ? undefined : { webACL: options.webAclArn },
        },
    };
}

/** How the load balancer speaks to the pods of each Service. */
export function planTargetGroups(api: Stack["api"], namespace: Input<string>): Record<string, CustomObject> {
    const target = (server: FrontServer): TargetGroupConfiguration => ({
        apiVersion,
        kind: "TargetGroupConfiguration",
        metadata: { name: server, namespace },
        spec: {
            targetReference: { name: server },
            defaultConfiguration: {
                targetType: "ip",
                protocol: "HTTPS",
                healthCheckConfig: { healthCheckPath: healthPath(server), healthCheckProtocol: "HTTPS" },
                targetGroupAttributes: listed(targetAttributes(api)),
            },
        },
    });
    return Object.fromEntries(servers.map((server) => [`target-${server}`, target(server)]));
}
