/**
 * In a cluster only signed images run: the program's own policies, and the real policy-controller, as its project installs it, on a
 * cluster of this file's own. Its images are signed as `make publish` signs them.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { parse, parseAllDocuments, stringify } from "yaml";
import { afterAll, beforeAll, expect, test } from "vitest";
import { kubectl, startCluster, stopCluster } from "../../local/cluster/cluster.ts";
import { ensureImage } from "../../local/cluster/images.ts";
import { clusterSpec, contextOf, registryOf } from "../../local/cluster/spec.ts";
import { projectDir } from "../../local/paths.ts";
import { signing } from "../../local/publish/signing.ts";
import { consoleReport } from "../../local/report.ts";
import { ensureToolchain, type Toolchain } from "../../local/toolchain/build.ts";
import { tools } from "../../local/toolchain/tools.ts";
import { evaluate } from "../../policies/evaluate.ts";
import { imageSigned } from "../../policies/rules/image-signed.ts";
import { at, fields } from "../../policies/values.ts";
import { render } from "../../tools/render/main.ts";
import { asResource } from "../policy/cases.ts";
import { architecture, Loopback, password } from "./loopback.ts";

const spec = clusterSpec("signed", { api: 26446, registry: 25003, http: 20083, https: 20446 });
const report = consoleReport();
const namespace = "orcheo";
const label = "policy.sigstore.dev/include";
let toolchain: Toolchain;
let loopback: Loopback;
let good: string;

const kube = (args: readonly string[], input?: string): Promise<string> => kubectl(spec, toolchain, args, input);
const apply = (objects: readonly object[]): Promise<string> =>
    kube(
        ["apply", "--server-side", "--force-conflicts", "-f", "-"],
        JSON.stringify({ apiVersion: "v1", kind: "List", items: objects }),
    );

const podSpec = (image: string): object => ({
    automountServiceAccountToken: false,
    securityContext: { runAsNonRoot: true, runAsUser: 1000, seccompProfile: { type: "RuntimeDefault" } },
    containers: [
        {
            name: "main",
            image,
            command: ["/pause"],
            securityContext: {
                allowPrivilegeEscalation: false,
                readOnlyRootFilesystem: true,
                capabilities: { drop: ["ALL"] },
            },
        },
    ],
});
const pod = (name: string, image: string, where = namespace) => ({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace: where },
    spec: podSpec(image),
});
const deployment = (name: string, image: string) => ({
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name, namespace },
    spec: {
        selector: { matchLabels: { name } },
        template: { metadata: { labels: { name } }, spec: podSpec(image) },
    },
});
const create = (object: object): Promise<string> => kube(["create", "-f", "-"], JSON.stringify(object));
const running = (name: string, where = namespace): Promise<string> =>
    kube(["wait", "--for=condition=Ready", `pod/${name}`, "--namespace", where, "--timeout=120s"]);
/** What the API server answers. */
const refusal = (object: object): Promise<string> =>
    create(object).then(
        () => {
            throw new Error(`admitted: ${JSON.stringify(object)}`);
        },
        (error: unknown) => String(error),
    );
const pack = (image: string): string => {
    const object = deployment("api", image);
    const key = readFileSync(join(loopback.folder, "cosign.pub"), "utf8");
    return evaluate(imageSigned, asResource({ type: "kubernetes:apps/v1:Deployment", name: "api", props: object }), {
        key,
    }).join("\n");
};

const image = (tag: string): Promise<string> =>
    loopback.image(tag, `1.${tag.length}-${tag}`, architecture, [toolchain.bin("pause")]);
const signer = (key = "cosign.key") => signing(join(loopback.folder, key), toolchain);
const sbom = (packages: readonly object[] = [{ name: "libc6", versionInfo: "2.41" }]): string => {
    const file = join(loopback.folder, `sbom-${packages.length}.json`);
    writeFileSync(file, JSON.stringify({ spdxVersion: "SPDX-2.3", packages }));
    return file;
};
async function published(tag: string): Promise<string> {
    const made = await image(tag);
    await signer().sign(made);
    await signer().attest(made, "spdxjson", sbom());
    return made;
}

