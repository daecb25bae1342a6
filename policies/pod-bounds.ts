/**
 * How large a pod may be for the API server to evaluate it. CEL counts what an expression costs and refuses the request
 * when that is too much, without a remedy; within these bounds every policy stays below it, whatever the pod holds.
 */
import { at, list, text } from "./values.ts";
import type { Pod } from "./workloads.ts";

interface Bound {
    readonly what: string;
    readonly most: number;
    count(pod: Pod): number;
    /** The same in CEL. */
    readonly cel: string;
}

const containerLists = ["containers", "initContainers", "ephemeralContainers"];
const celOf = (key: string): string => `variables.pod.?${key}.orValue([])`;
/** Every container of the pod, in CEL. */
export const allContainers = `(${containerLists.map(celOf).join(" + ")})`;

const sumCel = (each: string): string => `${allContainers}.map(c, ${each}).sum()`;
const sizes = (value: unknown): number => list(value).reduce((sum: number, each) => sum + (text(each) ?? "").length, 0);
const lengthAt = (value: unknown, ...path: readonly string[]): number => list(at(value, ...path)).length;

/** The sum over a pod's containers of how many entries a list of theirs has. */
function entries(what: string, most: number, ...paths: readonly (readonly string[])[]): Bound {
    return {
        what,
        most,
        count: ({ containers }) =>
            containers.reduce(
                (sum, { spec }) => sum + paths.reduce((inner, path) => inner + lengthAt(spec, ...path), 0),
                0,
            ),
        cel: sumCel(paths.map((path) => `c${path.map((key) => `.?${key}`).join("")}.orValue([]).size()`).join(" + ")),
    };
}

/** The first bound guards the others, which count within each container. */
export const bounds: readonly Bound[] = [
    {
        what: "containers",
        most: 100,
        count: ({ containers }) => containers.length,
        cel: `${allContainers}.size()`,
    },
    entries("environment variables", 2000, ["env"], ["envFrom"]),
    entries("words of commands and arguments", 2000, ["command"], ["args"]),
    entries("ports", 500, ["ports"]),
    entries(
        "capabilities",
        2000,
        ["securityContext", "capabilities", "add"],
        ["securityContext", "capabilities", "drop"],
    ),
    entries("words of preStop commands", 2000, ["lifecycle", "preStop", "exec", "command"]),
    {
        what: "volumes",
        most: 500,
        count: ({ spec }) => lengthAt(spec, "volumes"),
        cel: `${celOf("volumes")}.size()`,
    },
    {
        what: "sysctls",
        most: 100,
        count: ({ spec }) => lengthAt(spec, "securityContext", "sysctls"),
        cel: `variables.pod.?securityContext.?sysctls.orValue([]).size()`,
    },
    {
        what: "supplemental groups",
        most: 1000,
        count: ({ spec }) => lengthAt(spec, "securityContext", "supplementalGroups"),
        cel: `variables.pod.?securityContext.?supplementalGroups.orValue([]).size()`,
    },
    {
        what: "characters in image references",
        most: 200_000,
        count: ({ containers, spec }) =>
            containers.reduce((sum, each) => sum + (text(at(each.spec, "image")) ?? "").length, 0) +
            sizes(list(at(spec, "volumes")).map((volume) => at(volume, "image", "reference"))),
        cel:
            `${sumCel(`c.?image.orValue("").size()`)} + ` +
            `${celOf("volumes")}.map(v, v.?image.?reference.orValue("").size()).sum()`,
    },
    {
        what: "characters in names of variables",
        most: 200_000,
        count: ({ containers }) =>
            containers.reduce((sum, { spec }) => sum + sizes(list(at(spec, "env")).map((each) => at(each, "name"))), 0),
        cel: sumCel(`c.?env.orValue([]).map(e, e.name.size()).sum()`),
    },
];

/** What is over its bound, in words; a pod without containers to count says nothing. */
export function excesses(pod: Pod): readonly string[] {
    const found = bounds.map((bound) => ({ ...bound, number: bound.count(pod) }));
    const over = found.filter(({ number, most }) => number > most);
    const [first] = over;
    const shown = first?.what === bounds[0]?.what && first !== undefined ? [first] : over;
    return shown.map(({ number, what, most }) => `${number} ${what} (at most ${most})`);
}

const wordedCel = ({ what, most }: Bound, index: number): string =>
    `(variables.sizes[${index}] > ${most} ? [string(variables.sizes[${index}]) + " ${what} (at most ${most})"] : [])`;

/** CEL of how many there are of each; of too many containers nothing else is counted. */
export const sizesCel = `${bounds[0]?.cel ?? ""} > ${bounds[0]?.most ?? 0} ? [${bounds[0]?.cel ?? ""}] + [${bounds
    .slice(1)
    .map(() => "0")
    .join(", ")}] : [${bounds.map(({ cel }) => cel).join(", ")}]`;
export const excessesCel = `(${bounds.map(wordedCel).join(" + ")})`;
