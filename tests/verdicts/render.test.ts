/** `npm run render`: what it writes is what the program would deploy, as the engine's preview has it, and an API server takes it. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { at, fields, list, text } from "../../policies/values.ts";
import { render } from "../../tools/render/main.ts";
import { manifestsOf, type Manifest } from "../../tools/render/manifests.plan.ts";
import { withOwnStack } from "./own-stack.ts";

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

test("the manifests are the objects of the preview, without a secret, and the API server takes them", async () => {
    const file: unknown = parse(readFileSync(join(import.meta.dirname, "../../Pulumi.dev.yaml"), "utf8"));
    const committed = fields(at(file, "config", "orcheo:stack"));
    const namespace = "rendered";
    const settings = { ...committed, kubernetes: { ...fields(committed["kubernetes"]), namespace } };
    await withOwnStack("dev", settings, async (stack) => {
        const { objects, secrets } = render("dev", join(stack.folder, "stack.yaml"));
        const steps = list(at(JSON.parse(await stack.run("preview", "--json")), "steps"));
        const inputs = steps
            .filter((step) => (text(at(step, "newState", "type")) ?? "").startsWith("kubernetes:"))
            .map((step) => at(step, "newState", "inputs") as Manifest);
        const planned = manifestsOf(inputs);

        expect(objects.map(identity).sort()).toEqual(planned.objects.map(identity).sort());
        expect(objects.length).toBeGreaterThan(100);
        const plannedBy = new Map(planned.objects.map((each) => [identity(each), each]));
        for (const object of objects) {
            const plan = plannedBy.get(identity(object));
            const named = { ...plan, metadata: { ...plan?.metadata, name: object.metadata.name } };
            expect(object).toEqual(completed(named, object));
        }
        expect(secrets.map(identity).sort()).toEqual(planned.secrets.map(identity).sort());
        const values = secrets.flatMap((secret) => Object.values(fields(at(secret, "data"))));
        expect(values.length).toBeGreaterThan(5);
        const written = JSON.stringify(objects);
        for (const value of values) {
            expect(written).not.toContain(text(value));
            expect(written).not.toContain(Buffer.from(text(value) ?? "", "base64").toString());
        }

        const input = objects.map((each) => JSON.stringify(each)).join("\n---\n");
        const apply = ["apply", "--server-side", "--dry-run=server", "--field-manager", "render", "-f", "-"];
        execFileSync("kubectl", ["create", "namespace", namespace]);
        try {
            const taken = execFileSync("kubectl", apply, { input, encoding: "utf8" });
            expect(taken.trim().split("\n")).toHaveLength(objects.length);
        } finally {
            execFileSync("kubectl", ["delete", "namespace", namespace, "--wait=false"]);
        }
    });
}, 300_000);
