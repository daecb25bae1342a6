import { isDeepStrictEqual } from "node:util";
import { expect, it } from "vitest";
import { run, settingsOf } from "../../harness";

const objectsOf = async (version: string) => {
    const { resources, error } = await run({ stack: "dev", settings: { ...settingsOf("dev"), version } }, false);
    expect(error).toBeUndefined();
    return new Map(resources.filter(({ type }) => type.startsWith("kubernetes:")).map((each) => [each.name, each]));
};

it("a new version changes the objects that run Orcheo, and no other", async () => {
    const [before, after] = [await objectsOf("0.1.0"), await objectsOf("0.2.0")];
    const changed = [...after.values()].filter(
        ({ name, inputs }) => !isDeepStrictEqual(before.get(name)?.inputs, inputs),
    );
    const version = "app.kubernetes.io/version";
    const shown = changed.map(({ type, name, inputs }) => {
        const { labels } = inputs["metadata"] as { labels: Record<string, string> };
        return `${type.split(":").at(-1)} ${name}: ${labels[version]}`;
    });
    expect(shown.sort()).toEqual([
        "ConfigMap updates: undefined",
        "Deployment api: 0.2.0",
        "Deployment beat: 0.2.0",
        "Deployment canvas: 0.2.0",
        "Deployment worker: 0.2.0",
        "Job backend-init: 0.2.0",
    ]);
}, 60_000);
