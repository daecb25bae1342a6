/** images/pins.json, and what the weekly proposal of new pins says. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import {
    changesOf,
    type Images,
    newestPins,
    outdatedRows,
    packagesIn,
    pinProblems,
    proposalOf,
    textOf,
    timeOf,
} from "../../../local/publish/pins.plan.ts";

const digest = `sha256:${"a".repeat(64)}`;
const pins = { baseImage: `debian:trixie-slim@${digest}`, snapshot: "20261123T000000Z" };
const none = { baseImage: null, snapshot: null };

describe("images/pins.json", () => {
    it("is in order as it is committed", () => {
        const file = "images/pins.json";
        expect(pinProblems(file, JSON.parse(readFileSync(file, "utf8")))).toEqual([]);
    });

    it("has both pins or none, of Docker Hub or a mirror", () => {
        expect(pinProblems("pins.json", none)).toEqual([]);
        expect(pinProblems("pins.json", pins)).toEqual([]);
        const mirror = { ...pins, baseImage: `mirror.example.com:5000/hub/library/debian:trixie-slim@${digest}` };
        expect(pinProblems("pins.json", mirror)).toEqual([]);
        expect(pinProblems("pins.json", { ...pins, snapshot: null })).toEqual([
            "pins.json: found one of baseImage and snapshot; accepted: both, or null for both",
        ]);
    });

    it("is refused with every problem: file, key, value found, what is accepted", () => {
        expect(
            pinProblems("pins.json", { baseImage: "debian:trixie-slim", snapshot: "2026-11-23", suite: "sid" }),
        ).toEqual([
            "pins.json: suite is no pin; accepted: baseImage and snapshot",
            'pins.json: baseImage: found "debian:trixie-slim"; accepted: null, or an image by digest, such as debian:trixie-slim@sha256:…',
            'pins.json: snapshot: found "2026-11-23"; accepted: null, or a time in UTC, such as 20261123T000000Z',
        ]);
        expect(pinProblems("pins.json", {})).toEqual([
            expect.stringContaining("pins.json: baseImage: found nothing; accepted: null, or"),
            expect.stringContaining("pins.json: snapshot: found nothing; accepted: null, or"),
        ]);
        for (const other of [null, [], "none"])
            expect(pinProblems("pins.json", other)).toEqual([
                expect.stringContaining("; accepted: an object with baseImage and snapshot"),
            ]);
    });

    it.each(["20261323T000000Z", "20261123T240000Z", "20261123", "20261123T000000"])(
        "refuses the time %j",
        (snapshot) => {
            expect(pinProblems("pins.json", { ...pins, snapshot })).toHaveLength(1);
        },
    );

    it("become the digest, and the last state of both archives that neither adds to any more", () => {
        expect(timeOf(new Date("2026-11-23T03:41:07.123Z"))).toBe("20261123T034107Z");
        const states = ["http://a/debian/20261123T023000Z/", "http://a/debian-security/20261123T000000Z/"];
        expect(newestPins("debian:trixie-slim", digest, states)).toEqual(pins);
        expect(newestPins("debian:trixie-slim", digest, [...states].reverse())).toEqual(pins);
        expect(pinProblems("newest", newestPins("debian:trixie-slim", digest, ["http://a/debian/login/"]))).toEqual([
            expect.stringContaining('newest: snapshot: found "login"'),
        ]);
    });

    it("are written as they are committed", () => {
        expect(textOf(none)).toBe(readFileSync("images/pins.json", "utf8").replaceAll(/: "[^"]+"/g, ": null"));
    });
});

const deb = (name: string, version: string) => ({ type: "deb", name, version });

/** An image with these packages, of which some are outdated. */
const built = (packages: Readonly<Record<string, string>>, outdated: Images[string]["outdated"] = []) => ({
    packages: new Map(Object.entries(packages)),
    outdated,
});

const libc = { package: "libc6", installed: "2.41-12", candidate: "2.41-12+deb13u1", security: true };
const zlib = { package: "zlib1g", installed: "1.3-1", candidate: "1.3-2", security: false };

const before: Images = {
    canvas: built({ libc6: "2.41-12", zlib1g: "1.3-1", nginx: "1.26.3-3" }, [libc, zlib]),
    valkey: built({ libc6: "2.41-12", liblzf1: "3.6-4" }, [libc]),
};
const after: Images = {
    canvas: built({ libc6: "2.41-12+deb13u1", zlib1g: "1.3-1", nginx: "1.26.3-3" }, [zlib]),
    valkey: built({ libc6: "2.41-12+deb13u1", libatomic1: "14.2.0-19" }),
};

