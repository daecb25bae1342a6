import { describe, expect, it } from "vitest";
import { ConfigError } from "../../../components/config/problems";
import { parseStack } from "../../../components/stack/read";
import { run, settingsOf } from "../../harness";
import { password, variants } from "../../variants";

const least = {
    kubernetes: { context: "orcheo-local" },
    registry: { prefix: "127.0.0.1:5000/orcheo" },
    version: "1.2.3",
};

/** The lines of the whole message. */
function messages(settings: object, keys: string[] = [], secretKeys: string[] = []): string[] {
    const json = JSON.stringify({ ...least, ...settings });
    const { problems } = parseStack({ stack: "dev", keys: ["orcheo:stack", ...keys], json, secret: false, secretKeys });
    return problems.length === 0 ? [] : new ConfigError("Pulumi.dev.yaml", problems).message.split("\n").slice(1);
}

const acm = { kind: "acm", certificateArns: ["arn:aws:acm:eu-central-1:111122223333:certificate/1"] };
const passwordKey = "orcheo:registryPassword";
const registry = { ...least.registry, pull: { kind: "credentials", username: "puller" } };
const mountPath =
    "/data, /dev, /etc/orcheo, /opt/orcheo, /proc, /run/secrets, /srv/canvas, /sys, /tmp, /usr, /var/lib/orcheo, /var/lib/postgresql";
const volume = (path: string, name = "v") => ({ name, mountPath: path, source: { kind: "configMap", name: "rules" } });

describe("accepted", () => {
    it.each(Object.entries(variants))("%s", (name, settings) => {
        const elsewhere = name === "everything from elsewhere";
        expect(messages(settings, elsewhere ? [passwordKey] : [], elsewhere ? [passwordKey] : [])).toEqual([]);
    });
});

