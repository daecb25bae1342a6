/**
 * What the images refuse of their environment at their start, told before anything is deployed. Names, numbers and choices
 * are those of the backend image's own files.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import own from "../../images/backend/orcheo_runtime/own_environment.json";
import table from "../../images/backend/releases.json";
import { planEnvironment } from "../backend/backend.plan";
import { nearest } from "../config/nearest";
import type { Problem } from "../config/problems";
import type { Stack } from "../config/schema";
import type { Role } from "../kubernetes/labels";
import { planPlacement } from "../kubernetes/placement.plan";

interface Contract {
    readonly names: string;
    readonly fixed: Readonly<Record<string, string>>;
    readonly copies: Readonly<Record<string, string>>;
    readonly ignored: Readonly<Record<string, string>>;
}

const contractOf = (release: Stack["release"]): Contract => table.releases[release].environment;

/** Every ORCHEO_* variable that the image of a release takes. */
export function acceptedNames(release: Stack["release"]): ReadonlySet<string> {
    const { names, copies, ignored } = contractOf(release);
    const read = readFileSync(join(__dirname, "../../images/backend", names), "utf8").split(/\s+/);
    const runtime = [...Object.keys(own.numbers), ...Object.keys(own.choices), ...own.others, ...own.deployment];
    const more = [...Object.entries(copies).flat(), ...Object.keys(ignored)];
    return new Set([...read, ...runtime, ...more].filter((name) => name !== ""));
}

type Refusal = Pick<Problem, "found" | "remedy"> | undefined;
type Check = (name: string, value: string) => Refusal;

const wholeNumber = (value: string, [least, greatest]: readonly [number, number]): Refusal =>
    /^\d{1,9}$/.test(value) && Number(value) >= least && Number(value) <= greatest
        ? undefined
        : { found: `found ${JSON.stringify(value)}`, remedy: `accepted: a whole number from ${least} to ${greatest}` };

const setByStack = (instead: string): Refusal => ({ found: "is set by the stack itself", remedy: instead });

const numbers = new Map(
    Object.entries(own.numbers).map(([name, [least = 0, most = 0]]) => [name, [least, most] as const]),
);
const choices = new Map<string, readonly string[]>(Object.entries(own.choices));

function backendCheck(stack: Stack, environment: Readonly<Record<string, string>>): Check {
    const names = acceptedNames(stack.release);
    const { fixed } = contractOf(stack.release);
    const allowed = (environment["ORCHEO_RUNTIME_ALLOW_UNKNOWN"] ?? "").split(",").map((name) => name.trim());
    return (name, value) => {
        if (own.deployment.includes(name)) return setByStack("accepted: database, cache, release and secrets instead");
        const only = fixed[name];
        if (only !== undefined && value !== only)
            return {
                found: `found ${JSON.stringify(value)}`,
                remedy: `accepted: "${only}"; anything else loses runs or data`,
            };
        if (name === "ORCHEO_AUTH_MODE" && value !== "required")
            return { found: `found ${JSON.stringify(value)}`, remedy: 'accepted: "required"' };
        const bounds = numbers.get(name);
        if (bounds !== undefined) return wholeNumber(value, bounds);
        const accepted = choices.get(name);
        if (accepted !== undefined && !accepted.includes(value))
            return { found: `found ${JSON.stringify(value)}`, remedy: `accepted: ${accepted.join(", ")}` };
        if (!name.startsWith("ORCHEO_") || names.has(name) || allowed.includes(name)) return undefined;
        const guess = nearest(name, [...names]);
        const hint = guess === undefined ? "" : `did you mean ${guess}? `;
        return {
            found: `is not read by release ${stack.release}`,
            remedy: `${hint}accepted: the names in images/backend/${contractOf(stack.release).names}; one that a plugin reads is named in ORCHEO_RUNTIME_ALLOW_UNKNOWN`,
        };
    };
}

const reloading = (name: string, value: string): Refusal =>
    name === "ORCHEO_RELOAD_SECONDS" ? wholeNumber(value, [1, 86_400]) : undefined;

/** Of the images that are not Orcheo's backend. */
const otherChecks: Readonly<Record<Exclude<Role, "api" | "worker" | "beat" | "init">, Check>> = {
    canvas: (name, value) =>
        /^(VITE_ORCHEO|CANVAS)_/.test(name)
            ? setByStack("accepted: canvas.settings and canvas.contentSecurityOrigins instead")
            : reloading(name, value),
    postgres: (name, value) =>
        /^(POSTGRES_|PGDATA$)/.test(name)
            ? setByStack("accepted: the section database instead")
            : reloading(name, value),
    valkey: (name, value) =>
        name.startsWith("VALKEY_") ? setByStack("accepted: the section cache instead") : reloading(name, value),
    backup: (name, value) => {
        if (name === "BACKUP_PART_MIB") return wholeNumber(value, [5, 5120]);
        const taken = /^(BACKUP_|AWS_CA_BUNDLE$|PGSSLROOTCERT$|POSTGRES_PORT_OPEN$)/.test(name);
        return taken ? setByStack("accepted: the section backup instead") : undefined;
    },
};

const backendRoles = ["api", "worker", "beat", "init"] as const;

/** Further environment that an image would refuse when its pod starts. */
export function imageProblems(stack: Stack): Problem[] {
    const backend = backendRoles.flatMap((role) => {
        const { extraEnv } = planPlacement(role, stack);
        const own = role === "init" ? {} : stack[role].extraEnv;
        const planned = planEnvironment(role, stack);
        const environment = { ...extraEnv, ...planned };
        const check = backendCheck(stack, environment);
        return Object.entries(environment).flatMap(([name, value]) => {
            // What the stack sets wins over further environment.
            const inOwn = own[name] === value ? `${role}.extraEnv` : undefined;
            const given = name in planned ? inOwn : placed(stack, role, name);
            return given === undefined ? [] : found(`${given}.${name}`, check(name, value));
        });
    });
    const others = Object.entries(otherChecks).flatMap(([role, check]) => {
        const { extraEnv } = planPlacement(role as Role, stack);
        return Object.entries(extraEnv).flatMap(([name, value]) => {
            const given = placed(stack, role as Role, name);
            return given === undefined ? [] : found(`${given}.${name}`, check(name, value));
        });
    });
    const all = [...backend, ...others];
    // A variable of `pods.all` is told once, not for each of its pods.
    return all.filter(
        (one, index) => all.findIndex(({ at, remedy }) => at === one.at && remedy === one.remedy) === index,
    );
}

const found = (key: string, refusal: Refusal): Problem[] =>
    refusal === undefined ? [] : [{ at: `orcheo:stack.${key}`, ...refusal }];

/** Which section of `pods` gives a workload the variable. */
function placed({ pods }: Pick<Stack, "pods">, role: Role, name: string): string | undefined {
    if (pods[role].extraEnv[name] !== undefined) return `pods.${role}.extraEnv`;
    return pods.all.extraEnv[name] !== undefined ? "pods.all.extraEnv" : undefined;
}
