/** Settings of Orcheo's own processes. */
import { z } from "zod";
import { canvasOrigin, canvasText } from "./canvas-rules";
import { atMost, choice, environmentName, flag, resources, whole } from "./fields";

const logLevel = () =>
    choice(["DEBUG", "INFO", "WARNING", "ERROR"]).default("INFO").describe("Least severe messages that are logged.");
const extraEnv = () =>
    z
        .record(environmentName(), z.string({ error: "a string" }))
        .default({})
        .describe(
            "Further environment, never secrets (the policy pack refuses them). It cannot replace what the stack sets.",
        );

const scratch = () =>
    z
        .strictObject({
            tmpMiB: whole(16, 524_288)
                .default(512)
                .describe("/tmp: uploads and what runs write meanwhile, MiB; a pod that fills it is evicted."),
            stateMiB: whole(64, 524_288).default(1024).describe("/var/lib/orcheo: caches and HOME, MiB; likewise."),
        })
        .prefault({})
        .describe("Scratch directories on the node's disk, which live as long as the pod.");

export const api = z
    .strictObject({
        scaling: z
            .strictObject({
                minReplicas: whole(1, 200).default(2).describe("Replicas at least."),
                maxReplicas: whole(1, 200).default(4).describe("Replicas at most."),
                cpuPercent: whole(10, 100).default(70).describe("CPU target, percent of the request."),
                memoryPercent: whole(10, 200).default(80).describe("Memory target, percent of the request."),
                scaleUpStabilizationSeconds: whole(0, 3600).default(0).describe("How long a higher need must last."),
                scaleDownStabilizationSeconds: whole(0, 3600).default(300).describe("How long a lower need must last."),
                podsPerMinute: whole(1, 100).default(4).describe("Pods added or removed in a minute at most."),
            })
            .superRefine((value, context) => {
                atMost(value, "minReplicas", "maxReplicas", context);
            })
            .prefault({})
            .describe("HorizontalPodAutoscaler; it alone owns the number of replicas."),
        resources: resources({
            cpuRequestMillis: 200,
            cpuLimitMillis: 1500,
            // A pod without load takes 270: with less set aside, memory alone would keep a third pod forever.
            memoryRequestMiB: 640,
            memoryLimitMiB: 1024,
            ephemeralRequestMiB: 64,
        }),
        scratch: scratch(),
        drainSeconds: whole(5, 600)
            .default(40)
            .describe("Time for open requests when a pod stops; Orcheo drains runs up to 30 s."),
        logLevel: logLevel(),
        extraEnv: extraEnv(),
    })
    .prefault({})
    .describe("HTTP and WebSocket API.");

/** /dev/shm of a worker with browsers. */
export const browserSharedMemoryMiB = 512;
/** Chromium with one page, 393 MiB measured, and the driver that speaks to it, 124. */
const browserMiB = 640;

export const worker = z
    .strictObject({
        replicas: whole(1, 200).default(1).describe("Replicas."),
        concurrency: whole(1, 64).default(2).describe("Runs that one worker executes at a time."),
        longestRunSeconds: whole(10, 86_400)
            .default(600)
            .describe(
                "Longest run of a workflow. One that takes longer ends as failed, with this as its reason, and its process is replaced. A stopping worker gets this long and 30 s more.",
            ),
        lostRuns: z
            .enum(["fail", "restart"])
            .default("fail")
            .describe(
                "Runs whose worker was lost (killed, out of memory, its node gone): `fail` ends them as failed with the reason in their history; `restart` executes them again from their input, at least once, and fails them after the third start. Choose `restart` only when every workflow may do its work twice. See docs/reliability.md.",
            ),
        memoryPerProcessMiB: whole(384, 1_000_000)
            .optional()
            .describe(
                "Memory that the process of one run may have, of which Orcheo itself needs some 200 MiB. A run that takes more ends as failed, with this as its reason, and the runs beside it go on; a process that has grown so far is replaced after its run. Default: the container's limit alone, by which all runs of a worker are lost together.",
            ),
        browser: flag()
            .default(false)
            .describe(
                "Browser nodes: the image gets Debian's Chromium and Playwright's driver (some 850 MB), and the worker more shared memory. Chromium runs without its own sandbox, in the worker's container; see docs/plugins.md.",
            ),
        runsPerProcess: whole(1, 1_000_000)
            .optional()
            .describe("Runs after which a process of the worker is replaced by a new one; default: never."),
        resources: resources({
            cpuRequestMillis: 150,
            cpuLimitMillis: 2000,
            memoryRequestMiB: 576,
            memoryLimitMiB: 1536,
            ephemeralRequestMiB: 128,
        }),
        scratch: scratch(),
        logLevel: logLevel(),
        extraEnv: extraEnv(),
    })
    .superRefine((value, context) => {
        const browsers = value.browser ? browserSharedMemoryMiB + browserMiB * value.concurrency : 0;
        const least = 512 + 128 * value.concurrency + browsers;
        const beside = value.browser
            ? `, and with browser ${browserSharedMemoryMiB} MiB of shared memory and ${browserMiB} MiB for the Chromium of each process`
            : "";
        if (value.resources.memoryLimitMiB < least)
            context.addIssue({
                code: "custom",
                path: ["resources", "memoryLimitMiB"],
                message: `at least ${least} with concurrency ${value.concurrency} (256 MiB, 128 MiB for each process, and 256 MiB while a lost run is settled${beside})`,
            });
    })
    .superRefine(({ memoryPerProcessMiB, concurrency, resources }, context) => {
        if (memoryPerProcessMiB === undefined) return;
        const least = 512 + memoryPerProcessMiB * concurrency;
        if (resources.memoryLimitMiB < least)
            context.addIssue({
                code: "custom",
                path: ["memoryPerProcessMiB"],
                message: `at most ${Math.max(Math.floor((resources.memoryLimitMiB - 512) / concurrency), 0)} with concurrency ${concurrency} and resources.memoryLimitMiB ${resources.memoryLimitMiB} (512 MiB are the worker's own, and every process may reach its limit at once)`,
            });
    })
    .prefault({})
    .describe("Celery worker: executes the runs.");

export const beat = z
    .strictObject({
        resources: resources({
            cpuRequestMillis: 50,
            cpuLimitMillis: 500,
            memoryRequestMiB: 96,
            memoryLimitMiB: 256,
            ephemeralRequestMiB: 32,
        }),
        logLevel: logLevel(),
        extraEnv: extraEnv(),
    })
    .prefault({})
    .describe("Celery beat: dispatches cron triggers. There is exactly one, which no setting changes.");

export const canvas = z
    .strictObject({
        replicas: whole(1, 50).default(1).describe("Replicas."),
        resources: resources({
            cpuRequestMillis: 20,
            cpuLimitMillis: 500,
            memoryRequestMiB: 32,
            memoryLimitMiB: 64,
            ephemeralRequestMiB: 48,
        }),
        contentSecurityOrigins: z
            .array(canvasOrigin())
            .default([])
            .describe("Further origins that the Content-Security-Policy allows."),
        browserHelper: flag()
            .default(false)
            .describe(
                "Let the page reach Orcheo's helper on each person's own machine (`orcheo browser-aware`, http://localhost:3333).",
            ),
        settings: z
            .strictObject({
                chatkitDomainKey: canvasText("a domain key").optional().describe("VITE_ORCHEO_CHATKIT_DOMAIN_KEY."),
            })
            .prefault({})
            .describe(
                "Further settings of the front end. Its backend is always the stack's host; sign-in is in `auth.signIn`.",
            ),
    })
    .prefault({})
    .describe("Front end.");