/** The objects of a stack all of whose images are this one. */
function objectsOf(ref: string, signerOf: object): readonly { readonly kind: string }[] {
    const dev: unknown = parse(readFileSync(join(projectDir, "Pulumi.dev.yaml"), "utf8"));
    const settings = fields(at(dev, "config", "orcheo:stack"));
    const images = ["backend", "canvas", "postgres", "valkey"].map((name) => [name, ref]);
    const admission = { kind: "policyController", signer: signerOf };
    const stack = {
        ...settings,
        kubernetes: { ...fields(settings["kubernetes"]), context: contextOf(spec), namespace },
        images: { kind: "published", ...Object.fromEntries<string>(images as [string, string][]), admission },
    };
    const file = join(loopback.folder, "stack.yaml");
    writeFileSync(file, stringify({ config: { "orcheo:stack": stack } }));
    return render("dev", file).objects.filter(({ kind }) => ["Namespace", "ClusterImagePolicy"].includes(kind));
}
const ready = (): Promise<string> =>
    kube(["wait", "--for=condition=Ready", "clusterimagepolicies", "--all", "--timeout=60s"]);

/** As upstream installs it; on the node's network, where the registry is, and without the trust in Sigstore's public keys, which it would download. */
async function installPolicyController(): Promise<void> {
    const own = await ensureImage(spec, toolchain, { name: "policy-controller", binaries: ["policy-controller"] });
    const text = readFileSync(toolchain.share("policy-controller.yaml"), "utf8");
    const image = /ko:\/\/\S+/;
    expect(text).toMatch(image);
    const objects = parseAllDocuments(text.replace(image, own))
        .map((each) => each.toJS() as unknown)
        .filter((each): each is object => typeof each === "object" && each !== null);
    await apply(objects);
    const patch = {
        spec: {
            template: {
                spec: {
                    hostNetwork: true,
                    terminationGracePeriodSeconds: 1,
                    containers: [{ name: "webhook", args: ["--disable-tuf"] }],
                },
            },
        },
    };
    const where = ["--namespace", "cosign-system"];
    await kube(["patch", "deployment/webhook", ...where, "--patch", JSON.stringify(patch)]);
    await kube(["rollout", "status", "deployment/webhook", ...where, "--timeout=240s"]);
}

beforeAll(async () => {
    const table = tools.filter(({ name }) => name !== "syft");
    toolchain = await ensureToolchain(["cluster", "add-ons", "pulumi", "publish"], report, { table });
    process.env.PATH = `${toolchain.path}${delimiter}${process.env.PATH ?? ""}`;
    process.env.COSIGN_PASSWORD = password;
    // What an interrupted run left.
    await stopCluster(spec, report, { deleteData: true });
    const { kubeconfig } = await startCluster(spec, toolchain, report);
    process.env.KUBECONFIG = kubeconfig;
    loopback = await Loopback.of(registryOf(spec), toolchain);
    await loopback.cosign("generate-key-pair", "--output-key-prefix", "another");
    good = await published("good");
    await installPolicyController();
    const publicKey = readFileSync(join(loopback.folder, "cosign.pub"), "utf8");
    await apply(objectsOf(good, { kind: "key", publicKey }));
    await ready();
    await kube(["wait", "--for=create", "serviceaccount/default", "--namespace", namespace, "--timeout=60s"]);
});

afterAll(async () => {
    loopback.close();
    await stopCluster(spec, report, { deleteData: true });
});

test("a signed image with its SBOM runs, and passes the pack", async () => {
    expect(pack(good)).toBe("");
    await create(pod("good", good));
    await running("good");
});

test("an unsigned image is refused with the reason, as a pod and in a Deployment, by the pack too", async () => {
    const unsigned = await image("unsigned");
    const denied = /admission webhook "policy\.sigstore\.dev" denied the request/;
    for (const object of [pod("unsigned", unsigned), deployment("unsigned", unsigned)]) {
        const said = await refusal(object);
        expect(said).toMatch(denied);
        expect(said).toMatch(/failed policy: orcheo\.signature.*containers\[0\]\.image/);
        expect(said).toContain("no signatures found");
        expect(said).toContain("failed policy: orcheo.sbom");
    }
    expect(pack(unsigned)).toContain("has no valid signature");
});

