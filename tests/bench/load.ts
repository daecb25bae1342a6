/** Requests at the API: how many a second, and whose processor time they take. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inNode } from "../../local/cluster/node.ts";
import { INGRESS_NODE_PORTS } from "../../local/cluster/spec.ts";
import { cpuSeconds } from "./pods.ts";
import { type Bench, type How, originOf, podOf } from "./twins.ts";

export const ATTACK_SECONDS = 8;
export const CALLERS = 8;

/** One line of the requests' table. */
export interface Load {
    readonly perSecond: number;
    /** Processor seconds for 1,000 requests. */
    readonly api: number;
    readonly entrance: number;
    readonly postgres: number;
}

/** Calls for some seconds, without a pause or at a rate, from within the node: neither way crosses the host's port forwarding. */
export async function attack(
    bench: Bench,
    url: string,
    seconds: number,
    callers = CALLERS,
    perSecond = 0,
): Promise<Attack> {
    const { spec, toolchain, entrance } = bench;
    const dir = mkdtempSync(join(tmpdir(), "orcheo-bench-"));
    try {
        const targets = join(dir, "targets");
        writeFileSync(targets, `GET ${url}\nAuthorization: Bearer ${entrance.token}\n`, { mode: 0o600 });
        const { host } = new URL(entrance.origin);
        const vegeta = toolchain.bin("vegeta");
        const args = [
            ...[
                "-targets",
                targets,
                `-rate=${perSecond}`,
                "-workers",
                callers,
                "-max-workers",
                callers,
                "-duration",
                `${seconds}s`,
            ],
            ...["-timeout=30s", "-insecure", "-connect-to", `${host}:127.0.0.1:${INGRESS_NODE_PORTS.https}`],
        ];
        const command = `${vegeta} attack ${args.join(" ")} | ${vegeta} report -type=json`;
        return JSON.parse(await inNode(spec, ["sh", "-c", command], seconds + 60)) as Attack;
    } finally {
        rmSync(dir, { recursive: true });
    }
}
interface Attack {
    readonly requests: number;
    readonly throughput: number;
    readonly success: number;
    /** Nanoseconds. */
    readonly latencies: Readonly<Record<"95th", number>>;
    readonly status_codes: Readonly<Record<string, number>>;
}

export async function measureLoad(bench: Bench, how: How, throughEntrance: boolean, path: string): Promise<Load> {
    const api = await podOf(bench, "api");
    const traefik = await podOf(bench, "traefik", "traefik");
    const postgres = await podOf(bench, "postgres");
    const url = `${throughEntrance ? bench.entrance.origin : originOf(how, api)}${path}`;
    await attack(bench, url, 2);
    const used = (): number[] => [api, traefik, postgres].map(({ uid }) => cpuSeconds(bench.spec, uid));
    const before = used();
    const { requests: count, throughput, success, status_codes } = await attack(bench, url, ATTACK_SECONDS);
    const per = used().map((after, index) => ((after - (before[index] ?? 0)) / count) * 1000);
    if (success < 1) throw new Error(`${url} was answered with ${JSON.stringify(status_codes)}`);
    return { perSecond: throughput, api: per[0] ?? 0, entrance: per[1] ?? 0, postgres: per[2] ?? 0 };
}
