/** Every object says what it is for, where to read on, and which part of Orcheo it belongs to. */
import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { everythingNew } from "../../aws-programs";
import { run, settingsOf, type Registered } from "../../harness";
import { monitored, notified, notifiedByFiles, password, type Variant, variants } from "../../variants";
import { keptMetadata } from "../../../components/ownership/declared";
import { describedPages } from "../../../components/ownership/descriptions.plan";

interface Metadata {
    readonly name?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
}
const metadataOf = ({ inputs }: Registered): Metadata => inputs["metadata"] ?? {};

const usual = [
    "app.kubernetes.io/component",
    "app.kubernetes.io/instance",
    "app.kubernetes.io/managed-by",
    "app.kubernetes.io/name",
    "app.kubernetes.io/part-of",
];

/** What of the program's objects does not read well. */
function unexplained(resources: readonly Registered[]): readonly string[] {
    // Not what is only read.
    const objects = resources.filter(({ type, inputs }) => type.startsWith("kubernetes:") && "metadata" in inputs);
    expect(objects.length).toBeGreaterThan(40);
    return objects.flatMap((each) => {
        const { name, labels, annotations } = metadataOf(each);
        const text = annotations?.["kubernetes.io/description"] ?? "";
        const docs = annotations?.["orcheo.dev/docs"] ?? "";
        const missing = usual.filter((key) => (labels?.[key] ?? "") === "");
        const wrong = [
            ...(/^[A-Z].{10,110}\.$/.test(text) ? [] : [`the description "${text}"`]),
            ...(describedPages.includes(docs) ? [] : [`the page "${docs}"`]),
            ...missing,
        ];
        return wrong.map((what) => `${each.type} ${name ?? `(${each.name})`}: ${what}`);
    });
}

describe("every object is explained", () => {
    const programs = [
        ["dev", { stack: "dev" }],
        ["prod", { stack: "prod" }],
        ["metrics", { stack: "dev", settings: monitored }],
        ["notifications", { stack: "dev", settings: notified }],
        [
            "notifications as a file",
            {
                stack: "dev",
                settings: notifiedByFiles,
            },
        ],
        ["all of it new on AWS", { stack: "prod", settings: everythingNew }],
        [
            "sign-in, peers and own files",
            {
                stack: "dev",
                settings: {
                    ...settingsOf("dev"),
                    network: { peers: [{ namespace: "team", podLabels: { app: "x" }, ports: [80] }] },
                },
            },
        ],
    ] as const;
    it.each(programs)("of %s", async (_, program) => {
        expect(unexplained((await run(program, false)).resources)).toEqual([]);
    });

    it.each(Object.keys(variants) as Variant[])("of the stack with %s", async (name) => {
        const program = { stack: "dev", settings: variants[name], ...password.of(name) } as const;
        expect(unexplained((await run(program, false)).resources)).toEqual([]);
    });

    it("but not the objects of someone else's section, nor over an own description", async () => {
        const extra = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "team" }, data: { a: "b" } };
        const patch = { metadata: { annotations: { "kubernetes.io/description": "Ours." } } };
        const settings = {
            ...settingsOf("dev"),
            extraObjects: [extra],
            transforms: [{ kind: "Service", name: "api", patch }],
        };
        const { resources } = await run({ stack: "dev", settings }, false);
        const find = (kind: string, name: string) =>
            resources
                .filter((each) => each.type.endsWith(`:${kind}`) && metadataOf(each).name === name)
                .map(metadataOf);
        expect(find("ConfigMap", "team")[0]?.annotations).not.toHaveProperty("kubernetes.io/description");
        expect(find("Service", "api")[0]?.annotations).toMatchObject({ "kubernetes.io/description": "Ours." });
    });
});

describe("a page that an object names", () => {
    it.each(describedPages)("%s exists", (page) => {
        const [file = "", anchor] = page.split("#");
        expect(existsSync(file), file).toBe(true);
        const headings = [...readFileSync(file, "utf8").matchAll(/^#+ +(.+)$/gm)].map(([, title = ""]) =>
            title
                .toLowerCase()
                .replaceAll(/[^\w -]/g, "")
                .replaceAll(" ", "-"),
        );
        if (anchor !== undefined) expect(headings).toContain(anchor);
    });
});

describe("what an older release set is kept", () => {
    const kept = [
        "metadata.labels",
        'metadata.annotations["kubernetes.io/description"]',
        'metadata.annotations["orcheo.dev/docs"]',
    ];
    it.each([
        ["kubernetes:core/v1:Secret", undefined, kept],
        ["kubernetes:core/v1:ConfigMap", undefined, kept],
        ["kubernetes:batch/v1:Job", undefined, ["metadata.labels"]],
        ["kubernetes:core/v1:ConfigMap", "updates", []],
    ])("of a %s named %s: %j", (type, name, expected) => {
        expect(keptMetadata(type, name)).toEqual(expected);
    });
});
