/**
 * Runs the whole program against mocks that record every registration and throw on what they do not know.
 *
 * In a preview nothing that only the cluster or a build could tell is known: no digest, no random value, no generated
 * name. What is made inside `apply` is then missing, and `runBoth` fails.
 */
import { readFileSync } from "node:fs";
import * as pulumi from "@pulumi/pulumi";
import { resetOptions } from "@pulumi/pulumi/runtime/settings";
import { expect, vi } from "vitest";
import { parse } from "yaml";
import support from "../policies/support-ends.json";
import { awsCalls, awsComputed, otherStacks } from "./aws-mocks";
import { controllers, fakeCluster } from "./fake-cluster";
import type { Probes } from "../components/machine";

export interface Registered {
    readonly type: string;
    readonly name: string;
    readonly inputs: Record<string, unknown>;
    readonly options: {
        readonly protect: boolean;
        readonly retainOnDelete: boolean;
        readonly parented: boolean;
        readonly urn: string;
        /** Classes of the resources that it waits for. */
        readonly after: readonly string[];
        /** URNs under which it was known before. */
        readonly aliases: readonly string[];
        /** Inputs whose changes are ignored. */
        readonly ignored: readonly string[];
    };
    /** Inputs and what the provider answered. */
    readonly state: Record<string, unknown>;
    readonly id: string | undefined;
    /** `urn::id` of its provider. */
    readonly provider: string | undefined;
}

export interface Run {
    readonly resources: readonly Registered[];
    readonly outputs: unknown;
    /** What the program said when it refused. */
    readonly error?: string;
}

export interface Program {
    readonly stack: "dev" | "prod";
    /** `orcheo:stack`; default that of Pulumi.<stack>.yaml. */
    readonly settings?: unknown;
    readonly otherKeys?: Readonly<Record<string, string>>;
    /** Those of the keys that are marked secret. */
    readonly secretKeys?: readonly string[];
    readonly probes?: Partial<Probes>;
}

/** A CA of its own, valid for a hundred years. */
export const caText = readFileSync("tests/fixtures/ca.pem", "utf8");

/** A discovery document. */
export const discoveryOf = (issuer: string) => ({
    issuer,
    authorization_endpoint: `${issuer}/authorize`,
    token_endpoint: `${issuer}/token`,
    jwks_uri: `${issuer}/keys`,
    code_challenge_methods_supported: ["S256"],
});

/** Surroundings in which nothing is wrong. */
export const goodProbes: Probes = {
    contexts: () => ({ where: "~/.kube/config", names: ["orcheo-local", "orcheo-prod"] }),
    registry: () => Promise.resolve(undefined),
    // Every issuer describes itself as it should.
    json: (url) => Promise.resolve({ value: discoveryOf(url.replace("/.well-known/openid-configuration", "")) }),
    isFile: () => true,
    isDirectory: () => true,
    read: () => caText,
    commit: () => "0123456789ab",
    builders: () => undefined,
    // Another holds more: fakeCluster([...controllers, …]).
    cluster: () => Promise.resolve(fakeCluster(controllers)),
    recorded: () => Promise.resolve({ id: undefined, objects: [] }),
    today: () => support.asOf,
};

export function settingsOf(stack: "dev" | "prod"): Record<string, unknown> {
    const file = parse(readFileSync(`Pulumi.${stack}.yaml`, "utf8")) as {
        config: Record<string, Record<string, unknown>>;
    };
    return file.config["orcheo:stack"] ?? {};
}

export const digest = `sha256:${"d".repeat(64)}`;
/** Part of every random value of the mocks: what must never be seen. */
export const secretMark = "random5ecret";

/** The id that a stack of the mocks marks its objects with. */
export const stackId = "11111111-2222-3333-4444-555555555555";

/** What providers answer, by type: inputs and, in an update, what they compute. */
const computed: Readonly<Record<string, (name: string, inputs: Record<string, unknown>) => Record<string, unknown>>> = {
    ...awsComputed,
    "random:index/randomPassword:RandomPassword": (name) => ({ result: pulumi.secret(`${secretMark}-${name}`) }),
    "random:index/randomBytes:RandomBytes": (name) => ({
        hex: pulumi.secret(`${secretMark}-${name}`),
        base64: pulumi.secret(`${secretMark}-${name}`),
    }),
    "random:index/randomUuid:RandomUuid": () => ({ result: stackId }),
    "docker-build:index:Image": () => ({ digest, ref: `mock@${digest}`, contextHash: "0" }),
    "pulumi:providers:kubernetes": () => ({}),
    "pulumi:pulumi:Stack": () => ({}),
    "pulumi:pulumi:StackReference": () => ({}),
};

