/** The comment of a pull request, from previews as Pulumi writes them. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect, test } from "vitest";

import { changesOf, ranked } from "../../policies/changes.ts";
import { commentOf, wholeOf } from "../../policies/comment.ts";
import { commentBytes, fitted } from "../../policies/fit.ts";
import { propertyChanges } from "../../policies/property-changes.ts";
import { reviewOf } from "../../policies/review.ts";
import { unknownText } from "../../policies/values.ts";

const terms = { config: undefined, exceptions: undefined, profile: undefined } as unknown as Parameters<
    typeof reviewOf
>[3];
const where = "in the artefact";

interface State {
    readonly inputs: object;
    readonly protect?: boolean;
    readonly retainOnDelete?: boolean;
}

/** A step of `pulumi preview --json`. */
function step(op: string, type: string, name: string, before?: State, after?: State, more: object = {}): object {
    const urn = `urn:pulumi:prod::orcheo::${type}::${name}`;
    const state = (held: State | undefined): object | undefined => held && { urn, type, custom: true, ...held };
    return { op, urn, oldState: state(before), newState: state(after), ...more };
}
const deployment = (image: string, env: readonly object[] = []): State => ({
    inputs: { spec: { replicas: 1, template: { spec: { containers: [{ name: "api", image, env }] } } } },
});
const instance = (instanceClass: string, more: object = {}): State => ({
    inputs: { instanceClass, allocatedStorage: 20, region: "eu-central-1", ...more },
});
const apps = (kind: string): string => `kubernetes:apps/v1:${kind}`;
const core = (kind: string): string => `kubernetes:core/v1:${kind}`;
const rds = "aws:rds/instance:Instance";
const service = (port: number): State => ({ inputs: { spec: { ports: [{ name: "http", port }] } } });

const comment = (steps: readonly object[], more: object = {}): string =>
    commentOf(reviewOf({ steps, ...more }, "prod", true, terms), commentBytes, where, "<!-- here -->");
const whole = (steps: readonly object[], more: object = {}): string =>
    wholeOf(reviewOf({ steps, ...more }, "prod", true, terms));

test("data that goes, replacements, restarts and deletions come first, then the rest", () => {
    const said = comment([
        step("create", core("ServiceAccount"), "new", undefined, { inputs: {} }),
        step("update", core("Service"), "api", service(80), service(81)),
        step("delete", core("ConfigMap"), "old", { inputs: {} }),
        step("update", apps("Deployment"), "api", deployment("a:1"), deployment("a:2")),
        step("create-replacement", apps("Deployment"), "worker", deployment("a"), deployment("a"), {
            replaceReasons: ["spec.selector"],
        }),
        step("delete-replaced", apps("Deployment"), "worker", deployment("a"), undefined),
        step("replace", apps("Deployment"), "worker", deployment("a"), deployment("a")),
        step("delete", core("PersistentVolumeClaim"), "data", { inputs: {}, protect: true }),
        step("delete", core("Secret"), "kept", { inputs: {}, retainOnDelete: true }),
        step("replace", rds, "postgres", instance("db.t4g.micro"), instance("db.t4g.micro"), {
            detailedDiff: { storageEncrypted: { kind: "update-replace" }, tags: { kind: "update" } },
        }),
        step("update", rds, "other", instance("db.t4g.micro"), instance("db.t4g.small")),
        step("same", core("Service"), "same", service(1), service(1)),
    ]);
    const order = [
        "Preview of `prod`: passed",
        "3 with data deleted or replaced, 1 replaced, 2 restarted, 1 deleted, 2 other changes; 1 unchanged.",
        "#### Data is deleted or replaced (3)",
        `- **delete** \`${core("PersistentVolumeClaim")} data\`: it is protected: the update will be refused`,
        `- **delete** \`${core("Secret")} kept\`: only from the state: it stays`,
        `- **replace** \`${rds} postgres\`: by \`storageEncrypted\``,
        "#### Replaced (1)",
        `- **replace** \`${apps("Deployment")} worker\`: by \`spec.selector\``,
        "#### Restarted (2)",
        `- **update** \`${apps("Deployment")} api\`: its pods restart, one after another`,
        "  - `spec.template.spec.containers[api].image`: `a:1` becomes `a:2`",
        `- **update** \`${rds} other\`: it restarts, by instanceClass`,
        "#### Deleted (1)",
        "#### Violations of policies",
        "#### Cost",
        "#### Other changes (2)",
        "  - `spec.ports[http].port`: `80` becomes `81`",
        "The whole: in the artefact.",
    ];
    const places = order.map((each) => said.indexOf(each));
    expect(order.filter((_, at) => places[at] === -1)).toEqual([]);
    expect(places).toEqual(places.toSorted((one, other) => one - other));
    expect(said.startsWith("<!-- here -->\n### Preview")).toBe(true);
});

