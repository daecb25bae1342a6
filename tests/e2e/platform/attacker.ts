/** What an attacker in a pod, or with kubectl, cannot do. */
import { expect, test } from "vitest";
import { at } from "../orcheo.ts";
import { attempt, caller, exec, kube, NAMESPACE } from "./harness.ts";

export function inPod(): void {
    test("is no root, cannot write to the root, and has no token", async () => {
        const pods = JSON.parse(await kube("get", "pods", "-o", "json")) as unknown;
        const items = at(pods, "items") as unknown[];
        const running = items.filter((pod) => at(pod, "status", "phase") === "Running");
        const roles = new Set(running.map((pod) => at(pod, "metadata", "labels", "app.kubernetes.io/component")));
        expect([...roles].sort()).toEqual(["api", "beat", "canvas", "postgres", "valkey", "worker"]);
        for (const pod of running) {
            const name = String(at(pod, "metadata", "name"));
            // One stream: of two, one may come in the middle of the other's line.
            const probe = "exec 2>&1; id -u; touch /here; ls /var/run/secrets/kubernetes.io";
            const { output } = await exec(name, "sh", "-c", probe);
            expect(output, name).toMatch(/^1000$/m);
            expect(output, name).toMatch(/here'?: Read-only file system/);
            expect(output, name).toMatch(/kubernetes.io'?: No such file or directory/);
        }
    });

    test("cannot start processes without end", async () => {
        const bomb = [
            "import threading, time",
            "threading.stack_size(65536)",
            "started = 0",
            "try:",
            "    while started < 4000:",
            "        threading.Thread(target=time.sleep, args=(5,), daemon=True).start()",
            "        started += 1",
            "except RuntimeError:",
            "    print('refused after', started, flush=True)",
        ].join("\n");
        const { output } = await exec("deployment/worker", "python3", "-c", bomb);
        const [, started] = /^refused after (\d+)$/m.exec(output) ?? [];
        // The node's limit is 2048, and the pod has processes of its own.
        expect(Number(started), output.slice(-1000)).toBeGreaterThan(1500);
        expect(Number(started)).toBeLessThan(2048);
    });

    test("sees no secret in the environment", async () => {
        const { output } = await exec("deployment/api", "sh", "-c", "env; cat /proc/1/environ");
        expect(output).not.toContain(caller().token);
        expect(output).not.toMatch(/postgresql:\/\/|rediss:\/\//);
    });

    /** From inside a pod; an image without the means would look like a closed port. */
    const connection = async (from: string, address: string, port: number): Promise<string> => {
        const open = `exec 3<>/dev/tcp/${address}/${port}`;
        const script = `timeout 3 bash -c true || exit 1; timeout 3 bash -c '${open}' 2>/dev/null && echo open || echo closed`;
        return (await exec(from, "sh", "-c", script)).output.trim().split("\n").at(-1) ?? "";
    };

    test("reaches only what its role needs", async () => {
        const address = await kube("get", "service", "postgres", "-o", "jsonpath={.spec.clusterIP}");
        const connects = (from: string): Promise<string> => connection(from, address, 5432);
        expect({
            api: await connects("deployment/api"),
            worker: await connects("deployment/worker"),
            canvas: await connects("deployment/canvas"),
            valkey: await connects("valkey-0"),
        }).toEqual({ api: "open", worker: "open", canvas: "closed", valkey: "closed" });
    });

    test("leaves its own namespace only where its role may: nothing at the other end refuses it", async () => {
        const policies = JSON.parse(
            await kube("get", "networkpolicies", "--namespace=kube-system", "-o", "json"),
        ) as unknown;
        expect(at(policies, "items")).toEqual([]);
        const dns = await kube(
            "get",
            "service",
            "kube-dns",
            "--namespace=kube-system",
            "-o",
            "jsonpath={.spec.clusterIP}",
        );
        const kubernetes = await kube(
            ...["get", "service", "kubernetes", "--namespace=default", "-o", "jsonpath={.spec.clusterIP}"],
        );
        expect({
            "worker to DNS": await connection("deployment/worker", dns, 53),
            "canvas to DNS": await connection("deployment/canvas", dns, 53),
            "postgres to DNS": await connection("postgres-0", dns, 53),
            "worker to the API server": await connection("deployment/worker", kubernetes, 443),
        }).toEqual({
            "worker to DNS": "open",
            "canvas to DNS": "closed",
            "postgres to DNS": "closed",
            "worker to the API server": "closed",
        });
    });
}

export function withKubectl(): void {
    test("refuses what the policy pack refuses, whoever asks", async () => {
        const { code, output } = await attempt("kubectl", [
            ...["--namespace", NAMESPACE, "create", "deployment", "shell", "--image=docker.io/library/debian:latest"],
        ]);
        expect(code).not.toBe(0);
        expect(output).toMatch(/ValidatingAdmissionPolicy 'orcheo\.[a-z-]+'/);
        // The API server tells one of many reasons, now of the pod and now of its container.
        expect(output).toMatch(/denied request: Deployment "shell"/);
    });
}
