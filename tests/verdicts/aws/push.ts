/** Steps 4 and 7 of docs/aws.md in a checkout: the CA certificates of RDS, and the images, which ECR's credentials push. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { inject } from "vitest";

import { at, text } from "../../../policies/values.ts";
import { block } from "../../e2e/docs.ts";
import { copyCheckout } from "../../local/checkout.ts";
import { run } from "./deployer.ts";
import type { Variables } from "./cli.ts";
import type { Settings } from "./life.ts";

export const images = ["backend", "backup", "canvas", "postgres", "valkey"];

/** Only the images, which the role of step 1 builds and pushes. */
export const ofImages: readonly string[] = ["--target", "**orcheo:index:Images**"];

/** The content of the images does not count here: one file each, so that their builds download nothing. */
export async function fill(checkout: string, content: string): Promise<void> {
    for (const image of images) {
        const context = join(checkout, "images", image);
        await writeFile(join(context, "Dockerfile"), "FROM scratch\nARG VERSION\nCOPY content /content\n");
        await writeFile(join(context, "content"), `${content} ${image}`);
    }
}

/** A checkout with them. */
export async function makeCheckout(folder: string): Promise<string> {
    const checkout = join(folder, "checkout");
    await copyCheckout(checkout);
    await mkdir(join(checkout, "front-end/apps/canvas"), { recursive: true });
    await writeFile(join(checkout, "front-end/apps/canvas/package.json"), "{}");
    await fill(checkout, "first");
    return checkout;
}

/** What a stack of that checkout has of its own. */
export const built = (settings: Settings, version: string): Settings => ({
    version,
    images: {
        ...{ kind: "build", builder: "orcheo", platforms: ["linux/arm64"] },
        canvas: { source: { kind: "directory", path: "front-end" } },
    },
    database: settings["database"],
});

/** Step 4, and of step 7 the login; the builder is one of the tests' own, for there is no Docker to run one. */
export async function prepare(checkout: string, who: Variables): Promise<string> {
    const login = block("aws.md", "docker buildx create")
        .split("\n")
        .find((line) => line.startsWith("aws ecr get-login-password"));
    const steps = [block("aws.md", "mkdir -p certificates"), login ?? ""];
    return run(steps, { who: { ...who, ...inject("awsHosts") }, folder: checkout });
}

/** The digest that a tag has in the registry behind ECR's name. */
export async function digestOf(repository: string, tag: string): Promise<string> {
    const accept = ["application/vnd.oci.image.index.v1+json", "application/vnd.oci.image.manifest.v1+json"].join();
    const answer = await fetch(`http://${inject("awsRegistry")}/v2/${repository}/manifests/${tag}`, {
        method: "HEAD",
        headers: { accept },
    });
    return answer.headers.get("docker-content-digest") ?? `status ${answer.status}`;
}

/** What pods of a plan run: the references of their images. */
export function imagesOf(resources: readonly { readonly type: string; readonly props: unknown }[]): readonly string[] {
    const found = resources
        .filter(({ type }) => /^kubernetes:(apps|batch)\//.test(type))
        .flatMap(({ props }) => containersIn(props))
        .flatMap((each) => text(at(each, "image")) ?? []);
    return [...new Set(found)].sort();
}

function containersIn(value: unknown): readonly unknown[] {
    if (Array.isArray(value)) return value.flatMap(containersIn);
    if (typeof value !== "object" || value === null) return [];
    return Object.entries(value).flatMap(([key, each]: [string, unknown]) =>
        /^(initC|c)ontainers$/.test(key) && Array.isArray(each) ? (each as unknown[]) : containersIn(each),
    );
}