test.each([
    [apps("StatefulSet"), true],
    [apps("DaemonSet"), true],
    ["kubernetes:batch/v1:CronJob", false],
])("a new template of %s restarts its pods: %s", (type, restarts) => {
    const [change] = changesOf({ steps: [step("update", type, "a", deployment("a:1"), deployment("a:2"))] });
    expect(change?.restart !== undefined).toBe(restarts);
    const scaled = { inputs: { spec: { replicas: 2 } } };
    const [other] = changesOf({ steps: [step("update", type, "a", { inputs: { spec: { replicas: 1 } } }, scaled)] });
    expect(other?.restart).toBeUndefined();
});

test.each([
    ...["aws:s3/bucket:Bucket", "aws:kms/key:Key", "aws:rds/cluster:Cluster", "aws:ebs/volume:Volume"],
    "aws:amp/workspace:Workspace",
    ...["kubernetes:postgresql.cnpg.io/v1:Cluster", "random:index/randomPassword:RandomPassword", core("Namespace")],
    "kubernetes:apiextensions.k8s.io/v1:CustomResourceDefinition",
])("%s holds data", (type) => {
    for (const op of ["delete", "replace", "delete-replaced"])
        expect(ranked(changesOf({ steps: [step(op, type, "a", { inputs: {} })] })).data, op).toHaveLength(1);
    expect(ranked(changesOf({ steps: [step("update", type, "a", { inputs: {} }, { inputs: {} })] })).data).toEqual([]);
});

test("properties are named by path, elements by their names, and what is not known yet is said", () => {
    const before = { spec: { list: [1, 2], env: [{ name: "A", value: "1" }], gone: true }, __defaults: [1] };
    const after = {
        spec: {
            list: [1, 3, 4],
            env: [
                { name: "B", value: "2" },
                { name: "A", value: "1" },
            ],
            at: unknownText,
        },
        "a.b/c": { x: null },
    };
    expect(propertyChanges("t:t:T", before, after).map((each) => Object.values(each).join(" | "))).toEqual([
        "spec.list[1] | 2 | 3",
        "spec.list[2] | nothing | 4",
        'spec.env[B] | nothing | {"name":"B","value":"2"}',
        "spec.gone | true | nothing",
        "spec.at | nothing | known after the update",
        '["a.b/c"] | nothing | {"x":null}',
    ]);
});

const planted = "hunter2-Planted-9f3c";
/** Everywhere that a secret may stand; the sentence before each is what has to be shown of it none the less. */
const places: readonly (readonly [type: string, before: object, after: object])[] = [
    [core("Secret"), { stringData: { a: planted } }, { stringData: { a: "plain" } }],
    [core("Secret"), { data: { [`x`]: planted } }, {}],
    [core("Secret"), { metadata: { annotations: { a: planted } } }, { metadata: {} }],
    [core("ConfigMap"), { data: { "app.ini": "a" } }, { data: { "app.ini": `password = ${planted}` } }],
    [core("ConfigMap"), { data: { any: "a" } }, { data: { any: planted } }],
    [apps("Deployment"), deployment("a").inputs, deployment("a", [{ name: "ANY", value: planted }]).inputs],
    [
        apps("Deployment"),
        deployment("a", [{ name: "ANY", value: planted }]).inputs,
        deployment("a", [{ name: "ANY", value: "1" }]).inputs,
    ],
    [core("Pod"), { spec: { containers: [] } }, { spec: { containers: [{ name: "a", args: [planted] }] } }],
    [core("Pod"), { spec: { a: [] } }, { spec: { a: [{ command: ["sh", "-c", `tool --x ${planted}`] }] } }],
    [rds, { password: planted }, { password: "other" }],
    [rds, { masterPassword: "[secret]" }, { masterPassword: planted }],
    ["aws:ec2/instance:Instance", { userData: "a" }, { userData: planted }],
    ["aws:lambda/function:Function", { environment: {} }, { environment: { variables: { A: planted } } }],
    ["aws:secretsmanager/secretVersion:SecretVersion", { secretString: "a" }, { secretString: planted }],
    ["random:index/randomPassword:RandomPassword", { keepers: { a: planted } }, { keepers: { a: "b" } }],
    ["kubernetes:x.io/v1:Y", { url: "a" }, { url: `postgres://u:${planted}@host/db` }],
    ["kubernetes:x.io/v1:Y", { spec: { apiToken: "1" } }, { spec: { apiToken: planted } }],
];

