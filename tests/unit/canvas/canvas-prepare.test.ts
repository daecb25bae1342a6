import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

const entrypoint = resolve("images/canvas/entrypoint.sh");
const names = [
    "BACKEND_URL",
    "AUTH_ISSUER",
    "AUTH_CLIENT_ID",
    "AUTH_REDIRECT_URI",
    "AUTH_SCOPES",
    "AUTH_AUDIENCE",
    "AUTH_ORGANIZATION",
    "AUTH_PROVIDER_PARAM",
    "AUTH_PROVIDER_GOOGLE",
    "AUTH_PROVIDER_GITHUB",
    "CHATKIT_DOMAIN_KEY",
];

// A build as Vite writes it: the main file names the lazy one, which imports the main one; a vendor file knows neither.
const main = "index-Ds7AO49_.js";
const lazy = "workflows-BfW3XtBh.js";
const vendor = "vendor-C0ffee12.js";
let dir: string;

beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "canvas-prepare-"));
    mkdirSync(join(dir, "template/assets"), { recursive: true });
    write("index.html", `<script type="module" crossorigin src="/assets/${main}"></script>\n`);
    write(`assets/${main}`, `import"./${vendor}";const s={${placeholders()}};import("./${lazy}");["assets/${lazy}"]\n`);
    write(`assets/${lazy}`, `import{s}from"./${main}";export default s\n`);
    write(`assets/${vendor}`, `${"export const vendor=1;".repeat(100)}\n`);
});
afterEach(() => {
    rmSync(dir, { recursive: true, force: true });
});

function placeholders(): string {
    return names.map((name) => `${name}:"__VITE_ORCHEO_${name}__"`).join(",");
}

function write(path: string, content: string): void {
    writeFileSync(join(dir, "template", path), content);
}

function prepare(env: Record<string, string>) {
    const result = spawnSync("sh", [entrypoint, "prepare"], {
        encoding: "utf8",
        env: {
            PATH: process.env.PATH ?? "/usr/bin:/bin",
            CANVAS_TEMPLATE: join(dir, "template"),
            CANVAS_TARGET: join(dir, "target"),
            ...env,
        },
    });
    return { status: result.status, stderr: result.stderr };
}

function assets(): string[] {
    return readdirSync(join(dir, "target/site/assets"))
        .filter((name) => !name.endsWith(".gz"))
        .sort();
}

function site(path: string): string {
    return readFileSync(join(dir, "target/site", path), "utf8");
}

function renamed(original: string): string {
    const stem = original.replace(/\.js$/, ".");
    const found = assets().find((name) => name.startsWith(stem) && name !== original);
    if (found === undefined) throw new Error(`${original} was not renamed: ${assets().join(", ")}`);
    return found;
}

const good = { VITE_ORCHEO_BACKEND_URL: "https://orcheo.localhost" };

