/** What updates ran, and going back to one without building. */
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { ownerKey } from "../../../components/ownership/ownership.plan";
import {
    differingSettings,
    isLatest,
    rollbackProblems,
    updatesIn,
    updatesText,
    withUpdate,
    type Running,
    type Update,
} from "../../../components/updates/updates.plan";
import { controllers, fakeCluster, type FakeObject } from "../../fake-cluster";
import { digest, run, runBoth, settingsOf, stackId, type Registered, type Run } from "../../harness";

const names = ["backend", "canvas", "postgres", "valkey"];
const running = (tag: string, more: Partial<Running> = {}): Running => ({
    version: "1.0.0",
    release: "0.33",
    commit: "0123456789ab",
    images: Object.fromEntries(names.map((name) => [name, `registry.example/${name}:${tag}@${digest}`])),
    settings: { version: "1.0.0", worker: { replicas: 2 } },
    ...more,
});
const at = new Date("2026-11-27T18:40:00.123Z");
const updates = (...all: readonly Running[]): readonly Update[] =>
    all.reduce<readonly Update[]>((before, each) => withUpdate(before, each, at), []);
const configMap = (text: string, namespace = "orcheo"): FakeObject => ({
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: {
        ...{ name: "updates", namespace, uid: "updates" },
        annotations: { [ownerKey]: `organization/orcheo/dev/${stackId}` },
    },
    data: { "updates.yaml": text },
});

describe("the record", () => {
    test("numbers updates from 1, with their time, and reads back what it wrote", () => {
        const all = updates(running("1"), running("2"));
        expect(all.map(({ number, time }) => [number, time])).toEqual([
            [1, "2026-11-27T18:40:00Z"],
            [2, "2026-11-27T18:40:00Z"],
        ]);
        expect(updatesIn(configMap(updatesText(all)))).toEqual(all);
    });

    test("shows the latest update first", () => {
        const text = updatesText(updates(running("1"), running("2")));
        expect((parse(text) as Update[]).map(({ number }) => number)).toEqual([2, 1]);
    });

    test("is the same for the same images and settings, whatever the commit", () => {
        const all = updatesIn(configMap(updatesText(updates(running("1")))));
        expect(isLatest(all, running("1", { commit: "ffffffffffff" }))).toBe(true);
        expect(isLatest(all, running("2"))).toBe(false);
        expect(isLatest(all, running("1", { settings: { version: "1.0.0" } }))).toBe(false);
        expect(isLatest([], running("1"))).toBe(false);
    });

    test("settings that hold a secret are not recorded", () => {
        const all = updatesIn(configMap(updatesText(updates(running("1", { settings: undefined })))));
        expect(all[0]).not.toHaveProperty("settings");
        expect(isLatest(all, running("1", { settings: undefined }))).toBe(true);
    });

    test("keeps the last 20, and fewer when they are large", () => {
        const many = updates(...Array.from({ length: 30 }, (_, index) => running(String(index))));
        expect(many.map(({ number }) => number)).toEqual(Array.from({ length: 20 }, (_, index) => index + 11));
        const large = updates(...["a", "b", "c"].map((tag) => running(tag, { settings: "x".repeat(250_000) })));
        expect(large.map(({ number }) => number)).toEqual([2, 3]);
    });

    test.each(["", "- [", "- number: one", "text"])("%j is no record", (text) => {
        expect(updatesIn(configMap(text))).toEqual([]);
    });
});

describe("going back is refused", () => {
    const recorded = updates(running("1"), running("2", { release: "0.46" }), running("3"));
    const problems = (rollbackTo: number, wanted = names, all = recorded) =>
        rollbackProblems({ rollbackTo, release: "0.33" }, all, wanted).map(
            ({ found, remedy }) => `${found}; ${remedy}`,
        );

    test("to an unrecorded update, with the recorded ones", () => {
        expect(problems(9)).toEqual([
            "found 9, which the ConfigMap updates does not hold; accepted: update 1 of 2026-11-27T18:40:00Z (version 1.0.0 of Orcheo 0.33, " +
                "commit 0123456789ab), update 3 of 2026-11-27T18:40:00Z (version 1.0.0 of Orcheo 0.33, commit 0123456789ab)",
        ]);
        expect(problems(1, names, [])).toEqual([
            "found 1, which the ConfigMap updates does not hold; no recorded update fits this stack: leave it out, and the images are built",
        ]);
    });

    test("to another release", () => {
        expect(problems(2)[0]).toContain("found 2, which ran Orcheo 0.46; this stack runs 0.33; accepted: update 1 of");
    });

    test("to an update that lacks an image", () => {
        expect(problems(1, [...names, "backup"])[0]).toContain("found 1, which ran without an image for backup");
    });

    test("and not where it fits", () => {
        expect(problems(1)).toEqual([]);
    });
});