test.each(places.map((place, at) => [`${at} ${place[0]}`, place] as const))(
    "no secret in the comment: %s",
    (_, place) => {
        const [type, before, after] = place;
        const steps = [
            step("update", type, "a", { inputs: before }, { inputs: after }),
            step("replace", type, "b", { inputs: before }, { inputs: after }),
            step("create", type, "c", undefined, { inputs: after }),
            step("delete", type, "d", { inputs: before }),
        ];
        for (const said of [comment(steps), whole(steps)]) {
            expect(said).not.toContain(planted);
            expect(said).toContain("not shown");
        }
    },
);

test("a secret that a message holds is not shown, and the others are", () => {
    const message = (text: string, severity = "error"): object => ({ severity, message: text });
    const said = whole([], {
        diagnostics: [
            message(`connect to postgres://u:${planted}@host failed`),
            message("orcheo:stack.host: nothing is there"),
            message("Deployment worker was changed outside of Pulumi", "warning"),
            message("using pulumi-resource-random from $PATH at /bin", "warning"),
        ],
    });
    expect(said).not.toContain(planted);
    for (const shown of ["it may hold a secret", "nothing is there", "#### Warnings (1)", "#### Errors (2)"])
        expect(said).toContain(shown);
});

test("each violation has its remedy, the mandatory ones first", () => {
    const said = comment([step("create", apps("Deployment"), "api", undefined, deployment("nginx:1"))]);
    const row = said.split("\n").findIndex((line) => line.includes("[image-by-digest]"));
    expect(said.split("\n")[row]).toContain("**mandatory**");
    expect(said.split("\n")[row + 1]).toContain("How to fix it: Pin the image as repository@sha256");
    expect(said.lastIndexOf("**mandatory**")).toBeLessThan((said + "**advisory**").indexOf("**advisory**"));
});

test("cost is said before and after", () => {
    const said = comment([
        step("update", rds, "a", instance("db.t4g.micro"), instance("db.t4g.medium")),
        step("delete", rds, "b", instance("db.t4g.micro")),
        step("read", rds, "someone-else", undefined, instance("db.r6g.xlarge")),
    ]);
    const [, before = "", after = "", change = ""] =
        /\$([\d.]+) before, \$([\d.]+) after \(([-+]\$[\d.]+)\) a month/.exec(said) ?? [];
    const alone = (each: State): number =>
        reviewOf({ steps: [step("same", rds, "a", each, each)] }, "s", true, terms).cost.after.totalUsd;
    expect(Number(before)).toBeCloseTo(2 * alone(instance("db.t4g.micro")), 1);
    expect(Number(after)).toBeCloseTo(alone(instance("db.t4g.medium")), 1);
    expect(Number(before)).toBeGreaterThan(10);
    expect(change).toBe(`+$${(Number(after) - Number(before)).toFixed(2)}`);
    expect(comment([])).toContain("No resource of the stack has a price of its own.");
});

test("a comment that is too long keeps what matters and counts what it leaves out; the whole has all", () => {
    const many = (count: number, make: (n: number) => object): object[] =>
        Array.from({ length: count }, (_, n) => make(n));
    const steps = [
        ...many(900, (n) => step("create", core("Service"), `rest-${n}-ü€😀`, undefined, service(1))),
        ...many(600, (n) => step("update", core("Service"), `port-${n}`, service(80), service(n + 1000))),
        step("delete", core("PersistentVolumeClaim"), "data", { inputs: {} }),
    ];
    const said = comment(steps);
    expect(Buffer.byteLength(said)).toBeLessThanOrEqual(commentBytes);
    expect(said).toContain("PersistentVolumeClaim data");
    const [, left = ""] = /\*\*Left out here: (\d+) more of them/.exec(said) ?? [];
    const titles = said.match(/^- \*\*(create|update)\*\* /gm) ?? [];
    expect(titles.length + Number(left)).toBe(1500);
    expect(said).toContain(`the whole has them: ${where}.**`);
    expect(said.trimEnd().endsWith(`The whole: ${where}.`)).toBe(true);
    const all = whole(steps);
    for (const name of ["rest-899-", "port-599"]) expect(all).toContain(name);
    expect(all.match(/^- \*\*(create|update)\*\* /gm)).toHaveLength(1500);
});