describe("prepare", () => {
    it("writes the settings into a file of a new name which everything refers to", () => {
        expect(prepare({ ...good, VITE_ORCHEO_AUTH_SCOPES: "openid profile" })).toEqual({ status: 0, stderr: "" });
        const newMain = renamed(main);
        const newLazy = renamed(lazy);
        expect(newMain).toMatch(/^index-Ds7AO49_\.[0-9a-f]{10}\.js$/);
        expect(assets()).toEqual([newMain, vendor, newLazy].sort());
        expect(site("index.html")).toContain(`/assets/${newMain}`);
        expect(site(`assets/${newLazy}`)).toBe(`import{s}from"./${newMain}";export default s\n`);
        const script = site(`assets/${newMain}`);
        expect(script).toContain('BACKEND_URL:"https://orcheo.localhost"');
        expect(script).toContain('AUTH_SCOPES:"openid profile"');
        expect(script).toContain('AUTH_ISSUER:""');
        expect(script).toContain(`import("./${newLazy}");["assets/${newLazy}"]`);
        expect(script).not.toContain("__VITE_ORCHEO_");
    });

    it("gives the same names for the same settings and others for others", () => {
        prepare(good);
        const first = assets();
        prepare(good);
        expect(assets()).toEqual(first);
        prepare({ VITE_ORCHEO_BACKEND_URL: "https://other.example.com" });
        expect(assets()).not.toEqual(first);
        expect(assets()).toHaveLength(first.length);
        expect(assets()).toContain(vendor);
        expect(existsSync(join(dir, "target/next"))).toBe(false);
    });

    it("repairs what a run that was cut short left behind", () => {
        mkdirSync(join(dir, "target/next/site"), { recursive: true });
        writeFileSync(join(dir, "target/next/site/half"), "");
        expect(prepare(good).status).toBe(0);
        expect(existsSync(join(dir, "target/site/half"))).toBe(false);
    });

    it("writes compressed copies that hold the same", () => {
        prepare(good);
        const compressed = readFileSync(join(dir, "target/site/assets", `${vendor}.gz`));
        expect(gunzipSync(compressed).toString()).toBe(site(`assets/${vendor}`));
    });

    it("allows in the content security policy what this build and these settings need", () => {
        write("index.html", `<script\n  async\n  src="https://chat.example.com/chatkit.js"\n></script>${main}\n`);
        prepare({
            ...good,
            VITE_ORCHEO_AUTH_ISSUER: "https://login.example.com/tenant/",
            VITE_ORCHEO_AUTH_CLIENT_ID: "orcheo",
            CANVAS_CSP_CONNECT_ORIGINS: "https://tokens.example.com",
        });
        const csp = readFileSync(join(dir, "target/csp.conf"), "utf8");
        expect(csp).toContain("script-src 'self' https://chat.example.com; ");
        expect(csp).toContain(
            "connect-src 'self' https://orcheo.localhost wss://orcheo.localhost https://login.example.com https://tokens.example.com https://chat.example.com; ",
        );
        expect(csp).toContain("frame-ancestors 'none'");
        expect(csp).not.toContain("unsafe-eval");
    });

    it("lets the page call a helper on the person's own machine, and load nothing from it", () => {
        prepare({ ...good, CANVAS_CSP_CONNECT_ORIGINS: "http://localhost:3333" });
        const directives = readFileSync(join(dir, "target/csp.conf"), "utf8").split(";");
        const naming = directives.filter((each) => each.includes("http://localhost:3333"));
        expect(naming.map((each) => each.trim().split(" ")[0])).toEqual(["connect-src"]);
        expect(prepare({ ...good, CANVAS_CSP_EXTRA_ORIGINS: "http://localhost:3333" }).status).toBe(78);
        expect(prepare({ ...good, CANVAS_CSP_CONNECT_ORIGINS: "http://elsewhere:3333" }).status).toBe(78);
    });

    it("allows compiled code and the editor's directory only for a build that holds them", () => {
        const editor = "https://cdn.jsdelivr.net/npm/monaco-editor@0.52.2/";
        write(`assets/${vendor}`, `new Function("a","b");vs:"${editor}min/vs"\n`);
        prepare(good);
        const csp = readFileSync(join(dir, "target/csp.conf"), "utf8");
        expect(csp).toContain(`script-src 'self' 'unsafe-eval' ${editor}; `);
        expect(csp).toContain(`font-src 'self' data: ${editor}; `);
    });

    it("refuses all bad settings at once and leaves the site as it was", () => {
        prepare(good);
        const before = assets();
        const { status, stderr } = prepare({
            VITE_ORCHEO_BACKEND_URL: "https://orcheo.localhost/api",
            VITE_ORCHEO_AUTH_ISSUER: "http://login.example.com",
            VITE_ORCHEO_AUTH_SCOPES: 'openid";alert(1);"',
            VITE_ORCHEO_AUTH_PROVIDER_PARAM: "two words",
            VITE_ORCHEO_AUTH_ISUER: "https://login.example.com",
            CANVAS_CSP_EXTRA_ORIGINS: "https://ok.example.com https://bad.example.com/path",
        });
        expect(status).toBe(78);
        expect(stderr).toContain("VITE_ORCHEO_AUTH_ISUER is not a setting of the canvas");
        expect(stderr).toContain('VITE_ORCHEO_BACKEND_URL is "https://orcheo.localhost/api"; give an origin');
        expect(stderr).toContain('VITE_ORCHEO_AUTH_ISSUER is "http://login.example.com"; give an https:// URL');
        expect(stderr).toContain("VITE_ORCHEO_AUTH_SCOPES holds a character other than");
        expect(stderr).toContain('VITE_ORCHEO_AUTH_PROVIDER_PARAM is "two words"');
        expect(stderr).toContain("VITE_ORCHEO_AUTH_CLIENT_ID is not; a login needs both");
        expect(stderr).toContain('CANVAS_CSP_EXTRA_ORIGINS has "https://bad.example.com/path"');
        expect(assets()).toEqual(before);
    });

    it.each(["", "orcheo.localhost", "https://orcheo.localhost/", "https://a\nb", "ftp://x", "https://x:port"])(
        "refuses %j as the backend",
        (url) => {
            expect(prepare({ VITE_ORCHEO_BACKEND_URL: url }).status).toBe(78);
            expect(existsSync(join(dir, "target/site"))).toBe(false);
        },
    );

    it("refuses a build that asks for a setting it does not know", () => {
        write(`assets/${main}`, '"__VITE_ORCHEO_BACKEND_URL__","__VITE_ORCHEO_NEW_THING__"\n');
        expect(prepare(good).stderr).toContain("does not know: __VITE_ORCHEO_NEW_THING__");
    });
});

