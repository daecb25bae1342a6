import type { ContainerRule } from "../rule.ts";
import { at, list, text } from "../values.ts";

const offenders =
    `(c.?env.orValue([]).filter(e, e.?valueFrom.?secretKeyRef.hasValue()).map(e, "env " + e.name) + ` +
    `c.?envFrom.orValue([]).filter(e, e.?secretRef.hasValue()).map(e, "envFrom " + e.secretRef.name))`;

export const secretsAsFiles: ContainerRule = {
    name: "secrets-as-files",
    level: "mandatory",
    scope: "container",
    containers: "all",
    description:
        "An environment is inherited by every child process and dumped by every crash reporter; a file is not.",
    remedy: "Mount the Secret as a volume and read the file.",
    reference: {
        title: "CIS Kubernetes Benchmark 5.4.1: prefer secrets as files",
        url: "https://www.cisecurity.org/benchmark/kubernetes",
    },
    found(container) {
        const env = list(at(container.spec, "env"))
            .filter((each) => at(each, "valueFrom", "secretKeyRef") !== undefined)
            .map((each) => `env ${text(at(each, "name")) ?? ""}`);
        const from = list(at(container.spec, "envFrom"))
            .filter((each) => at(each, "secretRef") !== undefined)
            .map((each) => `envFrom ${text(at(each, "secretRef", "name")) ?? "a Secret"}`);
        const all = [...env, ...from];
        return all.length > 0 ? `takes a Secret as ${all.join(", ")}` : undefined;
    },
    cel: { broken: `${offenders}.size() > 0`, found: `"takes a Secret as " + ${offenders}.join(", ")` },
};
