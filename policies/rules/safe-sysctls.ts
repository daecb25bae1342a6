import { podSecurityBaseline, type PodRule } from "../rule.ts";
import { at, list, text } from "../values.ts";

// As of Pod Security v1.37.
const safe = [
    "kernel.shm_rmid_forced",
    "net.ipv4.ip_local_port_range",
    "net.ipv4.ip_local_reserved_ports",
    "net.ipv4.ip_unprivileged_port_start",
    "net.ipv4.ping_group_range",
    "net.ipv4.tcp_fin_timeout",
    "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_probes",
    "net.ipv4.tcp_keepalive_time",
    "net.ipv4.tcp_notsent_lowat",
    "net.ipv4.tcp_rmem",
    "net.ipv4.tcp_slow_start_after_idle",
    "net.ipv4.tcp_syncookies",
    "net.ipv4.tcp_wmem",
];
const unsafe = `variables.pod.?securityContext.?sysctls.orValue([]).filter(s, !(s.name in ${JSON.stringify(safe)}))`;

export const safeSysctls: PodRule = {
    name: "safe-sysctls",
    level: "mandatory",
    scope: "pod",
    description: "A kernel setting that is not namespaced changes the node for every pod on it.",
    remedy: "Remove it from securityContext.sysctls, or set it on the node.",
    reference: podSecurityBaseline,
    found(pod) {
        const names = list(at(pod.spec, "securityContext", "sysctls")).map((each) => text(at(each, "name")) ?? "");
        const found = names.filter((name) => name !== "" && !safe.includes(name));
        return found.length > 0 ? `sets unsafe sysctl ${found.join(", ")}` : undefined;
    },
    cel: {
        broken: `${unsafe}.size() > 0`,
        found: `"sets unsafe sysctl " + ${unsafe}.map(s, s.name).join(", ")`,
    },
};
