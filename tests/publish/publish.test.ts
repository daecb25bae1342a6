/** `make publish` against a registry on loopback: `make publish-test`. The images hold what Syft reads of Debian, and no more. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parse } from "yaml";
import { projectDir } from "../../local/paths.ts";
import { run } from "../../local/process.ts";
import { consoleReport } from "../../local/report.ts";
import { ensureToolchain } from "../../local/toolchain/build.ts";
import { currentVersion, Loopback, password } from "./loopback.ts";

const target = "127.0.0.1:25019/published";
let loopback: Loopback;
let current: string;
let outdated: string;

const verified = (image: string, ...more: string[]): Promise<string> =>
    loopback.cosign(
        "verify",
        "--key",
        "cosign.pub",
        "--insecure-ignore-tlog=true",
        "--allow-http-registry",
        ...more,
        image,
    );

const digests = (): string => join(loopback.folder, "published.json");

/** `make publish` itself. */
const publish = (
    version: string,
    images: string | Readonly<Record<string, string>>,
    more: NodeJS.ProcessEnv = {},
): Promise<string> => {
    const all = typeof images === "string" ? { backend: images } : images;
    writeFileSync(join(loopback.folder, "images.json"), JSON.stringify(all));
    const settings = { VERSION: version, REGISTRY: target, IMAGES: join(loopback.folder, "images.json") };
    const key = { KEY: join(loopback.folder, "cosign.key"), COSIGN_PASSWORD: password };
    return run("make", ["--silent", "publish"], {
        cwd: projectDir,
        env: { ...process.env, ...settings, ...key, DIGESTS: digests(), ...more },
    });
};

beforeAll(async () => {
    loopback = await Loopback.at("127.0.0.1:25019", await ensureToolchain(["cluster", "publish"], consoleReport()));
    current = await loopback.image("current", await currentVersion());
    outdated = await loopback.image("outdated", "2.0");
    writeFileSync(digests(), JSON.stringify({ releases: {} }));
});

afterAll(() => {
    loopback.close();
});

test("wrong settings are refused together, before anything is read", async () => {
    await expect(publish("latest", "backend:1.0", { REGISTRY: "orcheo" })).rejects.toThrow(
        /3 problem.*VERSION: found "latest".*REGISTRY: found "orcheo".*IMAGES: backend: found "backend:1\.0"/s,
    );
    await expect(publish("1.0.0", current, { KEY: "/none" })).rejects.toThrow('KEY: found "/none"');
});

test("an outdated package stops everything, with both versions", async () => {
    const attempt = publish("1.4.2", outdated);
    await expect(attempt).rejects.toThrow(/nothing was published.*backend: libc6 2\.0 is outdated, Debian has 2\./s);
    expect(await loopback.crane("catalog", loopback.at)).not.toContain("published");
});

test("what is current is copied by its digest, tagged, signed, and has its SBOM", async () => {
    const printed = await publish("1.4.2", current);
    const digest = current.slice(current.indexOf("@"));
    expect(parse(printed)).toEqual({
        images: { kind: "published", backend: `${target}/backend:1.4.2${digest}` },
    });
    expect(printed).not.toContain(password);
    const tags = (await loopback.crane("ls", `${target}/backend`)).split("\n");
    expect(tags).toEqual(expect.arrayContaining(["1.4.2", "1.4", "1"]));
    expect(tags).not.toContain("latest");
    await verified(`${target}/backend${digest}`);
    const attested = await loopback.cosign(
        ...["verify-attestation", "--key", "cosign.pub", "--insecure-ignore-tlog=true", "--allow-http-registry"],
        ...["--type", "spdxjson", `${target}/backend${digest}`],
    );
    const { payload } = JSON.parse(attested) as { payload: string };
    expect(Buffer.from(payload, "base64").toString()).toContain("libc6");
});

test("no other image passes the verification, and no other key", async () => {
    const other = `${target}/backend${outdated.slice(outdated.indexOf("@"))}`;
    await loopback.crane("copy", outdated, other);
    await expect(verified(other)).rejects.toThrow(/no (matching )?signatures/);
    await loopback.cosign("generate-key-pair", "--output-key-prefix", "another");
    const known = `${target}/backend${current.slice(current.indexOf("@"))}`;
    await expect(verified(known, "--key", "another.pub")).rejects.toThrow(/invalid signature|no matching/);
});

test("a version that is out stays as it is; an exception publishes an outdated package under another one", async () => {
    writeFileSync(
        join(loopback.folder, "allowed.json"),
        JSON.stringify([{ package: "libc6", until: "2999-12-31", reason: "for this test" }]),
    );
    const allowed = { ALLOWED: join(loopback.folder, "allowed.json") };
    await expect(publish("1.4.2", outdated, allowed)).rejects.toThrow(/VERSION: .*1\.4\.2 is sha256:.* already/);
    await publish("1.3.9", outdated, allowed);
    const newest = (await loopback.crane("digest", `${target}/backend:1`)).trim();
    expect(current).toContain(newest);
});