describe("the repair of the upstream lock", () => {
    function repair(lock: unknown): string {
        const path = join(dir, "package-lock.json");
        writeFileSync(path, JSON.stringify(lock));
        execFileSync(process.execPath, [resolve("images/canvas/repair-lock.mjs"), path]);
        return readFileSync(path, "utf8");
    }
    const lock = (own: string, tmp: string) => ({
        version: own,
        packages: { "": { version: own }, "node_modules/tmp": { version: tmp, integrity: "sha512-x" } },
    });

    it("puts back the version that the release script overwrote", () => {
        expect(JSON.parse(repair(lock("0.16.0", "0.16.0")))).toEqual(lock("0.16.0", "0.2.5"));
    });

    it.each([lock("0.16.0", "0.2.5"), lock("0.2.5", "0.2.5"), { packages: { "": { version: "1.0.0" } } }])(
        "leaves a healthy lock as it is: %j",
        (healthy) => {
            expect(repair(healthy)).toBe(JSON.stringify(healthy));
        },
    );
});

describe("the stand-in canvas", () => {
    it("has a lock that names no registry, so that it installs from any", () => {
        const lock = readFileSync("tests/canvas-app/apps/canvas/package-lock.json", "utf8");
        expect(lock).not.toContain('"resolved"');
        expect(lock).toContain('"integrity"');
    });

    it("reads every setting that the image writes", () => {
        const source = readFileSync("tests/canvas-app/apps/canvas/src/settings.ts", "utf8");
        for (const name of names) expect(source).toContain(`import.meta.env.VITE_ORCHEO_${name},`);
    });

    it("offers nothing to tests that Orcheo's own canvas does not offer to a person", () => {
        const read = (folder: string) =>
            readdirSync(folder, { recursive: true, encoding: "utf8" })
                .filter((file) => /\.tsx?$/.test(file))
                .map((file) => readFileSync(join(folder, file), "utf8"))
                .join("");
        expect(read("tests/canvas-app/apps/canvas/src")).not.toContain("data-testid");
        expect(read("tests/e2e")).not.toContain("getByTestId");
    });
});

describe("canvas serve", () => {
    /** What nginx would read. */
    function listening(...present: ("tls/tls.crt" | "ipv6")[]): string {
        return written({}, present);
    }
    function written(env: Record<string, string>, present: readonly string[], file = "listen.conf"): string {
        for (const folder of ["target/site", "bin", "tls"]) mkdirSync(join(dir, folder), { recursive: true });
        for (const file of ["target/site/index.html", ...present]) writeFileSync(join(dir, file), "");
        // Ends the watcher of the certificate as well.
        const nginx = `#!/bin/sh\ncat ${dir}/run/${file}\nkill 0\n`;
        writeFileSync(join(dir, "bin/nginx"), nginx, { mode: 0o755 });
        const { stdout } = spawnSync("setsid", ["--wait", "sh", entrypoint, "serve"], {
            encoding: "utf8",
            env: {
                PATH: `${join(dir, "bin")}:/usr/bin:/bin`,
                CANVAS_TARGET: join(dir, "target"),
                CANVAS_TLS: join(dir, "tls"),
                CANVAS_RUN: join(dir, "run"),
                CANVAS_IPV6: join(dir, "ipv6"),
                ...env,
            },
        });
        return stdout;
    }

    it("listens on every address family that its node has", () => {
        expect(listening()).toBe("listen 8080;\n");
        expect(listening("ipv6")).toBe("listen 8080;\nlisten [::]:8080;\n");
        const tls = listening("ipv6", "tls/tls.crt");
        expect(tls).toContain("listen 8443 ssl;\nlisten [::]:8443 ssl;\n");
        expect(tls).toContain(`ssl_certificate ${join(dir, "tls")}/tls.crt;\n`);
        expect(tls).not.toContain("8080");
    });

    it("serves metrics on a port of their own only where one is given", () => {
        const conf = (env: Record<string, string>) => written(env, ["tls/tls.crt", "ipv6"], "metrics.conf");
        const text = conf({ ORCHEO_METRICS_PORT: "9464" });
        expect(text).toContain("listen 9464 ssl;\nlisten [::]:9464 ssl;\n");
        expect(text).toContain("location = /metrics {");
        expect(text).toContain(
            "# TYPE nginx_connections_active gauge\\nnginx_connections_active $connections_active\\n",
        );
        // Also after a restart of the container, whose /tmp is still there.
        expect(conf({})).toBe("");
        expect(readFileSync("images/canvas/nginx.conf", "utf8")).toContain("include /tmp/nginx/metrics[.]conf;");
    });
});
