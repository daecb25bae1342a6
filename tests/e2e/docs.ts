/** The commands and programs of the documentation: the tests run them as a reader would. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { projectDir } from "../../local/paths.ts";

/** The code block of a page that begins like this: commands, unless it has another language. */
export function block(page: string, beginning: string, language = "sh"): string {
    const text = readFileSync(join(projectDir, "docs", page), "utf8");
    const found = [...text.matchAll(new RegExp(`^( *)\`\`\`${language}\\n(.*?)^ *\`\`\`$`, "gms"))]
        .map(([, indent = "", body = ""]) => body.replaceAll(new RegExp(`^${indent}`, "gm"), ""))
        .find((body) => body.startsWith(beginning));
    if (found === undefined)
        throw new Error(`docs/${page} has no block of ${language} that begins with "${beginning}"`);
    return found;
}
