/** Files of CA certificates: each that is none, or not all of it, is told with its setting. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { caProblems } from "../../../components/preflight/certificate-files.plan";
import { parseStack } from "../../../components/stack/read";
import { preflight } from "../../../components/preflight/preflight";
import { everythingNew } from "../../aws-programs";
import { caText as good, goodProbes, run, settingsOf } from "../../harness";

let dir: string;
const at = (name: string): string => join(dir, name);

/** A self-signed certificate; @returns its text */
function certificate(name: string, ...options: string[]): string {
    const key = options.includes("-newkey") ? [] : ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"];
    const made = ["req", "-x509", "-nodes", "-keyout", at(`${name}.key`), "-out", at(name), "-subj", `/CN=${name}`];
    execFileSync("openssl", [...made, ...key, ...options], { stdio: "ignore" });
    return readFileSync(at(name), "utf8");
}
const isCa = ["-addext", "basicConstraints=critical,CA:TRUE"];
const hundredYears = ["-days", "36500"];

beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), "ca-files-"));
});
afterAll(() => {
    rmSync(dir, { recursive: true, force: true });
});

const found = (text: string | Buffer, inCluster = true, now?: Date) =>
    caProblems({ path: "ca.pem", text: text.toString(), inCluster }, now).map((problem) => problem.found);

describe("a file of CA certificates", () => {
    it("accepts one certificate, several, comments and Windows line endings", () => {
        expect(found(good)).toEqual([]);
        expect(found(`# ours\n${good}\n${good}text between\n`)).toEqual([]);
        expect(found(good.replaceAll("\n", "\r\n"))).toEqual([]);
    });

    it.each<[string, () => string | Buffer, string]>([
        ["nothing", () => "", "ca.pem is empty"],
        ["blank lines", () => " \n\n", "ca.pem is empty"],
        ["text", () => "hello\n", "ca.pem holds no certificate"],
        ["DER", () => Buffer.from(good.replace(/-----[A-Z ]+-----/g, ""), "base64"), "ca.pem is binary (DER?)"],
        ["UTF-16", () => Buffer.from(`\uFEFF${good}`, "utf16le"), "ca.pem is UTF-16 text"],
        ["UTF-16 without its mark", () => Buffer.from(good, "utf16le"), "ca.pem is UTF-16 text"],
        ["a byte order mark", () => `\uFEFF${good}`, "ca.pem begins with a byte order mark"],
        ["a damaged one", () => good.replace("MII", "AAA"), "ca.pem: certificate 1 of 1 cannot be read"],
        ["the second cut off", () => good + good.slice(0, 200), "ca.pem: 1 of 2 certificates are cut off or indented"],
        ["an indented one", () => good.replaceAll(/^/gm, "  "), "ca.pem: 1 of 1 certificates are cut off or indented"],
        [
            "a trusted one of OpenSSL's own form",
            () => good.replaceAll(" CERT", " TRUSTED CERT"),
            "ca.pem holds a TRUSTED CERTIFICATE",
        ],
        [
            "no CA",
            () => certificate("leaf", ...hundredYears, "-addext", "basicConstraints=critical,CA:FALSE"),
            "(CN=leaf) is not a CA",
        ],
        [
            "a short key",
            () => certificate("short", ...hundredYears, ...isCa, "-newkey", "rsa:1024"),
            "(CN=short) has an RSA key of 1024 bits",
        ],
        ["one that is too large for a ConfigMap", () => good + "#".repeat(1_000_000), "ca.pem has 100"],
    ])("refuses %s", (_, text, part) => {
        const problems = found(text());
        expect(problems).toHaveLength(1);
        expect(problems[0]).toContain(part);
    });

    it("names the certificate of a bundle that has expired or is not valid yet", () => {
        const later = new Date("2200-01-01T00:00:00Z");
        expect(found(good + good, true, later).map((each) => each.replace(/\d{4}-.*/, "…"))).toEqual([
            "ca.pem: certificate 1 of 2 (CN=Orcheo test CA) expired on …",
            "ca.pem: certificate 2 of 2 (CN=Orcheo test CA) expired on …",
        ]);
        expect(found(good, true, new Date("2000-01-01T00:00:00Z"))[0]).toContain("is not valid before ");
        const short = certificate("short-lived", ...isCa, "-days", "1");
        const nextYear = new Date(Date.now() + 400 * 86_400_000);
        expect(found(good + short, true, nextYear)).toHaveLength(1);
        // A machine's own bundle, for builds alone.
        expect(found(good + short, false, nextYear)).toEqual([]);
        expect(found(short, false, nextYear)).toHaveLength(1);
    });

    it.each(["PRIVATE KEY", "EC PRIVATE KEY", "ENCRYPTED PRIVATE KEY", "OPENSSH PRIVATE KEY"])(
        "refuses a %s in it and shows nothing of it",
        (label) => {
            const key = `-----BEGIN ${label}-----\nc2VjcmV0\n-----END ${label}-----\n`;
            for (const text of [good + key, key, key + good]) {
                const problems = caProblems({ path: "ca.pem", text, inCluster: true });
                expect(problems.map((problem) => problem.found)).toEqual(["ca.pem holds a private key"]);
                expect(JSON.stringify(problems)).not.toContain("c2VjcmV0");
            }
        },
    );
});

describe("every setting that names one", () => {
    const settings = {
        ...everythingNew,
        outbound: { caBundleFile: "a.pem" },
        images: { kind: "build", platforms: ["linux/arm64"], caBundleFile: "b.pem" },
        entrance: { tls: { kind: "acme", email: "a@example.com", caBundleFile: "c.pem", solver: { kind: "http01" } } },
        cache: { kind: "external", url: { kind: "secret", name: "s" }, authority: { kind: "file", path: "d.pem" } },
        backup: { kind: "s3", authority: { kind: "file", path: "e.pem" } },
    };
    const sections = () => parseStack({ stack: "prod", keys: [], json: JSON.stringify(settings), secret: false });

    it("is checked", async () => {
        const { sections: understood, problems } = sections();
        expect(problems).toEqual([]);
        const reported = await preflight(understood, { ...goodProbes, read: () => "hello" }, false);
        expect(reported.map((problem) => `${problem.at.replace("orcheo:stack.", "")}: ${problem.found}`)).toEqual([
            "outbound.caBundleFile: a.pem holds no certificate",
            "entrance.tls.caBundleFile: c.pem holds no certificate",
            "images.caBundleFile: b.pem holds no certificate",
            "database.caBundleFile: certificates/rds.pem holds no certificate",
            "cache.authority.path: d.pem holds no certificate",
            "backup.authority.path: e.pem holds no certificate",
        ]);
    });

    it("that cannot be read is reported as such", async () => {
        writeFileSync(at("x"), "");
        const read = () => readFileSync(at("x/y"), "utf8");
        const reported = await preflight(sections().sections, { ...goodProbes, read }, false);
        expect(reported[0]?.found).toBe("a.pem cannot be read (ENOTDIR)");
    });

    it("a key in it stops the preview before anything is registered", async () => {
        const key = "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n";
        const stack = { ...settingsOf("dev"), outbound: { caBundleFile: "ca.pem" } };
        const { resources, error } = await run(
            { stack: "dev", settings: stack, probes: { read: () => good + key } },
            true,
        );
        expect(resources).toEqual([]);
        expect(error).toContain("orcheo:stack.outbound.caBundleFile: ca.pem holds a private key; accepted: ");
        expect(error).not.toContain("c2VjcmV0");
    });
});
