/**
 * Environment variables that the images would refuse at start, reported before anything is deployed. Names, numbers and choices
 * are those of the backend image's own files.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import own from "../../images/backend/orcheo_runtime/own_environment.json";
import table from "../../images/backend/releases.json";
import { planEnvironment } from "../backend/backend.plan";
import { nearest } from "../config/nearest";
import { unlessRefused } from "../config/partial";
import type { Problem } from "../config/problems";
import type { Stack } from "../config/schema";
import type { Workload } from "../kubernetes/labels";

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
        if (own.deployment.includes(name))
            return setByStack("accepted: database, cache, release, monitoring, tracing and secrets instead");
        if (name === "ORCHEO_PLUGIN_DIR" && stack.images.kind === "build" && stack.images.plugins.length > 0)
            return setByStack("leave it out: the plugins of images.plugins would not be found");
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
const otherChecks: Readonly<Record<Exclude<Workload, "api" | "worker" | "beat" | "init">, Check>> = {
    canvas: (name, value) =>
        /^(VITE_ORCHEO|CANVAS)_/.test(name)
            ? setByStack("accepted: canvas.settings and canvas.contentSecurityOrigins instead")
            : reloading(name, value),
    postgres: (name, value) =>
        /^(POSTGRES_|PGDATA$)/.test(name)
            ? setByStack("accepted: the section database instead")
            : reloading(name, value),
    pgbouncer: (name, value) =>
        /^(PGBOUNCER_|PGSSLROOTCERT$|POSTGRES_PORT_OPEN$)/.test(name)
            ? setByStack("accepted: the section database.pooler instead")
            : reloading(name, value),
    valkey: (name, value) =>
        name.startsWith("VALKEY_") ? setByStack("accepted: the section cache instead") : reloading(name, value),
    backup: (name, value) => {
        if (name === "BACKUP_PART_MIB") return wholeNumber(value, [5, 5120]);
        const taken = /^(BACKUP_|AWS_CA_BUNDLE$|PGSSLROOTCERT$|POSTGRES_PORT_OPEN$)/.test(name);
        return taken ? setByStack("accepted: the section backup instead") : undefined;
    },
};

type Environment = Readonly<Record<string, string>>;
type Given = readonly (readonly [key: string, environment: Environment])[];

/** Additional environment variables by where they are set; the later one wins. Refused ones are omitted. */
function given(role: Workload, stack: Stack): Given {
    const of = (key: string, read: () => Environment) => [key, unlessRefused(read, {})] as const;
    const pods = [
        of("pods.all.extraEnv", () => stack.pods.all.extraEnv),
        of(`pods.${role}.extraEnv`, () => stack.pods[role].extraEnv),
    ];
    if (role !== "api" && role !== "worker" && role !== "beat") return pods;
    return [...pods, of(`${role}.extraEnv`, () => stack[role].extraEnv)];
}

/** @param environment  environment of the container: variables of the stack win over additional ones */
function problemsIn(further: Given, environment: Environment, check: Check): Problem[] {
    return Object.entries(environment).flatMap(([name, value]) => {
        const [key, last] = further.findLast(([, own]) => own[name] !== undefined) ?? [];
        return last?.[name] === value ? found(`${String(key)}.${name}`, check(name, value)) : [];
    });
}

const merged = (further: Given): Environment => Object.fromEntries(further.flatMap(([, own]) => Object.entries(own)));

/** Each finds further environment that an image would refuse when its pod starts. */
export const imageRules = [
    ...(["api", "worker", "beat", "init"] as const).map((role) => (stack: Stack) => {
        const further = given(role, stack);
        const planned = unlessRefused<Environment>(() => planEnvironment(role, stack), {});
        const environment = { ...merged(further), ...planned };
        return problemsIn(further, environment, backendCheck(stack, environment));
    }),
    ...Object.entries(otherChecks).map(([role, check]) => (stack: Stack) => {
        const further = given(role as Workload, stack);
        return problemsIn(further, merged(further), check);
    }),
];

const found = (key: string, refusal: Refusal): Problem[] =>
    refusal === undefined ? [] : [{ at: `orcheo:stack.${key}`, ...refusal }];
