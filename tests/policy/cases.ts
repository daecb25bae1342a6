/** For each rule that is not on pods: resources that pass, and what breaks it. */
import type { Resource } from "../../policies/rule.ts";
import { compliant, container, templateOf, type Mutable } from "./pods.ts";

/** A resource of a case: type token, name, inputs. */
export interface Given {
    readonly type: string;
    readonly name: string;
    readonly props: Readonly<Record<string, unknown>>;
    readonly options?: { readonly protect: boolean };
}

export interface Case {
    readonly rule: string;
    readonly passing: readonly Given[];
    readonly failing: readonly Given[];
    /** What the message about the failing resources must contain. */
    readonly says: string;
    readonly settings?: Readonly<Record<string, unknown>>;
    /** Its resources count for the whole account, so the other cases must not be in the same program. */
    readonly alone?: boolean;
}

/** A last day that an exception may have. */
export const nextMonth = new Date(Date.now() + 30 * 86_400_000).toISOString().slice(0, 10);

export function asResource({ type, name, props, options }: Given): Resource {
    return { type, name, urn: `urn:pulumi:test::test::${type}::${name}`, props, options };
}

function k8s(version: string, kind: string, name: string, parts: Mutable, metadata: Mutable = {}): Given {
    const apiVersion = version.replace(/^core\//, "");
    const object = { apiVersion, kind, metadata: { name, namespace: "shop", ...metadata }, ...parts };
    return { type: `kubernetes:${version}:${kind}`, name, props: object };
}

const labels = { "app.kubernetes.io/name": "api" };

/** A compliant workload of the shop namespace, with parts of its spec and its pod's replaced. */
function workload(
    kind: "Deployment" | "StatefulSet",
    name: string,
    spec: Mutable,
    pod: Mutable = {},
    metadata: Mutable = {},
): Given {
    const manifest = compliant(kind);
    const template = templateOf(manifest);
    template["metadata"] = { labels };
    template["spec"] = { ...(template["spec"] as Mutable), ...pod };
    const merged = { ...(manifest["spec"] as Mutable), ...spec };
    return k8s("apps/v1", kind, name, { spec: merged }, metadata);
}

const apart = (topologyKey: string): Mutable => ({
    affinity: {
        podAntiAffinity: {
            preferredDuringSchedulingIgnoredDuringExecution: [
                { weight: 1, podAffinityTerm: { topologyKey, labelSelector: { matchLabels: labels } } },
            ],
        },
    },
});
const spreadBy = (labelSelector?: Mutable): Mutable => ({
    topologySpreadConstraints: [{ maxSkew: 1, topologyKey: "kubernetes.io/hostname", labelSelector }],
});
const spread = spreadBy({ matchLabels: labels });
const scaler = (name: string, minReplicas: number): Given =>
    k8s("autoscaling/v2", "HorizontalPodAutoscaler", name, {
        spec: {
            minReplicas,
            maxReplicas: 9,
            scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "api" },
        },
    });
const budget = (spec: Mutable): Given =>
    k8s("policy/v1", "PodDisruptionBudget", "api", { spec: { selector: { matchLabels: labels }, ...spec } });
const beat = (name: string, spec: Mutable): Given =>
    workload("Deployment", name, spec, {
        containers: [{ ...container("beat"), command: ["celery", "-A", "app", "beat", "-s", "/data/schedule"] }],
    });
const recreate = { replicas: 1, strategy: { type: "Recreate" } };
const namespace = (given: Mutable = { "pod-security.kubernetes.io/enforce": "restricted" }): Given =>
    k8s("core/v1", "Namespace", "shop", {}, { namespace: undefined, labels: given });
const deny = (name: string, policyTypes: string[], podSelector: Mutable = {}): Given =>
    k8s("networking.k8s.io/v1", "NetworkPolicy", name, { spec: { podSelector, policyTypes } });
const role = (rule: Mutable, kind = "Role"): Given =>
    k8s("rbac.authorization.k8s.io/v1", kind, "reader", { rules: [rule] });
const clusterRole = (resource: string, verb: string, more: Mutable = {}): Given =>
    role(
        { apiGroups: ["", "rbac.authorization.k8s.io"], resources: [resource], verbs: [verb], ...more },
        "ClusterRole",
    );
const binding = (kind: string, name: string, more: Mutable = {}, subjects: readonly Mutable[] = []): Given =>
    k8s("rbac.authorization.k8s.io/v1", kind, "team", { roleRef: { kind: "ClusterRole", name, ...more }, subjects });
/** A grant that leads to everything, and the same restricted to a name. */
const grantCase = (resource: string, verb: string, says: string): Case => ({
    rule: "rbac-no-cluster-admin",
    passing: [clusterRole(resource, verb, { resourceNames: ["one"] })],
    failing: [clusterRole(resource, verb)],
    says: `ClusterRole "reader" rules[0] ${says} (${resource})`,
});
const ingress = (spec: Mutable, metadata: Mutable = {}): Given =>
    k8s(
        "networking.k8s.io/v1",
        "Ingress",
        "shop",
        {
            spec: {
                ingressClassName: "traefik",
                rules: [{ host: "shop.example.com" }],
                tls: [{ hosts: ["shop.example.com"], secretName: "shop-tls" }],
                ...spec,
            },
        },
        metadata,
    );
const toService = (name: string, port: Mutable): Mutable => ({ path: "/", backend: { service: { name, port } } });
const byAnnotation = {
    annotations: { "alb.ingress.kubernetes.io/certificate-arn": "arn:aws:acm:eu-central-1:1:certificate/1" },
};
const gateway = k8s("gateway.networking.k8s.io/v1", "Gateway", "front", {
    spec: {
        gatewayClassName: "envoy",
        listeners: [
            { name: "http", protocol: "HTTP", port: 80 },
            { name: "https", protocol: "HTTPS", port: 443 },
        ],
    },
});
/** A route on a listener of that Gateway. */
const route = (parent: Mutable, rule: Mutable = { backendRefs: [{ name: "api", port: 80 }] }): Given =>
    k8s("gateway.networking.k8s.io/v1", "HTTPRoute", "shop", {
        spec: { parentRefs: [{ name: "front", ...parent }], rules: [rule] },
    });
const toScheme = (scheme: string): Mutable => ({
    filters: [{ type: "RequestRedirect", requestRedirect: { scheme, statusCode: 301 } }],
});
const configMap = (data: Mutable): Given => k8s("core/v1", "ConfigMap", "settings", { data });
const service = (spec: Mutable): Given =>
    k8s("core/v1", "Service", "api", { spec: { ports: [{ port: 80 }], ...spec } });
const claim = (spec: Mutable): Given => k8s("core/v1", "PersistentVolumeClaim", "data", { spec });
const storageClass = (reclaimPolicy?: string): Given =>
    k8s("storage.k8s.io/v1", "StorageClass", "disks", { provisioner: "ebs.csi.aws.com", reclaimPolicy });

function aws(type: string, props: Mutable, name = "orcheo"): Given {
    return { type: `aws:${type}`, name, props: { tags: { Project: "orcheo", Environment: "prod" }, ...props } };
}

