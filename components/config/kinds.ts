/** Questions about settings that have several kinds, each answered here alone: a new kind does not compile until it is. */
import type { Auth } from "./schema.auth";
import type { Aws } from "./schema.aws";
import type { Entrance } from "./schema.entrance";
import type { Images } from "./schema.images";
import type { Pgbouncer, Pooler } from "./schema.pooler";
import type { Outbound } from "./schema.surroundings";

type Controller = Entrance["controller"];
export type GatewayController = Extract<Controller, { readonly gateway: unknown }>;

interface Traits {
    /** The API that routes are declared in. */
    readonly api: "ingress" | "gateway";
    /** An AWS load balancer sends straight to the pods, from addresses outside the pod network. */
    readonly loadBalancer: boolean;
    /** Traefik, which reads annotations of the Services. */
    readonly traefik: boolean;
}

const traits: Readonly<Record<Controller["kind"], Traits>> = {
    traefik: { api: "ingress", loadBalancer: false, traefik: true },
    standard: { api: "ingress", loadBalancer: false, traefik: false },
    awsLoadBalancer: { api: "ingress", loadBalancer: true, traefik: false },
    traefikGateway: { api: "gateway", loadBalancer: false, traefik: true },
    envoyGateway: { api: "gateway", loadBalancer: false, traefik: false },
    awsGateway: { api: "gateway", loadBalancer: true, traefik: false },
};

export const behindLoadBalancer = ({ kind }: Pick<Controller, "kind">): boolean => traits[kind].loadBalancer;

export const isTraefik = ({ kind }: Pick<Controller, "kind">): boolean => traits[kind].traefik;

export const usesGateway = (controller: Controller): controller is GatewayController =>
    traits[controller.kind].api === "gateway";

/** Settings of the load balancer that the stack makes, and their key; undefined when it makes none. */
export function ownLoadBalancer(controller: Controller) {
    if (controller.kind === "awsLoadBalancer") return { at: "entrance.controller", settings: controller };
    return controller.kind === "awsGateway" && controller.gateway.kind === "created"
        ? { at: "entrance.controller.gateway", settings: controller.gateway }
        : undefined;
}

/** Who may sign the public certificate: cert-manager and Secrets, AWS, or the Gateway itself. */
export function acceptedTls(controller: Controller): readonly Entrance["tls"]["kind"][] {
    if (usesGateway(controller) && controller.gateway.kind === "existing") return ["gateway"];
    return behindLoadBalancer(controller) ? ["acm"] : ["clusterIssuer", "issuer", "acme", "secret"];
}

export type Acme = Extract<Entrance["tls"], { kind: "acme" }>;

/** Settings of the ACME issuer that the stack makes. */
export const acmeOf = ({ tls }: Pick<Entrance, "tls">): Acme | undefined => (tls.kind === "acme" ? tls : undefined);

/** cert-manager starts pods in the namespace that answer ACME's challenge. */
export const startsSolvers = (entrance: Pick<Entrance, "tls">): boolean => acmeOf(entrance)?.solver.kind === "http01";

type OwnCluster = Extract<Aws["cluster"], { kind: "new" }>;

/** Settings of the EKS cluster that the stack makes. */
export const ownCluster = (aws: Aws | undefined): OwnCluster | undefined =>
    aws?.cluster.kind === "new" ? aws.cluster : undefined;

/** EKS Auto Mode runs the nodes, and with them DNS, volumes and network policies. */
export const inAutoMode = (aws: Aws | undefined): boolean => ownCluster(aws)?.nodes.kind === "auto";

/** The kubeconfig is an output of AWS, or of another stack: not known before resources are registered. */
export function madeByAws({ aws }: { readonly aws?: Aws | undefined }): boolean {
    if (aws?.cluster.kind === "stackReference") return aws.cluster.kubeconfigOutput !== undefined;
    return ownCluster(aws) !== undefined;
}

/** PEM files of private CAs that the backend's pods trust beside the public ones: the proxy's, and the issuer's. */
export function privateCaFiles({
    auth: { signIn },
    outbound,
}: {
    readonly auth: Auth;
    readonly outbound: Outbound;
}): readonly string[] {
    const issuer = signIn.kind === "oidc" && signIn.authority.kind === "file" ? signIn.authority.path : undefined;
    return [outbound.caBundleFile, issuer].filter((file) => file !== undefined);
}

/** Anything with the section `database`. */
export interface Pooled {
    readonly database: { readonly pooler: Pooler };
}

/** Settings of the pooler that the stack runs. */
export const poolerOf = ({ database: { pooler } }: Pooled): Pgbouncer | undefined =>
    pooler.kind === "pgbouncer" ? pooler : undefined;

/** Orcheo's own pods connect to the pooler instead of PostgreSQL. */
export const usesPooler = (stack: Pooled): boolean => poolerOf(stack)?.used === true;

type Published = Extract<Images, { kind: "published" }>;

/** Settings of policy-controller, through which only signed images run. */
export const signedOnly = (
    images: Images,
): Extract<Published["admission"], { kind: "policyController" }> | undefined =>
    images.kind === "published" && images.admission.kind === "policyController" ? images.admission : undefined;
