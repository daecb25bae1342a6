/** Compose files: one compliant service, one field changed, and the rule that has to find it. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { stringify } from "yaml";

import { findings, type Finding } from "../../policies/findings.ts";
import { contentsOf } from "../../policies/read.ts";
import { rules } from "../../policies/table.ts";

const digest = `registry.example.com/shop/api@sha256:${"a".repeat(64)}`;
const service = {
    image: digest,
    user: "1000:1000",
    read_only: true,
    cap_drop: ["ALL"],
    security_opt: ["no-new-privileges:true"],
    tmpfs: ["/tmp"],
    secrets: ["word"],
    volumes: ["data:/data"],
    ports: ["443:8443"],
    healthcheck: { test: ["CMD", "ask"] },
    deploy: {
        resources: { limits: { cpus: "0.5", memory: "64M", pids: 10 }, reservations: { cpus: "0.1", memory: "32M" } },
    },
    logging: { driver: "json-file", options: { "max-size": "10m", "max-file": "3" } },
};

const evaluated = (document: object): readonly Finding[] => {
    const { located, problems } = contentsOf(stringify(document), "compose.yaml");
    expect(problems).toEqual([]);
    return findings(located, rules);
};
const found = (change: Readonly<Record<string, unknown>>, more: object = {}): readonly Finding[] =>
    evaluated({ services: { api: { ...service, ...change } }, ...more });
const named = (all: readonly Finding[]): readonly string[] => [...new Set(all.map(({ rule }) => rule))];

test("a confined service breaks no rule", () => {
    expect(found({})).toEqual([]);
    expect(found({ restart: "no", ports: undefined, healthcheck: undefined })).toEqual([]);
});

const unlimited = { resources: { limits: { cpus: "0.5" }, reservations: { cpus: "0.1" } } };

/** Compose twins of the rules' violations. */
const violations: readonly (readonly [title: string, rule: string, change: Readonly<Record<string, unknown>>])[] = [
    ["root by number", "non-zero-uid", { user: "0:0" }],
    ["root by number", "run-as-non-root", { user: "0:0" }],
    ["the image's own user", "run-as-non-root", { user: undefined }],
    ["a user by name", "run-as-non-root", { user: "postgres" }],
    ["group 0", "no-root-group", { user: "1000:0" }],
    ["group 0 as a further one", "no-root-group", { group_add: ["0"] }],
    ["a writable root", "read-only-root-filesystem", { read_only: undefined }],
    ["new privileges", "no-privilege-escalation", { security_opt: [] }],
    ["new privileges, said so", "no-privilege-escalation", { security_opt: ["no-new-privileges:false"] }],
    ["privileged", "no-privileged-containers", { privileged: true }],
    ["privileged", "seccomp-profile", { privileged: true }],
    ["capabilities kept", "drop-all-capabilities", { cap_drop: ["NET_RAW"] }],
    ["a capability added", "no-added-capabilities", { cap_add: ["CAP_SYS_ADMIN"] }],
    ["no seccomp", "seccomp-profile", { security_opt: ["no-new-privileges:true", "seccomp=unconfined"] }],
    ["no seccomp, with a colon", "seccomp-profile", { security_opt: ["no-new-privileges:true", "seccomp:unconfined"] }],
    ["no AppArmor", "app-armor-profile", { security_opt: ["no-new-privileges:true", "apparmor=unconfined"] }],
    ["a tag", "image-by-digest", { image: "nginx:1.27" }],
    ["a variable whose default is a tag", "image-by-digest", { image: "${IMAGE:-nginx:1.27}" }],
    ["the machine's network", "no-host-namespaces", { network_mode: "host" }],
    ["the machine's processes", "no-host-namespaces", { pid: "host" }],
    ["the machine's IPC", "no-host-namespaces", { ipc: "host" }],
    ["Docker's socket", "no-host-path", { volumes: ["/var/run/docker.sock:/var/run/docker.sock:ro"] }],
    ["a folder beside the file", "no-host-path", { volumes: ["./src:/src"] }],
    ["a bind mount in the long form", "no-host-path", { volumes: [{ type: "bind", source: "/etc", target: "/x" }] }],
    ["a folder that a variable names", "no-host-path", { volumes: ["${SOURCE:-./src}:/src"] }],
    ["a device", "no-host-path", { devices: ["/dev/kvm:/dev/kvm"] }],
    ["an unsafe sysctl", "safe-sysctls", { sysctls: { "kernel.msgmax": 1 } }],
    ["an unsafe sysctl in a list", "safe-sysctls", { sysctls: ["kernel.msgmax=1"] }],
    ["no memory limit", "requests-and-limits", { deploy: unlimited }],
    ["logs without an end", "ephemeral-storage-limits", { logging: { driver: "json-file" } }],
    ["no healthcheck", "probes-on-what-serves", { healthcheck: undefined }],
    ["a healthcheck switched off", "probes-on-what-serves", { healthcheck: { disable: true } }],
    ["a secret in the environment", "no-secret-literals", { environment: { DB_PASSWORD: "hunter2-Xq9kP4vL" } }],
    ["a secret in a list", "no-secret-literals", { environment: ["DB_PASSWORD=hunter2-Xq9kP4vL"] }],
    ["a secret as an argument", "no-secret-literals", { command: ["serve", "--password=hunter2-Xq9kP4vL"] }],
    ["two beats", "one-beat", { command: "celery -A shop beat", scale: 2 }],
];

