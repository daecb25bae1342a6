/** What no single setting shows: settings that are each accepted and cannot be meant together. */
import { createPublicKey } from "node:crypto";
import { admissionRules } from "../admission/admission.plan";
import { quotaOf } from "../cluster/cluster.plan";
import { signedOnly, startsSolvers } from "../config/kinds";
import { unlessRefused } from "../config/partial";
import type { Problem } from "../config/problems";
import type { Stack } from "../config/schema";
import { publicCanvas } from "../config/schema.images";
import { imageNames, planImage, publishedImage } from "../images/images.plan";
import { serverPort, urlProblems } from "../servers/servers.plan";
import { awsRules } from "./conflicts.aws";
import { backupRules } from "./conflicts.backup";
import { tooFewConnections, urlForPooler } from "./conflicts.data";
import { kubernetesRules } from "./conflicts.kubernetes";
import { plainTelemetry, unmeasuredPrometheus, unprobedLevels, unreadNotifications } from "./conflicts.telemetry";
import { extraObjectProblems } from "./extra-objects.plan";
import { imageRules } from "./image-rules";
import { transformProblems } from "./transforms.plan";

const quotaKeys = [
    "cpuRequestMillis",
    "memoryRequestMiB",
    "memoryLimitMiB",
    "ephemeralRequestMiB",
    "ephemeralLimitMiB",
    "pods",
    "storageGiB",
] as const;

export type Rule = (stack: Stack) => readonly Problem[];

export const rules: readonly Rule[] = [
    quotaTooSmall,
    tooFewConnections,
    urlForPooler,
    privateFrontEnd,
    (stack) => serverUrl("database", stack),
    (stack) => serverUrl("cache", stack),
    ...kubernetesRules,
    ...awsRules,
    ...backupRules,
    plainTelemetry,
    unprobedLevels,
    unmeasuredPrometheus,
    unreadNotifications,
    unknownRules,
    rollbackOfPublished,
    missingImages,
    foreignImages,
    unreadableKey,
    unsignedSolver,
    ...imageRules,
    transformProblems,
    extraObjectProblems,
];

/** Each problem is reported once. A rule that reads a refused setting reports nothing. */
export function evaluated(stack: Stack, all: readonly Rule[]): Problem[] {
    const found = all.flatMap((rule) => unlessRefused(() => rule(stack), []));
    return found.filter(
        (one, index) => found.findIndex(({ at, remedy }) => at === one.at && remedy === one.remedy) === index,
    );
}

function rollbackOfPublished({ rollbackTo, images }: Pick<Stack, "images" | "rollbackTo">): Problem[] {
    if (rollbackTo === undefined || images.kind !== "published") return [];
    const remedy = 'accepted only with images.kind "build": name the earlier digests in images instead';
    return [{ at: "orcheo:stack.rollbackTo", found: `found ${rollbackTo}`, remedy }];
}

function missingImages(stack: Pick<Stack, "backup" | "database" | "images" | "release" | "worker">): Problem[] {
    if (stack.images.kind !== "published") return [];
    return imageNames(stack)
        .filter((name) => publishedImage(name, stack) === undefined)
        .map((name) => {
            const reason =
                name === "backend" && stack.worker.browser
                    ? "no published image has a browser (orcheo:stack.worker.browser)"
                    : `images/published.json has none for release "${stack.release}"`;
            const optional = { pgbouncer: "database.pooler.kind", backup: "backup.kind" }[name as string];
            const without = optional === undefined ? "" : `; or set ${optional} to "none"`;
            const remedy = `accepted: an image by digest, as ${reason}${without}`;
            return { at: `orcheo:stack.images.${name}`, found: "is missing", remedy };
        });
}

/** The stack's own images, which the cluster would refuse. */
function foreignImages(stack: Stack): Problem[] {
    const { admission } = stack.kubernetes;
    if (admission.kind !== "enforce" || admission.registries.length === 0) return [];
    const { images } = stack;
    // A missing published image is reported elsewhere.
    const named = imageNames(stack).filter(
        (name) => images.kind === "build" || publishedImage(name, stack) !== undefined,
    );
    const own = named.map((name) => {
        const plan = planImage(name, stack);
        return plan.kind === "published" ? plan.ref : plan.repository;
    });
    const foreign = own.filter((image) => !admission.registries.some((allowed) => image.startsWith(`${allowed}/`)));
    if (foreign.length === 0) return [];
    return [
        {
            at: "orcheo:stack.kubernetes.admission.registries",
            found: `found nothing that covers ${foreign.join(", ")}`,
            remedy: "accepted: a list that covers the stack's own images too",
        },
    ];
}