/** A compliant database. */
export const database = {
    engine: "postgres",
    instanceClass: "db.t4g.medium",
    allocatedStorage: 50,
    storageEncrypted: true,
    publiclyAccessible: false,
    multiAz: true,
    deletionProtection: true,
    skipFinalSnapshot: false,
    finalSnapshotIdentifier: "orcheo-final",
    backupRetentionPeriod: 14,
    parameterGroupName: "orcheo",
    autoMinorVersionUpgrade: true,
    enabledCloudwatchLogsExports: ["postgresql", "upgrade"],
};
const rds = (props: Mutable): Given => aws("rds/instance:Instance", { ...database, region: "eu-central-1", ...props });
const monthlyBudget = (limitAmount: string): Given =>
    aws("budgets/budget:Budget", { budgetType: "COST", timeUnit: "MONTHLY", limitUnit: "USD", limitAmount });
const aurora = { clusterIdentifier: "orcheo-data", engine: "aurora-postgresql", dbClusterParameterGroupName: "orcheo" };
const cluster = (props: Mutable): Given => aws("rds/cluster:Cluster", { ...aurora, ...props });
const clusterInstance = (name: string): Given =>
    aws("rds/clusterInstance:ClusterInstance", { clusterIdentifier: "orcheo-data" }, name);
const parameters = (family: string, name: string, value: string): Given =>
    aws("rds/parameterGroup:ParameterGroup", { family, parameters: [{ name, value }] });
const cache = (props: Mutable): Given =>
    aws("elasticache/replicationGroup:ReplicationGroup", {
        nodeType: "cache.t4g.small",
        numCacheClusters: 2,
        transitEncryptionEnabled: true,
        atRestEncryptionEnabled: true,
        authToken: "x",
        ...props,
    });
const repository = (props: Mutable): Given =>
    aws("ecr/repository:Repository", {
        imageTagMutability: "IMMUTABLE",
        imageScanningConfiguration: { scanOnPush: true },
        ...props,
    });
const document = (statement: Mutable): string => JSON.stringify({ Version: "2012-10-17", Statement: [statement] });
const policy = (statement: Mutable): Given => aws("iam/policy:Policy", { policy: document(statement) });
const trust = (statement: Mutable): Given =>
    aws("iam/role:Role", { assumeRolePolicy: document({ Effect: "Allow", ...statement }) });
const github = "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com";
const byToken = (conditions: Mutable): Given =>
    trust({
        Action: "sts:AssumeRoleWithWebIdentity",
        Principal: { Federated: github },
        Condition: { StringLike: { "token.actions.githubusercontent.com:aud": "sts.amazonaws.com", ...conditions } },
    });
const group = (name: string, port: number, range = "0.0.0.0/0", more: Mutable = {}): Given =>
    aws(
        "ec2/securityGroup:SecurityGroup",
        { ingress: [{ protocol: "tcp", fromPort: port, toPort: port, cidrBlocks: [range], ...more }] },
        name,
    );
const bucket = aws("s3/bucket:Bucket", { bucket: "orcheo-data" });
const ofBucket = (type: string, props: Mutable): Given =>
    aws(`s3/${type}:${type.charAt(0).toUpperCase()}${type.slice(1)}`, { bucket: "orcheo-data", ...props });
const encryption = (sseAlgorithm: string): Given =>
    ofBucket("bucketServerSideEncryptionConfiguration", {
        rules: [{ applyServerSideEncryptionByDefault: { sseAlgorithm } }],
    });
const blocked = {
    blockPublicAcls: true,
    blockPublicPolicy: true,
    ignorePublicAcls: true,
    restrictPublicBuckets: true,
};
const eks = (props: Mutable): Given =>
    aws("eks/cluster:Cluster", {
        version: "1.37",
        vpcConfig: { endpointPublicAccess: true, publicAccessCidrs: ["203.0.113.0/24"] },
        encryptionConfig: { provider: { keyArn: "arn:aws:kms:eu-west-1:1:key/1" }, resources: ["secrets"] },
        enabledClusterLogTypes: ["api", "audit", "authenticator"],
        ...props,
    });
const listener = (props: Mutable): Given =>
    aws("lb/listener:Listener", { protocol: "HTTPS", port: 443, defaultActions: [{ type: "forward" }], ...props });
const toHttps = [{ type: "redirect", redirect: { protocol: "HTTPS", port: "443", statusCode: "HTTP_301" } }];
const replica = { replicateSourceDb: "orcheo", skipFinalSnapshot: true, backupRetentionPeriod: 0, multiAz: undefined };
const sqs = (statement: Mutable): Given =>
    aws("sqs/queuePolicy:QueuePolicy", {
        policy: document({ Effect: "Allow", Action: "sqs:SendMessage", ...statement }),
    });
const tlsOnly = {
    Effect: "Deny",
    Principal: "*",
    Action: "s3:*",
    Resource: "*",
    Condition: { Bool: { "aws:SecureTransport": "false" } },
};

/** One RDS field that a rule is about. */
function rdsCase(rule: string, field: string, value: unknown, says: string): Case {
    return { rule, passing: [rds({})], failing: [rds({ [field]: value })], says };
}