test.each(violations)("%s breaks %s", (_, rule, change) => {
    const all = found(change);
    expect(named(all)).toContain(rule);
    expect(all.find((each) => each.rule === rule)).toMatchObject({
        file: "compose.yaml",
        line: 3,
        resource: expect.stringMatching(/::api$/) as string,
    });
});

test("the remedy is Compose's own", () => {
    const [one] = found({ read_only: undefined }).filter(({ rule }) => rule === "read-only-root-filesystem");
    const remedy = "Set read_only: true, and tmpfs for what has to be writable.";
    expect(one).toMatchObject({ remedy, message: expect.stringContaining(remedy) as string });
});

/** What differs in words only. */
const compliant: readonly (readonly [string, Readonly<Record<string, unknown>>])[] = [
    [
        "limits in the older form",
        {
            deploy: { resources: { reservations: { cpus: "0.1" } } },
            mem_limit: "64m",
            mem_reservation: "32m",
            cpus: 0.5,
        },
    ],
    ["an image that only .env names", { image: "${IMAGE:?set it}" }],
    ["a secret that only .env names", { environment: { DB_PASSWORD: "${DB_PASSWORD}" } }],
    ["a user that only .env names", { user: "${UID}:1000" }],
    ["no-new-privileges without a value", { security_opt: ["no-new-privileges"] }],
    ["a safe sysctl", { sysctls: { "net.ipv4.ip_unprivileged_port_start": 0 } }],
    ["a named and an anonymous volume", { volumes: ["data:/data", "/cache", { type: "volume", target: "/x" }] }],
    ["several replicas", { deploy: { ...service.deploy, replicas: 3 } }],
    ["one beat", { command: ["celery", "-A", "shop", "beat"] }],
];

test.each(compliant)("%s breaks no rule", (_, change) => {
    expect(found(change)).toEqual([]);
});

test("a secret in a config's text is found", () => {
    const configs = { settings: { content: "password: hunter2-Xq9kP4vL\n" } };
    expect(named(found({}, { configs }))).toContain("no-secrets-in-config-maps");
});

test("what a file takes from elsewhere is not evaluated, and said so", () => {
    const extended = { services: { api: { ...service, extends: { file: "base.yaml", service: "api" } } } };
    for (const [document, reason] of [
        [extended, "a Compose file, which extends services (api)"],
        [{ include: ["other.yaml"], services: { api: service } }, "a Compose file, which includes other files"],
    ] as const)
        expect(contentsOf(stringify(document), "c.yaml")).toMatchObject({
            located: [],
            problems: [
                { file: "c.yaml", reason: `${reason}: evaluate the output of \`docker compose config\` instead` },
            ],
        });
});

test("services of any shape are evaluated without an error", () => {
    const odd = [null, 1, "x", [], {}, [null], { a: null }];
    const keys = [
        "image",
        "user",
        "volumes",
        "environment",
        "deploy",
        "security_opt",
        "healthcheck",
        "secrets",
        "command",
    ];
    for (const value of odd)
        for (const key of keys)
            for (const { message } of found({ [key]: value })) expect(message).not.toContain("cannot be evaluated");
    for (const value of odd) {
        const { located } = contentsOf(stringify({ services: { api: value } }), "c.yaml");
        for (const { message } of findings(located, rules)) expect(message).not.toContain("cannot be evaluated");
    }
});

describe("the project's own files", () => {
    const own = (file: string) => {
        const { located, problems } = contentsOf(readFileSync(`compose/${file}`, "utf8"), file);
        expect(problems).toEqual([]);
        return findings(located, rules);
    };
    test("prod.yaml breaks no rule", () => {
        expect(own("prod.yaml")).toEqual([]);
    });
    test("dev.yaml mounts a source tree and builds its images, and breaks nothing else", () => {
        const mounting = own("dev.yaml").filter(({ rule }) => rule === "no-host-path");
        expect(mounting.map(({ resource }) => resource)).toEqual([
            "Job::check",
            "Deployment::canvas",
            "Deployment::api",
            "Deployment::worker",
            "Job::tests",
        ]);
        expect(named(own("dev.yaml")).toSorted()).toEqual(["image-by-digest", "no-host-path"]);
    });
});
