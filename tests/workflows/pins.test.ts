/**
 * pins.yml from event to end, by act, as publish.test.ts runs the release: the scripts, the registry and the archive of Debian's packages on loopback, Syft,
 * apt's comparison, and the requests to GitHub's API are real. The images are of one Debian package; tests/publish/pinned-base.test.ts builds their base.
 */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { currentVersion, Loopback } from "../publish/loopback.ts";
import { GitHub } from "../local/github.ts";
import { Act, releaseTools } from "./run-act.ts";

const token = "planted-token-0c4d";
const registry = "127.0.0.1:25024";
const base = `${registry}/library/debian:trixie-slim`;
const audit = {
    dependencies: [{ name: "starlette", version: "0.1.0", vulns: [{ id: "PYSEC-2023-83", fix_versions: ["0.27.0"] }] }],
};

interface Commit {
    readonly message: string;
    readonly parents: readonly string[];
    readonly files: Readonly<Record<string, string>>;
}
interface Pull {
    readonly number: number;
    readonly title: string;
    readonly body: string;
    readonly head: string;
    readonly base: string;
}

let loopback: Loopback;
let workflows: Act;
let archive: Server;
/** What the archive has no answer to. */
let missing: string[];
/** The version that Debian has today. */
let current: string;
let digest: string;
let sha: string;
/** What GitHub knows of the repository. */
let branches: Record<string, string>;
let trees: Record<string, Commit["files"]>;
let commits: Record<string, Commit>;
let pulls: Pull[];

/** The archives' newest states, one for each. */
const states: Readonly<Record<string, string>> = { debian: "20261128T203012Z", "debian-security": "20261128T181500Z" };
const newest = "20261128T181500Z";

/** The part of GitHub's API that a proposal asks. */
function api(method: string, url: URL, body: Buffer): [number, unknown] | undefined {
    const given = (): Record<string, unknown> => JSON.parse(body.toString()) as Record<string, unknown>;
    const asked = `${method} ${url.pathname.replace("/repos/o/r/", "")}${url.search}`;
    switch (asked) {
        case "GET git/ref/heads/main":
            return [200, { object: { sha } }];
        case `GET git/commits/${sha}`:
            return [200, { tree: { sha: "tree of main" } }];
        case "POST git/trees": {
            const { base_tree, tree } = given() as { base_tree: string; tree: { path: string; content: string }[] };
            expect(base_tree).toBe("tree of main");
            for (const entry of tree) expect(entry).toMatchObject({ mode: "100644", type: "blob" });
            const name = `tree ${Object.keys(trees).length}`;
            trees[name] = Object.fromEntries(tree.map(({ path, content }) => [path, content]));
            return [201, { sha: name }];
        }
        case "POST git/commits": {
            const { message, tree, parents } = given() as { message: string; tree: string; parents: string[] };
            const name = `commit ${Object.keys(commits).length}`;
            commits[name] = { message, parents, files: trees[tree] ?? {} };
            return [201, { sha: name }];
        }
        case "GET git/matching-refs/heads/pins":
            // By the beginning of the name, as GitHub does.
            return [200, Object.keys(branches).map((name) => ({ ref: `refs/heads/${name}` }))];
        case "POST git/refs": {
            const { ref, sha: to } = given() as { ref: string; sha: string };
            branches[ref.replace("refs/heads/", "")] = to;
            return [201, {}];
        }
        case "PATCH git/refs/heads/pins": {
            const { sha: to, force } = given() as { sha: string; force: boolean };
            expect([force, Object.keys(branches)]).toEqual([true, expect.arrayContaining(["pins"])]);
            branches["pins"] = to;
            return [200, {}];
        }
        case "GET pulls?state=open&base=main&head=o:pins":
            return [200, pulls.filter(({ head }) => head === "pins")];
        case "POST pulls":
            pulls.push({ number: pulls.length + 1, ...(given() as unknown as Omit<Pull, "number">) });
            return [201, {}];
        case "PATCH pulls/1":
            pulls = pulls.map((pull) => ({ ...pull, ...given() }));
            return [200, {}];
        default:
            return undefined;
    }
}

/** The images that builds with the pins of both sides make here. */
async function builds(before: string, after: string): Promise<void> {
    await loopback.image("before", before);
    await loopback.image("after", after);
}

async function commitPins(pins: object): Promise<void> {
    writeFileSync(join(workflows.repository, "images/pins.json"), JSON.stringify(pins));
    await workflows.commit("pins");
    sha = (await workflows.git("rev-parse", "HEAD")).trim();
}

beforeEach(() => {
    [branches, trees, commits, pulls, missing] = [{}, {}, {}, [], []];
});

beforeAll(async () => {
    const toolchain = await releaseTools();
    loopback = await Loopback.at(registry, toolchain);
    current = await currentVersion();
    await loopback.image("debian", "2.0");
    await loopback.crane("copy", `${registry}/built/backend:debian`, base);
    digest = (await loopback.crane("digest", base)).trim();
    archive = createServer(({ url = "" }, response) => {
        const [, of = "", time = ""] = /^\/archive\/(debian|debian-security)\/(\d{8}T\d{6}Z)\/$/.exec(url) ?? [];
        const state = states[of] ?? "";
        if (state === "" || time < state) {
            missing.push(url);
            response.writeHead(404).end();
        } else if (time === state) response.writeHead(200).end();
        // As snapshot.debian.org does: the last state before the time.
        else response.writeHead(301, { location: `/archive/${of}/${state}/` }).end();
    });
    archive.listen(0, "127.0.0.1");
    await once(archive, "listening");
    workflows = await Act.start(toolchain, await GitHub.start(token, api), token);
    workflows.uncontained("pins");
    await commitPins({ baseImage: null, snapshot: null });
    Object.assign(workflows.env, {
        PATH: [join(import.meta.dirname, "commands"), process.env.PATH].join(delimiter),
        TEST_AUDIT: JSON.stringify(audit),
        TEST_PASSWORD: token,
        TEST_REGISTRY: registry,
    });
});

