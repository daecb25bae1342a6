/** Plugins of Orcheo: from the settings and their lock to the build of the backend image. */
import { describe, expect, it } from "vitest";
import { images as schema } from "../../../components/config/schema.images";
import { sentence } from "../../../components/config/problems";
import { planImage } from "../../../components/images/images.plan";
import { preflight } from "../../../components/preflight/preflight";
import { parseStack } from "../../../components/stack/read";
import { goodProbes, run, settingsOf } from "../../harness";

const hash = `--hash=sha256:${"0".repeat(64)}`;
const lock = (plugins: string, packages: readonly string[], release = "0.33"): string =>
    [
        `# Orcheo ${release}, plugins: ${plugins}`,
        "# Written by `make plugins`: run it again instead of editing.",
        ...packages.flatMap((each) => [`${each} \\`, `    ${hash} \\`, `    ${hash}`]),
        "",
    ].join("\n");

const plugins = [
    { package: "orcheo_plugin.One", version: "1.2.0" },
    { package: "orcheo-plugin-two", version: "2.0rc1" },
];
const pluginLock = "plugins/dev.lock";
const good = lock("orcheo-plugin-one==1.2.0 orcheo-plugin-two==2.0rc1", [
    "humanize==4.12.3",
    "orcheo-plugin-one==1.2.0",
    "orcheo-plugin-two==2.0rc1 ; platform_machine == 'x86_64'",
]);

function parsed(images: object, more: object = {}) {
    const json = JSON.stringify({ ...settingsOf("dev"), ...more, images: { kind: "build", ...images } });
    return parseStack({ stack: "dev", keys: [], json, secret: false });
}

function stackOf(images: object) {
    const { stack, problems } = parsed(images);
    expect(problems).toEqual([]);
    if (stack === undefined) throw new Error("no stack");
    return stack;
}

async function refusals(text: string | undefined, images: object = { plugins, pluginLock }, more: object = {}) {
    const probes = {
        ...goodProbes,
        isFile: (path: string) => path !== pluginLock || text !== undefined,
        read: (path: string) => (path === pluginLock ? (text ?? "") : goodProbes.read(path)),
    };
    return (await preflight(parsed(images, more).sections, probes, false)).map(sentence);
}

describe("settings", () => {
    it.each([
        ["a range", { version: ">=1.0" }, "version", "one exact version such as 1.4.0"],
        ["a wildcard", { version: "1.*" }, "version", "one exact version such as 1.4.0"],
        ["no version", { version: undefined }, "version", "one exact version such as 1.4.0"],
        ["a URL", { package: "x @ https://example.com/x.whl" }, "package", "the name of a Python package"],
        ["an option of the installer", { package: "--pre" }, "package", "the name of a Python package"],
    ])("%s is refused", (_, change, key, accepted) => {
        const plugin = { package: "orcheo-plugin-one", version: "1.0.0", ...change };
        const [problem, ...others] = parsed({ plugins: [plugin] }).problems;
        expect(others).toEqual([]);
        expect(problem).toMatchObject({ at: `orcheo:stack.images.plugins[0].${key}`, remedy: `accepted: ${accepted}` });
    });

    it("a package is listed once, however it is spelt", () => {
        const twice = [...plugins, { package: "Orcheo-Plugin_One", version: "1.3.0" }];
        expect(parsed({ plugins: twice }).problems.map(sentence)).toEqual([
            'orcheo:stack.images.plugins[2].package: found "Orcheo-Plugin_One"; accepted: each package once',
        ]);
    });

    it.each(["plugins.lock", "./plugins.lock", "/plugins.lock"])(
        "the lock has its own folder, which the build is given: not %s",
        (place) => {
            expect(parsed({ pluginLock: place }).problems.map(({ at }) => at)).toEqual([
                "orcheo:stack.images.pluginLock",
            ]);
        },
    );

    it("published images hold the plugins that they were built with", () => {
        const settings = { kind: "published", plugins };
        const { problems } = parsed(settings);
        expect(problems.map(sentence).join("\n")).toContain("orcheo:stack.images.plugins: unknown key");
        expect(schema.safeParse(settings).success).toBe(false);
    });

    it("ORCHEO_PLUGIN_DIR would hide them", () => {
        const env = { pods: { worker: { extraEnv: { ORCHEO_PLUGIN_DIR: "/data/plugins" } } } };
        expect(parsed({ plugins, pluginLock }, env).problems.map(sentence)).toEqual([
            "orcheo:stack.pods.worker.extraEnv.ORCHEO_PLUGIN_DIR: is set by the stack itself; leave it out: the plugins of images.plugins would not be found",
        ]);
        expect(parsed({}, env).problems).toEqual([]);
    });
});

