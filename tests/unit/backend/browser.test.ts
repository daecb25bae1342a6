/** Browser nodes by `worker.browser`: the image, the worker's shared memory, and the memory that they need. */
import { describe, expect, it } from "vitest";
import { output } from "@pulumi/pulumi";
import { planDeployment } from "../../../components/backend/backend.plan";
import { sentence } from "../../../components/config/problems";
import { planImage } from "../../../components/images/images.plan";
import { parseStack } from "../../../components/stack/read";
import { settingsOf } from "../../harness";

const parsed = (settings: object) => {
    const json = JSON.stringify({ ...settingsOf("dev"), ...settings });
    return parseStack({ stack: "dev", keys: [], json, secret: false });
};
function stackOf(settings: object = {}) {
    const { stack, problems } = parsed(settings);
    if (stack === undefined || problems.length > 0) throw new Error(JSON.stringify(problems));
    return stack;
}
const worker = { browser: true, resources: { memoryLimitMiB: 2560 } };
const plugins = { plugins: [{ package: "one", version: "1.0.0" }] };

describe("the image", () => {
    it.each([
        [undefined, {}],
        ["with-browser", { worker }],
        ["with-plugins", { images: { kind: "build", ...plugins } }],
        ["with-browser-and-plugins", { worker, images: { kind: "build", ...plugins } }],
    ])("is built to the stage %s", (target, settings) => {
        expect(planImage("backend", stackOf(settings))).toMatchObject({ target });
        for (const name of ["canvas", "postgres", "valkey"] as const)
            expect(planImage(name, stackOf(settings))).toEqual(planImage(name, stackOf()));
    });
});

describe("the worker", () => {
    const server = { url: { kind: "value" as const, value: output("") }, trust: { kind: "stack" as const } };
    const inputs = {
        ...{ namespace: "orcheo", image: "i", serviceAccountName: "a", certificateSecret: "c", secretName: "s" },
        servers: { database: server, cache: server },
    };
    const shared = (role: "api" | "worker", settings: object): unknown =>
        planDeployment(role, stackOf(settings), inputs).spec;

    it("has more shared memory with a browser, and no pod has it without", () => {
        const shm = (sizeLimit: string) => ({
            template: {
                spec: {
                    volumes: expect.arrayContaining([
                        { name: "shm", emptyDir: { sizeLimit, medium: "Memory" } },
                    ]) as unknown,
                },
            },
        });
        expect(shared("worker", { worker })).toMatchObject(shm("512Mi"));
        expect(shared("worker", {})).toMatchObject(shm("128Mi"));
        expect(shared("api", { worker })).toEqual(shared("api", {}));
    });

    it("is refused with less memory than Chromium needs beside the runs", () => {
        expect(
            parsed({ worker: { browser: true } })
                .problems.map(sentence)
                .join("\n"),
        ).toContain(
            "orcheo:stack.worker.resources.memoryLimitMiB: left at its default; accepted: at least 2560 with concurrency 2 (256 MiB, 128 MiB for each process, and 256 MiB while a lost run is settled, and with browser 512 MiB of shared memory and 640 MiB for the Chromium of each process)",
        );
    });
});
