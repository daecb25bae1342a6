/** Flux' source-controller and kustomize-controller beside the cluster, and manifests in its registry. */
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { expect } from "vitest";
import { parseAllDocuments } from "yaml";
import { registryOf } from "../../../local/cluster/spec.ts";
import { logFile } from "../../../local/paths.ts";
import { run } from "../../../local/process.ts";
import { merge, type Settings } from "../../../local/settings.ts";
import type { Toolchain } from "../../../local/toolchain/build.ts";
import { freePort } from "../../local/free-port.ts";
import { block } from "../docs.ts";
import { at } from "../orcheo.ts";
import { apply, env, eventually, spec, toolchain } from "./harness.ts";

const NAMESPACE = "flux-system";
const NAME = "orcheo";
const repository = `${registryOf(spec)}/flux/manifests`;

/** Starts both controllers, as Flux' own manifests do but for their pods. @returns what stops them */
export async function startFlux(flux: Toolchain, folder: string): Promise<() => void> {
    await run("kubectl", ["apply", "--server-side", "-f", flux.share("flux-crds.yaml")], { env });
    await run("kubectl", ["wait", "--for=condition=Established", "crd", "--all", "--timeout=60s"], { env });
    await apply([{ apiVersion: "v1", kind: "Namespace", metadata: { name: NAMESPACE } }]);
    const storage = `127.0.0.1:${await freePort()}`;
    const common = ["--metrics-addr=0", "--health-addr=0"];
    const commands: Readonly<Record<string, readonly string[]>> = {
        "source-controller": [
            ...common,
            `--storage-path=${folder}`,
            `--storage-addr=${storage}`,
            `--storage-adv-addr=${storage}`,
        ],
        "kustomize-controller": common,
    };
    const processes = Object.entries(commands).map(([name, args]): ChildProcess => {
        const log = openSync(logFile(`flux-${name}`), "w");
        const process = spawn(flux.bin(name), args, {
            env: { ...env, RUNTIME_NAMESPACE: NAMESPACE },
            stdio: ["ignore", log, log],
        });
        closeSync(log);
        return process;
    });
    return () => {
        for (const process of processes) process.kill();
    };
}

/** Runs the commands of docs/gitops.md for a folder of manifests. */
export async function push(folder: string, manifests: string): Promise<void> {
    const documented = block("gitops.md", "tar -C ");
    const commands = documented
        .replace("../deployments/orcheo", manifests)
        .replaceAll("registry.example.com/deployments/orcheo", repository);
    expect(commands).toContain(`-C ${manifests} `);
    expect(commands).toContain(`${repository}:prod`);
    await run("bash", ["-ec", commands], { cwd: folder, env: { ...env, PATH: `${toolchain.path}:${env.PATH ?? ""}` } });
}

/** Creates the two objects of docs/gitops.md, which look for changes every few seconds. */
export async function follow(): Promise<void> {
    const documented = block("gitops.md", "apiVersion: source.toolkit.fluxcd.io", "yaml");
    const [source, application] = parseAllDocuments(documented).map((each) => each.toJS() as Settings);
    if (source === undefined || application === undefined) throw new Error("docs/gitops.md has not both objects");
    // A registry of loopback has no TLS.
    const here = { spec: { url: `oci://${repository}`, insecure: true, interval: "5s" } };
    await apply([merge(source, here), merge(application, { spec: { interval: "10s" } })]);
}

const kube = (...args: string[]): Promise<string> =>
    run("kubectl", ["--namespace", NAMESPACE, ...args], { env, timeoutSeconds: 420 });

interface State {
    readonly ready: boolean;
    readonly message: string;
    /** Of the artifact that was applied last. */
    readonly revision: string;
    readonly handled: string;
}

async function state(): Promise<State> {
    const { status } = JSON.parse(await kube("get", "kustomization", NAME, "-o", "json")) as { status?: unknown };
    const conditions = at(status, "conditions");
    const ready = (Array.isArray(conditions) ? (conditions as readonly unknown[]) : []).find(
        (each) => at(each, "type") === "Ready",
    );
    return {
        ready: at(ready, "status") === "True",
        message: String(at(ready, "message")),
        revision: String(at(status, "lastAppliedRevision")),
        handled: String(at(status, "lastHandledReconcileAt")),
    };
}

/** Waits until the application is ready, and returns the artifact's revision. */
export async function ready(seconds: number, fits: (state: State) => boolean = () => true): Promise<string> {
    const seen = await eventually(seconds, state, (now) => now.ready && fits(now));
    expect(seen.ready && fits(seen), seen.message).toBe(true);
    return seen.revision;
}

/** Waits for a reconciliation that begins now, as `flux reconcile` does. */
export async function reconciled(): Promise<void> {
    const asked = new Date().toISOString();
    await kube("annotate", "--overwrite", "kustomization", NAME, `reconcile.fluxcd.io/requestedAt=${asked}`);
    await ready(300, ({ handled }) => handled === asked);
}

/** Deletes the application: Flux deletes what it applied. */
export const remove = (): Promise<string> => kube("delete", "kustomization", NAME, "--timeout=300s");