export const cases: readonly Case[] = [
    {
        rule: "readable-pod-template",
        passing: [workload("Deployment", "api", {})],
        failing: [k8s("apps/v1", "Deployment", "api", { spec: { template: { spec: { containers: { a: 1 } } } } })],
        says: 'Deployment "api" has no readable list of containers',
    },
    {
        rule: "no-opaque-resources",
        passing: [k8s("cert-manager.io/v1", "Certificate", "api", { spec: {} })],
        failing: [k8s("helm.sh/v3", "Release", "traefik", { chart: "traefik" })],
        says: 'Release "traefik" hides',
    },
    {
        rule: "no-opaque-resources",
        passing: [],
        failing: [k8s("apps/v1", "DeploymentPatch", "coredns", { spec: {} })],
        says: 'DeploymentPatch "coredns" changes an object that is not shown',
    },
    {
        rule: "no-opaque-resources",
        passing: [k8s("kustomize.example.com/v1", "Patch", "mine", { spec: {} })],
        failing: [k8s("rbac.authorization.k8s.io/v1", "ClusterRolePatch", "view", { rules: [] })],
        says: 'ClusterRolePatch "view" changes an object that is not shown',
    },
    {
        rule: "hpa-owns-replicas",
        passing: [workload("Deployment", "api", {}, spread), scaler("api", 3)],
        failing: [workload("Deployment", "api", { replicas: 3 }, spread), scaler("api", 3)],
        says: 'Deployment "api" sets spec.replicas and is scaled by HorizontalPodAutoscaler "api"',
    },
    {
        rule: "hpa-owns-replicas",
        // An update brings it back from 0.
        passing: [
            workload("Deployment", "api", { replicas: 3 }, spread, {
                annotations: { "orcheo.dev/reapplied-generation": "2" },
            }),
            scaler("api", 3),
        ],
        failing: [
            workload("Deployment", "api", { replicas: 3 }, spread, { annotations: { "orcheo.dev/owner": "a" } }),
            scaler("api", 3),
        ],
        says: 'Deployment "api" sets spec.replicas and is scaled by HorizontalPodAutoscaler "api"',
    },
    {
        rule: "hpa-owns-replicas",
        passing: [],
        failing: [workload("Deployment", "api", {}, spread), scaler("one", 1), scaler("two", 1)],
        says: "is scaled by",
    },
    {
        rule: "hpa-owns-replicas",
        // The workload is another stack's.
        passing: [
            scaler("one", 1),
            k8s("autoscaling/v2", "HorizontalPodAutoscaler", "two", {
                spec: { scaleTargetRef: { kind: "Deployment", name: "web" } },
            }),
        ],
        failing: [scaler("one", 1), scaler("two", 1)],
        says: 'Deployment "api" is scaled by HorizontalPodAutoscaler "one" and HorizontalPodAutoscaler "two"',
    },
    {
        rule: "budget-lets-drain",
        passing: [workload("Deployment", "api", { replicas: 2 }, spread), budget({ minAvailable: 1 })],
        failing: [workload("Deployment", "api", { replicas: 2 }, spread), budget({ minAvailable: 2 })],
        says: 'minAvailable is 2 and Deployment "api" may have only 2',
    },
    {
        rule: "budget-lets-drain",
        passing: [budget({ maxUnavailable: 1 })],
        failing: [budget({ maxUnavailable: "0%" })],
        says: "maxUnavailable is 0%",
    },
    {
        rule: "replicas-are-spread",
        passing: [workload("Deployment", "api", { replicas: 2 }, spread)],
        failing: [workload("Deployment", "api", { replicas: 2 })],
        says: "may put its 2 replicas on one node",
    },
    {
        rule: "replicas-are-spread",
        passing: [workload("Deployment", "api", {}), scaler("api", 1)],
        failing: [workload("Deployment", "api", {}), scaler("api", 3)],
        says: "may put its 3 replicas on one node",
    },
    {
        rule: "replicas-are-spread",
        passing: [workload("Deployment", "api", { replicas: 2 }, apart("topology.kubernetes.io/zone"))],
        failing: [workload("Deployment", "api", { replicas: 2 }, apart("kubernetes.io/os"))],
        says: "may put its 2 replicas on one node",
    },
    {
        rule: "replicas-are-spread",
        passing: [workload("Deployment", "api", { replicas: 2 }, apart("kubernetes.io/hostname"))],
        failing: [workload("Deployment", "api", { replicas: 2 }, { affinity: { podAntiAffinity: {} } })],
        says: "may put its 2 replicas on one node",
    },
    {
        rule: "replicas-are-spread",
        passing: [
            workload(
                "Deployment",
                "api",
                { replicas: 2 },
                spreadBy({ matchExpressions: [{ key: "app.kubernetes.io/name", operator: "Exists" }] }),
            ),
        ],
        failing: [workload("Deployment", "api", { replicas: 2 }, spreadBy({ matchLabels: { app: "other" } }))],
        says: "may put its 2 replicas on one node",
    },
    {
        rule: "replicas-are-spread",
        passing: [],
        failing: [workload("Deployment", "api", { replicas: 2 }, spreadBy())],
        says: "may put its 2 replicas on one node",
    },
    {
        rule: "references-resolve",
        passing: [
            workload("Deployment", "api", {}),
            service({ selector: labels, ports: [{ port: 80, targetPort: 8000 }] }),
            k8s("core/v1", "Service", "outside", { spec: { type: "ExternalName", externalName: "a.example.com" } }),
            scaler("api", 1),
            budget({ maxUnavailable: 1 }),
            ingress({ rules: [{ host: "shop.example.com", http: { paths: [toService("api", { number: 80 })] } }] }),
            route(
                {},
                {
                    backendRefs: [
                        { name: "web", namespace: "elsewhere", port: 80 },
                        { name: "api", port: 80 },
                    ],
                },
            ),
            workload("StatefulSet", "db", { serviceName: "api" }),
            k8s("autoscaling/v2", "HorizontalPodAutoscaler", "old", {
                spec: { scaleTargetRef: { apiVersion: "extensions/v1beta1", kind: "Deployment", name: "api" } },
            }),
            k8s("argoproj.io/v1alpha1", "Rollout", "new", { spec: { replicas: 1 } }),
            k8s("autoscaling/v2", "HorizontalPodAutoscaler", "new", {
                spec: { scaleTargetRef: { apiVersion: "argoproj.io/v1alpha1", kind: "Rollout", name: "new" } },
            }),
        ],
        failing: [workload("Deployment", "api", {}), service({ selector: { app: "web" } })],
        says: 'Service "api" selects no pod',
    },
    ...[
        [
            service({ selector: labels, ports: [{ port: 80, targetPort: "web" }] }),
            'targets port "web", which no container',
        ],
        [
            service({ selector: labels, ports: [{ port: 80, targetPort: 8080 }] }),
            "targets port 8080, which no container",
        ],
        [budget({ maxUnavailable: 1, selector: { matchLabels: { app: "web" } } }), "selects no pod"],
        [
            k8s("autoscaling/v2", "HorizontalPodAutoscaler", "web", {
                spec: { minReplicas: 1, scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "web" } },
            }),
            'scales Deployment "web", which is not there',
        ],
        [
            ingress({ rules: [{ http: { paths: [toService("web", { number: 80 })] } }] }),
            'Ingress "shop" leads to Service "web", which is not there',
        ],
        [
            ingress({ rules: [{ http: { paths: [toService("api", { name: "http" })] } }] }),
            'leads to port "http" of Service "api", which has no such port',
        ],
        [route({}, { backendRefs: [{ name: "api", port: 81 }] }), 'leads to port 81 of Service "api"'],
        [route({}, { backendRefs: [{ name: "web", namespace: "shop", port: 80 }] }), 'leads to Service "web"'],
        [
            route(
                {},
                { filters: [{ type: "RequestMirror", requestMirror: { backendRef: { name: "mirror", port: 80 } } }] },
            ),
            'leads to Service "mirror"',
        ],
        [workload("StatefulSet", "db", { serviceName: "db" }), 'StatefulSet "db" leads to Service "db"'],
        [
            k8s("autoscaling/v2", "HorizontalPodAutoscaler", "api", {
                spec: { scaleTargetRef: { apiVersion: "apps.example.com/v1", kind: "Deployment", name: "api" } },
            }),
            'scales Deployment "api", which is not there',
        ],
    ].map(([failing, says]): Case => ({
        rule: "references-resolve",
        passing: [],
        failing: [
            workload("Deployment", "api", {}),
            service({ selector: labels, ports: [{ port: 80, targetPort: 8000 }] }),
            failing as Given,
        ].filter(
            (each, index) =>
                index !== 1 || (failing as Given).name !== each.name || (failing as Given).type !== each.type,
        ),
        says: says as string,
    })),
    {
        rule: "rollout-keeps-capacity",
        passing: [
            workload("Deployment", "api", { replicas: 2, strategy: { rollingUpdate: { maxUnavailable: 1 } } }, spread),
        ],
        failing: [workload("Deployment", "api", { replicas: 2, strategy: { type: "Recreate" } }, spread)],
        says: "has 2 replicas and strategy Recreate",
    },
    {
        rule: "rollout-keeps-capacity",
        passing: [],
        failing: [
            workload(
                "Deployment",
                "api",
                { replicas: 2, strategy: { rollingUpdate: { maxUnavailable: "100%" } } },
                spread,
            ),
        ],
        says: "maxUnavailable is 100%",
    },
    {
        rule: "one-beat",
        passing: [beat("beat", recreate)],
        failing: [beat("beat", { ...recreate, replicas: 2 })],
        says: 'Deployment "beat" may run more than one beat',
    },
    {
        rule: "one-beat",
        passing: [],
        failing: [beat("beat", recreate), beat("other", recreate)],
        says: 'Deployment "other" is a second beat beside Deployment "beat"',
    },
    {
        rule: "one-beat",
        passing: [],
        failing: [beat("beat", { ...recreate, replicas: 0 })],
        says: 'Deployment "beat" runs no beat',
    },
    {
        rule: "one-beat",
        passing: [],
        failing: [beat("beat", { replicas: 1 })],
        says: "a rolling update runs twice",
    },
    {
        rule: "namespace-pod-security",
        passing: [namespace()],
        failing: [namespace({ "pod-security.kubernetes.io/enforce": "baseline" })],
        says: "pod-security.kubernetes.io/enforce is baseline",
    },
    {
        rule: "namespace-default-deny",
        passing: [namespace(), deny("deny", ["Ingress", "Egress"])],
        failing: [namespace(), deny("deny", ["Ingress"]), deny("some", ["Egress"], { matchLabels: labels })],
        says: 'Namespace "shop" denies no egress by default',
    },
    {
        rule: "namespace-quota-and-limits",
        passing: [namespace(), k8s("core/v1", "ResourceQuota", "q", {}), k8s("core/v1", "LimitRange", "l", {})],
        failing: [namespace(), k8s("core/v1", "ResourceQuota", "q", {})],
        says: 'Namespace "shop" has no LimitRange',
    },
    {
        rule: "rbac-no-wildcards",
        passing: [role({ apiGroups: [""], resources: ["pods"], verbs: ["get"] })],
        failing: [role({ apiGroups: [""], resources: ["pods"], verbs: ["*"] })],
        says: 'Role "reader": rules[0].verbs has "*"',
    },
    {
        rule: "rbac-no-wildcards",
        passing: [role({ nonResourceURLs: ["/healthz/*"], verbs: ["get"] })],
        failing: [role({ apiGroups: ["apps"], resources: ["*/scale"], verbs: ["update"] })],
        says: 'Role "reader": rules[0].resources has "*"',
    },
    {
        rule: "rbac-no-cluster-admin",
        passing: [binding("RoleBinding", "edit")],
        failing: [binding("ClusterRoleBinding", "cluster-admin")],
        says: 'ClusterRoleBinding "team" binds cluster-admin',
    },
    {
        rule: "rbac-no-cluster-admin",
        // A Role of the namespace's own may have any name.
        passing: [
            binding("RoleBinding", "cluster-admin", { kind: "Role" }),
            binding("RoleBinding", "admin", { kind: "Role" }),
        ],
        failing: [binding("ClusterRoleBinding", "admin")],
        says: 'ClusterRoleBinding "team" binds admin',
    },
    {
        rule: "rbac-no-cluster-admin",
        passing: [binding("ClusterRoleBinding", "view", {}, [{ kind: "Group", name: "team" }])],
        failing: [binding("ClusterRoleBinding", "view", {}, [{ kind: "Group", name: "system:masters" }])],
        says: "binds system:masters",
    },
    ...["system:anonymous", "system:unauthenticated"].map((name): Case => {
        const subjects = [{ kind: name === "system:anonymous" ? "User" : "Group", name }];
        return {
            rule: "rbac-no-cluster-admin",
            passing: [binding("ClusterRoleBinding", "system:public-info-viewer", {}, subjects)],
            failing: [binding("RoleBinding", "view", {}, subjects)],
            says: `RoleBinding "team" binds everybody (${name})`,
        };
    }),
    {
        rule: "rbac-no-cluster-admin",
        passing: [
            clusterRole("secrets", "create"),
            role({ apiGroups: [""], resources: ["secrets"], verbs: ["get"] }),
            clusterRole("secrets", "get", { apiGroups: ["bitnami.com"] }),
            clusterRole("secrets", "get", { resourceNames: ["one"] }),
        ],
        failing: [clusterRole("secrets", "list")],
        says: 'ClusterRole "reader" rules[0] reads every Secret (secrets)',
    },
    {
        rule: "rbac-no-cluster-admin",
        passing: [role({ apiGroups: [""], resources: ["pods", "pods/log"], verbs: ["get", "create"] })],
        failing: [role({ apiGroups: [""], resources: ["pods", "pods/exec"], verbs: ["get", "create"] })],
        says: 'Role "reader" rules[0] runs commands in any pod (pods/exec)',
    },
    {
        rule: "rbac-no-cluster-admin",
        passing: [],
        failing: [clusterRole("clusterroles", "escalate", { resourceNames: ["one"] })],
        says: "grants itself what it does not hold (clusterroles)",
    },
    grantCase("clusterroles", "bind", "binds roles that it does not hold"),
    grantCase("groups", "impersonate", "acts as anybody"),
    grantCase("pods/ephemeralcontainers", "patch", "adds containers to any pod"),
    grantCase("nodes/proxy", "get", "reaches every kubelet"),
    grantCase("serviceaccounts/token", "create", "makes tokens of any service account"),
    {
        rule: "rbac-no-cluster-admin",
        passing: [],
        failing: [clusterRole("signers", "approve", { apiGroups: ["certificates.k8s.io"] })],
        says: "signs certificates for anybody (signers)",
    },
    {
        rule: "ingress-tls",
        passing: [
            ingress({}),
            ingress({ tls: [{ hosts: ["*.example.com"], secretName: "s" }] }),
            // Without hosts an entry is for all of the controller's.
            ingress({ tls: [{ secretName: "s" }] }),
        ],
        failing: [ingress({ tls: [{ hosts: ["other.example.com"], secretName: "s" }] })],
        says: "serves shop.example.com without TLS",
    },
    { rule: "ingress-tls", passing: [], failing: [ingress({ tls: undefined })], says: "has no spec.tls" },
    {
        rule: "ingress-tls",
        passing: [ingress({ ingressClassName: "alb", tls: undefined }, byAnnotation)],
        failing: [ingress({ tls: undefined }, byAnnotation)],
        says: "has no spec.tls",
    },
    {
        rule: "route-tls",
        passing: [
            gateway,
            route({ sectionName: "https" }),
            route({ port: 443 }),
            route({ sectionName: "http" }, toScheme("https")),
            route({ name: "of-another-project" }),
        ],
        failing: [gateway, route({ sectionName: "http" })],
        says: 'HTTPRoute "shop" is served by listener "http" of Gateway "front" without TLS',
    },
    {
        rule: "route-tls",
        passing: [],
        failing: [gateway, route({})],
        says: 'is served by listener "http" of Gateway "front" without TLS',
    },
    {
        rule: "route-tls",
        passing: [],
        failing: [gateway, route({ sectionName: "http" }, toScheme("http"))],
        says: 'is served by listener "http" of Gateway "front" without TLS',
    },
    {
        rule: "no-secrets-in-config-maps",
        passing: [
            configMap({
                TOKEN_FILE: "/run/secrets/token",
                AUTH_TOKEN_TTL: "3600",
                "nginx.conf": "# the token is elsewhere\nproxy_pass http://api:8000;",
                "secrets.md": "# Where they are\nIn Secrets.",
            }),
        ],
        failing: [configMap({ DB_PASSWORD: "hunter2-hunter2" })],
        says: 'ConfigMap "settings" holds what looks like a secret in DB_PASSWORD',
    },
    {
        rule: "no-secrets-in-config-maps",
        passing: [],
        failing: [configMap({ "app.ini": "[db]\nurl = postgres://shop:hunter2@db/shop\n" })],
        says: "holds what looks like a secret in app.ini",
    },
    {
        rule: "ingress-class",
        passing: [ingress({})],
        failing: [ingress({ ingressClassName: undefined })],
        says: "ingressClassName is not set",
    },
    {
        rule: "service-type",
        passing: [service({}), service({ clusterIP: "None" })],
        failing: [service({ type: "NodePort" })],
        says: "type is NodePort",
    },
    {
        rule: "service-type",
        passing: [],
        failing: [service({ externalIPs: ["192.0.2.1"] })],
        says: "has externalIPs 192.0.2.1",
    },
    {
        rule: "volume-class",
        passing: [claim({ storageClassName: "fast" })],
        failing: [claim({})],
        says: 'claim "data" names no storageClassName',
    },
    {
        rule: "volume-class",
        passing: [claim({ storageClassName: "fast" })],
        failing: [claim({ storageClassName: "slow" })],
        says: "has storageClassName slow",
        settings: { classes: ["fast"] },
    },
    {
        rule: "volume-retention",
        passing: [workload("StatefulSet", "db", {})],
        failing: [workload("StatefulSet", "db", { persistentVolumeClaimRetentionPolicy: { whenDeleted: "Delete" } })],
        says: "whenDeleted is Delete",
    },
    {
        rule: "volume-retention",
        passing: [storageClass("Retain")],
        failing: [storageClass()],
        says: 'StorageClass "disks": reclaimPolicy is Delete',
    },
    {
        rule: "volume-retention",
        passing: [{ ...claim({ storageClassName: "fast" }), options: { protect: true } }],
        failing: [{ ...claim({ storageClassName: "fast" }), options: { protect: false } }],
        says: 'PersistentVolumeClaim "data" is not protected',
    },
    rdsCase("rds-encrypted", "storageEncrypted", undefined, "storageEncrypted is not set"),
    rdsCase("rds-private", "publiclyAccessible", true, "publiclyAccessible is true"),
    rdsCase("rds-multi-az", "multiAz", false, "multiAz is false"),
    {
        rule: "rds-multi-az",
        passing: [cluster({}), clusterInstance("one"), clusterInstance("two")],
        failing: [cluster({}), clusterInstance("one")],
        says: 'Cluster "orcheo" has 1 of at least 2 instances',
    },
    {
        rule: "rds-multi-az",
        passing: [
            cluster({ engine: "postgres", dbClusterInstanceClass: "db.m6gd.large" }),
            rds({ multiAz: undefined, replicateSourceDb: "orcheo" }),
        ],
        failing: [cluster({})],
        says: 'Cluster "orcheo" has 0 of at least 2 instances',
    },
    rdsCase("rds-deletion-protection", "deletionProtection", false, "deletionProtection is false"),
    rdsCase("rds-final-snapshot", "skipFinalSnapshot", true, "skipFinalSnapshot is true"),
    rdsCase("rds-final-snapshot", "finalSnapshotIdentifier", undefined, "finalSnapshotIdentifier is not set"),
    rdsCase("rds-backup-retention", "backupRetentionPeriod", 3, "backupRetentionPeriod is 3, fewer than 7 days"),
    rdsCase("rds-forced-tls", "parameterGroupName", undefined, "parameterGroupName is not set"),
    rdsCase(
        "rds-forced-tls",
        "parameterGroupName",
        "default.postgres14",
        "parameterGroupName is default.postgres14, which does not force TLS",
    ),
    {
        rule: "rds-forced-tls",
        passing: [parameters("postgres17", "rds.force_ssl", "1")],
        failing: [parameters("postgres17", "rds.force_ssl", "0")],
        says: "does not set rds.force_ssl to 1",
    },
    {
        rule: "rds-forced-tls",
        passing: [parameters("mysql8.4", "require_secure_transport", "ON")],
        failing: [parameters("mysql8.4", "max_connections", "1")],
        says: "does not set require_secure_transport to 1",
    },
    {
        rule: "rds-forced-tls",
        passing: [cluster({})],
        failing: [cluster({ dbClusterParameterGroupName: undefined })],
        says: "dbClusterParameterGroupName is not set",
    },
    rdsCase("rds-minor-upgrades", "autoMinorVersionUpgrade", false, "autoMinorVersionUpgrade is false"),
    rdsCase("rds-log-exports", "enabledCloudwatchLogsExports", [], "exports no logs"),
    {
        rule: "elasticache-transit-encryption",
        passing: [cache({})],
        failing: [cache({ transitEncryptionEnabled: false })],
        says: "transitEncryptionEnabled is false",
    },
    {
        rule: "elasticache-transit-encryption",
        passing: [cache({ transitEncryptionMode: "required" })],
        failing: [cache({ transitEncryptionMode: "preferred" })],
        says: "transitEncryptionMode is preferred",
    },
    {
        rule: "elasticache-rest-encryption",
        passing: [cache({})],
        failing: [cache({ atRestEncryptionEnabled: undefined })],
        says: "atRestEncryptionEnabled is not set",
    },
    {
        rule: "elasticache-auth",
        passing: [cache({}), cache({ authToken: undefined, userGroupIds: ["group"] })],
        failing: [cache({ authToken: undefined })],
        says: "neither authToken nor a user group is set",
    },
    {
        rule: "elasticache-auth",
        passing: [
            aws("elasticache/serverlessCache:ServerlessCache", { engine: "valkey", userGroupId: "group" }),
            aws("elasticache/cluster:Cluster", { replicationGroupId: "orcheo" }),
        ],
        failing: [aws("elasticache/cluster:Cluster", { engine: "redis", transitEncryptionEnabled: true })],
        says: 'Cluster "orcheo" of redis cannot authenticate anybody',
    },
    {
        rule: "s3-public-access-blocked",
        passing: [bucket, ofBucket("bucketPublicAccessBlock", blocked)],
        failing: [bucket, ofBucket("bucketPublicAccessBlock", { ...blocked, blockPublicPolicy: false })],
        says: 'Bucket "orcheo" does not set blockPublicPolicy',
    },
    {
        rule: "s3-encrypted",
        passing: [bucket, encryption("aws:kms")],
        failing: [bucket],
        says: 'Bucket "orcheo" is not encrypted with a KMS key',
    },
    {
        rule: "s3-encrypted",
        passing: [],
        failing: [bucket, encryption("AES256")],
        says: 'Bucket "orcheo" is not encrypted with a KMS key',
    },
    {
        rule: "s3-versioned",
        passing: [bucket, ofBucket("bucketVersioning", { versioningConfiguration: { status: "Enabled" } })],
        failing: [bucket, ofBucket("bucketVersioning", { versioningConfiguration: { status: "Suspended" } })],
        says: 'Bucket "orcheo" keeps no versions',
    },
    {
        rule: "s3-tls-only",
        passing: [bucket, ofBucket("bucketPolicy", { policy: JSON.stringify({ Statement: [tlsOnly] }) })],
        failing: [bucket, ofBucket("bucketPolicy", { policy: "not JSON" })],
        says: 'Bucket "orcheo" answers without TLS',
    },
    {
        rule: "s3-tls-only",
        passing: [bucket, ofBucket("bucketPolicy", { policy: document({ ...tlsOnly, Principal: { AWS: "*" } }) })],
        failing: [bucket, ofBucket("bucketPolicy", { policy: document({ ...tlsOnly, Action: "s3:PutObject" }) })],
        says: 'Bucket "orcheo" answers without TLS',
    },
    {
        rule: "ecr-immutable-tags",
        passing: [repository({})],
        failing: [repository({ imageTagMutability: "MUTABLE" })],
        says: "imageTagMutability is MUTABLE",
    },
    {
        rule: "ecr-scan-on-push",
        passing: [repository({})],
        failing: [repository({ imageScanningConfiguration: { scanOnPush: false } })],
        says: "scanOnPush is false",
    },
    {
        rule: "eks-endpoint-restricted",
        passing: [eks({}), eks({ vpcConfig: { endpointPublicAccess: false, endpointPrivateAccess: true } })],
        failing: [eks({ vpcConfig: { subnetIds: ["a"] } })],
        says: 'Cluster "orcheo" answers the whole internet: publicAccessCidrs is not set',
    },
    {
        rule: "eks-endpoint-restricted",
        passing: [],
        failing: [eks({ vpcConfig: { publicAccessCidrs: ["203.0.113.0/24", "0.0.0.0/0"] } })],
        says: 'Cluster "orcheo" answers 0.0.0.0/0',
    },
    {
        rule: "eks-secrets-encrypted",
        passing: [eks({})],
        failing: [eks({ encryptionConfig: undefined })],
        says: 'Cluster "orcheo" does not encrypt Secrets with its own key',
    },
    {
        rule: "eks-control-plane-logs",
        passing: [eks({})],
        failing: [eks({ enabledClusterLogTypes: ["api"] })],
        says: "does not write the logs audit, authenticator",
    },
    {
        rule: "eks-supported-version",
        passing: [eks({}), eks({ version: undefined }), eks({ version: "1.99" })],
        failing: [eks({ version: "1.31" })],
        says: "runs Kubernetes 1.31, whose support by EKS ended on 2026-11-26",
    },
    {
        rule: "eks-supported-version",
        passing: [],
        failing: [eks({ version: "1.24" })],
        says: "runs Kubernetes 1.24, whose support by EKS ended years ago",
    },
    {
        rule: "eks-standard-support",
        passing: [eks({}), eks({ version: undefined }), eks({ version: "1.36" })],
        failing: [eks({ version: "1.34" })],
        says: "runs Kubernetes 1.34, whose standard support by EKS ends on 2026-12-02",
    },
    {
        rule: "eks-standard-support",
        passing: [eks({ version: "1.35" })],
        failing: [eks({ version: "1.33" })],
        says: "runs Kubernetes 1.33, whose standard support by EKS ended on 2026-07-29",
    },
    {
        rule: "eks-standard-support",
        passing: [],
        failing: [eks({ version: "1.99" })],
        says: "runs Kubernetes 1.99, whose end of support is not known",
    },
    {
        rule: "eks-standard-support",
        passing: [],
        failing: [eks({ version: "1.24" })],
        says: "runs Kubernetes 1.24, whose standard support by EKS ended years ago",
    },
    {
        rule: "ingress-tls",
        passing: [listener({}), listener({ protocol: "HTTP", port: 80, defaultActions: toHttps })],
        failing: [listener({ protocol: "HTTP", port: 80 })],
        says: 'Listener "orcheo" passes on HTTP of port 80 without TLS',
    },
    {
        rule: "ingress-tls",
        passing: [listener({ protocol: "TCP", port: 443 }), listener({ protocol: "TLS" })],
        failing: [
            listener({
                protocol: "HTTP",
                port: 80,
                defaultActions: [{ type: "redirect", redirect: { host: "example.com", statusCode: "HTTP_301" } }],
            }),
        ],
        says: 'Listener "orcheo" passes on HTTP of port 80 without TLS',
    },
    {
        rule: "ingress-tls",
        passing: [aws("elb/loadBalancer:LoadBalancer", { listeners: [{ lbPort: 443, lbProtocol: "https" }] })],
        failing: [aws("elb/loadBalancer:LoadBalancer", { listeners: [{ lbPort: 80, lbProtocol: "http" }] })],
        says: 'LoadBalancer "orcheo" listens on port 80 without TLS',
    },
    {
        rule: "rds-final-snapshot",
        passing: [rds(replica)],
        failing: [rds({ skipFinalSnapshot: true })],
        says: "is true",
    },
    {
        rule: "rds-backup-retention",
        passing: [rds(replica)],
        failing: [rds({ backupRetentionPeriod: 0 })],
        says: "backupRetentionPeriod is 0",
    },
    {
        rule: "rds-encrypted",
        passing: [rds({ ...replica, storageEncrypted: undefined })],
        failing: [rds({ storageEncrypted: undefined })],
        says: "storageEncrypted is not set",
    },
    {
        rule: "rds-forced-tls",
        passing: [
            rds({ parameterGroupName: undefined, engineVersion: "15.8" }),
            rds({ parameterGroupName: "default.postgres16" }),
            parameters("postgres16", "max_connections", "100"),
        ],
        failing: [rds({ parameterGroupName: undefined, engineVersion: "14.13" })],
        says: "parameterGroupName is not set",
    },
    {
        rule: "rds-forced-tls",
        passing: [cluster({ dbClusterParameterGroupName: undefined, engineVersion: "17.4" })],
        failing: [cluster({ dbClusterParameterGroupName: undefined, engineVersion: "16.6" })],
        says: "dbClusterParameterGroupName is not set",
    },
    {
        rule: "elasticache-transit-encryption",
        passing: [
            aws("elasticache/cluster:Cluster", { replicationGroupId: "orcheo" }),
            aws("elasticache/replicationGroup:ReplicationGroup", { globalReplicationGroupId: "orcheo" }),
        ],
        failing: [aws("elasticache/cluster:Cluster", { engine: "valkey" })],
        says: "transitEncryptionEnabled is not set",
    },
    {
        rule: "s3-public-access-blocked",
        passing: [bucket, aws("s3/accountPublicAccessBlock:AccountPublicAccessBlock", blocked)],
        failing: [bucket, aws("s3/accountPublicAccessBlock:AccountPublicAccessBlock", { blockPublicAcls: true })],
        says: "does not set blockPublicPolicy, ignorePublicAcls, restrictPublicBuckets",
        alone: true,
    },
    {
        rule: "log-retention",
        passing: [aws("cloudwatch/logGroup:LogGroup", { logGroupClass: "DELIVERY" })],
        failing: [aws("cloudwatch/logGroup:LogGroup", { logGroupClass: "STANDARD" })],
        says: "retentionInDays is not set",
    },
    {
        rule: "kms-rotation",
        passing: [aws("kms/key:Key", { customKeyStoreId: "cks-1" })],
        failing: [aws("kms/key:Key", { customerMasterKeySpec: "SYMMETRIC_DEFAULT" })],
        says: "enableKeyRotation is not set",
    },
    {
        rule: "security-group-not-open",
        passing: [group("orcheo", 8, "0.0.0.0/0", { protocol: "icmp", toPort: 0 })],
        failing: [group("orcheo", 8, "0.0.0.0/0", { protocol: "udp", toPort: 9 })],
        says: "opens ports 8-9 to 0.0.0.0/0",
    },
    {
        rule: "s3-tls-only",
        passing: [
            bucket,
            ofBucket("bucketPolicy", {
                policy: document({ ...tlsOnly, Resource: ["arn:aws:s3:::orcheo-data", "arn:aws:s3:::orcheo-data/*"] }),
            }),
        ],
        failing: [
            bucket,
            ofBucket("bucketPolicy", { policy: document({ ...tlsOnly, Resource: "arn:aws:s3:::orcheo-data/*" }) }),
        ],
        says: 'Bucket "orcheo" answers without TLS',
    },
    {
        rule: "s3-tls-only",
        passing: [aws("s3/bucket:Bucket", { bucket: "own", policy: document(tlsOnly) })],
        failing: [
            bucket,
            ofBucket("bucketPolicy", {
                policy: document({
                    ...tlsOnly,
                    Condition: { ...tlsOnly.Condition, StringEquals: { "aws:PrincipalOrgID": "o-1" } },
                }),
            }),
        ],
        says: 'Bucket "orcheo" answers without TLS',
    },
    {
        rule: "aws-policy-not-public",
        passing: [
            sqs({ Principal: "*", Condition: { StringEquals: { "aws:SourceVpce": "vpce-1a2b3c4d" } } }),
            sqs({ Principal: "*", Condition: { StringLike: { "aws:userid": "AROAEXAMPLEID:*" } } }),
        ],
        failing: [sqs({ Principal: "*", Condition: { IpAddress: { "aws:SourceIp": "0.0.0.0/0" } } })],
        says: 'QueuePolicy "orcheo": policy Statement[0] lets in everybody',
    },
    {
        rule: "aws-policy-not-public",
        passing: [
            aws("opensearch/domain:Domain", {
                vpcOptions: { subnetIds: ["subnet-1"] },
                accessPolicies: document({ Effect: "Allow", Principal: "*", Action: "es:*" }),
            }),
        ],
        failing: [
            aws("opensearch/domain:Domain", {
                accessPolicies: document({ Effect: "Allow", Principal: "*", Action: "es:*" }),
            }),
        ],
        says: 'Domain "orcheo": accessPolicies Statement[0] lets in everybody',
    },
    {
        rule: "aws-policy-not-public",
        passing: [
            aws("organizations/resourcePolicy:ResourcePolicy", {
                content: document({
                    Effect: "Allow",
                    Principal: { AWS: "arn:aws:iam::111122223333:root" },
                    Action: "organizations:ListAccounts",
                    Resource: "*",
                }),
            }),
            // A service control policy limits what others grant, and an object in a bucket may contain anything.
            aws("organizations/policy:Policy", {
                content: document({ Effect: "Allow", Principal: "*", Action: "*", Resource: "*" }),
            }),
            aws("s3/bucketObject:BucketObject", { content: "{" }),
            aws("cloudformation/stack:Stack", {
                policyBody: document({ Effect: "Allow", Principal: "*", Action: "Update:*", Resource: "*" }),
            }),
        ],
        failing: [
            aws("organizations/resourcePolicy:ResourcePolicy", {
                content: document({
                    Effect: "Allow",
                    Principal: { AWS: "*" },
                    Action: "organizations:*",
                    Resource: "*",
                }),
            }),
        ],
        says: 'ResourcePolicy "orcheo": content Statement[0] lets in everybody',
    },
    {
        rule: "aws-policy-not-public",
        passing: [],
        failing: [aws("organizations/resourcePolicy:ResourcePolicy", { content: "{" })],
        says: 'ResourcePolicy "orcheo": content is not a policy document in JSON',
    },
    {
        rule: "aws-policy-not-public",
        passing: [aws("cloudwatch/logDataProtectionPolicy:LogDataProtectionPolicy", { policyDocument: "{" })],
        failing: [aws("cloudwatch/logResourcePolicy:LogResourcePolicy", { policyDocument: "{" })],
        says: 'LogResourcePolicy "orcheo": policyDocument is not a policy document in JSON',
    },
    {
        rule: "aws-policy-not-public",
        passing: [aws("lambda/functionUrl:FunctionUrl", { authorizationType: "AWS_IAM" })],
        failing: [aws("lambda/functionUrl:FunctionUrl", { authorizationType: "NONE" })],
        says: 'FunctionUrl "orcheo": authorizationType is NONE',
    },
    {
        rule: "aws-policy-not-public",
        passing: [aws("lambda/permission:Permission", { principal: "*", principalOrgId: "o-1" })],
        failing: [aws("lambda/permission:Permission", { principal: "*" })],
        says: 'Permission "orcheo": principal is *',
    },
    {
        rule: "iam-no-wildcards",
        passing: [],
        failing: [
            aws("ssoadmin/permissionSetInlinePolicy:PermissionSetInlinePolicy", {
                inlinePolicy: document({ Effect: "Allow", Action: "*", Resource: "arn:*:*:*:*:*" }),
            }),
        ],
        says: "Statement[0] allows * on every resource",
    },
    {
        rule: "iam-no-wildcards",
        passing: [
            aws(
                "eks/accessPolicyAssociation:AccessPolicyAssociation",
                { policyArn: "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy" },
                "cluster-deployer-0-admin",
            ),
            aws("eks/accessPolicyAssociation:AccessPolicyAssociation", {
                policyArn: "arn:aws:eks::aws:cluster-access-policy/AmazonEKSAdminPolicy",
                accessScope: { type: "namespace", namespaces: ["shop"] },
            }),
        ],
        failing: [
            aws("ssoadmin/managedPolicyAttachment:ManagedPolicyAttachment", {
                managedPolicyArn: "arn:aws:iam::aws:policy/AdministratorAccess",
            }),
            aws("eks/accessPolicyAssociation:AccessPolicyAssociation", {
                policyArn: "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy",
                accessScope: { type: "cluster" },
            }),
        ],
        says: "attaches arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy",
    },
    {
        rule: "iam-no-wildcards",
        passing: [policy({ Effect: "Allow", Action: "*", Resource: "arn:aws:sqs:eu-west-1:1:orders" })],
        failing: [policy({ Effect: "Allow", Action: "iam:PassRole", Resource: "*" })],
        says: "Statement[0] allows iam:PassRole on everything of its kind",
    },
    {
        rule: "iam-no-wildcards",
        passing: [policy({ Effect: "Allow", Action: "s3:*", Resource: "arn:aws:s3:::orcheo-data/*" })],
        failing: [policy({ Effect: "Allow", Action: ["s3:GetObject", "kms:*"], Resource: "*" })],
        says: "Statement[0] allows kms:* on every resource",
    },
    {
        rule: "iam-no-wildcards",
        passing: [],
        failing: [
            aws("iam/rolePolicyAttachment:RolePolicyAttachment", {
                policyArn: "arn:aws:iam::aws:policy/AdministratorAccess",
            }),
        ],
        says: "attaches arn:aws:iam::aws:policy/AdministratorAccess",
    },
    {
        rule: "iam-no-wildcards",
        passing: [
            aws("iam/role:Role", { assumeRolePolicy: document({ Effect: "Allow", Action: "*", Resource: "*" }) }),
        ],
        failing: [
            aws("iam/role:Role", {
                inlinePolicies: [{ name: "a", policy: document({ Effect: "Allow", Action: "*:*", NotResource: "b" }) }],
            }),
        ],
        says: 'Role "orcheo": Statement[0] allows *:* on every resource',
    },
    {
        rule: "iam-no-wildcards",
        passing: [],
        failing: [policy({ Effect: "Allow", NotAction: "iam:*", Resource: "*" })],
        says: "allows all but NotAction on every resource",
    },
    {
        rule: "iam-no-long-lived-keys",
        passing: [aws("iam/role:Role", {})],
        failing: [aws("iam/accessKey:AccessKey", { user: "ci" })],
        says: 'AccessKey "orcheo" is a long-lived key',
    },
    {
        rule: "aws-policy-not-public",
        passing: [
            trust({ Action: "sts:AssumeRole", Principal: { Service: "eks.amazonaws.com" } }),
            trust({
                Action: "sts:AssumeRole",
                Principal: "*",
                Condition: { StringEquals: { "aws:PrincipalOrgID": "o-exampleorgid" } },
            }),
            // Not as text: any part of it may be unknown.
            aws("iam/role:Role", {
                assumeRolePolicy: {
                    Statement: [
                        {
                            Effect: "Allow",
                            Action: "sts:AssumeRoleWithWebIdentity",
                            Principal: { Federated: github },
                            Condition: {
                                StringEquals: { "token.actions.githubusercontent.com:sub": ["repo:team/orcheo"] },
                            },
                        },
                    ],
                },
            }),
            ofBucket("bucketPolicy", { policy: document(tlsOnly) }),
            aws("ec2/vpcEndpoint:VpcEndpoint", { policy: document({ Effect: "Allow", Action: "*", Principal: "*" }) }),
        ],
        failing: [trust({ Action: "sts:AssumeRole", Principal: { AWS: ["*"] } })],
        says: 'Role "orcheo": assumeRolePolicy Statement[0] lets in everybody',
    },
    {
        rule: "aws-policy-not-public",
        passing: [],
        failing: [
            aws("sqs/queuePolicy:QueuePolicy", {
                policy: document({
                    Effect: "Allow",
                    Action: "sqs:SendMessage",
                    Principal: "*",
                    Condition: { StringNotEquals: { "aws:SourceAccount": "111122223333" } },
                }),
            }),
        ],
        says: 'QueuePolicy "orcheo": policy Statement[0] lets in everybody',
    },
    {
        rule: "aws-policy-not-public",
        passing: [],
        failing: [
            aws("kms/key:Key", {
                policy: document({
                    Effect: "Allow",
                    Action: "kms:*",
                    Principal: { AWS: "*" },
                    Condition: { Bool: { "aws:SecureTransport": "true" } },
                }),
            }),
        ],
        says: 'Key "orcheo": policy Statement[0] lets in everybody',
    },
    {
        rule: "aws-policy-not-public",
        passing: [],
        failing: [
            aws("secretsmanager/secretPolicy:SecretPolicy", {
                policy: document({
                    Effect: "Allow",
                    Action: "*",
                    NotPrincipal: { AWS: "arn:aws:iam::111122223333:root" },
                }),
            }),
        ],
        says: "lets in everybody but NotPrincipal",
    },
    {
        rule: "aws-policy-not-public",
        passing: [byToken({ "token.actions.githubusercontent.com:sub": "repo:team/orcheo:ref:refs/heads/main" })],
        failing: [byToken({})],
        says: `lets in everybody whom ${github} knows`,
    },
    {
        rule: "aws-policy-not-public",
        passing: [],
        failing: [byToken({ "token.actions.githubusercontent.com:sub": "repo:*" })],
        says: `lets in everybody whom ${github} knows`,
    },
    {
        rule: "security-group-not-open",
        passing: [group("orcheo-alb", 443), group("database", 5432, "10.0.0.0/16")],
        failing: [group("orcheo-alb", 22)],
        says: "opens port 22 to 0.0.0.0/0",
    },
    {
        rule: "security-group-not-open",
        passing: [],
        failing: [group("orcheo-alb", 443, "0.0.0.0/0", { protocol: "-1" })],
        says: "opens every port to 0.0.0.0/0",
    },
    {
        rule: "security-group-not-open",
        passing: [group("database", 5432, "10.0.0.0/8")],
        failing: [group("orcheo-alb", 80, "128.0.0.0/1", { toPort: 90 })],
        says: "opens ports 80-90 to 128.0.0.0/1",
    },
    {
        rule: "security-group-not-open",
        passing: [],
        failing: [group("database", 443)],
        says: "opens port 443 to 0.0.0.0/0",
    },
    {
        rule: "kms-rotation",
        passing: [aws("kms/key:Key", { enableKeyRotation: true })],
        failing: [aws("kms/key:Key", {})],
        says: "enableKeyRotation is not set",
    },
    {
        rule: "secret-recovery-window",
        passing: [aws("secretsmanager/secret:Secret", {})],
        failing: [aws("secretsmanager/secret:Secret", { recoveryWindowInDays: 0 })],
        says: "recoveryWindowInDays is 0",
    },
    {
        rule: "log-retention",
        passing: [aws("cloudwatch/logGroup:LogGroup", { retentionInDays: 90 })],
        failing: [aws("cloudwatch/logGroup:LogGroup", { retentionInDays: 1 })],
        says: "retentionInDays is 1",
    },
    {
        rule: "required-tags",
        passing: [rds({})],
        failing: [rds({ tags: { Project: "orcheo" } })],
        says: "has no tag Environment",
        settings: { tags: ["Project", "Environment"] },
    },
    {
        rule: "unsafe-choice",
        passing: [{ type: "orcheo:index:UnsafeChoices", name: "unsafe", props: { stack: "prod" } }],
        failing: [
            {
                type: "orcheo:index:UnsafeChoice",
                name: "aws.network.natPerZone",
                props: { found: "false", consequence: "if one zone fails, all lose outbound access" },
            },
        ],
        says: '"aws.network.natPerZone" is false: if one zone fails, all lose outbound access',
    },
    {
        rule: "monthly-cost-within-budget",
        passing: [rds({})],
        failing: [rds({ instanceClass: "db.r6g.xlarge" })],
        says: "of $200 a month at list prices of eu-central-1 (most: Instance",
        settings: { budgetUsd: 200 },
    },
    {
        rule: "monthly-cost-within-budget",
        passing: [rds({ instanceClass: "db.r6g.xlarge" }), monthlyBudget("2000")],
        failing: [rds({ instanceClass: "db.r6g.xlarge" }), monthlyBudget("200")],
        says: "of $200 a month at list prices of eu-central-1 (most: Instance",
    },
    {
        rule: "monthly-cost-within-budget",
        passing: [rds({ instanceClass: "04da6b54-80e4-46f7-96ec-b56ff0331ba9" })],
        failing: [rds({ instanceClass: "db.x9.mega" })],
        says: 'There is no price for Instance "orcheo" (db.x9.mega in eu-central-1)',
        settings: { budgetUsd: 200 },
    },
    {
        rule: "monthly-cost-estimate",
        alone: true,
        passing: [rds({ instanceClass: "db.t4g.micro", multiAz: false })],
        failing: [rds({ instanceClass: "db.r6g.xlarge" })],
        says: "a month at list prices of eu-central-1 (most: Instance",
    },
    {
        rule: "monthly-cost-estimate",
        alone: true,
        passing: [rds({ instanceClass: "db.r6g.xlarge" }), monthlyBudget("2000")],
        failing: [rds({ instanceClass: "db.x9.mega" }), monthlyBudget("2000")],
        says: 'The budget does not count Instance "orcheo" (db.x9.mega in eu-central-1), which has no price here',
    },
    {
        // With settings that are wrong: nothing is asked of a registry (tests/publish has the real one).
        rule: "image-signed",
        passing: [configMap({ image: "registry.example.com/orcheo/api:1.0" })],
        failing: [workload("Deployment", "api", {})],
        says: 'cannot be verified: the rule has the key "cosign.pub"; accepted: a public key in PEM',
        settings: { key: "cosign.pub" },
    },
];
