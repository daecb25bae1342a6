import { describe, expect, it } from "vitest";
import { z } from "zod";
import { imagePrefix, pinnedImage, semver } from "../../../components/config/fields";
import { contradictions, listed, withRelease } from "../../../local/publish/digests.plan.ts";
import { provenanceOf } from "../../../local/publish/provenance.plan.ts";
import {
    outdatedOf,
    outdatedRefusals,
    patterns,
    platformsIn,
    problemsOf as problems,
    type Settings,
    tagsOf,
    vulnerableRefusals,
} from "../../../local/publish/publish.plan.ts";

const digest = `sha256:${"a".repeat(64)}`;
const settings = {
    version: "1.4.2",
    release: "0.33",
    registry: "ghcr.io/example/orcheo",
    images: { backend: `127.0.0.1:5000/orcheo/backend@${digest}` },
    allowed: [],
    audits: [],
};

const problemsOf = (given: Settings) => problems(given, ["0.33", "0.46"]);

describe("settings", () => {
    it("accepts a version, a registry and images by digest", () => {
        expect(problemsOf(settings)).toEqual([]);
        expect(problemsOf({ ...settings, version: "2.0.0-rc.1", registry: "127.0.0.1:5000/a/b" })).toEqual([]);
    });

    it("reports every problem at once, with the value and what is accepted", () => {
        const all = problemsOf({
            version: "v1.4",
            release: "0.34",
            registry: "ghcr.io",
            images: { backend: "orcheo/backend:1.4.2", frontend: `x/y@${digest}` },
            allowed: [{ package: "libc6", until: "soon", reason: "" }],
            audits: [],
        });
        expect(all).toEqual([
            expect.stringMatching(/^VERSION: found "v1.4"; accepted: a semantic version/),
            'RELEASE: found "0.34"; accepted: 0.33, 0.46',
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

describe("settings and those of a stack", () => {
    it.each([
        ["semver", semver()],
        ["imagePrefix", imagePrefix()],
        ["pinnedImage", pinnedImage()],
    ] as const)("%s accepts the same", (name, schema) => {
        expect(patterns[name].source).toBe(z.toJSONSchema(schema).pattern);
    });

    it("a version has to be a label too", () => {
        for (const version of [`1.0.0-${"a".repeat(60)}`, "1.0.0-a-"])
            expect([semver().safeParse(version).success, problemsOf({ ...settings, version }).length]).toEqual([
                false,
                1,
            ]);
    });
});

describe("the digests of a release", () => {
    const names = ["backend", "canvas", "postgres", "pgbouncer", "valkey", "backup"];
    const images = Object.fromEntries(names.map((name) => [name, `ghcr.io/a/${name}:1.4.2@${digest}`]));
    const release = { version: "1.4.2", images };
    const digests = { releases: { "0.46": { ...release, version: "3.0.0" }, "0.33": release } };

    it("become the default of their generation, and leave the others", () => {
        expect(withRelease({ releases: {} }, "0.33", release)).toEqual({ releases: { "0.33": release } });
        const newer = withRelease(digests, "0.33", { ...release, version: "1.4.10" });
        expect(newer?.releases["0.33"]?.version).toBe("1.4.10");
        expect(newer?.releases["0.46"]?.version).toBe("3.0.0");
        expect(Object.keys(newer?.releases ?? {})).toEqual(["0.33", "0.46"]);
    });

    it.each([
        ["older", { ...release, version: "1.4.1" }],
        ["a pre-release", { ...release, version: "2.0.0-rc.1" }],
        ["incomplete", { version: "2.0.0", images: { backend: images["backend"] ?? "" } }],
    ])("stay when a release is %s", (_, given) => {
        expect(withRelease(digests, "0.33", given)).toBeUndefined();
    });

    it("never change for a version that is out", () => {
        const other = { ...images, canvas: `127.0.0.1:5000/canvas@sha256:${"b".repeat(64)}` };
        expect(contradictions(digests, "0.33", "1.4.2", other)).toEqual([
            `DIGESTS: canvas of 1.4.2 is ${digest} already; publish sha256:${"b".repeat(64)} as a new version`,
        ]);
        expect(contradictions(digests, "0.33", "1.4.2", images)).toEqual([]);
        expect(contradictions(digests, "0.33", "1.4.3", other)).toEqual([]);
    });

    it("are compared with the registry by tag", () => {
        expect(listed(digests)[0]).toEqual({ name: "0.46 backend", tagged: "ghcr.io/a/backend:1.4.2", digest });
        expect(listed(digests)).toHaveLength(12);
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
libssl3t64:
  Installed: 3.5.1-1
  Candidate: 3.5.1-1+deb13u1
  Version table:
     3.5.1-1+deb13u1 500
        500 http://security.example.org/debian-security trixie-security/main amd64 Packages
 *** 3.5.1-1 500
        500 http://deb.example.org/debian trixie/main amd64 Packages
        100 /status
ours:
  Installed: 1.0
  Candidate: (none)
`;

describe("packages", () => {
    const outdated = outdatedOf(policy);

    it("an outdated package is one with another candidate, which the security team published or not", () => {
        expect(outdated).toEqual([
            { package: "libc6", installed: "2.41-12", candidate: "2.41-12+deb13u1", security: false },
            { package: "libssl3t64", installed: "3.5.1-1", candidate: "3.5.1-1+deb13u1", security: true },
        ]);
    });

    it("it stops the image, with both versions and the remedy", () => {
        expect(outdatedRefusals("backend", outdated, [], "2026-11-28")).toEqual([
            "backend: libc6 2.41-12 is outdated, Debian has 2.41-12+deb13u1; build the image again, with newer pins if images/pins.json has any",
            expect.stringContaining("Debian has 3.5.1-1+deb13u1 (a security fix);"),
        ]);
        expect(outdatedRefusals("backend", [], [], "2026-11-28")).toEqual([]);
    });

    it("an exception holds until its last day", () => {
        const allowed = [{ package: "libc6", until: "2026-11-28", reason: "not reachable" }];
        const one = outdated.slice(0, 1);
        expect(outdatedRefusals("backend", one, allowed, "2026-11-28")).toEqual([]);
        expect(outdatedRefusals("backend", one, allowed, "2026-11-29")).toEqual([
            expect.stringContaining("its exception ended on 2026-11-28"),
        ]);
        expect(
            outdatedRefusals(
                "backend",
                one,
                [{ package: "zlib1g", until: "2027-01-01", reason: "another package" }],
                "2026-11-28",
            ),
        ).toHaveLength(1);
    });
});

describe("known vulnerabilities of Python packages", () => {
    const vulns = [{ id: "PYSEC-2026-1", fix_versions: ["2.0.1"] }];
    const audits = [
        {
            dependencies: [
                { name: "good", version: "1.0", vulns: [] },
                { name: "bad", version: "2.0.0", vulns },
                { name: "odd", skip_reason: "not on PyPI" },
            ],
        },
    ];
    const until = "2026-11-28";

    it("stop everything, as does a package that was not audited", () => {
        expect(vulnerableRefusals(audits, [], until)).toEqual([
            "bad 2.0.0 has PYSEC-2026-1; update it to 2.0.1",
            "odd was not audited: not on PyPI",
        ]);
    });

    it("an exception holds for one vulnerability, until its last day", () => {
        const allowed = ["PYSEC-2026-1", "odd"].map((name) => ({ package: name, until, reason: "not reachable" }));
        expect(vulnerableRefusals(audits, allowed, until)).toEqual([]);
        expect(vulnerableRefusals(audits, allowed, "2026-11-29")[0]).toContain("its exception ended on 2026-11-28");
        expect(vulnerableRefusals(audits, [{ ...allowed[0], package: "PYSEC-2026-2" } as never], until)).toHaveLength(
            2,
        );
    });
});

describe("platforms", () => {
    it("are those of an index, without attestations", () => {
        const of = (architecture: string, letter: string) => ({
            digest: letter,
            platform: { os: "linux", architecture },
        });
        expect(platformsIn({ manifests: [of("amd64", "a"), of("arm64", "b"), of("unknown", "c")] })).toEqual([
            { digest: "a", architecture: "amd64" },
            { digest: "b", architecture: "arm64" },
        ]);
        expect(platformsIn({ layers: [] })).toBeUndefined();
    });
});

describe("provenance", () => {
    it("names the workflow, the commit and the run; there is none elsewhere", () => {
        expect(provenanceOf({})).toBeUndefined();
        const env = {
            GITHUB_ACTIONS: "true",
            GITHUB_SERVER_URL: "https://github.com",
            GITHUB_REPOSITORY: "example/orcheo",
            GITHUB_REF: "refs/tags/v1.4.2",
            GITHUB_WORKFLOW_REF: "example/orcheo/.github/workflows/publish.yml@refs/tags/v1.4.2",
            GITHUB_SHA: "c".repeat(40),
            GITHUB_RUN_ID: "7",
            GITHUB_RUN_ATTEMPT: "1",
        };
        expect(provenanceOf(env)).toMatchObject({
            buildDefinition: {
                externalParameters: {
                    workflow: {
                        repository: "https://github.com/example/orcheo",
                        path: ".github/workflows/publish.yml",
                        ref: "refs/tags/v1.4.2",
                    },
                },
                resolvedDependencies: [{ digest: { gitCommit: "c".repeat(40) } }],
            },
            runDetails: {
                builder: { id: "https://github.com/example/orcheo/.github/workflows/publish.yml@refs/tags/v1.4.2" },
                metadata: { invocationId: "https://github.com/example/orcheo/actions/runs/7/attempts/1" },
            },
        });
    });
});