/** Another stack's outputs. */
function referenced(name: unknown) {
    const outputs = typeof name === "string" ? otherStacks[name] : undefined;
    if (outputs === undefined) throw new Error(`the mocks do not know the stack ${String(name)}`);
    return { outputs, secretOutputNames: [] };
}

const knownTypes: ReadonlySet<string> = new Set([
    ...["ConfigMap", "LimitRange", "Namespace", "PersistentVolumeClaim", "ResourceQuota", "Secret", "Service"].map(
        (kind) => `kubernetes:core/v1:${kind}`,
    ),
    "kubernetes:core/v1:ServiceAccount",
    "kubernetes:apps/v1:Deployment",
    "kubernetes:apps/v1:StatefulSet",
    "kubernetes:storage.k8s.io/v1:StorageClass",
    "kubernetes:batch/v1:CronJob",
    "kubernetes:batch/v1:Job",
    "kubernetes:autoscaling/v2:HorizontalPodAutoscaler",
    "kubernetes:policy/v1:PodDisruptionBudget",
    "kubernetes:networking.k8s.io/v1:Ingress",
    "kubernetes:networking.k8s.io/v1:NetworkPolicy",
    "kubernetes:admissionregistration.k8s.io/v1:ValidatingAdmissionPolicy",
    "kubernetes:admissionregistration.k8s.io/v1:ValidatingAdmissionPolicyBinding",
    "kubernetes:cert-manager.io/v1:Issuer",
    "kubernetes:cert-manager.io/v1:Certificate",
    "kubernetes:traefik.io/v1alpha1:Middleware",
    "kubernetes:traefik.io/v1alpha1:ServersTransport",
    "kubernetes:cert-manager.io/v1:ClusterIssuer",
    "kubernetes:rbac.authorization.k8s.io/v1:Role",
    "kubernetes:rbac.authorization.k8s.io/v1:RoleBinding",
    "kubernetes:external-secrets.io/v1:ExternalSecret",
    ...["Gateway", "HTTPRoute", "BackendTLSPolicy"].map((kind) => `kubernetes:gateway.networking.k8s.io/v1:${kind}`),
    "kubernetes:policy.sigstore.dev/v1beta1:ClusterImagePolicy",
    "kubernetes:gateway.envoyproxy.io/v1alpha1:BackendTrafficPolicy",
    "kubernetes:gateway.k8s.aws/v1beta1:LoadBalancerConfiguration",
    "kubernetes:gateway.k8s.aws/v1beta1:TargetGroupConfiguration",
    ...["PodMonitor", "Probe", "PrometheusRule"].map((kind) => `kubernetes:monitoring.coreos.com/v1:${kind}`),
    "kubernetes:monitoring.coreos.com/v1alpha1:AlertmanagerConfig",
]);

function isRecord(value: unknown): value is Record<string, unknown> {
    return typeof value === "object" && value !== null && !Array.isArray(value);
}

function stateOf(
    type: string,
    name: string,
    inputs: Record<string, unknown>,
    preview: boolean,
): Record<string, unknown> {
    const more = computed[type];
    if (more === undefined && !type.startsWith("orcheo:index:") && !knownTypes.has(type))
        throw new Error(`the mocks do not know the type ${type} (${name})`);
    if (type === "pulumi:pulumi:StackReference") return { ...inputs, ...referenced(inputs["name"]) };
    // As docker-build 0.0.22 does when an image would be rebuilt.
    if (preview && type === "docker-build:index:Image") return { ...inputs, digest: "" };
    if (more !== undefined) return { ...inputs, ...(preview ? {} : more(name, inputs)) };
    const metadata = inputs["metadata"];
    if (!isRecord(metadata) || "name" in metadata) return inputs;
    // Auto-naming: the name is chosen in the update.
    if (!preview) return { ...inputs, metadata: { ...metadata, name: `${name}-a1b2c3d4` } };
    return Object.fromEntries(Object.entries(inputs).filter(([key]) => key !== "metadata"));
}

