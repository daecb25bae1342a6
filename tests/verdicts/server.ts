/** Asks a real API server, with `--dry-run`: nothing but the policies and their namespace is created, and removed again. */
import { spawn, execFile } from "node:child_process";
import { once } from "node:events";
import { promisify } from "node:util";

import { admissionObjects } from "../../policies/admission.ts";
import { rules } from "../../policies/table.ts";
import { at, list, text } from "../../policies/values.ts";
import { compliant, type Manifest } from "../policy/pods.ts";

const run = promisify(execFile);

export const namespace = "orcheo-policies";
const label = { "orcheo.dev/policies": "verdicts" };
const prefix = "orcheo-verdicts-";

export interface Denial {
    /** The rule that denied or warned, or empty when the API server let the object in without a word. */
    readonly rule: string;
    readonly message: string;
}

export interface Server {
    evaluate(manifest: Manifest): Promise<Denial>;
    /** What `kubectl debug` does: adds an ephemeral container to the pod "debugged", which is created for it. */
    debug(ephemeral: object): Promise<Denial>;
    /** Policies of which the API server has not said yet that their CEL fits the objects' schemas. */
    doubtful(): Promise<readonly string[]>;
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

const warnings = (policy: unknown): unknown => at(policy, "status", "typeChecking", "expressionWarnings");

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

    const ask = async (method: string, path: string, type: string, body: object): Promise<Denial> => {
        const response = await fetch(`http://127.0.0.1:${port}/${path}`, {
            method,
            headers: { "content-type": type },
            body: JSON.stringify(body),
        });
        const answer: unknown = await response.json();
        // An advisory rule lets the object in and says so in a header.
        const warned = /ValidatingAdmissionPolicy '([^']+)' with binding '[^']+': ((?:[^"\\]|\\.)*)"/.exec(
            response.headers.get("warning") ?? "",
        );
        if (response.ok && warned !== null) {
            return {
                rule: (warned[1] ?? "").slice(prefix.length),
                message: (warned[2] ?? "").replaceAll(/\\(.)/g, "$1"),
            };
        }
        if (response.ok) return { rule: "", message: "" };
        const message = text(at(answer, "message")) ?? JSON.stringify(answer);
        const denied = /ValidatingAdmissionPolicy '([^']+)' with binding '[^']+' denied request: ([\s\S]*)$/.exec(
            message,
        );
        if (denied === null) return { rule: `status ${response.status}`, message };
        return { rule: (denied[1] ?? "").slice(prefix.length), message: denied[2] ?? "" };
    };
    const evaluate = (manifest: Manifest): Promise<Denial> => {
        const group = manifest.apiVersion.includes("/") ? `apis/${manifest.apiVersion}` : `api/${manifest.apiVersion}`;
        const path = `${group}/namespaces/${namespace}/${collections[manifest.kind] ?? ""}?dryRun=All`;
        return ask("POST", path, "application/json", manifest);
    };
    let created: Promise<Denial> | undefined;
    const debug = async (ephemeral: object): Promise<Denial> => {
        const pods = `api/v1/namespaces/${namespace}/pods`;
        const pod = { ...compliant("Pod"), metadata: { name: "debugged", namespace } };
        const { message } = await (created ??= ask("POST", pods, "application/json", pod));
        if (message !== "") throw new Error(`the pod cannot be created: ${message}`);
        const path = `${pods}/${pod.metadata.name}/ephemeralcontainers?dryRun=All`;
        const patch = { spec: { ephemeralContainers: [ephemeral] } };
        return ask("PATCH", path, "application/strategic-merge-patch+json", patch);
    };
    const doubtful = async (): Promise<readonly string[]> => {
        const all: unknown = JSON.parse(await kubectl(["get", "validatingadmissionpolicies", "-o", "json"]));
        return list(at(all, "items"))
            .filter((item) => text(at(item, "metadata", "name"))?.startsWith(prefix))
            .filter((item) => at(item, "status", "observedGeneration") === undefined || warnings(item) !== undefined)
            .map((item) => `${text(at(item, "metadata", "name")) ?? ""}: ${JSON.stringify(warnings(item))}`);
    };
    const close = async (): Promise<void> => {
        proxy.kill();
        await kubectl(["delete", "--ignore-not-found", "--timeout=60s", "-f", "-"], all);
    };
    return { evaluate, debug, doubtful, close };
}
