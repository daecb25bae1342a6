/**
 * `worker.browser` on both releases, on its own cluster: BuildKit builds the image with Chromium, and runs open a page of the cluster
 * in workers under Pod Security `restricted` and the stack's NetworkPolicies. `make browser-test`.
 */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { stringify } from "yaml";
import { clusterInfo, startCluster, stopCluster } from "../../local/cluster/cluster.ts";
import { clusterSpec } from "../../local/cluster/spec.ts";
import { projectDir } from "../../local/paths.ts";
import { clusterEnvironment, deploy } from "../../local/platform.ts";
import { run } from "../../local/process.ts";
import { committedFile, readStackFile } from "../../local/pulumi.ts";
import { consoleReport } from "../../local/report.ts";
import { merge, type Settings, settingsOf } from "../../local/settings.ts";
import { ensureToolchain } from "../../local/toolchain/build.ts";
import { ask, at, createWorkflow, dispatch, ended, type Entrance, resultOf } from "../e2e/orcheo.ts";
import { pageServer, pagesIn, title, visit } from "./page.ts";

const report = consoleReport();
const toolchain = await ensureToolchain(["cluster", "add-ons", "pulumi", "test"], report);
const spec = clusterSpec("browser", { api: 26450, registry: 25010, http: 20090, https: 20450 });
const artifacts = join(projectDir, "artifacts");
const keep = process.env.ORCHEO_KEEP_BROWSER !== undefined;

beforeAll(async () => {
    mkdirSync(artifacts, { recursive: true });
    await stopCluster(spec, report, { deleteData: true });
    await startCluster(spec, toolchain, report);
});

afterAll(async () => {
    if (!keep) await stopCluster(spec, report, { deleteData: true });
});

const exception = () => ({
    rule: "unsafe-choice",
    resource: "UnsafeChoice::worker.browser",
    reason: "the test's own page",
    expires: new Date(Date.now() + 30 * 24 * 3600 * 1000).toISOString().slice(0, 10),
});

/** The colour in the middle of a picture, as red, green and blue. */
async function colourOf(picture: Buffer): Promise<readonly number[]> {
    const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
    try {
        const page = await browser.newPage();
        await page.setContent(`<img src="data:image/jpeg;base64,${picture.toString("base64")}">`, {
            waitUntil: "load",
        });
        return await page.evaluate<number[]>(`(() => {
            const image = document.querySelector("img");
            const canvas = document.createElement("canvas");
            [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
            const context = canvas.getContext("2d");
            context.drawImage(image, 0, 0);
            return [...context.getImageData(canvas.width / 2, canvas.height / 2, 1, 1).data.slice(0, 3)];
        })()`);
    } finally {
        await browser.close();
    }
}

/** Prints the last picture of a trace, which is a zip file with their times in their names. */
const lastPicture = `import base64, sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as trace:
    pictures = sorted(each for each in trace.namelist() if each.endswith(".jpeg"))
    if pictures:
        print(base64.b64encode(trace.read(pictures[-1])).decode())`;