function unreadableKey({ images }: Pick<Stack, "images">): Problem[] {
    const signer = signedOnly(images)?.signer;
    if (signer?.kind !== "key") return [];
    try {
        createPublicKey(signer.publicKey);
        return [];
    } catch {
        const remedy = "accepted: the text of cosign.pub, with its line breaks (`publicKey: |`)";
        return [{ at: "orcheo:stack.images.admission.signer.publicKey", found: "holds no key", remedy }];
    }
}

/** The cluster would refuse cert-manager's pods, and with them the public certificate. */
function unsignedSolver({ images, entrance }: Pick<Stack, "images" | "entrance">): Problem[] {
    const admission = signedOnly(images);
    if (admission === undefined || admission.unsigned.length > 0 || !startsSolvers(entrance)) return [];
    return [
        {
            at: "orcheo:stack.images.admission.unsigned",
            found: "found none, and cert-manager starts pods that answer ACME's challenge",
            remedy: "accepted: a list with the solver's image, such as quay.io/jetstack/cert-manager-acmesolver; or the solver dns01",
        },
    ];
}

function unknownRules({ kubernetes: { admission } }: Pick<Stack, "kubernetes">): Problem[] {
    if (admission.kind !== "enforce") return [];
    const unknown = admission.warnOnly.filter((rule) => !admissionRules.includes(rule));
    return unknown.map((rule) => ({
        at: `orcheo:stack.kubernetes.admission.warnOnly[${admission.warnOnly.indexOf(rule)}]`,
        found: `found "${rule}"`,
        remedy: `accepted: ${admissionRules.join(", ")}`,
    }));
}

function quotaTooSmall(stack: Stack): Problem[] {
    const { need } = quotaOf(stack);
    return quotaKeys.flatMap((key) => {
        const configured = stack.kubernetes.quota[key];
        if (configured === undefined || configured >= need[key]) return [];
        const remedy = `accepted: at least ${need[key]}, the sum of the workloads at their peak; or remove the setting`;
        return [{ at: `orcheo:stack.kubernetes.quota.${key}`, found: `found ${configured}`, remedy }];
    });
}

function privateFrontEnd({ release, images }: Pick<Stack, "release" | "images">): Problem[] {
    if (release !== "0.46" || images.kind !== "build") return [];
    const { source } = images.canvas;
    if (source.kind !== "git" || source.url !== publicCanvas.url) return [];
    return [
        {
            at: "orcheo:stack.images.canvas.source",
            found: `found the public canvas ${publicCanvas.ref} with release "0.46"`,
            remedy: 'the front end of 0.46 is not public: name your own with kind "directory", "git" or "image"',
        },
    ];
}

const acceptedUrls = {
    database: "accepted: postgresql://user:password@host:port/database, with sslmode=verify-full or none",
    cache: "accepted: rediss://user:password@host:port/0, with ssl_cert_reqs=required or none",
};

/** A URL without verified TLS, or that clients read differently; of the URL itself nothing is shown. */
function serverUrl(server: "database" | "cache", stack: Stack): Problem[] {
    const settings = stack[server];
    if (settings.kind !== "external" || settings.url.kind !== "value") return [];
    const problems = urlProblems(server, settings.url.value);
    const at = `orcheo:stack.${server}.url.value`;
    if (problems.length > 0)
        return problems.map((problem) => ({ at, found: `found ${problem}`, remedy: acceptedUrls[server] }));
    const port = serverPort(server, settings);
    if (settings.port === undefined || settings.port === port) return [];
    return [
        {
            at: `orcheo:stack.${server}.port`,
            found: `found ${settings.port}`,
            remedy: `accepted: ${port}, the port of ${server}.url.value; or leave it out`,
        },
    ];
}
