/** The Prometheus operator beside an API server without a node: it writes configurations, and nobody starts its pods. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { gunzipSync } from "node:zlib";
import { consoleReport } from "../../local/report.ts";
import { ensureToolchain } from "../../local/toolchain/build.ts";
import { startApiServer } from "./api-server.ts";
import { freePort } from "./free-port.ts";

export interface Operator {
    /** The API server without encryption or credentials, on loopback. */
    readonly apiServer: string;
    kubectl(args: readonly string[], input?: string): string;
    /** Stores objects as Pulumi does; the API server refuses a field that it does not know. */
    apply(objects: readonly object[]): void;
    /** Texts of a Secret or a ConfigMap by key, unpacked; none while there is no such object. */
    written(kind: "configmap" | "secret", name: string): Readonly<Record<string, string>>;
    stop(): Promise<void>;
}

/** Where the operator has its own Prometheus and Alertmanager. */
export const OPERATED = "monitoring";

const unpacked = (key: string, value: Buffer): [string, string] =>
    key.endsWith(".gz") ? [key.slice(0, -3), gunzipSync(value).toString()] : [key, value.toString()];

export async function startOperator(): Promise<Operator> {
    const toolchain = await ensureToolchain(["cluster", "operator"], consoleReport());
    const folder = mkdtempSync(join(tmpdir(), "orcheo-operator-"));
    const server = await startApiServer(toolchain, folder);
    const children: ChildProcess[] = [];
    const kubectl = (args: readonly string[], input = ""): string =>
        execFileSync(toolchain.bin("kubectl"), ["--kubeconfig", server.kubeconfig, ...args], {
            input,
            encoding: "utf8",
            maxBuffer: 1 << 28,
        });
    const strict = ["apply", "--server-side", "--validate=strict", "--filename=-"];
    kubectl(strict, readFileSync(toolchain.share("prometheus-operator-crds.yaml"), "utf8"));
    kubectl(["wait", "--for=condition=Established", "crd", "--all", "--timeout=60s"]);
    kubectl(["create", "namespace", OPERATED]);
    const [port, web] = [await freePort(), await freePort()];
    // The operator wants files of a client certificate or no encryption at all.
    children.push(
        spawn(toolchain.bin("kubectl"), ["--kubeconfig", server.kubeconfig, "proxy", `--port=${port}`], {
            stdio: "ignore",
        }),
    );
    const apiServer = `http://127.0.0.1:${port}`;
    for (let tries = 0; !(await fetch(`${apiServer}/readyz`).catch(() => undefined))?.ok; tries++) {
        if (tries > 200) throw new Error("kubectl proxy does not answer");
        await sleep(100);
    }
    const log = openSync(join(folder, "operator.log"), "w");
    const flags = [
        `--apiserver=${apiServer}`,
        `--web.listen-address=127.0.0.1:${web}`,
        // It says of each object what it makes of it.
        "--feature-gates=StatusForConfigurationResources=true",
    ];
    children.push(spawn(toolchain.bin("prometheus-operator"), flags, { stdio: ["ignore", log, log] }));
    return {
        apiServer,
        kubectl,
        apply(objects) {
            kubectl(strict, JSON.stringify({ apiVersion: "v1", kind: "List", items: objects }));
        },
        written(kind, name) {
            const found = kubectl([
                "get",
                kind,
                name,
                `--namespace=${OPERATED}`,
                "--ignore-not-found",
                "--output=json",
            ]);
            const { data = {} } = JSON.parse(found === "" ? "{}" : found) as { data?: Record<string, string> };
            const encoding = kind === "secret" ? "base64" : "utf8";
            return Object.fromEntries(
                Object.entries(data).map(([key, value]) => unpacked(key, Buffer.from(value, encoding))),
            );
        },
        async stop() {
            for (const child of children) child.kill("SIGKILL");
            await server.stop();
            rmSync(folder, { recursive: true, force: true });
        },
    };
}
