import type { ContainerRule } from "../rule.ts";
import { at, number, strings, UNKNOWN } from "../values.ts";

// Longer words are scripts: what they wait is not looked for, here as in CEL, which pays by the character.
const longest = 1024;
const command = `c.?lifecycle.?preStop.?exec.?command.orValue([]).filter(w, w.size() <= ${longest}).join(" ").find("sleep [0-9]+")`;
const slept = `c.?lifecycle.?preStop.?sleep.?seconds.orValue(${command} == "" ? 0 : int(${command}.substring(6)))`;
const grace = "variables.pod.?terminationGracePeriodSeconds.orValue(30)";

export const graceCoversPreStop: ContainerRule = {
    name: "grace-covers-pre-stop",
    level: "mandatory",
    scope: "container",
    containers: "lasting",
    description: "The grace period runs during preStop: when that uses it up, the program is killed without a SIGTERM.",
    remedy: "Set terminationGracePeriodSeconds above the preStop wait plus the time the program needs to finish.",
    reference: {
        title: "Kubernetes: container lifecycle hooks",
        url: "https://kubernetes.io/docs/concepts/containers/container-lifecycle-hooks/#hook-handler-execution",
    },
    found(container, pod) {
        const preStop = at(container.spec, "lifecycle", "preStop");
        const asked = at(pod.spec, "terminationGracePeriodSeconds");
        if (asked === UNKNOWN) return undefined;
        const graceSeconds = number(asked) ?? 30;
        const words = strings(at(preStop, "exec", "command"))
            .filter((word) => word.length <= longest)
            .join(" ");
        const sleeps = number(at(preStop, "sleep", "seconds")) ?? Number(/sleep ([0-9]+)/.exec(words)?.[1] ?? 0);
        if (sleeps === 0 || sleeps < graceSeconds) return undefined;
        return `waits ${sleeps} s in preStop of a grace period of ${graceSeconds} s`;
    },
    cel: {
        broken: `${slept} > 0 && ${slept} >= ${grace}`,
        found: `"waits " + string(${slept}) + " s in preStop of a grace period of " + string(${grace}) + " s"`,
    },
};
