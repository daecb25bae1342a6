/** Checks the pack's settings: a misspelt one would silently not hold. */
import { didYouMean } from "./nearest.ts";
import type { Described } from "./rule.ts";
import { fields, isObject } from "./values.ts";

export const levels = ["advisory", "mandatory", "remediate", "disabled"];

type Named = Pick<Described, "name" | "settings">;

/** What is wrong with the type of a setting's value; undefined when nothing is. */
function mistyped(value: unknown, type: string): string | undefined {
    switch (type) {
        case "array":
            return Array.isArray(value) && value.every((each) => typeof each === "string")
                ? undefined
                : "a list of texts";
        case "integer":
            return Number.isInteger(value) ? undefined : "a whole number";
        case "number":
            return typeof value === "number" ? undefined : "a number";
        default:
            return typeof value === "string" ? undefined : "a text";
    }
}

function levelProblems(where: string, level: unknown): readonly string[] {
    if (typeof level !== "string") return [`${where}: a level is one of ${levels.join(", ")}`];
    return levels.includes(level) ? [] : [`${where}: there is no level "${level}"${didYouMean(level, levels)}`];
}

/** Problems of one rule's part of the config: a level, or an object of settings. */
function ruleProblems(rule: Named, given: unknown): readonly string[] {
    if (typeof given === "string" || !isObject(given) || Array.isArray(given)) return levelProblems(rule.name, given);
    const settings = rule.settings ?? {};
    return Object.entries(given).flatMap(([key, value]) => {
        if (key === "enforcementLevel") return levelProblems(rule.name, value);
        const setting = Object.hasOwn(settings, key) ? settings[key] : undefined;
        if (setting === undefined) {
            const near = didYouMean(key, [...Object.keys(settings), "enforcementLevel"]);
            return [`${rule.name}: there is no setting "${key}"${near}`];
        }
        const wanted = mistyped(value, setting.type);
        return wanted === undefined ? [] : [`${rule.name}: "${key}" must be ${wanted}`];
    });
}

/**
 * Every problem of the pack's config, as `--policy-pack-config` takes it.
 *
 * @param rules  all rules of the pack, the one on its exceptions too
 */
export function settingsProblems(config: unknown, rules: readonly Named[]): readonly string[] {
    if (config === undefined || config === null) return [];
    if (!isObject(config) || Array.isArray(config)) return ["the settings are not an object with a key for each rule"];
    return Object.entries(fields(config)).flatMap(([name, given]) => {
        // Pulumi's own key, for environments of its cloud.
        if (name === "environments") return [];
        if (name === "all") return ruleProblems({ name }, given);
        const rule = rules.find((each) => each.name === name);
        if (rule !== undefined) return ruleProblems(rule, given);
        return [`there is no rule "${name}"${didYouMean(name, ["all", ...rules.map((each) => each.name)])}`];
    });
}
