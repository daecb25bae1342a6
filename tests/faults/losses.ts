/** What a stack can lose while it executes runs, on an embedded cluster whose processes are this machine's. */
import { setTimeout as sleep } from "node:timers/promises";
import { ctr, inNode } from "../../local/cluster/node.ts";
import type { ClusterSpec } from "../../local/cluster/spec.ts";
import { run } from "../../local/process.ts";

/** A process that executes a run, by its lease. */
export interface Holder {
    readonly runId: string;
    readonly token: string;
    readonly pod: string;
    readonly process: string;
}

/** What Celery's transport does with messages that nobody acknowledged in time; it does not take them from those who hold them. */
const redeliver = `
local sent = 0
for _, held in ipairs(redis.call('HVALS', 'unacked')) do
    local message = cjson.decode(held)[1]
    message.headers.redelivered = true
    message.properties.delivery_info.redelivered = true
    redis.call('LPUSH', 'celery', cjson.encode(message))
    sent = sent + 1
end
return sent`;

export class Losses {
    readonly #spec: ClusterSpec;
    readonly #namespace: string;
    readonly #env: NodeJS.ProcessEnv;

    constructor(spec: ClusterSpec, namespace: string, env: NodeJS.ProcessEnv) {
        this.#spec = spec;
        this.#namespace = namespace;
        this.#env = env;
    }

    kubectl(...args: string[]): Promise<string> {
        return run("kubectl", ["--namespace", this.#namespace, ...args], { env: this.#env, timeoutSeconds: 300 });
    }

    /** Rows of fields; waits for a server that is away. */
    async sql(statement: string): Promise<string[][]> {
        const psql = ["psql", "-h", "/tmp", "-U", "postgres", "-d", "orcheo", "-Atc", statement];
        const text = await until(180, () => this.kubectl("exec", "postgres-0", "--", ...psql));
        return text.split("\n").flatMap((line) => (line === "" ? [] : [line.split("|")]));
    }

    async holders(): Promise<Holder[]> {
        const rows = await this.sql(
            "SELECT run_id, token, holder FROM orcheo_deploy.run_leases WHERE token IS NOT NULL ORDER BY renewed_at",
        );
        return rows.map(([runId = "", token = "", holder = ""]) => {
            const [, pod = "", process = ""] = /^(\S+), process (\d+)$/.exec(holder) ?? [];
            return { runId, token, pod, process };
        });
    }

    /** KILL, STOP or CONT to one process of a pod. */
    async signal({ pod, process }: Holder, name: "KILL" | "STOP" | "CONT"): Promise<void> {
        await this.kubectl("exec", pod, "--", "sh", "-c", `kill -${name} ${process}`);
    }

    async isAlive({ pod, process }: Holder): Promise<boolean> {
        const alive = this.kubectl("exec", pod, "--", "sh", "-c", `kill -0 ${process}`);
        return alive.then(
            () => true,
            () => false,
        );
    }

    /** SIGKILL of every process of a pod, as when its memory ran out; the kubelet starts the container again. */
    async killContainer(pod: string): Promise<void> {
        const path = "jsonpath={.status.containerStatuses[0].containerID}";
        const id = (await this.kubectl("get", "pod", pod, "-o", path)).replace("containerd://", "");
        await ctr(this.#spec, "tasks", "kill", "--all", "--signal", "SIGKILL", id);
    }

    /** Drops the packets of the pod, then removes it, as when its node loses its power: who is connected hears nothing of it. */
    async vanish(pod: string): Promise<void> {
        const address = await this.kubectl("get", "pod", pod, "-o", "jsonpath={.status.podIP}");
        for (const end of ["--source", "--destination"])
            await inNode(this.#spec, ["iptables", "--insert", "FORWARD", end, address, "--jump", "DROP"]);
        await this.kubectl("delete", "pod", pod, "--grace-period=0", "--force");
        const ready = ["wait", `pod/${pod}`, "--for=condition=Ready", "--timeout=120s"];
        await until(60, () => this.kubectl(...ready));
    }

    /** The workers that have connected to Valkey since then, by their logs. */
    async connectedSince(time: Date): Promise<number> {
        const selected = ["--selector=app.kubernetes.io/component=worker", "--tail=-1", "--prefix"];
        const log = await this.kubectl("logs", ...selected, `--since-time=${time.toISOString()}`);
        return new Set([...log.matchAll(/^\[pod\/(\S+?)\/.*mingle: searching for neighbors/gm)].map(([, pod]) => pod))
            .size;
    }

    #valkey(...command: string[]): Promise<string> {
        const client = `REDISCLI_AUTH=$(cat /run/secrets/orcheo/valkey-password) valkey-cli -e -s /tmp/valkey/socket "$@"`;
        return this.kubectl("exec", "valkey-0", "--", "sh", "-c", client, "valkey-cli", ...command);
    }

    /** Removes the pods at once, as when their node is gone. */
    async removePods(component: string): Promise<void> {
        const pods = ["pods", "-l", `app.kubernetes.io/component=${component}`];
        await this.kubectl("delete", ...pods, "--grace-period=0", "--force", "--wait=false");
    }

    /** Takes a server away while `work` is done. */
    async without(component: string, work: () => Promise<void>): Promise<void> {
        await this.kubectl("scale", `statefulset/${component}`, "--replicas=0");
        try {
            const gone = ["--for=delete", `pod/${component}-0`, "--timeout=90s"];
            await this.kubectl("wait", ...gone);
            await work();
        } finally {
            await this.kubectl("scale", `statefulset/${component}`, "--replicas=1");
        }
    }

    /** Delivers the message of every run that is executed a second time. @returns how many */
    async redeliver(): Promise<number> {
        return Number(await this.#valkey("EVAL", redeliver, "0"));
    }
}

/** Repeats until it succeeds. @throws its last error after so many seconds */
export async function until<T>(seconds: number, work: () => Promise<T>): Promise<T> {
    for (const end = Date.now() + seconds * 1000; ;) {
        try {
            return await work();
        } catch (error) {
            if (Date.now() > end) throw error;
            await sleep(2000);
        }
    }
}
