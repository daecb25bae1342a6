/** A small server that stands for the Kubernetes API of the recorded stack, and the tools' command as people run it. */
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

const root = join(import.meta.dirname, "../..");

/** Path without its query -> items, or a status; -1 is silence. */
export type Answers = Readonly<Record<string, readonly object[] | number>>;

export class SmallApi {
    served: Answers = {};
    readonly kubeconfig: string;
    readonly port: number;
    readonly #server: Server;
    readonly #dir = mkdtempSync(join(tmpdir(), "orcheo-status-"));

    private constructor(server: Server) {
        this.#server = server;
        this.port = (server.address() as AddressInfo).port;
        this.kubeconfig = join(this.#dir, "config");
        const clusters = [{ name: "c", cluster: { server: `http://127.0.0.1:${this.port}` } }];
        const contexts = [{ name: "here", context: { cluster: "c", user: "u" } }];
        const config = { clusters, contexts, users: [{ name: "u", user: {} }], "current-context": "here" };
        writeFileSync(this.kubeconfig, JSON.stringify(config));
    }

    static async start(): Promise<SmallApi> {
        const server = createServer((request, response) => {
            const [path = ""] = (request.url ?? "").split("?");
            const found = path === "/version" ? undefined : (api.served[path] ?? 404);
            if (found === -1) return;
            if (typeof found === "number") {
                response.writeHead(found, { "content-type": "application/json" });
                response.end(JSON.stringify({ kind: "Status", message: `it is ${found}` }));
                return;
            }
            const body =
                found === undefined ? { gitVersion: "v1.37.2" } : { kind: "XList", apiVersion: "v1", items: found };
            response.end(JSON.stringify(body));
        });
        await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
        const api = new SmallApi(server);
        return api;
    }

    stop(): void {
        this.#server.closeAllConnections();
        this.#server.close();
        rmSync(this.#dir, { recursive: true });
    }
}

export function run(
    ...args: readonly string[]
): Promise<{ code: number | null; output: string; errors: string; seconds: number }> {
    const began = Date.now();
    const flags = ["--disable-warning=MODULE_TYPELESS_PACKAGE_JSON", join(root, "tools/main.ts")];
    const child = spawn(process.execPath, [...flags, ...args], { env: { PATH: process.env["PATH"] } });
    let output = "";
    let errors = "";
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => (output += chunk));
    child.stderr.setEncoding("utf8").on("data", (chunk: string) => (errors += chunk));
    return new Promise((done) => {
        child.once("close", (code) => {
            done({ code, output, errors, seconds: (Date.now() - began) / 1000 });
        });
    });
}

interface Recorded {
    readonly workloads: readonly { readonly kind: string }[];
    readonly [key: string]: readonly object[];
}
const recorded = () =>
    JSON.parse(readFileSync(join(root, "tests/fixtures/stack-reading.json"), "utf8")) as unknown as Recorded;

/** The recorded stack, without a public URL that a test could meet by chance. */
export function stack(): Answers {
    const { workloads, pods = [], jobs = [], certificates = [], claims = [], nodes = [] } = recorded();
    const text = JSON.stringify(workloads).replaceAll("https://orcheo.localhost", "https://127.0.0.1:9");
    const all = JSON.parse(text) as Recorded["workloads"];
    return {
        "/apis/apps/v1/namespaces/orcheo/deployments": all.filter(({ kind }) => kind === "Deployment"),
        "/apis/apps/v1/namespaces/orcheo/statefulsets": all.filter(({ kind }) => kind === "StatefulSet"),
        "/api/v1/namespaces/orcheo/pods": pods,
        "/apis/batch/v1/namespaces/orcheo/jobs": jobs,
        "/apis/cert-manager.io/v1/namespaces/orcheo/certificates": certificates,
        "/api/v1/namespaces/orcheo/persistentvolumeclaims": claims,
        "/api/v1/nodes": nodes,
    };
}
