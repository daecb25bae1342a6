/** Large pods and the corpus of secrets before a real API server: no policy exceeds its budget, and both enforcers agree. */
import { afterAll, beforeAll, expect, test } from "vitest";

import { evaluate } from "../../policies/evaluate.ts";
import { noSecretLiterals } from "../../policies/rules/no-secret-literals.ts";
import { asResource } from "../policy/cases.ts";
import { compliant, container, tokenOf, type Manifest, type Mutable } from "../policy/pods.ts";
import { programInnocents, programSecrets } from "../policy/secret-corpus-programs.ts";
import { moreInnocents, moreSecrets } from "../policy/secret-corpus-second.ts";
import { vendorInnocents, vendorSecrets } from "../policy/secret-corpus-vendors.ts";
import { innocents, secrets } from "../policy/secret-corpus.ts";
import { connect, type Server } from "./server.ts";

/** A compliant pod, with fields of its first container and other containers. */
function pod(name: string, main: Mutable, others: readonly Mutable[] = []): Manifest {
    const manifest = compliant("Pod");
    const spec = manifest["spec"] as { containers: Mutable[] };
    const containers = [{ ...spec.containers[0], ...main }, ...others];
    return { ...manifest, metadata: { ...manifest.metadata, name }, spec: { ...spec, containers, initContainers: [] } };
}

const times = <Item>(count: number, item: (index: number) => Item): Item[] =>
    Array.from({ length: count }, (_, i) => item(i));
const script = (length: number): string =>
    times(Math.ceil(length / 30), (i) => `echo "step ${i}"; run --level=${i}`)
        .join("\n")
        .slice(0, length);
const variables = (count: number, value: string): Mutable[] => times(count, (i) => ({ name: `SETTING_${i}`, value }));
const secret = { name: "DB_PASSWORD", value: "hunter2hunter" };

/** A pod in so many groups. */
function grouped(count: number): Manifest {
    const manifest = pod("a", {});
    const spec = manifest["spec"] as { securityContext: Mutable };
    const securityContext = { ...spec.securityContext, supplementalGroups: times(count, (i) => i + 1) };
    return { ...manifest, spec: { ...spec, securityContext } };
}

const large: readonly (readonly [string, Manifest])[] = [
    ["10 scripts of 20 KiB", pod("a", { args: times(10, () => script(20 << 10)) })],
    ["a script of 170 KiB", pod("a", { args: ["sh", "-c", script(170 << 10)] })],
    ["a script of 900 KiB", pod("a", { command: ["sh", "-c", script(900 << 10)] })],
    ["400 variables of 1,000 characters", pod("a", { env: variables(400, script(1000)) })],
    ["1,200 variables of 1,000 characters", pod("a", { env: variables(1200, script(1000)) })],
    ["a variable of 1.2 MiB", pod("a", { env: [{ name: "TOKENIZER_MODEL", value: "x".repeat(1200 << 10) }] })],
    ["arguments just within what is searched", pod("a", { args: [script(27_000)] })],
    [
        "700 variables that are worth a closer look",
        pod("a", { env: times(700, (i) => ({ name: `AUTH_TOKEN_${i}_TTL`, value: "3600" })) }),
    ],
    [
        "both together",
        pod("a", {
            args: [script(24_000)],
            env: times(700, (i) => ({ name: `AUTH_TOKEN_${i}_TTL`, value: "3600" })),
        }),
    ],
    [
        "90 containers of 20 variables",
        pod(
            "a",
            {},
            times(90, (i) => ({ ...container(`c${i}`), env: variables(20, "value") })),
        ),
    ],
    [
        "a preStop script of 900 KiB",
        pod("a", { lifecycle: { preStop: { exec: { command: ["sh", "-c", script(900 << 10)] } } } }),
    ],
    ["1,000 groups", grouped(1000)],
    ["450 ports", pod("a", { ports: times(450, (i) => ({ containerPort: 1000 + i })) })],
];

let server: Server;
beforeAll(async () => {
    server = await connect({});
    const probe = pod("probe", { env: [secret] });
    for (let tries = 0; (await server.evaluate(probe)).rule !== noSecretLiterals.name; tries++) {
        if (tries > 60) throw new Error("the API server does not enforce the policies after 60 s");
        await new Promise((resolve) => setTimeout(resolve, 1000));
    }
}, 120_000);
afterAll(async () => {
    await server.close();
}, 90_000);

test.each(large)("%s: within the budget", async (_, manifest) => {
    expect(await server.evaluate(manifest)).toEqual({ rule: "", message: "" });
});

test.each([
    ["beside a script of 170 KiB", pod("a", { args: [script(170 << 10)], env: [secret] })],
    ["beside 400 variables of 1,000 characters", pod("a", { env: [...variables(400, script(1000)), secret] })],
])("a secret %s is refused, by its name", async (_, manifest) => {
    const { rule, message } = await server.evaluate(manifest);
    expect(rule).toBe(noSecretLiterals.name);
    expect(message).toContain("holds what looks like a secret in env DB_PASSWORD");
});

test("more groups than a policy can go through are refused with their number", async () => {
    const { rule, message } = await server.evaluate(grouped(200_000));
    expect(rule).toBe("pod-size");
    expect(message).toContain("has 200000 supplemental groups (at most 1000)");
});

test("both enforcers agree on every variable and argument of the corpus", async () => {
    const own = [...secrets, ...innocents, ...programSecrets, ...programInnocents];
    const corpus = [...own, ...vendorSecrets, ...vendorInnocents, ...moreSecrets, ...moreInnocents];
    const samples = corpus.filter(({ where }) => where !== "file");
    for (const { where, name, value } of samples) {
        const manifest = pod("a", where === "env" ? { env: [{ name, value }] } : { args: value.split(" ") });
        const { message } = await server.evaluate(manifest);
        const resource = asResource({ type: tokenOf(manifest), name: "a", props: manifest });
        expect(message, `${name}=${value}`).toBe(evaluate(noSecretLiterals, resource).join("; "));
    }
}, 300_000);
