/** compose/reload.py with a tree of two lines in place of Orcheo's; make compose-test runs it in the containers. */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { freePort } from "../../local/free-port.ts";

const root = mkdtempSync(join(tmpdir(), "orcheo-reload-"));
afterAll(() => {
    rmSync(root, { recursive: true });
});
const write = (dir: string, files: Readonly<Record<string, string>>): void => {
    for (const [file, text] of Object.entries(files)) {
        mkdirSync(dirname(join(dir, file)), { recursive: true });
        writeFileSync(join(dir, file), text);
    }
};

/**
 * What the image has: Orcheo's start reduced to the call that the reloader waits before, and packages that never change. Each line
 * is printed as one string: the reloader writes to the same stream.
 */
const image = {
    "orcheo_runtime/__init__.py": "",
    "orcheo_runtime/connections.py": "def check_before_use(): pass\n",
    "orcheo_runtime/logs.py":
        "import logging, sys\ndef install(): logging.basicConfig(level='INFO', stream=sys.stdout, force=True)\n",
    "orcheo_runtime/imports.py":
        "from contextlib import nullcontext as without_collection\ndef import_for_runs(): pass\n",
    "orcheo_runtime/start.py":
        "import runpy\ndef main(arguments):\n    runpy.run_module('orcheo_runtime.' + arguments[0], run_name='__main__', alter_sys=True)\n    return 0\n",
    "orcheo_runtime/api.py": `import os, signal, socket, sys, orcheo_backend.app as app, uvicorn
from dynaconf.utils import files
def leave(*_):
    print(f'left {app.VERSION}', flush=True); os._exit(7)
signal.signal(signal.SIGTERM, leave)
if app.VERSION == 'unable': sys.exit(3)
listener = socket.socket()
listener.bind(('127.0.0.1', int(os.environ['PORT'])))
stack = files.inspect.stack()
callers = f'{os.path.basename(stack[0].filename)} to {stack[-1].filename}, lines {hasattr(stack[0], "code_context")}'
print(f'serves {app.VERSION} of {uvicorn.LOADED_BY == os.getpid()}, callers {callers}', flush=True)
listener.listen()
while True: signal.pause()
`,
    // Takes long to end, as Celery does, and its version "stuck" never ends.
    "orcheo_runtime/worker.py": `import os, signal, time, orcheo_backend.app as app
from celery.signals import worker_ready
from celery.worker.consumer.mingle import Mingle
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
def leave(*_):
    if app.VERSION == 'stuck': return
    time.sleep(1); print(f'left {app.VERSION}', flush=True); os._exit(7)
signal.signal(signal.SIGTERM, leave)
ThreadingHTTPServer(('127.0.0.1', int(os.environ['PORT'])), BaseHTTPRequestHandler)
print(f'serves {app.VERSION} pid {os.getpid()} greets {len(Mingle.compatible_transports)}', flush=True)
worker_ready.receiver(sender=None)
while True: signal.pause()
`,
    "dynaconf/__init__.py": "",
    "dynaconf/utils/__init__.py": "",
    "dynaconf/utils/files.py": "import inspect\n",
    "celery/__init__.py": "",
    "celery/signals.py":
        "class worker_ready:\n    @classmethod\n    def connect(cls, receiver, weak): cls.receiver = receiver\n",
    "celery/worker/__init__.py": "",
    "celery/worker/consumer/__init__.py": "",
    "celery/worker/consumer/gossip.py": "class Gossip: compatible_transports = {'redis'}\n",
    "celery/worker/consumer/mingle.py": "class Mingle: compatible_transports = {'redis'}\n",
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

/** reload.py, and its tree with one version in `orcheo_backend/app.py`. */
class Reloaded {
    said = "";
    readonly process: ChildProcess;
    readonly code: Promise<number | null>;
    readonly #tree: string;

    constructor(role: "api" | "worker", settings: Readonly<Record<string, string>>, first = "VERSION = 'one'\n") {
        const dir = mkdtempSync(join(root, role));
        this.#tree = join(dir, "tree", "src");
        write(join(dir, "image"), image);
        write(this.#tree, {
            "orcheo_backend/__init__.py": "",
            "orcheo_backend/worker/__init__.py": "",
            "orcheo_backend/worker/celery_app.py": "",
            "orcheo_backend/worker/tasks.py": "import orcheo_backend.app\n",
        });
        this.version(first);
        const program = `import sys, pathlib, reload; reload.BYTE_CODE = ${JSON.stringify(join(dir, "bytecode"))}
reload.GRACE_SECONDS['worker'] = 2.0
sys.exit(reload.main(['${role}'], pathlib.Path(${JSON.stringify(join(dir, "tree"))})))`;
        this.process = spawn("python3", ["-c", program], {
            env: {
                ...settings,
                PATH: process.env["PATH"] ?? "",
                PYTHONPATH: [join(process.cwd(), "compose"), this.#tree, join(dir, "image")].join(":"),
                PYTHONUNBUFFERED: "1",
                PYTHONDONTWRITEBYTECODE: "1",
            },
            stdio: ["ignore", "pipe", "pipe"],
        });
        for (const stream of [this.process.stdout, this.process.stderr])
            stream?.on("data", (part: Buffer) => (this.said += part.toString()));
        this.code = new Promise((done) => this.process.on("exit", done));
    }

    version(text: string): void {
        write(this.#tree, { "orcheo_backend/app.py": text });
    }

    async until(words: string): Promise<void> {
        for (let waited = 0; waited < 600 && !this.said.includes(words); waited += 1) await sleep(50);
        expect(this.said).toContain(words);
    }

    async untilWatched(): Promise<void> {
        while (!existsSync(join(this.#tree, "..", "watched"))) await sleep(50);
    }
}

describe("reload.py api", () => {
    let api: Reloaded;
    beforeAll(async () => {
        api = new Reloaded("api", { PORT: String(await freePort()) });
    });
    afterAll(() => {
        api.process.kill("SIGKILL");
    });

    it("serves the tree; dynaconf learns who calls it without lines of source", async () => {
        await api.until("serves one of True, callers api.py to <string>, lines False");
    });

    it("the former one leaves when the new one listens, with packages that it did not import anew", async () => {
        await api.untilWatched();
        api.version("VERSION = 'two'\n");
        await api.until("left one");
        expect(api.said).toContain("serves two of False");
        expect(api.said.indexOf("serves two")).toBeLessThan(api.said.indexOf("left one"));
    });

    it("a tree that cannot be imported is reported, and the former one stays", async () => {
        api.version("VERSION = \n");
        await api.until("api still runs what it had");
        expect(api.said).toContain("SyntaxError");
        expect(api.said).not.toContain("left two");
    });

    it("one that is imported and does not come to serve leaves the former one, too", async () => {
        const before = api.said.length;
        api.version("VERSION = 'unable'\n");
        await expect.poll(() => api.said.slice(before), { timeout: 30_000 }).toContain("api still runs what it had");
        expect(api.said).not.toContain("left two");
        api.version("VERSION = 'three'\n");
        await api.until("left two");
    });

    it("ends with the process that serves, and with its code", async () => {
        api.process.kill("SIGTERM");
        expect(await api.code).toBe(7);
        expect(api.said).toContain("left three");
    });

    it("ends with the code of a first one that does not come to serve", async () => {
        api = new Reloaded("api", { PORT: "0" }, "VERSION = 'unable'\n");
        expect(await api.code).toBe(3);
    });
});

describe("reload.py worker", () => {
    let worker: Reloaded;
    beforeAll(async () => {
        worker = new Reloaded("worker", { PORT: String(await freePort()) });
        await worker.until("serves one");
        await worker.untilWatched();
    });
    afterAll(() => {
        worker.process.kill("SIGKILL");
    });

    it("a worker starts while the former one ends, on the same health port, and waits for no other's greeting", async () => {
        worker.version("VERSION = 'stuck'\n");
        await worker.until("left one");
        expect(worker.said.indexOf("serves stuck")).toBeGreaterThan(0);
        expect(worker.said.indexOf("serves stuck")).toBeLessThan(worker.said.indexOf("left one"));
        expect(worker.said).toMatch(/serves stuck pid \d+ greets 0/);
    });

    it("a former worker that does not end is killed", async () => {
        const pid = Number(/serves stuck pid (\d+)/.exec(worker.said)?.[1]);
        expect(existsSync(`/proc/${pid}`)).toBe(true);
        worker.version("VERSION = 'three'\n");
        await worker.until("serves three");
        expect(existsSync(`/proc/${pid}`)).toBe(true);
        await expect.poll(() => existsSync(`/proc/${pid}`), { timeout: 20_000 }).toBe(false);
        worker.process.kill("SIGTERM");
        expect(await worker.code).toBe(7);
        expect(worker.said).toContain("left three");
    });
});
