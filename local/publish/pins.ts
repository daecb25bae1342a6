/**
 * The weekly proposal of new pins (.github/workflows/pins.yml).
 *
 *     node local/publish/pins.ts newest    prints the newest pins, or nothing if images/pins.json has them
 *     node local/publish/pins.ts compare   reads $STAGING's images of both pins, and writes $PROPOSAL and $PROPOSAL.whole; neither if nothing changes
 *
 * BASE_IMAGE: Debian's image, ARCHIVE: the address of the snapshots, NEWEST: the file with the newest pins, AUDIT: a report of pip-audit, WHERE: says where the whole text is.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { projectDir } from "../paths.ts";
import { run } from "../process.ts";
import { consoleReport } from "../report.ts";
import { ensureToolchain } from "../toolchain/build.ts";
import { outdatedIn } from "./packages.ts";
import {
    type Images,
    newestPins,
    packagesIn,
    pinProblems,
    type Pins,
    proposalOf,
    textOf,
    timeOf,
} from "./pins.plan.ts";
import { type Audit, imageNames } from "./publish.plan.ts";
import { billOf, platformsOf, publishTools } from "./registry.ts";

const report = consoleReport();

const tools = () => ensureToolchain(["cluster", "publish"], report, { table: publishTools });

const read = (file: string): unknown => JSON.parse(readFileSync(file, "utf8"));

function refuse(problems: readonly string[]): void {
    if (problems.length > 0) throw new Error(problems.join("\n"));
}

function readPins(file: string): Pins {
    const pins = read(file);
    refuse(pinProblems(file, pins));
    return pins as Pins;
}

const committed = (): Pins => readPins(join(projectDir, "images/pins.json"));

function given(name: string): string {
    const value = process.env[name] ?? "";
    if (value === "") throw new Error(`${name}: found nothing; accepted: see the head of local/publish/pins.ts`);
    return value;
}

/** Address of the newest state that an archive has: it redirects to the last one before a time. */
async function newestState(archive: string): Promise<string> {
    const address = `${archive}/${timeOf(new Date())}/`;
    const answer = await fetch(address, { signal: AbortSignal.timeout(60_000) });
    if (!answer.ok) throw new Error(`ARCHIVE: ${address} answers ${answer.status}`);
    return answer.url;
}

async function newest(): Promise<string> {
    const [before, image, archive] = [committed(), given("BASE_IMAGE"), given("ARCHIVE")];
    const digest = await run((await tools()).bin("crane"), ["digest", image], { timeoutSeconds: 60 });
    const states = await Promise.all(["debian", "debian-security"].map((each) => newestState(`${archive}/${each}`)));
    const pins = newestPins(image, digest.trim(), states);
    refuse(pinProblems("the newest pins", pins));
    return textOf(pins) === textOf(before) ? "" : textOf(pins);
}

/** The images that were built with one side's pins. */
async function built(side: "before" | "after", staging: string): Promise<Images> {
    const toolchain = await tools();
    const scratch = mkdtempSync(join(tmpdir(), "orcheo-pins-"));
    try {
        const images: Record<string, Images[string]> = {};
        for (const name of imageNames) {
            const image = `${staging}/${name}:0.0.0-pins-${side}`;
            report.note(`${name}: reading the packages of ${image}`);
            const [platform] = await platformsOf(image, toolchain);
            const bill = await billOf(image, join(scratch, `${name}.spdx.json`), toolchain);
            const outdated = await outdatedIn(bill, platform?.architecture ?? "amd64");
            images[name] = { packages: packagesIn(bill.artifacts), outdated };
        }
        return images;
    } finally {
        rmSync(scratch, { recursive: true });
    }
}

async function compare(): Promise<void> {
    const pins = { before: committed(), after: readPins(given("NEWEST")) };
    const staging = given("STAGING");
    const images = { before: await built("before", staging), after: await built("after", staging) };
    const proposal = proposalOf(pins, images, [read(given("AUDIT")) as Audit], given("WHERE"));
    if (proposal === undefined) {
        report.note("no package changes: the pins stay as they are");
        return;
    }
    writeFileSync(given("PROPOSAL"), proposal.fitted);
    writeFileSync(`${given("PROPOSAL")}.whole`, proposal.whole);
}

try {
    const [command, ...more] = process.argv.slice(2);
    if (more.length > 0 || (command !== "newest" && command !== "compare"))
        throw new Error(`found "${process.argv.slice(2).join(" ")}"; accepted: newest, or compare`);
    if (command === "newest") process.stdout.write(await newest());
    else await compare();
} catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
}