describe("the difference of two sides", () => {
    it("has what was upgraded, added and removed, once for all images that it happens in", () => {
        expect(changesOf(before, after)).toEqual([
            { package: "libatomic1", before: "", after: "14.2.0-19", images: ["valkey"] },
            { package: "libc6", before: "2.41-12", after: "2.41-12+deb13u1", images: ["canvas", "valkey"] },
            { package: "liblzf1", before: "3.6-4", after: "", images: ["valkey"] },
        ]);
        expect(changesOf(after, after)).toEqual([]);
    });

    it("keeps apart what changes otherwise in another image", () => {
        const other = { ...after, canvas: built({ libc6: "2.42-1", zlib1g: "1.3-1", nginx: "1.26.3-3" }) };
        expect(changesOf(before, other).filter((row) => row.package === "libc6")).toEqual([
            { package: "libc6", before: "2.41-12", after: "2.42-1", images: ["canvas"] },
            { package: "libc6", before: "2.41-12", after: "2.41-12+deb13u1", images: ["valkey"] },
        ]);
    });

    it("names every version of a package, and other kinds than Debian's", () => {
        const python = { type: "python", name: "pip", version: "1.0" };
        expect([...packagesIn([deb("a", "2"), deb("a", "10"), deb("a", "2"), python])]).toEqual([
            ["a", "10, 2"],
            ["pip (python)", "1.0"],
        ]);
    });

    it("has the outdated packages of both sides, also those that stay", () => {
        expect(outdatedRows(before, after)).toEqual([
            {
                package: "libc6",
                before: "2.41-12 (security fix: 2.41-12+deb13u1)",
                after: "",
                images: ["canvas", "valkey"],
            },
            { package: "zlib1g", before: "1.3-1 (update: 1.3-2)", after: "1.3-1 (update: 1.3-2)", images: ["canvas"] },
        ]);
    });
});

describe("the proposal", () => {
    const audits = [
        { dependencies: [{ name: "bad", version: "2.0.0", vulns: [{ id: "PYSEC-2026-1", fix_versions: ["2.0.1"] }] }] },
    ];
    const newer = { ...pins, snapshot: "20261130T000000Z" };
    const propose = (images = { before, after }, from: Parameters<typeof proposalOf>[0]["before"] = pins) =>
        proposalOf({ before: from, after: newer }, images, audits, "the run has all");

    it("has both pins, the packages that differ, and what is known of vulnerabilities on both sides", () => {
        expect(propose()?.whole).toMatchInlineSnapshot(`
          "Debian's image: \`debian:trixie-slim@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\` becomes \`debian:trixie-slim@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\`.
          Debian's packages: \`20261123T000000Z\` becomes \`20261130T000000Z\`.
          Both were built, for amd64; *before* without a pin is what a build finds today.

          ### Packages: 1 other versions, 1 added, 1 removed

          | package | before | after | images |
          | --- | --- | --- | --- |
          | libatomic1 | - | 14.2.0-19 | valkey |
          | libc6 | 2.41-12 | 2.41-12+deb13u1 | canvas, valkey |
          | liblzf1 | 3.6-4 | - | valkey |

          ### Debian's packages with a newer version: 2 outdated before, 1 of them with a security fix; 1 outdated after, 0 of them with a security fix

          | package | before | after | images |
          | --- | --- | --- | --- |
          | libc6 | 2.41-12 (security fix: 2.41-12+deb13u1) | current | canvas, valkey |
          | zlib1g | 1.3-1 (update: 1.3-2) | 1.3-1 (update: 1.3-2) | canvas |

          ### Known vulnerabilities of the backend's Python packages, before and after

          - bad 2.0.0 has PYSEC-2026-1; update it to 2.0.1"
        `);
    });

    it("is none when no package changes, but for the first pins", () => {
        expect(propose({ before, after: before })).toBeUndefined();
        expect(propose({ before, after: before }, none)?.whole).toContain("Debian's packages: `no pin` becomes");
    });

    it("fits into a pull request, says how much it leaves out, and where all of it is", () => {
        const many = Object.fromEntries(Array.from({ length: 2000 }, (_, at) => [`package-${at}`, "1.0-1+deb13u1"]));
        const proposal = propose({ before: {}, after: { canvas: built(many) } });
        expect(proposal?.whole.length).toBeGreaterThan(65_536);
        expect(proposal?.fitted.length).toBeLessThan(65_536);
        const left = Number(/\*\*(\d+) more lines: the run has all\.\*\*$/.exec(proposal?.fitted ?? "")?.[1]);
        expect((proposal?.fitted.split("\n").length ?? 0) - 2 + left).toBe(proposal?.whole.split("\n").length);
        expect(propose()?.fitted).toBe(propose()?.whole);
    });
});
