import type { types } from "@pulumi/kubernetes";
import type { Input } from "@pulumi/pulumi";
import { ports } from "../config/ports";
import type { Stack } from "../config/schema";
import { releaseLabels, selector } from "../kubernetes/labels";
import { planPod, probe, type ContainerPlan, type PodSettings } from "../kubernetes/pod.plan";
import { scratchSizes, type ScratchSettings } from "../kubernetes/scratch.plan";
import * as volumes from "../kubernetes/volumes.plan";
import {
    metricsEnvironment,
    scrapeAnnotations,
    scraperOf,
    type MonitoringSettings,
} from "../monitoring/monitoring.plan";

export type CanvasSettings = MonitoringSettings &
    PodSettings &
    ScratchSettings &
    Pick<Stack, "auth" | "canvas" | "leaveSeconds" | "publicUrl" | "version">;

export interface CanvasInputs {
    readonly namespace: Input<string>;
    readonly image: Input<string>;
    readonly serviceAccountName: Input<string>;
    readonly certificateSecret: Input<string>;
}

/** Values of the canvas' sign-in, by upstream's names; none when people cannot sign in. */
function planSignIn({ auth: { signIn }, publicUrl }: Pick<Stack, "auth" | "publicUrl">): Record<string, string> {
    if (signIn.kind === "tokensOnly") return {};
    const { organization, param, google, github } = signIn.providerHints;
    return {
        VITE_ORCHEO_AUTH_ISSUER: signIn.issuer,
        VITE_ORCHEO_AUTH_CLIENT_ID: signIn.clientId,
        VITE_ORCHEO_AUTH_REDIRECT_URI: `${publicUrl}/auth/callback`,
        VITE_ORCHEO_AUTH_SCOPES: signIn.scopes.join(" "),
        VITE_ORCHEO_AUTH_AUDIENCE: signIn.audience,
        ...(organization !== undefined && { VITE_ORCHEO_AUTH_ORGANIZATION: organization }),
        ...(param !== undefined && { VITE_ORCHEO_AUTH_PROVIDER_PARAM: param }),
        ...(google !== undefined && { VITE_ORCHEO_AUTH_PROVIDER_GOOGLE: google }),
        ...(github !== undefined && { VITE_ORCHEO_AUTH_PROVIDER_GITHUB: github }),
    };
}

/** Where the canvas 0.16.0 looks for `orcheo browser-aware`. */
const browserHelper = "http://localhost:3333";

/** What the page may call besides its own origin, the issuer's, and those it loads from. */
const connectOrigins = ({ auth: { signIn }, canvas }: Pick<Stack, "auth" | "canvas">): readonly string[] => [
    ...(signIn.kind === "oidc" ? signIn.endpointOrigins : []),
    ...(canvas.browserHelper ? [browserHelper] : []),
];

/** Settings that are left out are not set. */
export function planSettings(stack: Pick<Stack, "auth" | "canvas" | "publicUrl">): Record<string, string> {
    const { settings, contentSecurityOrigins } = stack.canvas;
    const connect = connectOrigins(stack);
    return {
        VITE_ORCHEO_BACKEND_URL: stack.publicUrl,
        ...planSignIn(stack),
        ...(settings.chatkitDomainKey !== undefined && {
            VITE_ORCHEO_CHATKIT_DOMAIN_KEY: settings.chatkitDomainKey,
        }),
        ...(connect.length > 0 && { CANVAS_CSP_CONNECT_ORIGINS: connect.join(" ") }),
        ...(contentSecurityOrigins.length > 0 && { CANVAS_CSP_EXTRA_ORIGINS: contentSecurityOrigins.join(" ") }),
    };
}

export function planCanvas(stack: CanvasSettings, inputs: CanvasInputs): types.input.apps.v1.Deployment {
    const { canvas, version } = stack;
    const sizes = scratchSizes(stack).canvas;
    const site = volumes.scratch("site", "/srv/canvas", sizes.site);
    const tmp = volumes.scratch("tmp", "/tmp", sizes.tmp);
    const healthy = { httpGet: { path: "/healthz", port: ports.canvas, scheme: "HTTPS" } };
    // Writes the settings into a copy of the site: the root filesystem is read-only.
    const prepare: ContainerPlan = {
        name: "prepare",
        image: inputs.image,
        args: ["prepare"],
        env: planSettings(stack),
        resources: { ...canvas.resources, memoryLimitMiB: Math.max(64, canvas.resources.memoryLimitMiB) },
        mounts: [site, tmp],
    };
    const serve: ContainerPlan = {
        name: "canvas",
        image: inputs.image,
        args: ["serve"],
        env: metricsEnvironment("canvas", stack),
        port: { name: "https", number: ports.canvas },
        ...(scraperOf(stack) !== undefined && { metricsPort: ports.metrics }),
        resources: canvas.resources,
        mounts: [site, tmp, volumes.serverCertificate(inputs.certificateSecret)],
        probes: {
            startup: probe(healthy, { everySeconds: 1, failures: 60, timeoutSeconds: 3 }),
            readiness: probe(healthy, { everySeconds: 5, failures: 3, timeoutSeconds: 3 }),
            liveness: probe(healthy, { everySeconds: 15, failures: 4, timeoutSeconds: 3 }),
        },
        preStopSeconds: stack.leaveSeconds,
    };
    return {
        metadata: { name: "canvas", namespace: inputs.namespace, labels: releaseLabels("canvas", version) },
        spec: {
            replicas: canvas.replicas,
            selector: { matchLabels: selector("canvas") },
            strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
            template: planPod({
                role: "canvas",
                serviceAccountName: inputs.serviceAccountName,
                stack,
                terminationGraceSeconds: 25 + stack.leaveSeconds,
                annotations: scrapeAnnotations("canvas", stack),
                initContainers: [prepare],
                containers: [serve],
            }),
        },
    };
}
