/** Exceptions from rules: visible in the stack's config, dated, and themselves violations when stale. */
import { didYouMean } from "./nearest.ts";
import type { Resource } from "./rule.ts";
import { fields, list, text } from "./values.ts";

/** The key in the stack's config, a list of exceptions. */
export const exceptionsKey = "orcheo:policyExceptions";

export interface Exception {
    readonly rule: string;
    /** `Kind::name`, `type token::name` or the whole URN; `stack` for a finding about the stack as a whole. */
    readonly resource: string;
    readonly reason: string;
    /** The last day on which it holds, `YYYY-MM-DD`, UTC; at most a year ahead. */
    readonly expires: string;
}

export interface ExceptionList {
    readonly exceptions: readonly Exception[];
    /** Entries that are no exceptions, each with what is wrong. */
    readonly malformed: readonly string[];
}

const required = ["rule", "resource", "reason", "expires"] as const;

/**
 * Reads the list as a stack's config has it.
 *
 * @param entries  the value of the key; undefined where the config has none
 * @param rules    names of all rules
 */
export function exceptionsIn(entries: unknown, rules: readonly string[]): ExceptionList {
    if (entries === undefined || entries === null) return { exceptions: [], malformed: [] };
    if (!Array.isArray(entries)) return { exceptions: [], malformed: [`${exceptionsKey} is not a list`] };
    const read = list(entries).map((entry, index) => readOne(entry, `${exceptionsKey}[${index}]`, rules));
    return {
        exceptions: read.filter((each) => typeof each !== "string"),
        malformed: read.filter((each) => typeof each === "string"),
    };
}

/** The same from the text that the engine has of it: JSON. */
export function exceptionsOf(json: string | undefined, rules: readonly string[]): ExceptionList {
    try {
        return exceptionsIn(json === undefined ? undefined : JSON.parse(json), rules);
    } catch {
        return { exceptions: [], malformed: [`${exceptionsKey} is not a list`] };
    }
}

function readOne(entry: unknown, where: string, rules: readonly string[]): Exception | string {
    const given = fields(entry);
    const missing = required.filter((key) => (text(given[key]) ?? "").trim() === "");
    const strange = Object.keys(given).filter((key) => !required.some((each) => each === key));
    if (strange[0] !== undefined) return `${where} has "${strange[0]}"${didYouMean(strange[0], missing)}`;
    if (missing.length > 0) return `${where} has no ${missing.join(", no ")}`;
    const [rule = "", resource = "", reason = "", until = ""] = required.map((key) => text(given[key]) ?? "");
    if (!rules.includes(rule)) return `${where} names rule "${rule}", which does not exist${didYouMean(rule, rules)}`;
    // A day without quotes is a time to YAML: so Go writes it, and the engine hands it over.
    const expires = until.replace(/ 00:00:00 \+0000 UTC$/, "");
    const day = new Date(`${expires}T00:00:00Z`);
    if (!/^\d{4}-\d{2}-\d{2}$/.test(expires) || Number.isNaN(day.getTime())) {
        return `${where} has expires "${expires}", which is not a day as YYYY-MM-DD`;
    }
    return { rule, resource, reason, expires };
}

/** Whether the exception speaks of this resource. */
export function covers(exception: Exception, resource: Resource | undefined): boolean {
    if (resource === undefined) return exception.resource === "stack";
    const kind = resource.type.slice(resource.type.lastIndexOf(":") + 1);
    return [resource.urn, `${resource.type}::${resource.name}`, `${kind}::${resource.name}`].includes(
        exception.resource,
    );
}

/** Whether the last day of the exception has passed. */
export function expired(exception: Exception, now: Date): boolean {
    return exception.expires < now.toISOString().slice(0, 10);
}

/** The longest term of an exception: a leap year. After that it has to be reviewed. */
const longestDays = 366;

/** Whether the exception runs for longer than anybody looks ahead. */
function unending(exception: Exception, now: Date): boolean {
    return exception.expires > new Date(now.getTime() + longestDays * 86_400_000).toISOString().slice(0, 10);
}

/** Keeps the account of one run: which findings are excepted, and which exceptions were of use. */
export class ExceptionAccount {
    readonly list: ExceptionList;
    private readonly now: Date;
    private readonly used = new Set<Exception>();

    constructor(exceptions: ExceptionList, now: Date) {
        this.list = exceptions;
        this.now = now;
    }

    /** True when a live exception covers the finding; it then counts as used. */
    excepts(rule: string, resource: Resource | undefined): boolean {
        const match = this.list.exceptions.filter(
            (each) => each.rule === rule && covers(each, resource) && !expired(each, this.now),
        );
        for (const each of match) this.used.add(each);
        return match.length > 0;
    }

    /** Everything wrong with the list itself; call it after the last finding. */
    stale(mayYetBeUsed: (exception: Exception) => boolean): readonly string[] {
        const worded = (each: Exception): string => `The exception from ${each.rule} for ${each.resource}`;
        const gone = this.list.exceptions.filter((each) => expired(each, this.now));
        const long = this.list.exceptions.filter((each) => unending(each, this.now));
        const idle = this.list.exceptions.filter(
            (each) => !gone.includes(each) && !this.used.has(each) && !mayYetBeUsed(each),
        );
        return [
            ...this.list.malformed,
            ...gone.map((each) => `${worded(each)} expired on ${each.expires}`),
            ...long.map((each) => `${worded(each)} runs to ${each.expires}, which is more than a year ahead`),
            ...idle.map((each) => `${worded(each)} excepts nothing`),
        ];
    }
}
