import { describe, expect, it } from "vitest";
import { outdatedOf, problemsOf, refusals, tagsOf } from "../../../local/publish/publish.plan.ts";

const digest = `sha256:${"a".repeat(64)}`;
const settings = {
    version: "1.4.2",
    registry: "ghcr.io/example/orcheo",
    images: { backend: `127.0.0.1:5000/orcheo/backend@${digest}` },
    allowed: [],
};

describe("settings", () => {
    it("accepts a version, a registry and images by digest", () => {
        expect(problemsOf(settings)).toEqual([]);
        expect(problemsOf({ ...settings, version: "2.0.0-rc.1", registry: "127.0.0.1:5000/a/b" })).toEqual([]);
    });

    it("reports every problem at once, with the value and what is accepted", () => {
        const problems = problemsOf({
            version: "v1.4",
            registry: "ghcr.io",
            images: { backend: "orcheo/backend:1.4.2", frontend: `x/y@${digest}` },
            allowed: [{ package: "libc6", until: "soon", reason: "" }],
        });
        expect(problems).toEqual([
            expect.stringMatching(/^VERSION: found "v1.4"; accepted: a semantic version/),
            expect.stringMatching(/^REGISTRY: found "ghcr.io"; accepted: a registry with a path/),
            expect.stringMatching(/^IMAGES: backend: found "orcheo\/backend:1.4.2"; accepted: an image by digest/),
            expect.stringMatching(/^IMAGES: frontend is no image; accepted: backend, canvas/),
            expect.stringMatching(/^ALLOWED: libc6: found until "soon" and reason ""; accepted: a day/),
        ]);
    });

    it.each(["latest", "1", "1.4", "01.4.2", "1.4.2+build", "1.4.2-", ""])("refuses the version %j", (version) => {
        expect(problemsOf({ ...settings, version })).toHaveLength(1);
    });
});

describe("tags", () => {
    it.each([
        ["1.4.2", [], ["1.4.2", "1.4", "1"]],
        ["0.3.1", [], ["0.3.1", "0.3"]],
        ["2.0.0-rc.1", ["1.4.2"], ["2.0.0-rc.1"]],
        ["1.4.3", ["1.4.2", "1.4", "1", "2.0.0-rc.1"], ["1.4.3", "1.4", "1"]],
        ["1.4.10", ["1.4.9"], ["1.4.10", "1.4", "1"]],
        // A fix of an older minor or major version.
        ["1.3.9", ["1.3.8", "1.4.2"], ["1.3.9", "1.3"]],
        ["1.3.8", ["1.3.9", "1.10.0"], ["1.3.8"]],
        ["1.5.0", ["10.0.0", "sha256-abc.sig", "latest"], ["1.5.0", "1.5", "1"]],
    ])("%s beside %j is %j", (version, existing, tags) => {
        expect(tagsOf(version, existing)).toEqual(tags);
    });
});

const policy = `libc6:
  Installed: 2.41-12
  Candidate: 2.41-12+deb13u1
  Version table:
     2.41-12+deb13u1 500
        500 http://deb.example.org/debian trixie/main amd64 Packages
 *** 2.41-12 100
        100 /status
zlib1g:
  Installed: 1:1.3
  Candidate: 1:1.3
  Version table:
ours:
  Installed: 1.0
  Candidate: (none)
`;

describe("packages", () => {
    const outdated = outdatedOf(policy);

    it("an outdated package is one with another candidate", () => {
        expect(outdated).toEqual([{ package: "libc6", installed: "2.41-12", candidate: "2.41-12+deb13u1" }]);
    });

    it("it stops the image, with both versions and the remedy", () => {
        expect(refusals("backend", outdated, [], "2026-11-28")).toEqual([
            "backend: libc6 2.41-12 is outdated, Debian has 2.41-12+deb13u1; build the image again from a current base image",
        ]);
        expect(refusals("backend", [], [], "2026-11-28")).toEqual([]);
    });

    it("an exception holds until its last day", () => {
        const allowed = [{ package: "libc6", until: "2026-11-28", reason: "not reachable" }];
        expect(refusals("backend", outdated, allowed, "2026-11-28")).toEqual([]);
        expect(refusals("backend", outdated, allowed, "2026-11-29")).toEqual([
            expect.stringContaining("its exception ended on 2026-11-28"),
        ]);
        expect(
            refusals(
                "backend",
                outdated,
                [{ package: "zlib1g", until: "2027-01-01", reason: "another package" }],
                "2026-11-28",
            ),
        ).toHaveLength(1);
    });
});
