/** The stories: real faults of a running stack, in the order in which they are told. */
import { join } from "node:path";
import { inNode } from "../../../local/cluster/node.ts";
import { NODE_NAME, pathsOf } from "../../../local/cluster/spec.ts";
import { expectReady, kube, spec } from "../platform/harness.ts";
import { type Monitors, startObjectStates, stopObjectStates } from "./monitors.ts";
import type { Story } from "./story.ts";

const inRoles = (...roles: string[]): string[] => ["-l", `app.kubernetes.io/component in (${roles.join(",")})`];
const [API, BEAT, CANVAS, WORKER] = ["api", "beat", "canvas", "worker"];

/** No pod finds a place, as on a cluster that is full; those that run go on. */
const noRoomFor = (...roles: string[]): Pick<Story, "cause" | "remedy"> => ({
    async cause() {
        await kube("cordon", NODE_NAME);
        await kube("delete", "pods", ...inRoles(...roles), "--grace-period=5", "--wait=false");
    },
    async remedy() {
        await kube("uncordon", NODE_NAME);
        for (const role of roles) await expectReady(role);
    },
});

const kubelet = (what: "up" | "down"): Promise<string> =>
    inNode(spec, ["sv", what, join(pathsOf(spec).services, "kubelet")]);
const lostNode: Story = {
    alerts: ["OrcheoNodeLost"],
    within: 240,
    cause: () => kubelet("down").then(() => undefined),
    async remedy() {
        await kubelet("up");
        await kube("wait", "--for=condition=Ready", `node/${NODE_NAME}`, "--timeout=120s");
        for (const role of [API, CANVAS, WORKER, BEAT, "postgres", "valkey"]) await expectReady(role);
    },
};

const noObjects: Story = {
    alerts: ["OrcheoNoKubernetesMetrics"],
    within: 300,
    cause: () => stopObjectStates().then(() => undefined),
    remedy: startObjectStates,
};

/** Told first: they need the whole node. */
export const first: readonly Story[] = [
    { alerts: ["OrcheoApiDown", "OrcheoCanvasDown", "OrcheoWorkersDown"], ...noRoomFor(API, CANVAS, WORKER) },
    { alerts: ["OrcheoPostgresDown", "OrcheoServersAway"], within: 240, ...noRoomFor("postgres") },
    { alerts: ["OrcheoValkeyDown"], ...noRoomFor("valkey") },
];

export const last: readonly Story[] = [lostNode, noObjects];

/** It fires all the time; without vmalert it ends. */
export async function watchdog({ receiver, vmalert }: Monitors): Promise<{ toFire: number; toResolve: number }> {
    const firing = (): boolean => receiver.firing("OrcheoWatchdog", "none").length > 0;
    await receiver.until(60, "OrcheoWatchdog fires", firing);
    const stopped = Date.now();
    vmalert.kill("SIGSTOP");
    try {
        await receiver.until(300, "OrcheoWatchdog ends without vmalert", () => !firing());
    } finally {
        vmalert.kill("SIGCONT");
    }
    const resumed = Date.now();
    await receiver.until(60, "OrcheoWatchdog fires again", firing);
    return { toFire: (Date.now() - resumed) / 1000, toResolve: (resumed - stopped) / 1000 };
}
