/** The section of a runbook page that an alert links to, as its reader follows it. */
import { type Block, blocksIn } from "../platform/runbooks.ts";

export interface Section {
    /** What the page defines before its first section. */
    readonly setUp: string;
    readonly blocks: readonly Block[];
}

/** Words in capitals that the page asks its reader to replace, and the alert's label that has the value. */
const places = {
    POD: "pod",
    CONTAINER: "container",
    NAME: "name",
    NODE: "node",
    URL: "instance",
    USER: "user",
} as const;

/** @throws when the alert lacks a label that the commands need */
export function filledIn(text: string, labels: Readonly<Record<string, string>>): string {
    return text.replaceAll(/\b(POD|CONTAINER|NAME|NODE|URL|USER)\b/g, (place) => {
        const value = labels[places[place as keyof typeof places]];
        if (value === undefined) throw new Error(`the alert has no label for ${place}: ${JSON.stringify(labels)}`);
        return value;
    });
}

/** @param runbookUrl the alert's annotation: docs/runbooks/alert-api.md#orcheoapidown */
export function sectionOf(alert: string, runbookUrl: string): Section {
    const [, page = ""] = /([\w-]+\.md)#/.exec(runbookUrl) ?? [];
    return {
        setUp: blocksIn(page, (section) => section.startsWith("# "))
            .map(({ text }) => text)
            .join(""),
        blocks: blocksIn(page, (section) => section.startsWith(`${alert}\n`)),
    };
}