afterAll(() => {
    workflows.end();
    loopback.close();
    archive.close();
});

const address = (): string => `http://127.0.0.1:${(archive.address() as AddressInfo).port}/archive`;
const propose = (changed: Readonly<Record<string, string>> = {}, event = "schedule") =>
    workflows.run(
        event,
        "pins",
        {},
        {
            ...{ PUBLISH_REGISTRY: `${registry}/published`, PUBLISH_USER: "someone" },
            ...{ PINS_BASE_IMAGE: base, PINS_ARCHIVE: address() },
            ...changed,
        },
    );

test("without a registry of the repository's nothing runs", async () => {
    const { succeeded, output } = await propose({ PUBLISH_REGISTRY: "" });
    expect(succeeded, output).toBe(true);
    expect(output).not.toContain("Run Main");
});

test("the first pins are proposed with what they change; the next ones take the place of a proposal that is open", async () => {
    await builds("2.0", current);
    const first = await propose();
    expect(first.succeeded, first.output.slice(-5000)).toBe(true);
    expect(first.output).toContain(`base of after: ${base}@${digest} at ${newest} from ${address()}`);
    expect(first.output).not.toContain("base of before");
    const title = "build(images): Debian of 2026-11-28";
    const pins = { baseImage: `${base}@${digest}`, snapshot: newest };
    const commit = {
        message: title,
        parents: [sha],
        files: { "images/pins.json": `${JSON.stringify(pins, undefined, 4)}\n` },
    };
    expect([branches, commits]).toEqual([{ pins: "commit 0" }, { "commit 0": commit }]);
    expect(pulls).toEqual([{ number: 1, title, head: "pins", base: "main", body: expect.any(String) as string }]);
    const body = pulls[0]?.body ?? "";
    const images = "backend, canvas, postgres, pgbouncer, valkey, backup";
    expect(body).toContain(`Debian's packages: \`no pin\` becomes \`${newest}\`.`);
    expect(body).toContain(`| libc6 | 2.0 | ${current} | ${images} |`);
    expect(body).toMatch(/: 1 outdated before, \d of them with a security fix; 0 outdated after, 0 of them/);
    expect(body).toMatch(/\| libc6 \| 2\.0 \((update|security fix): 2\.4.*\) \| current \| backend/);
    expect(body).toContain("- starlette 0.1.0 has PYSEC-2023-83; update it to 0.27.0");
    expect(missing).toEqual([]);

    await builds("2.0", "2.1");
    pulls.push({ number: 2, title: "another one", body: "", head: "other", base: "main" });
    const second = await propose({}, "workflow_dispatch");
    expect(second.succeeded, second.output.slice(-5000)).toBe(true);
    expect(branches).toEqual({ pins: "commit 1" });
    expect(pulls.map(({ number, head }) => [number, head])).toEqual([
        [1, "pins"],
        [2, "other"],
    ]);
    expect(pulls[0]?.body).toContain(`| libc6 | 2.0 | 2.1 | ${images} |`);
}, 1_800_000);

test("nothing is proposed when no package changes, and nothing is built when the newest pins are committed", async () => {
    await commitPins({ baseImage: `${base}@${digest}`, snapshot: "20261123T000000Z" });
    await builds(current, current);
    const unchanged = await propose();
    expect(unchanged.succeeded, unchanged.output.slice(-5000)).toBe(true);
    expect(unchanged.output).toContain("base of before: ");
    expect(unchanged.output).toContain("no package changes: the pins stay as they are");
    await commitPins({ baseImage: `${base}@${digest}`, snapshot: newest });
    const same = await propose();
    expect(same.succeeded, same.output.slice(-5000)).toBe(true);
    expect(same.output).not.toContain("Build with the pins");
    expect([branches, commits, pulls]).toEqual([{}, {}, []]);
}, 900_000);

test("pins that cannot be, an image or an archive that does not answer, end the run with what was found", async () => {
    await commitPins({ baseImage: "debian:trixie-slim", snapshot: null });
    const wrong = await propose();
    expect(wrong.succeeded).toBe(false);
    expect(wrong.output).toContain(
        'images/pins.json: baseImage: found "debian:trixie-slim"; accepted: null, or an image by digest',
    );
    await commitPins({ baseImage: null, snapshot: null });
    const image = await propose({ PINS_BASE_IMAGE: `${registry}/library/debian:sid` });
    expect(image.succeeded).toBe(false);
    expect(image.output).toContain("MANIFEST_UNKNOWN");
    const old = await propose({ PINS_ARCHIVE: `${address()}/older` });
    expect(old.succeeded).toBe(false);
    expect(old.output).toMatch(/ARCHIVE: \S+\/older\/debian\/\d{8}T\d{6}Z\/ answers 404/);
    expect(pulls).toEqual([]);
}, 900_000);
