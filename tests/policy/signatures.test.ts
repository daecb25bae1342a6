/** What is asked of cosign, and which of its answers count; the real one answers in tests/publish. */
import { expect, test } from "vitest";

import { evaluate } from "../../policies/evaluate.ts";
import { imageSigned } from "../../policies/rules/image-signed.ts";
import { questionsOf, sbomProblem, settingsProblem, signatureProblem } from "../../policies/signatures.ts";
import { asResource } from "./cases.ts";
import { compliant, templateOf } from "./pods.ts";

const hex = "a".repeat(64);
const image = `ghcr.io/example/orcheo/backend:1.4.2@sha256:${hex}`;
const pem = "-----BEGIN PUBLIC KEY-----\nMFkw\n-----END PUBLIC KEY-----\n";
const github = "https://token.actions.githubusercontent.com";

test("settings that say too little or too much are refused", () => {
    expect(settingsProblem(pem, "", github)).toBeUndefined();
    expect(settingsProblem("/etc/cosign.pub", "", github)).toBeUndefined();
    expect(settingsProblem("awskms:///alias/cosign", "", github)).toBeUndefined();
    expect(settingsProblem("", "https://github.com/a/*", github)).toBeUndefined();
    expect(settingsProblem("cosign.pub", "", github)).toContain('has the key "cosign.pub"; accepted: a public key');
    expect(settingsProblem(pem, "https://github.com/a/*", github)).toContain("both `key` and `identity`");
    expect(settingsProblem("", "https://github.com/a/*", "")).toContain("without its `issuer`");
});

test("a key is asked for without the public log, an identity never", () => {
    const byKey = questionsOf(image, { kind: "key", key: pem });
    expect(byKey.signature).toEqual({
        args: ["verify", "--key", "env://IMAGE_SIGNED_KEY", "--insecure-ignore-tlog=true", image],
        env: { IMAGE_SIGNED_KEY: pem },
    });
    expect(byKey.sbom.args.slice(0, 3)).toEqual(["verify-attestation", "--type", "spdxjson"]);
    const identity = "https://github.com/a/b/.github/workflows/publish.yml@refs/tags/v*";
    const keyless = questionsOf(image, { kind: "identity", identity, issuer: github }).signature.args;
    expect(keyless).not.toContain("--insecure-ignore-tlog=true");
    const pattern = new RegExp(keyless[keyless.indexOf("--certificate-identity-regexp") + 1] ?? "");
    expect(pattern.test("https://github.com/a/b/.github/workflows/publish.yml@refs/tags/v1.4.2")).toBe(true);
    expect(pattern.test("https://github.com/a/b/Xgithub/workflows/publish.yml@refs/tags/v1.4.2")).toBe(false);
    expect(pattern.test("https://evil.example/https://github.com/a/b/.github/workflows/publish.yml@refs/tags/v1")).toBe(
        false,
    );
});

test.each([
    ["127.0.0.1:5000/a", true],
    ["localhost:5000/a", true],
    ["127.0.0.1.example.com/a", false],
    ["localhost.example.com/a", false],
    ["ghcr.io/localhost/a", false],
])("plain http is for loopback only: %s", (repository, plain) => {
    const { args } = questionsOf(`${repository}@sha256:${hex}`, { kind: "key", key: "/key" }).signature;
    expect(args.includes("--allow-http-registry")).toBe(plain);
});

const answer = (...types: readonly string[]): { printed: string } => ({
    printed: `\n${JSON.stringify(types.map((type) => ({ critical: { type } })))}\n`,
});

test("the signature of an attestation is none of the image", () => {
    const spdx = "https://spdx.dev/Document";
    expect(signatureProblem(answer(spdx, "https://sigstore.dev/cosign/sign/v1"))).toBeUndefined();
    expect(signatureProblem(answer("cosign container image signature"))).toBeUndefined();
    expect(signatureProblem(answer(spdx, "https://slsa.dev/provenance/v1"))).toContain("only signed attestations");
    expect(signatureProblem({ refused: "no signatures found", printed: "" })).toContain("no signatures found");
    expect(signatureProblem({ printed: "" })).toBeDefined();
});

const statement = (change: object = {}): { printed: string } => {
    const all = {
        predicateType: "https://spdx.dev/Document",
        subject: [{ digest: { sha256: hex } }],
        predicate: { packages: [{ name: "libc6" }] },
        ...change,
    };
    return { printed: JSON.stringify({ payload: Buffer.from(JSON.stringify(all)).toString("base64") }) };
};

test.each([
    ["another kind of document", { predicateType: "https://slsa.dev/provenance/v1" }],
    ["another image", { subject: [{ digest: { sha256: "b".repeat(64) } }] }],
    ["no packages", { predicate: { packages: [] } }],
])("an SBOM of %s does not count", (_, change) => {
    expect(sbomProblem(statement(), `sha256:${hex}`)).toBeUndefined();
    expect(sbomProblem(statement(change), `sha256:${hex}`)).toContain("SBOM without packages, or of another image");
});

test("an image without a digest is refused, in each sort of container and as a volume; an unknown one is not", () => {
    const manifest = compliant("Pod");
    const named = (name: string) => ({ name, image: `registry.example.com/${name}:1` });
    templateOf(manifest)["spec"] = {
        containers: [named("api"), { name: "later", image: "04da6b54-80e4-46f7-96ec-b56ff0331ba9" }],
        initContainers: [named("migrate")],
        ephemeralContainers: [named("debug")],
        volumes: [{ name: "model", image: { reference: "registry.example.com/model:1" } }],
    };
    const pod = asResource({ type: "kubernetes:core/v1:Pod", name: "api", props: manifest });
    const found = evaluate(imageSigned, pod, { key: "/cosign.pub" });
    expect(found.map((each) => /(?:container|volume) "(\w+)": image "\S+" has no digest/.exec(each)?.[1])).toEqual([
        "api",
        "migrate",
        "debug",
        "model",
    ]);
    expect(evaluate(imageSigned, pod)).toEqual([]);
});
