/** Who signs the public certificate: an issuer that is there, or the stack's own ACME issuer. */
import type { types } from "@pulumi/kubernetes";
import type { Input } from "@pulumi/pulumi";
import type { Acme } from "../config/kinds";
import type { Stack } from "../config/schema";
import { untilReady, solverLabel, type IssuerRef } from "../kubernetes/certificates.plan";
import type { ClusterIssuer, Issuer } from "../kubernetes/custom-object";
import { objectLabels } from "../kubernetes/labels";
import { controllerPeers } from "../network/network.plan";
import { parentRefs } from "./gateway.plan";

type Route53 = Extract<Acme["solver"], { kind: "route53" }>;

/** Undefined when no certificate is asked for. */
export function issuerOf({ entrance, kubernetes }: Pick<Stack, "entrance" | "kubernetes">): IssuerRef | undefined {
    const { tls } = entrance;
    switch (tls.kind) {
        case "clusterIssuer":
            return { kind: "ClusterIssuer", name: tls.name };
        case "issuer":
            return { kind: "Issuer", name: tls.name };
        case "acme":
            return tls.solver.kind === "route53Ambient"
                ? { kind: "ClusterIssuer", name: `${kubernetes.namespace}-acme` }
                : { kind: "Issuer", name: "acme" };
        case "acm":
        case "gateway":
        case "secret":
            return undefined;
    }
}

/**
 * @param authority  PEM text of the CA that signed the directory's own certificate, unless it is a public one
 * @see https://cert-manager.io/docs/configuration/acme/
 */
export function planAcme(
    stack: Pick<Stack, "entrance" | "host">,
    acme: Acme,
    issuer: IssuerRef,
    namespace: Input<string>,
    authority?: string,
): Issuer | ClusterIssuer {
    const inNamespace = issuer.kind === "Issuer";
    return {
        apiVersion: "cert-manager.io/v1",
        kind: issuer.kind,
        metadata: { name: issuer.name, ...(inNamespace && { namespace }), annotations: untilReady },
        spec: {
            acme: {
                email: acme.email,
                server: acme.server,
                caBundle: authority === undefined ? undefined : Buffer.from(authority).toString("base64"),
                privateKeySecretRef: { name: `${issuer.name}-account` },
                solvers: [{ selector: { dnsNames: [stack.host] }, ...planSolver(stack.entrance, acme.solver) }],
            },
        },
    };
}

type Solver = NonNullable<NonNullable<Issuer["spec"]["acme"]>["solvers"]>[number];

const route53Account = "acme-route53";

function planSolver(entrance: Stack["entrance"], solver: Acme["solver"]): Solver {
    switch (solver.kind) {
        case "http01":
            return { http01: planHttp01(entrance) };
        case "route53": {
            const { region, hostedZoneId: hostedZoneID, roleArn: role } = solver;
            const auth = { kubernetes: { serviceAccountRef: { name: route53Account } } };
            return { dns01: { route53: { region, hostedZoneID, role, auth } } };
        }
        case "route53Ambient": {
            const { region, hostedZoneId: hostedZoneID, roleArn: role } = solver;
            return { dns01: { route53: { region, hostedZoneID, role } } };
        }
    }
}

/** ClusterIP: the quota allows no NodePort, which cert-manager would make. */
function planHttp01(entrance: Stack["entrance"]): Solver["http01"] {
    const { controller, className } = entrance;
    const serviceType = "ClusterIP";
    switch (controller.kind) {
        case "traefikGateway":
        case "envoyGateway":
        case "awsGateway":
            return { gatewayHTTPRoute: { serviceType, parentRefs: parentRefs(controller, "http") } };
        case "traefik":
        case "standard":
        case "awsLoadBalancer":
            return { ingress: { serviceType, ingressClassName: className ?? "traefik" } };
    }
}

/** The ingress controller may reach cert-manager's solver, which answers for as long as a challenge lasts. */
export function planSolverAccess(network: Stack["network"]): types.input.networking.v1.NetworkPolicySpec {
    return {
        podSelector: { matchLabels: { [solverLabel]: "true" } },
        policyTypes: ["Ingress"],
        ingress: [{ from: controllerPeers(network), ports: [{ port: 8089, protocol: "TCP" }] }],
    };
}

/**
 * The identity that changes DNS records, and cert-manager's right to ask for its tokens: no other pod has either.
 *
 * @see https://cert-manager.io/docs/configuration/acme/dns01/route53/
 */
export function planRoute53Identity(solver: Route53, namespace: Input<string>) {
    const labels = objectLabels();
    const metadata = { name: route53Account, namespace, labels };
    const account: types.input.core.v1.ServiceAccount = {
        metadata: { ...metadata, annotations: { "eks.amazonaws.com/role-arn": solver.roleArn } },
        automountServiceAccountToken: false,
    };
    const role: types.input.rbac.v1.Role = {
        metadata,
        rules: [
            {
                apiGroups: [""],
                resources: ["serviceaccounts/token"],
                resourceNames: [route53Account],
                verbs: ["create"],
            },
        ],
    };
    const { certManagerNamespace, certManagerServiceAccount } = solver;
    const binding: types.input.rbac.v1.RoleBinding = {
        metadata,
        roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: route53Account },
        subjects: [{ kind: "ServiceAccount", name: certManagerServiceAccount, namespace: certManagerNamespace }],
    };
    return { account, role, binding };
}
