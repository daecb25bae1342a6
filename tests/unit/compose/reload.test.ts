/** compose/reload.py with a tree of two lines in place of Orcheo's; make compose-test runs it in the containers. */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const root = mkdtempSync(join(tmpdir(), "orcheo-reload-"));
const tree = join(root, "tree", "src");
const write = (dir: string, files: Readonly<Record<string, string>>): void => {
    for (const [file, text] of Object.entries(files)) {
        mkdirSync(dirname(join(dir, file)), { recursive: true });
        writeFileSync(join(dir, file), text);
    }
};

/** What the image has: Orcheo's start reduced to the call that the reloader waits before, and packages that never change. */
const image = {
    "orcheo_runtime/__init__.py": "",
    "orcheo_runtime/connections.py": "def check_before_use(): pass\n",
    "orcheo_runtime/logs.py":
        "import logging, sys\ndef install(): logging.basicConfig(level='INFO', stream=sys.stdout, force=True)\n",
    "orcheo_runtime/imports.py":
        "from contextlib import nullcontext as without_collection\ndef import_for_runs(): pass\n",
    "orcheo_runtime/start.py":
        "import runpy\ndef main(arguments):\n    runpy.run_module('orcheo_runtime.api', run_name='__main__', alter_sys=True)\n    return 0\n",
    "orcheo_runtime/api.py": `import os, signal, sys, orcheo_backend.app as app, uvicorn
def leave(*_):
    print('left', app.VERSION, flush=True); os._exit(7)
signal.signal(signal.SIGTERM, leave)
print('serves', app.VERSION, 'of', uvicorn.LOADED_BY == os.getpid(), flush=True)
while True: signal.pause()
`,
    "uvicorn.py": "import os\nLOADED_BY = os.getpid()\n",
    "watchfiles.py": `import pathlib, time
PythonFilter = object
def watch(*dirs, **_):
    seen = None
    while True:
        now = {str(f): f.stat().st_mtime_ns for d in dirs for f in pathlib.Path(d).rglob('*.py')}
        if seen is not None and now != seen: yield {(1, f) for f in now if now[f] != seen.get(f)}
        seen = now
        pathlib.Path(dirs[0], '..', 'watched').touch()
        time.sleep(0.05)
`,
};
const version = (text: string): void => {
    write(tree, { "orcheo_backend/app.py": text });
};

describe("reload.py", () => {
    let process_: ChildProcess;
    let said = "";
    const until = async (words: string): Promise<void> => {
        for (let waited = 0; waited < 600 && !said.includes(words); waited += 1) await sleep(50);
        expect(said).toContain(words);
    };
    const code = new Promise<number | null>((done) => {
        beforeAll(() => {
            write(join(root, "image"), image);
            write(tree, {
                "orcheo_backend/__init__.py": "",
                "orcheo_backend/worker/__init__.py": "",
                "orcheo_backend/worker/celery_app.py": "",
            });
            version("VERSION = 'one'\n");
            const program = `import sys, pathlib, reload; reload.BYTE_CODE = ${JSON.stringify(join(root, "bytecode"))}
sys.exit(reload.main(['api'], pathlib.Path(${JSON.stringify(join(root, "tree"))})))`;
            const PYTHONPATH = [join(process.cwd(), "compose"), tree, join(root, "image")].join(":");
            process_ = spawn("python3", ["-c", program], {
                env: {
                    PATH: process.env["PATH"] ?? "",
                    PYTHONPATH,
                    PYTHONUNBUFFERED: "1",
                    PYTHONDONTWRITEBYTECODE: "1",
                },
                stdio: ["ignore", "pipe", "pipe"],
            });
            for (const stream of [process_.stdout, process_.stderr])
                stream?.on("data", (part: Buffer) => (said += part.toString()));
            process_.on("exit", done);
        });
    });
    afterAll(() => {
        process_.kill("SIGKILL");
        rmSync(root, { recursive: true });
    });

    it("serves the tree", async () => {
        await until("serves one of True");
    });

    it("after a change serves the new one, with packages that it did not import anew", async () => {
        while (!existsSync(join(tree, "..", "watched"))) await sleep(50);
        version("VERSION = 'two'\n");
        await until("serves two of False");
        expect(said.indexOf("left one")).toBeLessThan(said.indexOf("serves two"));
        expect(said).toContain("left one");
    });

    it("a tree that cannot be imported is reported, and the former one stays", async () => {
        version("VERSION = \n");
        await until("api still runs what it had");
        expect(said).toContain("SyntaxError");
        expect(said).not.toContain("left two");
        version("VERSION = 'three'\n");
        await until("serves three");
    });

    it("ends with the process that serves, and with its code", async () => {
        process_.kill("SIGTERM");
        expect(await code).toBe(7);
        expect(said).toContain("left three");
    });
});
