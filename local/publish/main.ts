/** `make publish`: IMAGES, ALLOWED and AUDIT are JSON files, KEY a private key of cosign or `keyless`. Prints the `images` of a stack that runs them. */
import { existsSync, readFileSync } from "node:fs";
import { stringify } from "yaml";
import releases from "../../images/backend/releases.json" with { type: "json" };
import { consoleReport } from "../report.ts";
import { ensureToolchain } from "../toolchain/build.ts";
import { publishTools } from "./registry.ts";
import { publish, refuse } from "./publish.ts";
import type { Audit, Settings } from "./publish.plan.ts";
import { KEYLESS } from "./signing.ts";

const { VERSION = "", RELEASE = releases.default, REGISTRY = "", IMAGES = "", ALLOWED, AUDIT, KEY = "" } = process.env;
const report = consoleReport();

try {
    const files = {
        IMAGES,
        ...(KEY !== KEYLESS && { KEY }),
        ...(ALLOWED !== undefined && { ALLOWED }),
        ...(AUDIT !== undefined && { AUDIT }),
    };
    refuse(
        Object.entries(files)
            .filter(([, file]) => !existsSync(file))
            .map(([name, file]) => `${name}: found "${file}"; accepted: an existing file`),
    );
    const read = (file: string): unknown => JSON.parse(readFileSync(file, "utf8"));
    const settings = {
        version: VERSION,
        release: RELEASE,
        registry: REGISTRY,
        images: read(IMAGES) as Settings["images"],
        allowed: ALLOWED === undefined ? [] : (read(ALLOWED) as Settings["allowed"]),
        audits: AUDIT === undefined ? [] : [read(AUDIT) as Audit],
    };
    const toolchain = await ensureToolchain(["cluster", "publish"], report, { table: publishTools });
    const images = await publish(settings, KEY, toolchain, report);
    process.stdout.write(stringify({ images: { kind: "published", ...images } }));
} catch (error) {
    process.stderr.write(`\n${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
}
