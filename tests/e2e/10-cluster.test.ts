/** The embedded cluster, from nothing to nothing: its own real one beside whatever else runs on the machine. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { stopCluster } from "../../local/cluster/cluster.ts";
import { pathsOf } from "../../local/cluster/spec.ts";
import { apply, kube, NAMESPACE, pod, report, shell, spec, start, type Traces, traces } from "./cluster/harness.ts";
import { ingress } from "./cluster/ingress.ts";
import { losses } from "./cluster/losses.ts";
import { runningCluster } from "./cluster/running.ts";

let before: Traces;

beforeAll(async () => {
    // What an interrupted run of this test left.
    await stopCluster(spec, report, { deleteData: true });
    before = await traces();
    await start();
    const image = await shell();
    await apply([
        {
            apiVersion: "v1",
            kind: "Namespace",
            metadata: { name: NAMESPACE, labels: { "pod-security.kubernetes.io/enforce": "restricted" } },
        },
    ]);
    const claim = {
        apiVersion: "v1",
        kind: "PersistentVolumeClaim",
        metadata: { name: "data", namespace: NAMESPACE },
        spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "16Mi" } } },
    };
    const volume = {
        volumes: [{ name: "data", persistentVolumeClaim: { claimName: "data" } }],
        mounts: [{ name: "data", mountPath: "/data" }],
    };
    await apply([
        claim,
        pod("server", image, "echo kept > /data/index.html; exec httpd -f -p 8080 -h /data", volume),
        pod("client", image, "sleep 3600"),
        {
            apiVersion: "v1",
            kind: "Service",
            metadata: { name: "server", namespace: NAMESPACE },
            spec: { selector: { app: "server" }, ports: [{ port: 80, targetPort: 8080 }] },
        },
    ]);
    await kube("wait", "--namespace", NAMESPACE, "--for=condition=Ready", "pod", "--all", "--timeout=120s");
});

afterAll(async () => {
    await stopCluster(spec, report, { deleteData: true });
});

describe("a running cluster", runningCluster);

describe("its ingress", ingress);

describe("what it loses comes back", losses);

describe("its end", () => {
    test("stopped, it leaves the machine as it was and keeps its data", async () => {
        await stopCluster(spec, report);
        expect(await traces()).toEqual(before);
        expect(readdirSync(spec.stateDir)).toContain("etcd");
    });

    test("every container was told to stop before it was ended: databases close their files", () => {
        const logs = join(pathsOf(spec).podLogs, "pods");
        const files = readdirSync(logs, { recursive: true, encoding: "utf8" }).filter((file) =>
            /coredns.*\.log$/.test(file),
        );
        expect(files.map((file) => readFileSync(join(logs, file), "utf8")).join("")).toContain("SIGTERM");
    });
});