describe("refused, each with its whole message", () => {
    it.each<[string, object, string]>([
        [
            "an AWS load balancer with a certificate that it cannot take",
            { entrance: { controller: { kind: "awsLoadBalancer" } }, network: { ingressCidrs: ["10.0.0.0/20"] } },
            '  - orcheo:stack.entrance.tls.kind: found "clusterIssuer"; accepted: "acm" with controller "awsLoadBalancer"',
        ],
        [
            "more disk set aside than a pod may fill",
            { worker: { resources: { ephemeralRequestMiB: 513 }, scratch: { tmpMiB: 128, stateMiB: 128 } } },
            "  - orcheo:stack.worker.resources.ephemeralRequestMiB: found 513; accepted: at most 512, its scratch directories and 256 MiB of logs",
        ],
        [
            "a quota that the disk of the pods exceeds",
            { kubernetes: { context: "orcheo-local", quota: { ephemeralLimitMiB: 1000 } } },
            "  - orcheo:stack.kubernetes.quota.ephemeralLimitMiB: found 1000; accepted: at least 21904, the sum of the workloads at their peak; or remove the setting",
        ],
        [
            "ACM in front of a controller in the cluster",
            { entrance: { tls: acm } },
            '  - orcheo:stack.entrance.tls.kind: found "acm"; accepted: "clusterIssuer" or "issuer" or "acme" or "secret" with controller "traefik"',
        ],
        [
            "a certificate for a Gateway that has its own",
            { entrance: { controller: { kind: "traefikGateway", gateway: { kind: "existing", name: "shared" } } } },
            '  - orcheo:stack.entrance.tls.kind: found "clusterIssuer"; accepted: "gateway" with controller "traefikGateway" and a Gateway of kind "existing"',
        ],
        [
            "no certificate for the stack's own Gateway",
            {
                entrance: {
                    controller: { kind: "traefikGateway", gateway: { kind: "created", className: "traefik" } },
                    tls: { kind: "gateway" },
                },
            },
            '  - orcheo:stack.entrance.tls.kind: found "gateway"; accepted: "clusterIssuer" or "issuer" or "acme" or "secret" with controller "traefikGateway" and a Gateway of kind "created"',
        ],
        [
            "an AWS load balancer that the network policies keep out",
            { entrance: { controller: { kind: "awsLoadBalancer" }, tls: acm } },
            '  - orcheo:stack.network.ingressCidrs: found none with controller "awsLoadBalancer"; accepted: the ranges of the load balancer\'s subnets, from which it reaches the pods',
        ],
        [
            "Envoy that the network policies keep out",
            {
                entrance: {
                    controller: { kind: "envoyGateway", gateway: { kind: "existing", name: "shared" } },
                    tls: { kind: "gateway" },
                },
            },
            "  - orcheo:stack.network.ingressPodLabels: found Traefik's with controller \"envoyGateway\"; accepted: the labels of Envoy's pods, such as app.kubernetes.io/name: envoy, and their namespace in network.ingressNamespace",
        ],
        [
            "load balancer options for a Gateway that exists",
            {
                entrance: {
                    controller: {
                        kind: "awsGateway",
                        gateway: { kind: "existing", name: "shared", scheme: "internal" },
                    },
                    tls: { kind: "gateway" },
                },
                network: { ingressCidrs: ["10.0.0.0/20"] },
            },
            "  - orcheo:stack.entrance.controller.gateway.scheme: unknown key; accepted here: kind, name, namespace, httpsSection, httpSection",
        ],
        [
            "an unknown controller",
            { entrance: { controller: { kind: "nginx" } } },
            '  - orcheo:stack.entrance.controller.kind: found "nginx"; accepted: "traefik" or "standard" or "awsLoadBalancer" or "traefikGateway" or "envoyGateway" or "awsGateway"',
        ],
        [
            "an ARN of something else",
            {
                entrance: {
                    controller: { kind: "awsLoadBalancer" },
                    tls: { kind: "acm", certificateArns: ["arn:aws:iam::111122223333:role/x"] },
                },
                network: { ingressCidrs: ["10.0.0.0/20"] },
            },
            '  - orcheo:stack.entrance.tls.certificateArns[0]: found "arn:aws:iam::111122223333:role/x"; accepted: an ARN such as arn:aws:acm:eu-central-1:111122223333:certificate/…',
        ],
        [
            "no e-mail address",
            { entrance: { tls: { kind: "acme", email: "ops", solver: { kind: "http01" } } } },
            '  - orcheo:stack.entrance.tls.email: found "ops"; accepted: an e-mail address',
        ],
        [
            "someone else's account for the stack's own role",
            { ...settingsOf("prod"), serviceAccounts: { api: { kind: "existing", name: "team-api" } } },
            '  - orcheo:stack.serviceAccounts.api.kind: found "existing" with a role of the stack\'s own; accepted: "created", which gets the role; or name the role of that account in aws.roles.backend',
        ],
        [
            "a quota for someone else's namespace",
            { kubernetes: { context: "orcheo-local", namespaceKind: "existing", quota: { pods: 100 } } },
            '  - orcheo:stack.kubernetes.quota: found {"pods":100}; accepted with kubernetes.namespaceKind "created": the quota of a namespace that exists is its owner\'s',
        ],
        [
            "a volume of the host's",
            { pods: { worker: { volumes: [{ ...volume("/x"), source: { kind: "hostPath", path: "/" } }] } } },
            '  - orcheo:stack.pods.worker.volumes[0].source.kind: found "hostPath"; accepted: "configMap" or "secret" or "claim"',
        ],
        [
            "a volume over what the stack mounts",
            { pods: { all: { volumes: [volume("/run/secrets/orcheo")] } } },
            `  - orcheo:stack.pods.all.volumes[0].mountPath: found "/run/secrets/orcheo"; accepted: an absolute path apart from ${mountPath}`,
        ],
        [
            "a volume above what the stack mounts",
            { pods: { all: { volumes: [volume("/etc")] } } },
            `  - orcheo:stack.pods.all.volumes[0].mountPath: found "/etc"; accepted: an absolute path apart from ${mountPath}`,
        ],
        [
            "a path that climbs",
            { pods: { all: { volumes: [volume("/x/../etc/orcheo")] } } },
            `  - orcheo:stack.pods.all.volumes[0].mountPath: found "/x/../etc/orcheo"; accepted: an absolute path apart from ${mountPath}`,
        ],
        [
            "two volumes in one place",
            { pods: { all: { volumes: [volume("/x", "one")] }, beat: { volumes: [volume("/x", "two")] } } },
            '  - orcheo:stack.pods.beat.volumes: found mountPath "/x" twice; accepted: each mountPath once, those of pods.all included',
        ],
        [
            "an unknown key in a list",
            { pods: { all: { tolerations: [{ keys: "spot" }] } } },
            '  - orcheo:stack.pods.all.tolerations[0].keys: unknown key; did you mean "key"? accepted here: key, operator, value, effect, tolerationSeconds',
        ],
        [
            "a label that selects the stack's pods",
            { pods: { all: { labels: { "app.kubernetes.io/component": "api" } } } },
            '  - orcheo:stack.pods.all.labels.app.kubernetes.io/component: found "api"; accepted: a label\'s key outside app.kubernetes.io/, which the stack sets itself',
        ],
        [
            "a proxy without an address",
            { outbound: { proxy: {} } },
            "  - orcheo:stack.outbound.proxy: found {}; accepted: httpUrl, httpsUrl or both; or leave the proxy out",
        ],
        [
            "a proxy with its password in plain config",
            { outbound: { proxy: { httpUrl: "http://user:pass@proxy.example.com:3128" } } },
            '  - orcheo:stack.outbound.proxy.httpUrl: found "http://user:pass@proxy.example.com:3128"; accepted: an http:// or https:// URL',
        ],
        [
            "a secret of the store that is not named",
            {
                secrets: {
                    kind: "externalSecrets",
                    store: { name: "aws" },
                    values: {
                        vaultEncryptionKey: { key: "a" },
                        authJwtSecret: { key: "b" },
                        chatkitTokenSigningKey: { key: "c" },
                    },
                },
            },
            "  - orcheo:stack.secrets.values.authBootstrapServiceToken: is missing; accepted: an object with key, property, version",
        ],
    ])("%s", (_, settings, message) => {
        expect(messages(settings)).toEqual([message]);
    });
});

