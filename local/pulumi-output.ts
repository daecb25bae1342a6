/** Decides which of Pulumi's output is shown and which only goes to the log. */

/** Follows the output line by line. @returns the progress of the update whenever it changes */
export function progressOf(): (line: string) => string | undefined {
    let phase = "preview";
    const done = new Set<string>();
    return (line) => {
        if (/^(Updating|Destroying) \(/.test(line)) {
            phase = "update";
            done.clear();
            return phase;
        }
        const [, resource] =
            /^ [ +~\-=<>]+ (\S+ \S+) (?:created|updated|deleted|replaced|discarded|read)\b/.exec(line) ?? [];
        if (resource === undefined || phase === "preview") return undefined;
        done.add(resource);
        return `${phase}: ${done.size} resource${done.size === 1 ? "" : "s"} done`;
    };
}

/** The full reason for a failure: the diagnostics or the violated policies; without either, the last lines. */
export function failureOf(output: string): string {
    const lines = output.trimEnd().split("\n");
    // Everything before was already shown as progress, or is a preview that succeeded.
    const phase = lines.slice(lines.findLastIndex((line) => /^(Previewing|Updating|Destroying)\b.*\(/.test(line)) + 1);
    const [diagnostics, policies] = [phase.indexOf("Diagnostics:"), phase.indexOf("Policies:")];
    if (diagnostics < 0) return policies < 0 ? lines.slice(-20).join("\n") : phase.slice(policies).join("\n");
    // A violated policy comes first, and the diagnostics then say only that the preview failed.
    const violated = policies >= 0 && phase.slice(policies, diagnostics).some((line) => line.includes("[mandatory]"));
    return phase.slice(violated ? policies : diagnostics).join("\n");
}

/** Summary of a successful update: number of changes, warnings in full, number of advisory policy findings. */
export function summaryOf(output: string): string[] {
    const update = output.slice(Math.max(output.lastIndexOf("\nUpdating ("), 0));
    const section = (title: string): string[] => {
        const lines = update.split("\n");
        const start = lines.indexOf(`${title}:`);
        if (start < 0) return [];
        const rest = lines.slice(start + 1);
        const end = rest.findIndex((line) => /^\S/.test(line));
        return rest.slice(0, end < 0 ? undefined : end).filter((line) => line.trim() !== "");
    };
    const changes = section("Resources").map((line) => line.replace(/^\s*[+~\-=<>]*\s*/, "").trim());
    const diagnostics = section("Diagnostics");
    const advice = section("Policies").filter((line) => line.includes("[advisory]")).length;
    return [
        ...(diagnostics.some((line) => line.includes("warning:")) ? ["Diagnostics:", ...diagnostics] : []),
        [...changes, ...(advice > 0 ? [`${advice} advisory policy finding${advice > 1 ? "s" : ""}`] : [])].join(", "),
    ].filter((line) => line !== "");
}
