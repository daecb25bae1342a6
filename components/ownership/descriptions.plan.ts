/**
 * What each object of the stack is for, as `kubectl describe` shows it: one sentence, the page of the documentation to
 * read, and the part of Orcheo that it belongs to.
 *
 * @see https://kubernetes.io/docs/reference/labels-annotations-taints/#description
 */
export interface Description {
    readonly component: string;
    readonly docs: string;
    readonly text: string;
}

export const descriptionKey = "kubernetes.io/description";
/** A path in this repository. */
export const docsKey = "orcheo.dev/docs";

const kubernetes = "docs/kubernetes.md";
const ingress = `${kubernetes}#ingress`;
const failedStart = "docs/runbooks/failed-start.md";
const stuckRuns = "docs/runbooks/stuck-runs.md";
const restore = "docs/runbooks/restore-backup.md";
const queue = "docs/runbooks/damaged-append-only-file.md";
const security = "docs/security.md";
const performance = "docs/performance.md#database-connections";
const monitoring = "docs/monitoring.md";
/** The text for ServiceAccounts. */
const identity =
    "Identity of these pods towards clouds. It has no rights in the cluster, and its token is not mounted.";

type Entry = readonly [component: string, docs: string, text: string];

/** By kind, then by the fixed name, or by Pulumi's where Pulumi chooses the object's. `*`: whatever its name. */
const entries: Readonly<Record<string, Readonly<Record<string, Entry>>>> = {
    BackendTLSPolicy: {
        api: ["entrance", ingress, "Makes the Gateway speak TLS to the API and verify its certificate."],
        canvas: ["entrance", ingress, "Makes the Gateway speak TLS to the canvas and verify its certificate."],
    },
    BackendTrafficPolicy: { orcheo: ["entrance", ingress, "Limits the size of requests behind Envoy Gateway."] },
    Certificate: {
        api: ["api", security, "The API's own certificate, signed by the stack's CA."],
        beat: ["beat", monitoring, "The certificate with which beat serves its metrics."],
        ca: ["authority", security, "The stack's CA, which signs the certificates of its servers."],
        canvas: ["canvas", security, "The canvas' own certificate, signed by the stack's CA."],
        entrance: ["entrance", ingress, "The certificate that browsers see."],
        pgbouncer: ["pgbouncer", security, "The certificate of the pooler, signed by the stack's CA."],
        postgres: ["postgres", security, "The certificate of Postgres, signed by the stack's CA."],
        valkey: ["valkey", security, "The certificate of Valkey, signed by the stack's CA."],
        worker: ["worker", monitoring, "The certificate with which the worker serves its metrics."],
    },
    ClusterIssuer: { "*": ["entrance", ingress, "Obtains the certificate that browsers see, by ACME."] },
    ConfigMap: {
        alertmanager: ["monitoring", monitoring, "Whom Alertmanager tells, as a configuration file."],
        "alert-rules": ["monitoring", monitoring, "The stack's alerts, as a rules file of Prometheus or vmalert."],
        "amazon-vpc-cni": ["network", security, "Makes EKS Auto Mode enforce NetworkPolicies."],
        "backup-authority": ["backup", restore, "The CA that signs the certificate of the backup's store."],
        "backend-private-ca": [
            "backend",
            `${kubernetes}#egress-proxies-and-ca-bundles`,
            "Private CAs that Orcheo trusts.",
        ],
        dashboards: ["monitoring", monitoring, "Dashboards for Grafana."],
        "postgres-authority": ["backend", security, "The CA that signs the certificate of Postgres."],
        probes: ["monitoring", monitoring, "The URLs that a blackbox exporter asks, as a file of scrape jobs."],
        "postgres-config": ["postgres", "images/README.md", "Settings of Postgres, from its memory and connections."],
        updates: ["stack", "docs/runbooks/rollback.md", "Images, settings and commit of the last updates."],
        "valkey-authority": ["backend", security, "The CA that signs the certificate of Valkey."],
    },
    CronJob: { backup: ["backup", restore, "Dumps the database to object storage."] },
    Deployment: {
        api: ["api", failedStart, "Orcheo's API: /api, /ws and webhooks."],
        beat: [
            "beat",
            failedStart,
            "Celery beat: dispatches runs on schedule. Exactly one pod, two would dispatch twice.",
        ],
        canvas: ["canvas", "docs/canvas.md", "The page that people open in a browser."],
        pgbouncer: ["pgbouncer", performance, "PgBouncer: shares few connections to Postgres among many pods."],
        worker: ["worker", stuckRuns, "Celery workers: execute runs, and settle those that were lost."],
    },
    ExternalSecret: {
        "orcheo-application": [
            "backend",
            "docs/decisions/secret-rotation.md",
            "Copies Orcheo's secrets from their store.",
        ],
    },
    Gateway: { orcheo: ["entrance", ingress, "Receives the traffic from outside and ends its TLS."] },
    HTTPRoute: {
        orcheo: ["entrance", ingress, "Routes /api to the API and the rest to the canvas."],
        redirect: ["entrance", ingress, "Redirects http to https."],
        streams: ["entrance", ingress, "Routes WebSockets, and requests whose answers take long, to the API."],
    },
    HorizontalPodAutoscaler: { api: ["api", "docs/config.md", "Sets the number of API pods by their load."] },
    Ingress: {
        orcheo: ["entrance", ingress, "Routes /api to the API and the rest to the canvas."],
        redirect: ["entrance", ingress, "Redirects http to https."],
        streams: ["entrance", ingress, "Routes WebSockets, and requests whose answers take long, to the API."],
    },
    Issuer: {
        acme: ["entrance", ingress, "Obtains the certificate that browsers see, by ACME."],
        ca: ["authority", security, "Signs the certificates of the stack's servers with its CA."],
        root: ["authority", security, "Signs the stack's CA with the CA's own key."],
    },
    Job: {
        "backend-init": ["init", failedStart, "Prepares the database before API, worker and beat of a release start."],
        "network-probe": ["network", kubernetes, "Tries whether the cluster's network enforces NetworkPolicies."],
        "postgres-users": ["init", failedStart, "Creates the database's users with their rights."],
    },
    LimitRange: { orcheo: ["stack", security, "Limits containers of this namespace that set no limits themselves."] },
    LoadBalancerConfiguration: { orcheo: ["entrance", ingress, "Settings of the AWS load balancer."] },
    Middleware: {
        body: ["entrance", ingress, "Refuses requests that are too large."],
        headers: ["entrance", ingress, "Adds the security headers to every answer."],
        redirect: ["entrance", ingress, "Redirects http to https."],
    },
    Namespace: { "*": ["stack", "README.md", "Orcheo. Pod Security: restricted."] },
    NetworkPolicy: {
        "acme-solver": [
            "network",
            security,
            "Lets the ingress controller reach the pod that answers ACME's challenge.",
        ],
        api: ["network", security, "Lets the ingress controller, worker and beat reach the API."],
        "backend-out": ["network", security, "What Orcheo may reach: its servers, DNS and public addresses."],
        "backup-out": ["network", security, "What the backup may reach: the database, DNS and its store."],
        canvas: ["network", security, "Lets the ingress controller reach the canvas."],
        "deny-all": ["network", security, "Denies every connection that another policy does not allow."],
        "issuer-out": ["network", "docs/sign-in.md", "Lets the API fetch the keys of the identity provider."],
        metrics: ["network", monitoring, "Lets the scraper reach the metrics of API, worker, beat and canvas."],
        "network-probe": [
            "network",
            kubernetes,
            "Lets the pod that tries NetworkPolicies reach DNS, and nothing else.",
        ],
        "peers-out": ["network", security, "Lets workflows call the pods that network.peers names."],
        pgbouncer: ["network", security, "Lets Orcheo reach the pooler."],
        "pgbouncer-out": ["network", security, "What the pooler may reach: the database and DNS."],
        "pooled-out": ["network", security, "What Orcheo may reach where it uses the pooler instead of Postgres."],
        postgres: ["network", security, "Lets Orcheo and the backup reach Postgres."],
        valkey: ["network", security, "Lets Orcheo reach Valkey."],
    },
    PersistentVolumeClaim: {
        "postgres-data": [
            "postgres",
            restore,
            "The database: workflows, runs, credentials. Not deleted with the stack.",
        ],
        "valkey-data": ["valkey", queue, "The queue of runs that wait. Not deleted with the stack."],
    },
    PodDisruptionBudget: {
        api: ["api", kubernetes, "Lets a drain evict one API pod at a time."],
        canvas: ["canvas", kubernetes, "Lets a drain evict one canvas pod at a time."],
        pgbouncer: ["pgbouncer", kubernetes, "Lets a drain evict one pooler pod at a time."],
        worker: ["worker", kubernetes, "Lets a drain evict one worker at a time."],
    },
    AlertmanagerConfig: {
        alertmanager: ["monitoring", monitoring, "Whom Alertmanager tells about the stack's alerts."],
    },
    Probe: {
        entrance: ["monitoring", monitoring, "Has a blackbox exporter ask for the pages that people see."],
        "entrance-websocket": ["monitoring", monitoring, "Has a blackbox exporter open a WebSocket."],
    },
    PodMonitor: {
        api: ["api", monitoring, "Tells Prometheus where the API's metrics are."],
        beat: ["beat", monitoring, "Tells Prometheus where beat's metrics are."],
        canvas: ["canvas", monitoring, "Tells Prometheus where the canvas' metrics are."],
        worker: ["worker", monitoring, "Tells Prometheus where the worker's metrics are."],
    },
    PrometheusRule: {
        "alert-rules": ["monitoring", monitoring, "The stack's alerts and what they are computed from."],
    },
    ResourceQuota: { orcheo: ["stack", security, "The most that this namespace may use."] },
    Role: { "acme-route53": ["entrance", ingress, "Lets cert-manager request a token of the account acme-route53."] },
    RoleBinding: { "acme-route53": ["entrance", ingress, "Gives cert-manager the role acme-route53."] },
    Secret: {
        "backend-secret": ["backend", security, "Orcheo's secrets and its connection strings, as files."],
        "backup-secret": ["backup", security, "Connection string of the backup's own database user."],
        "registry-pull": ["stack", kubernetes, "The password that pods pull images with."],
        "pgbouncer-secret": ["pgbouncer", security, "The pooler's passwords, and the URL of the database."],
        "postgres-secret": ["postgres", security, "The password of the database's owner."],
        "postgres-users-secret": ["init", security, "Passwords of the database's users."],
        "valkey-secret": ["valkey", security, "The password of Valkey."],
    },
    ServersTransport: {
        api: ["entrance", ingress, "Makes Traefik verify the API's certificate."],
        canvas: ["entrance", ingress, "Makes Traefik verify the canvas' certificate."],
    },
    Service: {
        api: ["api", kubernetes, "Address of the API pods, for the ingress controller, worker and beat."],
        canvas: ["canvas", kubernetes, "Address of the canvas pods, for the ingress controller."],
        pgbouncer: ["pgbouncer", kubernetes, "Address of the pooler in front of the database."],
        postgres: ["postgres", kubernetes, "Address of the database."],
        valkey: ["valkey", kubernetes, "Address of the queue."],
    },
    ServiceAccount: {
        "acme-route53": ["entrance", ingress, "Identity with which cert-manager changes DNS records for ACME."],
        api: ["api", security, identity],
        backup: ["backup", security, identity],
        beat: ["beat", security, identity],
        canvas: ["canvas", security, identity],
        "database-users": ["init", security, identity],
        init: ["init", security, identity],
        "network-probe": ["network", security, identity],
        pgbouncer: ["pgbouncer", security, identity],
        postgres: ["postgres", security, identity],
        valkey: ["valkey", security, identity],
        worker: ["worker", security, identity],
    },
    StatefulSet: {
        postgres: ["postgres", restore, "The database. Its data is in the volume claim postgres-data."],
        valkey: ["valkey", queue, "The queue between API and workers. Its data is in the volume claim valkey-data."],
    },
    StorageClass: { "*": ["stack", kubernetes, "Encrypted volumes that can grow and outlive their claims."] },
    TargetGroupConfiguration: {
        api: ["entrance", ingress, "How the AWS load balancer reaches and checks the API."],
        canvas: ["entrance", ingress, "How the AWS load balancer reaches and checks the canvas."],
    },
    ValidatingAdmissionPolicy: {
        "*": ["policies", "docs/policies.md", "A rule of the policy pack, enforced by the API server."],
    },
    ValidatingAdmissionPolicyBinding: {
        "*": ["policies", "docs/policies.md", "Applies the policy of the same name to the stack's namespace."],
    },
};

/**
 * @param name  of the object; Pulumi's name of the resource where Pulumi chooses the object's
 * @returns undefined for an object of the section `extraObjects`
 */
export function describedAs(kind: string, name: string): Description | undefined {
    const [component, docs, text] = entries[kind]?.[name] ?? entries[kind]?.["*"] ?? [];
    return component === undefined || docs === undefined || text === undefined ? undefined : { component, docs, text };
}

/** Every page that some object names. */
export const describedPages: readonly string[] = [
    ...new Set(Object.values(entries).flatMap((each) => Object.values(each).map(([, docs]) => docs))),
];
