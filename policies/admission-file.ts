/**
 * Writes the admission policies as a manifest: `node policies/admission-file.ts`. The Pulumi program declares what is in
 * it, and `kubectl apply -f policies/admission.json` does without Pulumi.
 */
import { writeFileSync } from "node:fs";

import { admissionObjects } from "./admission.ts";
import { rules } from "./table.ts";

/** The manifest with every rule's default settings. */
export function admissionFile(): string {
    const items = admissionObjects(rules);
    return `${JSON.stringify({ apiVersion: "v1", kind: "List", items }, null, 4)}\n`;
}

if (import.meta.main) writeFileSync(new URL("admission.json", import.meta.url), admissionFile());