/** One run of index.ts. */
export async function run({ stack, settings, otherKeys, secretKeys, probes }: Program, preview: boolean): Promise<Run> {
    const resources: Registered[] = [];
    const options = new Map<string, Registered["options"]>();
    const types = new WeakMap<pulumi.Resource, string>();
    const config = { "orcheo:stack": JSON.stringify(settings ?? settingsOf(stack)), ...otherKeys };
    pulumi.runtime.setAllConfig(config, [...(secretKeys ?? [])]);
    vi.stubEnv("PULUMI_CONFIG_SECRET_KEYS", JSON.stringify(secretKeys ?? []));
    await pulumi.runtime.setMocks(
        {
            newResource: ({ type, name, inputs, custom, provider, id: read = "" }) => {
                const given = inputs as Record<string, unknown>;
                // What is read is known in a preview too.
                const there = read !== "" && type.startsWith("kubernetes:");
                const state = there ? { ...given, metadata: { name: read } } : stateOf(type, name, given, preview);
                // An id is chosen in the update, like everything else that a provider answers.
                const known = !preview || type === "pulumi:pulumi:StackReference";
                const made = custom === true && known ? `${name}-id` : undefined;
                const id = there ? read : made;
                const seen = options.get(`${type} ${name}`);
                if (type !== "pulumi:pulumi:Stack") {
                    if (seen === undefined) throw new Error(`${type} ${name} was not announced`);
                    resources.push({ type, name, inputs: given, state, id, provider, options: seen });
                }
                return { id, state };
            },
            call: ({ token, inputs }) => {
                const answer = awsCalls[token];
                if (answer === undefined) throw new Error(`the mocks do not know the call ${token}`);
                return answer(inputs as Record<string, unknown>);
            },
        },
        "orcheo",
        stack,
        preview,
        "organization",
    );
    vi.resetModules();
    vi.doMock("../components/machine", () => ({ machine: { ...goodProbes, ...probes } }));
    const program = await import("../index.ts");
    let error: string | undefined;
    let refused: (nothing: object) => void = () => undefined;
    const refusal = new Promise<object>((settle) => {
        refused = settle;
    });
    const whole = pulumi.runtime.runInPulumiStack(() => {
        pulumi.runtime.registerStackTransformation(({ resource, type, name, opts }) => {
            const parent = opts.parent === undefined ? undefined : types.get(opts.parent);
            const chain = parent === undefined ? type : `${parent}$${type}`;
            types.set(resource, chain);
            options.set(`${type} ${name}`, {
                protect: opts.protect === true,
                retainOnDelete: opts.retainOnDelete === true,
                parented: opts.parent !== undefined,
                after: [opts.dependsOn ?? []].flat().map((each) => each.constructor.name),
                urn: `urn:pulumi:${stack}::orcheo::${chain}::${name}`,
                aliases: (opts.aliases ?? []).filter((alias) => typeof alias === "string"),
                ignored: (opts as pulumi.CustomResourceOptions).ignoreChanges ?? [],
            });
            return undefined;
        });
        return program.default().catch((reason: unknown) => {
            error = reason instanceof Error ? reason.message : String(reason);
            refused({});
            return {};
        });
    });
    // What waits for a proof that never comes would be waited for: the engine ends such a program, the mocks do not.
    const outputs: unknown = await Promise.race([whole, refusal]);
    if (error === undefined) await pulumi.runtime.disconnect();
    // Components wait for nothing, and are to be registered with this run's mocks.
    else await new Promise((settled) => setTimeout(settled, 300));
    if (error !== undefined) resetOptions("orcheo", stack, -1, "", "", preview, "organization");
    return { resources, outputs, error };
}

const identity = ({ type, name }: Registered) => `${type} ${name}`;

/** The program as preview and as update, which must register the same; @returns the update. */
export async function runBoth(program: Program): Promise<Run> {
    const preview = await run(program, true);
    const update = await run(program, false);
    expect([preview.error, update.error]).toEqual([undefined, undefined]);
    expect(preview.resources.map(identity).sort()).toEqual(update.resources.map(identity).sort());
    return update;
}