test("a complete release writes the digests that stacks take; wrong ones are refused, by the next release and by the check", async () => {
    const names = ["backend", "canvas", "postgres", "pgbouncer", "valkey", "backup"];
    const printed = await publish("1.5.0", Object.fromEntries(names.map((name) => [name, current])));
    const { images } = parse(printed) as { images: Record<string, string> };
    const references = Object.fromEntries(Object.entries(images).filter(([name]) => name !== "kind"));
    const released = { releases: { "0.33": { version: "1.5.0", images: references } } };
    expect(JSON.parse(readFileSync(digests(), "utf8"))).toEqual(released);
    const check = (): Promise<string> =>
        run("make", ["--silent", "publish-check"], { cwd: projectDir, env: { ...process.env, DIGESTS: digests() } });
    expect(await check()).toContain("all 6 images are in their registry");

    const wrong = JSON.stringify(released).replace(/(canvas:1\.5\.0@sha256:)[0-9a-f]{64}/, `$1${"b".repeat(64)}`);
    writeFileSync(digests(), wrong);
    await expect(check()).rejects.toThrow(
        /1 problem.*0\.33 canvas: the file has .*canvas:1\.5\.0@sha256:bbb.*answers sha256:/s,
    );
    await expect(publish("1.5.0", { canvas: current })).rejects.toThrow(/DIGESTS: canvas of 1\.5\.0 is sha256:bbb/);
});

test("a planted vulnerability of a Python package stops everything, until an exception covers it", async () => {
    const planted = { name: "starlette", version: "0.1.0", vulns: [{ id: "PYSEC-2023-83", fix_versions: ["0.27.0"] }] };
    writeFileSync(join(loopback.folder, "audit.json"), JSON.stringify({ dependencies: [planted] }));
    const audit = { AUDIT: join(loopback.folder, "audit.json") };
    await expect(publish("1.6.0", current, audit)).rejects.toThrow(
        /nothing was published.*starlette 0\.1\.0 has PYSEC-2023-83; update it to 0\.27\.0/s,
    );
    expect(await loopback.crane("ls", `${target}/backend`)).not.toContain("1.6.0");
    const exception = { package: "PYSEC-2023-83", until: "2999-12-31", reason: "not reachable" };
    writeFileSync(join(loopback.folder, "allowed-vulnerability.json"), JSON.stringify([exception]));
    await publish("1.6.0", current, { ...audit, ALLOWED: join(loopback.folder, "allowed-vulnerability.json") });
    expect(await loopback.crane("ls", `${target}/backend`)).toContain("1.6.0");
});

test("an index of amd64 and arm64 is published whole: both checked, both signed, an SBOM each, and the provenance of the run", async () => {
    const version = /Version: (.*)/.exec(
        readFileSync(join(loopback.folder, "current/var/lib/dpkg/status"), "utf8"),
    )?.[1];
    const parts = ["amd64", "arm64"].map((of) => ({ of, part: `${loopback.at}/built/backend:${of}` }));
    for (const { of, part } of parts) {
        await loopback.image(of, version ?? "", of);
        await loopback.crane("mutate", part, "--tag", part, "--set-platform", `linux/${of}`);
    }
    const index = `${loopback.at}/built/backend:index`;
    await loopback.crane("index", "append", ...parts.flatMap(({ part }) => ["--manifest", part]), "--tag", index);
    const digest = (await loopback.crane("digest", index)).trim();
    const actions = {
        GITHUB_ACTIONS: "true",
        GITHUB_REPOSITORY: "example/orcheo",
        GITHUB_SHA: "c".repeat(40),
        GITHUB_WORKFLOW_REF: "example/orcheo/.github/workflows/publish.yml@refs/tags/v2.0.0",
    };
    await publish("2.0.0", `${loopback.at}/built/backend@${digest}`, actions);
    const published = `${target}/backend@${digest}`;
    const { manifests } = JSON.parse(await loopback.crane("manifest", published)) as {
        manifests: { digest: string }[];
    };
    for (const each of [digest, ...manifests.map((manifest) => manifest.digest)])
        await verified(`${target}/backend@${each}`);
    const statements = async (type: string): Promise<string[]> => {
        const printed = await loopback.cosign(
            ...["verify-attestation", "--key", "cosign.pub", "--insecure-ignore-tlog=true", "--allow-http-registry"],
            ...["--type", type, published],
        );
        return printed
            .trim()
            .split("\n")
            .map((line) => Buffer.from((JSON.parse(line) as { payload: string }).payload, "base64").toString());
    };
    expect(await statements("spdxjson")).toHaveLength(2);
    expect((await statements("slsaprovenance1"))[0]).toContain('"c'.padEnd(41, "c"));
});
