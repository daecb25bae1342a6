/** A folder with the Compose files as a person has them, and the commands of docs/compose.md in it. */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { inject } from "vitest";
import { projectDir } from "../../local/paths.ts";
import { run } from "../../local/process.ts";
import type { Send } from "../local/sign-in-client.ts";
import type { Entrance } from "../e2e/orcheo.ts";
import { engine, socket, spec } from "./engine.ts";

export const env = {
    ...process.env,
    DOCKER_HOST: `unix://${socket}`,
    PATH: `${inject("tools")}:${process.env.PATH ?? ""}`,
};

export const origin = `https://orcheo.localhost:${spec.ports.https}`;

/** The images among the variables of the file's .env. */
export function imagesOf(file: "dev" | "prod"): Readonly<Record<string, string>> {
    const variables = JSON.parse(readFileSync(join(projectDir, "compose", "variables.json"), "utf8")) as Readonly<
        Record<string, { files: readonly string[] }>
    >;
    return Object.fromEntries(
        Object.entries(inject("images")).filter(([name]) => variables[name]?.files.includes(file)),
    );
}

export class ComposeFolder {
    readonly root = mkdtempSync(join(tmpdir(), "orcheo-compose-"));
    readonly dir = join(this.root, "compose");
    readonly secrets = join(this.dir, "secrets");
    readonly timings: string[] = [];
    settings: Readonly<Record<string, string>> = {};
    readonly #files: readonly string[];

    /** @param files  the file, and others that are merged into it */
    constructor(...files: readonly string[]) {
        this.#files = files;
        mkdirSync(this.dir, { recursive: true });
        const own = [
            "dev.yaml",
            "prod.yaml",
            "check.py",
            "reload.py",
            "variables.json",
            "postgresql.conf",
            "prepare.sh",
            "update.sh",
        ];
        for (const file of [...own, "traefik", "no-source"])
            cpSync(join(projectDir, "compose", file), join(this.dir, file), { recursive: true });
    }

    /** @param input  for its stdin */
    readonly compose = (args: readonly string[], input?: string): Promise<string> => {
        const files = this.#files.flatMap((file) => ["--file", file]);
        return run("docker-compose", [...files, ...args], { cwd: this.dir, env, input, timeoutSeconds: 900 });
    };

    /** The same for a line of the shell. */
    readonly shell = (line: string, timeoutSeconds = 120): Promise<string> => {
        const files = this.#files.map((file) => `--file ${file}`).join(" ");
        return run("sh", ["-ec", line.replaceAll("docker compose", `docker-compose ${files}`)], {
            cwd: this.dir,
            env,
            timeoutSeconds,
        });
    };

    write(more: Readonly<Record<string, string>> = {}): void {
        const lines = Object.entries({ ...this.settings, ...more }).map(([name, value]) => `${name}=${value}\n`);
        writeFileSync(join(this.dir, ".env"), lines.join(""));
    }

    readonly prepare = (): Promise<string> => run("sh", [join(this.dir, "prepare.sh")]);

    anybody(): Entrance {
        return { origin, caFile: join(this.secrets, "ca", "ca.crt") };
    }

    /** With the first token. */
    entrance(): Entrance {
        const token = readFileSync(join(this.secrets, "orcheo", "auth-bootstrap-service-token"), "utf8");
        return { ...this.anybody(), token };
    }

    /** One request to a host of the stack; all others than the tests' own provider are behind the one port. */
    readonly send: Send = (url, { method = "GET", headers = {}, form } = {}) =>
        new Promise((done, fail) => {
            const { hostname, host, port, pathname, search } = new URL(url);
            const asked = request({
                host: "127.0.0.1",
                port: port === "8443" ? spec.ports.api : spec.ports.https,
                servername: hostname,
                ca: readFileSync(this.anybody().caFile),
                method,
                path: `${pathname}${search}`,
                headers: {
                    host,
                    ...headers,
                    ...(form && { "content-type": "application/x-www-form-urlencoded" }),
                },
            });
            asked.on("error", fail);
            asked.on("response", (answer) => {
                let body = "";
                answer.setEncoding("utf8").on("data", (part: string) => (body += part));
                answer.on("end", () => {
                    done({
                        status: answer.statusCode ?? 0,
                        location: answer.headers.location,
                        cookies: answer.headers["set-cookie"] ?? [],
                        headers: {},
                        body,
                    });
                });
            });
            asked.end(form && new URLSearchParams(form).toString());
        });

    async timed<T>(what: string, work: () => Promise<T>): Promise<T> {
        const start = performance.now();
        const done = await work();
        this.timings.push(`${what}: ${((performance.now() - start) / 1000).toFixed(1)} s`);
        return done;
    }

    async containerOf(service: string): Promise<unknown> {
        const id = (await this.compose(["ps", "--all", "--quiet", service])).trim();
        return JSON.parse(await engine("GET", `/containers/${id}/json`));
    }

    /** Stops all of it and removes its volumes. */
    async remove(): Promise<void> {
        await this.compose(["--profile", "*", "down", "--volumes", "--timeout", "5"]);
        rmSync(this.root, { recursive: true, force: true });
    }
}

/** As `docker pull`: dev.yaml itself pulls nothing of its own. */
export async function pull(reference: string): Promise<void> {
    const [image = "", digest = ""] = reference.split("@");
    await engine(
        "POST",
        `/images/create?fromImage=${encodeURIComponent(image)}&tag=${encodeURIComponent(digest)}`,
        600,
    );
}

export async function eventually<T>(seconds: number, look: () => Promise<T | undefined>, everyMs = 1000): Promise<T> {
    for (const end = Date.now() + seconds * 1000; ;) {
        const seen = await look().catch(() => undefined);
        if (seen !== undefined) return seen;
        if (Date.now() > end) throw new Error(`not seen within ${seconds} s`);
        await sleep(everyMs);
    }
}
