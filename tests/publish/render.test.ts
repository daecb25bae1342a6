/** `npm run render`: what it writes is what the program would deploy, as a preview by the engine has it. Neither needs a cluster. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parse, stringify } from "yaml";
import { projectDir } from "../../local/paths.ts";
import { consoleReport } from "../../local/report.ts";
import { ensureToolchain } from "../../local/toolchain/build.ts";
import { at, fields, list, text } from "../../policies/values.ts";
import { render } from "../../tools/render/main.ts";
import { manifestsOf, type Manifest } from "../../tools/render/manifests.plan.ts";
// The types of what own-stack.ts takes from its project's setup.
import type {} from "../verdicts/aws/account.ts";
import { withOwnStack } from "../verdicts/own-stack.ts";
import { unreachableCluster } from "./no-cluster.ts";

/** In a preview: what only the update knows, such as the name of a Secret. */
const unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/** The preview's value, with what it does not know taken from the rendered one. */
function completed(planned: unknown, rendered: unknown): unknown {
    if (planned === unknown) return rendered;
    // The provider leaves out empty lists.
    if (Array.isArray(planned) && planned.length === 0 && rendered === undefined) return undefined;
    if (Array.isArray(planned)) return planned.map((each, index) => completed(each, list(rendered)[index]));
    if (typeof planned !== "object" || planned === null) return planned;
    return Object.fromEntries(Object.entries(planned).map(([key, each]) => [key, completed(each, at(rendered, key))]));
}

/** Names of generated objects have a hash of their content, in which a preview lacks what it does not know. */
const identity = ({ apiVersion, kind, metadata }: Manifest): string =>
    `${apiVersion} ${kind} ${metadata.name.replace(/-[0-9a-f]{8}$/, "")}`;

const folder = mkdtempSync(join(tmpdir(), "orcheo-render-test-"));

beforeAll(async () => {
    const toolchain = await ensureToolchain(["pulumi", "cluster"], consoleReport());
    process.env.PATH = `${toolchain.path}${delimiter}${process.env.PATH ?? ""}`;
    process.env.KUBECONFIG = unreachableCluster(folder);
});

afterAll(() => {
    rmSync(folder, { recursive: true });
});

test("the manifests are the objects of the preview, without a secret, and the same again", async () => {
    const file: unknown = parse(readFileSync(join(projectDir, "Pulumi.dev.yaml"), "utf8"));
    const committed = fields(at(file, "config", "orcheo:stack"));
    await withOwnStack(
        "dev",
        committed,
        async (stack) => {
            const { objects, secrets } = render("dev", join(stack.folder, "stack.yaml"));
            const steps = list(at(JSON.parse(await stack.run("preview", "--json")), "steps"));
            const inputs = steps
                .filter((step) => (text(at(step, "newState", "type")) ?? "").startsWith("kubernetes:"))
                .map((step) => at(step, "newState", "inputs") as Manifest);
            const planned = manifestsOf(inputs);

            expect(objects.map(identity).sort()).toEqual(planned.objects.map(identity).sort());
            // All but the record of updates.
            expect(objects.length + secrets.length).toBe(inputs.length - 1);
            expect(objects.length).toBeGreaterThan(100);
            const plannedBy = new Map(planned.objects.map((each) => [identity(each), each]));
            for (const object of objects) {
                const plan = plannedBy.get(identity(object));
                const named = { ...plan, metadata: { ...plan?.metadata, name: object.metadata.name } };
                expect(object).toEqual(completed(named, object));
            }
            expect(render("dev", join(stack.folder, "stack.yaml")).objects).toEqual(objects);
            expect(secrets.map(identity).sort()).toEqual(planned.secrets.map(identity).sort());
            const values = secrets.flatMap((secret) => Object.values(fields(at(secret, "data"))));
            expect(values.length).toBeGreaterThan(5);
            const written = JSON.stringify(objects);
            for (const value of values) {
                expect(written).not.toContain(text(value));
                expect(written).not.toContain(Buffer.from(text(value) ?? "", "base64").toString());
            }
        },
        "stand-in",
    );
});

test("a stack that would build images or make something elsewhere is refused, with what to do", () => {
    const settings = {
        kubernetes: { context: "none" },
        registry: { prefix: "127.0.0.1:5000/orcheo" },
        version: "0.1.0",
    };
    writeFileSync(join(folder, "building.yaml"), stringify({ config: { "orcheo:stack": settings } }));
    expect(() => render("dev", join(folder, "building.yaml"))).toThrow(
        /images\.kind "published"|no object of Kubernetes/,
    );
});
