/** The test plugin (tests/plugin): its wheel, its lock, and a run that uses its node. */
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { expect } from "vitest";
import { pathsOf } from "../../../local/cluster/spec.ts";
import { caBundleFile, projectDir } from "../../../local/paths.ts";
import { lockPlugins, uv } from "../../../local/plugins.ts";
import { run } from "../../../local/process.ts";
import { answerOf, ask, at, createWorkflow, dispatch, ended, type Entrance } from "../orcheo.ts";
import { artifacts, attempt, spec, toolchain } from "./harness.ts";

const version = "1.0.0";
const name = "orcheo-plugin-greeting";

const script = `from langgraph.graph import END, START, StateGraph
from orcheo.graph.state import State
from orcheo_plugin_greeting import GreetingNode


def build():
    graph = StateGraph(State)
    graph.add_node("set", GreetingNode(name="set", guests=7))
    graph.add_edge(START, "set")
    graph.add_edge("set", END)
    return graph
`;

export interface TestPlugin {
    /** `images` of the stack. */
    readonly plugins: readonly { readonly package: string; readonly version: string }[];
    readonly pluginLock: string;
}

/** Builds the wheel into its own folder; its lock, which is still to be made, stands beside it. */
export async function buildTestPlugin(
    folder: string,
    source = join(projectDir, "tests", "plugin"),
): Promise<TestPlugin> {
    // Absolute: the stack is also previewed from another checkout.
    const dir = join(artifacts, folder);
    rmSync(dir, { recursive: true, force: true });
    const env = { ...process.env, UV_PYTHON_DOWNLOADS: "never" };
    await run(await uv(), ["build", "--quiet", "--wheel", "--out-dir", dir, source], { env });
    return { plugins: [{ package: name, version }], pluginLock: join(dir, "plugins.lock") };
}

export async function lockedTestPlugin(release: string, folder: string, source?: string): Promise<TestPlugin> {
    const plugin = await buildTestPlugin(folder, source);
    await lockPlugins({ release, lock: plugin.pluginLock, plugins: [`${name}==${version}`] });
    return plugin;
}

/** The plugin as it would be for an Orcheo of the future. */
async function incompatiblePlugin(release: string): Promise<TestPlugin> {
    const source = join(artifacts, "incompatible-source");
    rmSync(source, { recursive: true, force: true });
    mkdirSync(source, { recursive: true });
    cpSync(join(projectDir, "tests", "plugin"), source, { recursive: true });
    const [manifest = ""] = readdirSync(source, { recursive: true, encoding: "utf8" }).filter((each) =>
        each.endsWith("orcheo_plugin.toml"),
    );
    const text = readFileSync(join(source, manifest), "utf8");
    writeFileSync(join(source, manifest), text.replace(/^orcheo_version = .*$/m, 'orcheo_version = ">=9"'));
    return lockedTestPlugin(release, "incompatible", source);
}

/** The API lists the plugin as loaded, and a worker executes its node. */
export async function usesTestPlugin(entrance: Entrance, release: string): Promise<void> {
    const { body } = await ask(entrance, "GET", "/api/system/plugins");
    expect(at(body, "plugins")).toEqual([
        expect.objectContaining({ name, version, enabled: true, loaded: true, status: "installed", load_error: null }),
    ]);
    const workflow = await createWorkflow(entrance, release, "e2e-plugin", { script });
    const done = await ended(entrance, await dispatch(entrance, workflow));
    expect(answerOf(done), JSON.stringify(done)).toBe("Hello, seven guests");
}

/** What the image build says to a plugin for another Orcheo. Nothing is exported; the layers below are those of the stack before. */
export async function refusedByBuild(release: string): Promise<string> {
    const { pluginLock } = await incompatiblePlugin(release);
    const context = join(projectDir, "images", "backend");
    const args = {
        ORCHEO_RELEASE: release,
        // As the stack's builds have it, whose layers are then found again.
        SOURCE_DATE_EPOCH: "1767225600",
        PLUGIN_LOCK: basename(pluginLock),
        PLUGINS: `${name}==${version}`,
    };
    const { code, output } = await attempt(toolchain.bin("buildctl"), [
        ...["--addr", `unix://${pathsOf(spec).buildkitSocket}`, "build", "--progress", "plain"],
        ...["--frontend", "dockerfile.v0", "--opt", "target=with-plugins", "--opt", "context:plugins=local:plugins"],
        ...Object.entries({ context, dockerfile: context, plugins: dirname(pluginLock) }).flatMap(([key, dir]) => [
            "--local",
            `${key}=${dir}`,
        ]),
        ...Object.entries(args).flatMap(([key, value]) => ["--opt", `build-arg:${key}=${value}`]),
        ...(caBundleFile === undefined ? [] : ["--secret", `id=ca-bundle,src=${caBundleFile}`]),
    ]);
    expect(code, output.slice(-3000)).not.toBe(0);
    return output;
}