test("an image that another key signed is refused", async () => {
    const foreign = await image("foreign");
    await signer("another.key").sign(foreign);
    await signer("another.key").attest(foreign, "spdxjson", sbom());
    const said = await refusal(pod("foreign", foreign));
    expect(said).toMatch(/failed policy: orcheo\.signature/);
    expect(said).toMatch(/failed policy: orcheo\.sbom/);
    expect(pack(foreign)).toContain("has no valid signature");
});

test("a signed image without an SBOM, or with one that has no packages, is refused for its SBOM alone", async () => {
    const bare = await image("bare");
    await signer().sign(bare);
    const empty = await image("empty");
    await signer().sign(empty);
    await signer().attest(empty, "spdxjson", sbom([]));
    for (const each of [bare, empty]) {
        const said = await refusal(pod("bare", each));
        expect(said).toMatch(/failed policy: orcheo\.sbom/);
        expect(said).not.toMatch(/failed policy: orcheo\.signature/);
        expect(pack(each)).toContain("SBOM");
    }
});

test("a tag that was moved to a tampered image is refused, also with the original's signature and SBOM at its side", async () => {
    const tagged = await published("moved");
    const tag = tagged.replace(/@.*/, ":moved");
    await create(pod("tagged", tag));
    await running("tagged");
    const admitted = await kube(["get", "pod/tagged", "--namespace", namespace, "--output", "jsonpath={..image}"]);
    expect(admitted).toContain(tagged.slice(tagged.indexOf("@")));

    const tampered = await image("tampered");
    for (const kind of [".sig", ".att"]) {
        const [from, to] = [tagged, tampered].map((each) => `${each.replace("@sha256:", ":sha256-")}${kind}`);
        await loopback.crane("copy", from ?? "", to ?? "");
    }
    await loopback.crane("tag", tampered, "moved");
    const digest = tampered.slice(tampered.indexOf("@"));
    for (const name of [tag, tampered]) {
        const said = await refusal(pod("tampered", name));
        expect(said).toMatch(/failed policy: orcheo\.signature/);
        expect(said).toContain(digest);
    }
    expect(pack(tampered)).toContain("has no valid signature");
});

test("an image that no policy covers is refused in this namespace, and runs in others", async () => {
    const elsewhere = `${registryOf(spec)}/elsewhere/tool`;
    const unsigned = await image("tool");
    await loopback.crane("copy", unsigned, `${elsewhere}:1`);
    const other = `${elsewhere}${unsigned.slice(unsigned.indexOf("@"))}`;
    expect(await refusal(pod("other", other))).toContain("no matching policies");
    await create(pod("other", other, "default"));
    await running("other", "default");
});

test("policies for keyless signatures are accepted by policy-controller", async () => {
    // Of images that nobody starts: their verification would ask Sigstore's public services.
    const elsewhere = good.replace("/built/", "/keyless/");
    const objects = objectsOf(elsewhere, { kind: "identity", identity: "https://github.com/example/*" });
    const policies = objects
        .filter(({ kind }) => kind === "ClusterImagePolicy")
        .map((each) => {
            const { metadata } = each as unknown as { metadata: { name: string } };
            return { ...each, metadata: { ...metadata, name: `keyless.${metadata.name}` } };
        });
    await apply(policies);
    await ready();
    const found = await kube(["get", "clusterimagepolicies", "--output", "name"]);
    expect(found.match(/keyless\.orcheo\.(signature|sbom)/g)).toHaveLength(2);
});

test("without policy-controller no pod starts in this namespace, pods in others do, and its label lets them start again", async () => {
    await kube(["scale", "deployment/webhook", "--namespace", "cosign-system", "--replicas=0"]);
    await kube([
        "wait",
        "--for=delete",
        "pod",
        "--selector",
        "role=webhook",
        "--namespace",
        "cosign-system",
        "--timeout=90s",
    ]);
    const said = await refusal(pod("away", good));
    expect(said).toMatch(/failed calling webhook "policy\.sigstore\.dev"/);
    await create(pod("away", good, "default"));
    await running("away", "default");
    await running("good");

    await kube(["label", "namespace", namespace, `${label}-`]);
    await create(pod("away", good));
    await running("away");
    await kube(["label", "namespace", namespace, `${label}=true`]);
    expect(await refusal(pod("guarded", good))).toMatch(/failed calling webhook/);
});