describe.each(["0.33", "0.46"])("release %s", (release) => {
    const stack = `browser${release.replace(".", "")}`;
    const file = committedFile(stack);
    const elsewhere = `${stack}-pages`;
    const pages = pagesIn(elsewhere);
    const env = (): NodeJS.ProcessEnv => ({ ...process.env, ...clusterEnvironment(spec, toolchain, stack) });
    const kubectl = (...args: string[]): Promise<string> =>
        run("kubectl", ["--namespace", stack, ...args], { env: env(), timeoutSeconds: 120 });
    const inWorker = (...command: string[]): Promise<string> => kubectl("exec", "deployment/worker", "--", ...command);
    let entrance: Entrance;

    /** Visits a page, and takes pictures of it into a trace. @returns the run when it has ended */
    async function visited(url: string, trace: string): Promise<unknown> {
        const { id } = await createWorkflow(entrance, release, trace, { script: visit(url, `/tmp/${trace}.zip`) });
        return ended(entrance, await dispatch(entrance, { id }), 120);
    }

    function settings(): Settings {
        return merge(settingsOf(readStackFile(committedFile("dev")), "dev"), {
            release,
            host: `${stack}.localhost`,
            kubernetes: { namespace: stack },
            images: { kind: "build", canvas: { source: { kind: "directory", path: "tests/canvas-app" } } },
            api: { scaling: { minReplicas: 1, maxReplicas: 1 } },
            worker: { browser: true, resources: { memoryLimitMiB: 2560 } },
            network: { enforcement: "probed", peers: [pages.peer] },
        });
    }

    async function up(exceptions: readonly object[]): Promise<Settings> {
        const config = { "orcheo:stack": settings(), "orcheo:policyExceptions": exceptions };
        writeFileSync(file, stringify({ config }));
        return deploy({ spec, toolchain, report, stack });
    }

    afterAll(() => {
        rmSync(file, { force: true });
    });

    test("the unsafe choice is refused without an exception", async () => {
        await expect(up([])).rejects.toThrow(/unsafe-choice/);
        expect(await kubectl("get", "namespace", stack, "--ignore-not-found", "-o", "name")).toBe("");
    });

    test("the image is built, and the stack starts", async () => {
        const { bootstrapToken, images } = await up([exception()]);
        const token = await run("bash", ["-c", String(bootstrapToken)], { env: env() });
        const caFile = clusterInfo(spec).caFile;
        entrance = { origin: `https://${stack}.localhost:${spec.ports.https}`, caFile, token };
        const input = JSON.stringify(pageServer(elsewhere, String(at(images, "backend"))));
        await run("kubectl", ["apply", "--server-side", "-f", "-"], { env: env(), input });
        await kubectl("--namespace", elsewhere, "wait", "--for=condition=Ready", "pod/page", "--timeout=60s");
    });

    test("its NetworkPolicies are enforced", async () => {
        const log = await kubectl("logs", "-l", "app.kubernetes.io/component=network-probe");
        expect(log).toMatch(/^NetworkPolicies are enforced: .* cannot connect to the API server at \S+:443\.$/m);
    });

    test("two runs at a time open a page, run its script, read it and take its picture", async () => {
        const enforced = "jsonpath={.metadata.labels.pod-security\\.kubernetes\\.io/enforce}";
        expect(await kubectl("get", "namespace", stack, "-o", enforced)).toBe("restricted");
        // 0.46 answers 500 when two callers make the same workspace at once.
        await ask(entrance, "POST", "/api/workspaces", { slug: "e2e", name: "E2E" });
        const traces = ["first", "second"];
        const runs = await Promise.all(traces.map((trace) => visited(pages.openUrl, trace)));
        for (const done of runs) {
            expect(at(done, "status"), JSON.stringify(done)).toBe("succeeded");
            expect(at(resultOf(done, "title"), "value")).toBe(title);
            expect(at(resultOf(done, "script"), "value")).toBe(42);
        }
        for (const trace of traces) {
            const picture = Buffer.from(await inWorker("python3", "-c", lastPicture, `/tmp/${trace}.zip`), "base64");
            writeFileSync(join(artifacts, `worker-browser-${release}-${trace}.jpeg`), picture);
            const [red = 0, green = 0, blue = 0] = await colourOf(picture);
            // What the page's script paints, after lossy compression.
            expect(Math.max(Math.abs(red - 10), Math.abs(green - 125), Math.abs(blue - 50))).toBeLessThan(8);
        }
        const restarts = "jsonpath={.items[*].status.containerStatuses[*].restartCount}";
        expect(await kubectl("get", "pods", "-l", "app.kubernetes.io/component=worker", "-o", restarts)).toBe("0");
        const files = "/sys/fs/cgroup/memory.peak /sys/fs/cgroup/memory/memory.max_usage_in_bytes";
        const peak = Number(await inWorker("sh", "-c", `cat ${files} 2>/dev/null || true`));
        report.note(`release ${release}: the worker took ${Math.round(peak / 2 ** 20)} MiB at its peak`);
    });

    test("a page that no setting opens is not reached, and the run's error says so", async () => {
        const done = await visited(pages.closedUrl, "closed");
        expect(at(done, "status")).toBe("failed");
        expect(String(at(done, "error"))).toMatch(/ERR_CONNECTION_|ERR_TIMED_OUT|Timeout \d+ms exceeded/);
    });

    test("neither a run that succeeded nor one that failed leaves a browser or a zombie behind", async () => {
        const names = "cat /proc/[0-9]*/comm 2>/dev/null | sort | uniq -c";
        expect(await inWorker("sh", "-c", names)).not.toMatch(/chrom|node/);
    });
});