test("differing settings are named by their keys", () => {
    const before = { version: "1.0.0", worker: { replicas: 2, concurrency: 4 }, host: "a.example", rollbackTo: 4 };
    const now = { version: "1.0.0", worker: { replicas: 3, concurrency: 4 }, api: { drainSeconds: 5 } };
    expect(differingSettings(before, now)).toEqual(["api", "host", "worker.replicas"]);
});

describe("the program", () => {
    const recordOf = ({ resources }: Run): Registered | undefined =>
        resources.find(({ type, name }) => type === "kubernetes:core/v1:ConfigMap" && name === "updates");
    const textIn = (record: Registered | undefined): string =>
        (record?.inputs["data"] as Record<string, string> | undefined)?.["updates.yaml"] ?? "";
    const holding = (text: string) => ({
        cluster: () => Promise.resolve(fakeCluster([...controllers, configMap(text)])),
        recorded: () => Promise.resolve({ id: stackId, objects: [] }),
    });

    test("records images, settings and commit once everything else has succeeded", async () => {
        const first = await runBoth({ stack: "dev" });
        const record = recordOf(first);
        const [update] = updatesIn(configMap(textIn(record)));
        expect(update).toMatchObject({
            number: 1,
            release: "0.33",
            commit: "0123456789ab",
            settings: settingsOf("dev"),
        });
        expect(Object.keys(update?.images ?? {}).sort()).toEqual(names);
        expect(Object.values(update?.images ?? {}).every((each) => each.endsWith(`@${digest}`))).toBe(true);
        const latest = (record?.inputs["data"] as Record<string, string> | undefined)?.["latest.json"] ?? "";
        const { number, time, version, release, commit } = update ?? {};
        expect(JSON.parse(latest)).toEqual({ number, time, version, release, commit });
        const again = await run({ stack: "dev", probes: holding(textIn(record)) }, false);
        expect(textIn(recordOf(again))).toBe(textIn(record));
    });

    test.each([true, false])("shows the settings to the policy pack (preview: %s)", async (preview) => {
        const record = recordOf(await run({ stack: "dev" }, preview));
        const data = record?.inputs["data"] as Record<string, string> | undefined;
        expect(parse(data?.["settings.yaml"] ?? "")).toEqual(settingsOf("dev"));
    });

    test("runs the recorded images and builds none, without a builder or registry to build with", async () => {
        const text = updatesText(updates(running("1"), running("2")));
        const settings = { ...settingsOf("dev"), rollbackTo: 1 };
        const gone = { builders: () => [], registry: () => Promise.resolve("no route") };
        const images = { kind: "build", builder: "gone" };
        const back = await runBoth({
            stack: "dev",
            settings: { ...settings, images },
            probes: { ...holding(text), ...gone },
        });
        expect(back.resources.filter(({ type }) => type.startsWith("docker-build:"))).toEqual([]);
        expect((back.outputs as { images: unknown }).images).toEqual(running("1").images);
        expect(updatesIn(configMap(textIn(recordOf(back)))).map(({ number }) => number)).toEqual([1, 2, 3]);
    });

    test.each([true, false])("refuses an unknown update with every other problem (preview: %s)", async (preview) => {
        const settings = { ...settingsOf("dev"), rollbackTo: 7, worker: { replicas: -1 } };
        const { error, resources } = await run({ stack: "dev", settings }, preview);
        expect(error).toContain("orcheo:stack.rollbackTo: found 7, which the ConfigMap updates does not hold");
        expect(error).toContain("orcheo:stack.worker.replicas: found -1");
        expect(resources).toEqual([]);
    });

    test("refuses to go back where images are published", async () => {
        const published = Object.fromEntries(names.map((name) => [name, `registry.example/${name}@${digest}`]));
        const settings = { ...settingsOf("dev"), rollbackTo: 1, images: { kind: "published", ...published } };
        const { error } = await run(
            { stack: "dev", settings, probes: holding(updatesText(updates(running("1")))) },
            true,
        );
        expect(error).toContain('orcheo:stack.rollbackTo: found 1; accepted only with images.kind "build"');
    });
});
