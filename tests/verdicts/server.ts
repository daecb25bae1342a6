/** Asks a real API server, with `--dry-run`: nothing but the policies and their namespace is created, and removed again. */
import { spawn, execFile } from "node:child_process";
import { once } from "node:events";
import { promisify } from "node:util";

import { admissionObjects } from "../../policies/admission.ts";
import { rules } from "../../policies/table.ts";
import { at, text } from "../../policies/values.ts";
import type { Manifest } from "../policy/pods.ts";

const run = promisify(execFile);

export const namespace = "orcheo-policies";
const label = { "orcheo.dev/policies": "verdicts" };
const prefix = "orcheo-verdicts-";

export interface Denial {
    /** The rule that denied, or empty when the API server let the object in. */
    readonly rule: string;
    readonly message: string;
}

export interface Server {
    judge(manifest: Manifest): Promise<Denial>;
    close(): Promise<void>;
}

const collections: Readonly<Record<string, string>> = {
    Pod: "pods",
    PodTemplate: "podtemplates",
    ReplicationController: "replicationcontrollers",
    Deployment: "deployments",
    StatefulSet: "statefulsets",
    DaemonSet: "daemonsets",
    ReplicaSet: "replicasets",
    Job: "jobs",
    CronJob: "cronjobs",
};

async function kubectl(args: readonly string[], input = ""): Promise<string> {
    const pending = run("kubectl", args, { maxBuffer: 1 << 26 });
    pending.child.stdin?.end(input);
    return (await pending).stdout;
}

/** Deploys the policies, under names of their own, and waits until they are enforced. */
export async function connect(settings: Readonly<Record<string, Readonly<Record<string, unknown>>>>): Promise<Server> {
    if (process.env["KUBECONFIG"] === undefined) {
        throw new Error("KUBECONFIG is not set: run `make up` and point it to the embedded cluster's kubeconfig");
    }
    const space = { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace, labels: label } };
    const items = [space, ...admissionObjects(rules, { settings, prefix, namespaces: label })];
    const all = JSON.stringify({ apiVersion: "v1", kind: "List", items });
    await kubectl(["apply", "-f", "-"], all);

    const proxy = spawn("kubectl", ["proxy", "--port=0"], { stdio: ["ignore", "pipe", "inherit"] });
    const line: unknown = await once(proxy.stdout, "data");
    const port = /:(\d+)/.exec(String(line))?.[1] ?? "";

    const judge = async (manifest: Manifest): Promise<Denial> => {
        const group = manifest.apiVersion.includes("/") ? `apis/${manifest.apiVersion}` : `api/${manifest.apiVersion}`;
        const path = `${group}/namespaces/${namespace}/${collections[manifest.kind] ?? ""}?dryRun=All`;
        const response = await fetch(`http://127.0.0.1:${port}/${path}`, {
            method: "POST",
            headers: { "content-type": "application/json" },
            body: JSON.stringify(manifest),
        });
        const answer: unknown = await response.json();
        if (response.ok) return { rule: "", message: "" };
        const message = text(at(answer, "message")) ?? JSON.stringify(answer);
        const denied = /ValidatingAdmissionPolicy '([^']+)' with binding '[^']+' denied request: ([\s\S]*)$/.exec(
            message,
        );
        if (denied === null) return { rule: `status ${response.status}`, message };
        return { rule: (denied[1] ?? "").slice(prefix.length), message: denied[2] ?? "" };
    };
    const close = async (): Promise<void> => {
        proxy.kill();
        await kubectl(["delete", "--ignore-not-found", "--timeout=60s", "-f", "-"], all);
    };
    return { judge, close };
}