describe("the registry's password", () => {
    const accepted = `accepted: the password of orcheo:stack.registry.pull.username, set with pulumi config set --secret ${passwordKey}`;

    it("is asked for, and only as a secret", () => {
        expect(messages({ registry })).toEqual([`  - ${passwordKey}: is missing; ${accepted}`]);
        expect(messages({ registry }, [passwordKey])).toEqual([`  - ${passwordKey}: found in plain text; ${accepted}`]);
        expect(messages({ registry }, [passwordKey], [passwordKey])).toEqual([]);
    });

    it("is deleted afterwards", () => {
        expect(messages({}, [passwordKey], [passwordKey])).toEqual([
            `  - ${passwordKey}: is not used; accepted only with orcheo:stack.registry.pull.kind "credentials", which is "anonymous"`,
        ]);
    });

    it("in plain text stops the program before it registers anything", async () => {
        const settings = variants["everything from elsewhere"];
        const { resources, error } = await run({ stack: "dev", settings, otherKeys: password.otherKeys }, false);
        expect(resources).toEqual([]);
        expect(error).toContain(`${passwordKey}: found in plain text`);
        expect(error).not.toContain(password.otherKeys["orcheo:registryPassword"]);
    });
});

it("a missing bundle of private CAs", async () => {
    const settings = { ...least, outbound: { caBundleFile: "nowhere.pem" } };
    const probes = { isFile: () => false };
    const { resources, error } = await run({ stack: "dev", settings, probes }, true);
    expect(resources).toEqual([]);
    expect(error).toBe(
        "Pulumi.dev.yaml: 1 problem, nothing was changed\n  - orcheo:stack.outbound.caBundleFile: there is no file nowhere.pem; accepted: a PEM file; or leave it out",
    );
});
