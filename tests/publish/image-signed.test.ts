/** The rule `image-signed` with the real cosign, by the report and by Pulumi's engine, before anything is deployed. */
import { readFileSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { consoleReport } from "../../local/report.ts";
import { ensureToolchain } from "../../local/toolchain/build.ts";
import { evaluate } from "../../policies/evaluate.ts";
import { signedPackages } from "../../policies/image-packages.ts";
import { imageSigned } from "../../policies/rules/image-signed.ts";
import { asResource, type Given } from "../policy/cases.ts";
import { compliant, container, templateOf } from "../policy/pods.ts";
import { previewWithPack } from "../verdicts/engine.ts";
import { Loopback } from "./loopback.ts";

let loopback: Loopback;
const options = ["--yes", "--use-signing-config=false", "--tlog-upload=false", "--allow-http-registry"];
const key = ["--key", "cosign.key"];

/** A Deployment of this image, without which it is compliant. */
function deployment(image: string): Given {
    const manifest = compliant("Deployment");
    const spec = { containers: [{ ...container("api"), image }], initContainers: [] };
    templateOf(manifest)["spec"] = { ...(templateOf(manifest)["spec"] as object), ...spec };
    return { type: "kubernetes:apps/v1:Deployment", name: "api", props: manifest };
}
const settings = (): object & { key: string } => ({ key: readFileSync(join(loopback.folder, "cosign.pub"), "utf8") });
const verdict = (image: string, more: object = {}): string =>
    evaluate(imageSigned, asResource(deployment(image)), { ...settings(), ...more }).join("\n");
const sign = (image: string, by = key): Promise<string> => loopback.cosign("sign", ...options, ...by, image);
const attest = (image: string, type = "spdxjson"): Promise<string> =>
    loopback.cosign("attest", ...options, ...key, "--type", type, "--predicate", "sbom.json", image);

let good: string;

beforeAll(async () => {
    const toolchain = await ensureToolchain(["pulumi", "cluster", "publish"], consoleReport());
    process.env.PATH = `${toolchain.path}${delimiter}${process.env.PATH ?? ""}`;
    loopback = await Loopback.at("127.0.0.1:25021", toolchain);
    writeFileSync(
        join(loopback.folder, "sbom.json"),
        JSON.stringify({ spdxVersion: "SPDX-2.3", packages: [{ name: "libc6", versionInfo: "2.41" }] }),
    );
    await loopback.cosign("generate-key-pair", "--output-key-prefix", "another");
    good = await loopback.image("good", "1.0");
    await sign(good);
    await attest(good);
});

afterAll(() => {
    loopback.close();
});

test("an image with signature and SBOM passes, with the key as text or as file, and with a tag beside its digest", () => {
    expect(verdict(good)).toBe("");
    expect(verdict(good.replace("@", ":good@"))).toBe("");
    expect(verdict(good, { key: join(loopback.folder, "cosign.pub") })).toBe("");
});

test("an unsigned image is refused, with image, digest, both that is missing, and the remedy", async () => {
    const image = await loopback.image("unsigned", "1.1");
    const found = verdict(image);
    expect(found).toContain(`Deployment "good-deployment", container "api": image "${image}" has no valid signature`);
    expect(found).toContain(`image "${image}" has no signed SBOM`);
    expect(found).toContain(imageSigned.remedy);
});

test("a signature without an SBOM is refused, and an SBOM without a signature, which `cosign verify` alone accepts", async () => {
    const signed = await loopback.image("signed", "1.2");
    await sign(signed);
    expect(verdict(signed)).toMatch(/^(?!.*signature \().*has no signed SBOM/);
    const attested = await loopback.image("attested", "1.3");
    await attest(attested);
    await loopback.cosign(
        "verify",
        "--key",
        "cosign.pub",
        "--insecure-ignore-tlog=true",
        "--allow-http-registry",
        attested,
    );
    expect(verdict(attested)).toMatch(/^.*has no signature, only signed attestations(?!.*SBOM \()/);
    const other = await loopback.image("other", "1.4");
    await sign(other);
    await attest(other, "slsaprovenance1").catch(() => attest(other, "custom"));
    expect(verdict(other)).toContain("has no signed SBOM");
});

test("a pull request's comment has the packages of signed SBOMs, and says why where there is none", async () => {
    const packagesOf = signedPackages({ "image-signed": settings() });
    expect(packagesOf(good)).toEqual(new Map([["libc6", "2.41"]]));
    const image = await loopback.image("without-sbom", "1.8");
    expect(packagesOf(image)).toContain("has no signed SBOM");
});

test("another key's signature is refused", async () => {
    const image = await loopback.image("another", "1.5");
    await sign(image, ["--key", "another.key"]);
    expect(verdict(image)).toContain("has no valid signature");
    expect(verdict(good, { key: readFileSync(join(loopback.folder, "another.pub"), "utf8") })).toContain(
        "has no valid signature",
    );
});

test("a tampered image is refused, also with the signature and the SBOM of the original at its side", async () => {
    const tampered = await loopback.image("tampered", "1.6");
    const [from, to] = [good, tampered].map((image) => image.replace(/@sha256:/, ":sha256-"));
    await loopback.crane("copy", from ?? "", to ?? "");
    const found = verdict(tampered);
    expect(found).toContain("has no valid signature");
    expect(found).toContain("has no signed SBOM");
});

test("a registry that does not answer, and one without cosign, refuse too", () => {
    expect(verdict(good.replace("25021", "25022"))).toMatch(/has no valid signature \(cosign: .*connection refused/);
    const path = process.env.PATH;
    process.env.PATH = "/nowhere";
    try {
        expect(verdict(good.replace("127.0.0.1", "127.0.0.2"))).toContain("cosign cannot be run");
    } finally {
        process.env.PATH = path;
    }
});

test("the engine refuses in the preview what is not signed, and accepts the rest", async () => {
    const image = await loopback.image("unsigned-too", "1.7");
    const packed = { settings: { all: "disabled", "image-signed": { ...settings(), enforcementLevel: "mandatory" } } };
    const refused = await previewWithPack([deployment(image)], packed);
    expect(refused.exitCode).not.toBe(0);
    expect(refused.violations.map(({ rule }) => rule)).toEqual(["image-signed", "image-signed"]);
    expect(refused.output).toContain(image);
    const accepted = await previewWithPack([deployment(good)], packed);
    expect([accepted.exitCode, accepted.violations]).toEqual([0, []]);
});
