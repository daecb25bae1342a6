import { spawnSync } from "node:child_process";
import { resolve } from "node:path";
import { expect, it } from "vitest";

// What runs in these images is Python; its own tests need a python3 of 3.11 or newer and nothing else.
// Some start real processes and wait for their deadlines, so a busy machine gets more time.
it.each(["backend", "backup"])("the Python tests of the %s image pass", { timeout: 240_000 }, (image) => {
    const python = spawnSync("python3", ["-m", "unittest", "discover", "-s", "tests", "-t", "."], {
        cwd: resolve("images", image),
        encoding: "utf8",
        timeout: 230_000,
        env: { PATH: process.env["PATH"], PYTHONDONTWRITEBYTECODE: "1" },
    });
    expect(python.error, "python3 cannot be started").toBeUndefined();
    expect(python.stderr).toMatch(/Ran [1-9]\d* tests in .*\n\nOK\n$/);
    expect(python.status).toBe(0);
});
