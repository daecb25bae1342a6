import { publicCanvas } from "./schema.images";

/** One example per section of docs/config.md: YAML below `orcheo:stack`. A unit test parses each beside the required keys. */
export const examples: Readonly<Record<string, string>> = {
    kubernetes: `
kubernetes:
  context: my-cluster
  namespace: orcheo
  admission:
    kind: enforce
    registries: [registry.example.com/orcheo]
`,
    registry: `
registry:
  prefix: registry.example.com/orcheo
  pull: { kind: secret, name: registry-pull }
`,
    images: `
images:
  kind: build
  platforms: [linux/amd64]
  canvas:
    source: { kind: git, ref: ${publicCanvas.ref} }
`,
    entrance: `
host: orcheo.example.com
entrance:
  controller: { kind: traefik }
  tls: { kind: clusterIssuer, name: letsencrypt }
`,
    database: `
database:
  kind: external
  url: { kind: secret, name: orcheo-database }
  authority: { kind: configMap, name: database-ca }
  reach: { kind: addresses, cidrs: [10.20.30.0/24] }
  pooler: { kind: pgbouncer }
`,
    cache: `
cache:
  kind: valkey
  memoryMiB: 256
  storageGiB: 2
`,
    api: `
api:
  scaling: { minReplicas: 2, maxReplicas: 6, cpuPercent: 70 }
  logLevel: WARNING
`,
    worker: `
worker:
  replicas: 2
  concurrency: 4
  longestRunSeconds: 3600
`,
    beat: `
beat:
  logLevel: WARNING
`,
    canvas: `
canvas:
  replicas: 2
`,
    auth: `
auth:
  signIn:
    kind: oidc
    issuer: https://id.example.com/realms/team
    clientId: orcheo
    audience: orcheo
    scopes: [openid, profile, email, workflows:read, workflows:execute]
`,
    tracing: `
tracing:
  kind: otlp
  endpoint: https://otel.example.com/v1/traces
  samplePercent: 5
  headers: { kind: secret, name: otel-credentials }
`,
    monitoring: `
monitoring:
  kind: prometheusOperator
  namespace: monitoring
  labels: { release: kube-prometheus-stack }
`,
    network: `
network:
  ingressNamespace: traefik
  privateCidrs: [10.40.0.0/16]
`,
    backup: `
backup:
  kind: s3
  bucket: orcheo-backups
  region: eu-central-1
  credentials: { kind: secret, name: backup-credentials }
`,
    outbound: `
outbound:
  proxy:
    httpUrl: http://proxy.example.com:3128
    httpsUrl: http://proxy.example.com:3128
`,
    secrets: `
secrets:
  kind: existing
  name: orcheo-secrets
`,
    pods: `
pods:
  all:
    nodeSelector: { workload: orcheo }
  worker:
    priorityClassName: batch
`,
    serviceAccounts: `
serviceAccounts:
  api:
    kind: created
    annotations: { eks.amazonaws.com/role-arn: "arn:aws:iam::111122223333:role/orcheo-backend" }
`,
    transforms: `
transforms:
  - kind: Deployment
    name: worker
    patch:
      spec:
        template:
          spec:
            hostAliases: [{ ip: 10.20.30.40, hostnames: [models.internal] }]
            containers: { worker: { livenessProbe: { timeoutSeconds: 20 } } }
`,
    extraObjects: `
extraObjects:
  - apiVersion: v1
    kind: ConfigMap
    metadata: { name: team-notes }
    data: { owner: platform-team }
`,
};