describe("the lock", () => {
    it("of these plugins is accepted", async () => {
        expect(await refusals(good)).toEqual([]);
    });

    it("is not asked for without plugins, or when nothing is built", async () => {
        expect(await refusals(undefined, { pluginLock })).toEqual([]);
        expect(await refusals(undefined, { plugins, pluginLock }, { rollbackTo: 3 })).toEqual([]);
    });

    it.each([
        ["is missing", undefined, ["images.pluginLock: there is no file plugins/dev.lock; `make plugins` writes it"]],
        [
            "is another tool's",
            good.replace(/^# Orcheo.*/, "# uv"),
            [
                "images.pluginLock: plugins/dev.lock does not begin with the line of `make plugins`; `make plugins` writes it anew",
            ],
        ],
        [
            "is for another release, of other versions, and lacks a hash",
            lock("orcheo-plugin-one==1.1.0 other==1.0", ["orcheo-plugin-one==1.1.0"], "0.46") + "other==1.0\n",
            [
                'images.pluginLock: plugins/dev.lock is for release "0.46"; accepted: one for "0.33"; `make plugins` writes it anew',
                "images.pluginLock: plugins/dev.lock has no hash of other; `make plugins` writes it anew",
                "images.plugins[0]: found orcheo-plugin-one 1.2.0, and plugins/dev.lock has 1.1.0; `make plugins` writes it anew",
                "images.plugins[1]: found orcheo-plugin-two 2.0rc1, and plugins/dev.lock has no such package; `make plugins` writes it anew",
                "images.plugins: plugins/dev.lock is also for other==1.0; `make plugins` writes it anew",
            ],
        ],
    ])("that %s is refused, in the preview too", async (_, text, expected) => {
        expect(await refusals(text)).toEqual(expected.map((each) => `orcheo:stack.${each}`));
    });
});

describe("the image", () => {
    it("is built with them, from the folder of the lock", () => {
        const { args: without, ...plain } = built("backend", {});
        const { args, ...plan } = built("backend", { plugins, pluginLock });
        expect(plan).toEqual({ ...plain, target: "with-plugins", named: { plugins: { location: "plugins" } } });
        expect(args).toEqual({
            ...without,
            PLUGIN_LOCK: "dev.lock",
            PLUGINS: "orcheo-plugin-one==1.2.0 orcheo-plugin-two==2.0rc1",
        });
    });

    it("does not change without plugins: an unused lock has no effect", async () => {
        expect(built("backend", { pluginLock })).toEqual(built("backend", {}));
        expect(built("backend", {})).toMatchObject({ target: undefined, named: {} });
        const { resources } = await run({ stack: "dev" }, false);
        const image = resources.find(({ name }) => name === "image-backend");
        expect(image?.inputs).not.toHaveProperty("target");
    });

    it("of the other servers knows nothing of them", () => {
        for (const name of ["canvas", "postgres", "valkey"] as const)
            expect(built(name, { plugins, pluginLock })).toEqual(built(name, {}));
    });

    it("reaches the builder with its stage", async () => {
        const settings = { ...settingsOf("dev"), images: { kind: "build", plugins, pluginLock } };
        const { resources, error } = await run({ stack: "dev", settings, probes: { read: () => good } }, false);
        expect(error).toBeUndefined();
        expect(resources.find(({ name }) => name === "image-backend")?.inputs).toMatchObject({
            target: "with-plugins",
            context: { named: { plugins: { location: "plugins" } } },
        });
    });

    function built(name: "backend" | "canvas" | "postgres" | "valkey", images: object) {
        const plan = planImage(name, stackOf(images));
        if (plan.kind !== "build") throw new Error(`${name} is published`);
        return plan;
    }
});