test("details go before titles do, and both are counted", () => {
    const items = Array.from({ length: 10 }, (_, n) => ({ title: `- ${n}`, details: ["  ".padEnd(200, "x")] }));
    const section = { heading: "# a", always: [], items };
    expect(fitted([section], 100_000, "there").join("\n")).not.toContain("Left out");
    const lines = fitted([section], 900, "there").join("\n");
    expect(Buffer.byteLength(lines)).toBeLessThanOrEqual(900);
    expect(lines.match(/^- \d$/gm)).toHaveLength(10);
    expect(lines).toMatch(/\*\*Left out here: the details of [789]; there\.\*\*/);
    expect(() => fitted([section], 20, "there")).toThrow("headings");
});

test("the command writes both, of a preview that broke off as well", () => {
    const dir = mkdtempSync(join(tmpdir(), "orcheo-review-"));
    const run = (content: string, ...flags: readonly string[]): { code: number | null; out: string; err: string } => {
        writeFileSync(join(dir, "preview.json"), content);
        const command = [join(import.meta.dirname, "../../policies/review.ts"), ...flags, join(dir, "preview.json")];
        const { status, stdout, stderr } = spawnSync(process.execPath, command, { cwd: dir, encoding: "utf8" });
        return { code: status, out: stdout, err: stderr };
    };
    const flags = ["--stack", "prod", "--whole", join(dir, "preview.md"), "--where", "`preview.md` of the run"];
    const steps = [step("update", core("Service"), "api", service(80), service(81))];
    const good = run(JSON.stringify({ steps }), ...flags);
    expect(good.err).toBe("");
    expect(good.out).toContain("<!-- preview of prod -->\n### Preview of `prod`: passed");
    expect(good.out).toContain("The whole: `preview.md` of the run.");
    expect(readFileSync(join(dir, "preview.md"), "utf8")).toContain("`80` becomes `81`");
    for (const broken of ["", '{"steps": [']) {
        const { code, out } = run(broken, "--failed", ...flags);
        expect(code).toBe(0);
        expect(out).toContain("Preview of `prod`: failed");
        expect(out).toContain("did not come to an end");
    }
    expect(run("{}").code).toBe(2);
    expect(run("{}", "--stack", "s", "--stack-config", "none.yaml").code).toBe(2);
    rmSync(dir, { recursive: true });
});

test("changed images are named, with the packages that differ, each once", () => {
    const repository = "ghcr.io/example/orcheo/backend";
    const [old, now] = ["1.4.2", "1.4.3"].map((tag, at) => `${repository}:${tag}@sha256:${"ab".charAt(at).repeat(64)}`);
    const steps = ["api", "worker"].map((name) =>
        step("update", apps("Deployment"), name, deployment(old ?? ""), deployment(now ?? "")),
    );
    const bills = new Map([
        [
            old,
            new Map([
                ["libc6", "2.41-12"],
                ["gone", "1.0"],
                ["same", "3"],
            ]),
        ],
        [
            now,
            new Map([
                ["libc6", "2.41-13"],
                ["new", "2.0"],
                ["same", "3"],
            ]),
        ],
    ]);
    const review = reviewOf({ steps }, "prod", true, terms, (image) => bills.get(image) ?? "unknown");
    const said = wholeOf(review);
    expect(said).toContain("#### Images (1)");
    expect(said).toContain(
        ": 3 packages differ\n  - gone 1.0 is gone\n  - libc6: 2.41-12 becomes 2.41-13\n  - new 2.0 is new\n",
    );
    expect(said.indexOf("#### Images")).toBeLessThan(said.indexOf("#### Cost"));
    // Without the settings of image-signed it says why it does not know.
    expect(whole(steps)).toContain("packages are known with the settings of image-signed");
    expect(
        whole([step("same", apps("Deployment"), "api", deployment(now ?? ""), deployment(now ?? ""))]),
    ).not.toContain("#### Images");
});
