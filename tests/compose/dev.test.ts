/**
 * compose/dev.yaml on a Docker engine: refused settings, start, sign-in, main job, reload of a mounted source tree, pgAdmin.
 * `make compose-test`. ORCHEO_CANVAS_SOURCE=<Orcheo source tree> takes that one; else it is made from the images' own code.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { consoleReport } from "../../local/report.ts";
import {
    actorsOf,
    answerOf,
    ask,
    at,
    createWorkflow,
    dispatch,
    ended,
    resultOf,
    type Workflow,
} from "../e2e/orcheo.ts";
import { claimsOf, signIn } from "../local/sign-in-client.ts";
import { besideEngine } from "./engine.ts";
import { measure, openPage, unansweredDuring } from "./saved-to-served.ts";
import { fileOf, makeTree } from "./source-tree.ts";
import { ComposeFolder, eventually, imagesOf, pull } from "./stack.ts";

const report = consoleReport();
const folder = new ComposeFolder("dev.yaml");
const { compose, send } = folder;
const tree = join(folder.root, "orcheo");

beforeAll(async () => {
    const images = imagesOf("dev");
    folder.settings = { ...images, ORCHEO_SOURCE: "../orcheo" };
    folder.write({ ORCHEO_SOURCE: "" });
    await folder.prepare();
    for (const image of Object.values(images)) await pull(image);
    await makeTree(folder, tree);
    folder.write();
});

afterAll(async () => {
    report.note(`compose/dev.yaml:\n  ${folder.timings.join("\n  ")}`);
    if (process.env.ORCHEO_KEEP_COMPOSE !== "all") await folder.remove();
});

test("malformed settings stop the start, and are named with form and example", async () => {
    folder.write({ ORCHEO_HOST: "Orcheo", ORCHEO_SOURCE: "./no-source", ORCHEO_SOURCES: "x" });
    await expect(compose(["up", "--detach", "--wait"])).rejects.toThrow(/check.*(78|didn't complete)/s);
    const said = await compose(["logs", "--no-log-prefix", "check"]);
    expect(said).toContain("compose/.env: 3 problems, nothing was started");
    expect(said).toContain('ORCHEO_HOST: found "Orcheo"; accepted: a host name such as');
    expect(said).toContain(
        'ORCHEO_SOURCE: found "./no-source", without src/orcheo; accepted: the directory of an Orcheo',
    );
    expect(said).toContain("ORCHEO_SOURCES: is no variable of these files; did you mean ORCHEO_SOURCE?");
    expect((await compose(["ps", "--status", "running", "--services"])).trim()).toBe("");
    folder.write({ ORCHEO_TRAEFIK_IMAGE: "" });
    await expect(compose(["up", "--detach", "--wait"])).rejects.toThrow(
        /ORCHEO_TRAEFIK_IMAGE.*set it in compose\/\.env to an image by digest/s,
    );
    folder.write();
});

let session: { origin: string; caFile: string; token: string };
let workflow: Workflow;

test("it starts, and a person signs in and runs the main job", async () => {
    await folder.timed("up", () => compose(["up", "--detach", "--wait"]));
    expect(await ask(folder.anybody(), "GET", "/api/system/health")).toMatchObject({ status: 200 });
    expect(await ask(folder.anybody(), "GET", "/api/workflows")).toMatchObject({ status: 401 });
    // The commands of docs/compose.md.
    const password = (await compose(["exec", "-T", "sign-in", "node", "/app/compose.ts", "password"])).trim();
    const tokens = await signIn({
        issuer: "https://sign-in.localhost",
        clientId: "orcheo-compose",
        redirectUri: "https://orcheo.localhost/auth/callback",
        scopes: "openid profile email workflows:read workflows:write workflows:execute",
        username: "admin",
        password,
        params: { audience: "orcheo-compose" },
        send,
    });
    expect(claimsOf(tokens.id_token)).toMatchObject({ name: "Orcheo Admin" });
    session = { ...folder.anybody(), token: tokens.access_token };
    workflow = await createWorkflow(session, "0.33", "by-a-person");
    const done = await folder.timed("main job", async () => ended(session, await dispatch(session, workflow)));
    expect(answerOf(done)).toBe(42);
    expect(actorsOf(done)).toContain("worker");
});

test.each(["api", "worker", "canvas"])(
    "%s runs the tree as uid 1000, and can write neither there nor elsewhere",
    async (name) => {
        const script = "id -u; touch /src/x || touch /usr/x || touch /etc/x || true";
        const said = await folder.shell(`docker compose exec -T ${name} sh -c '${script}' 2>&1`);
        expect(said).toMatch(/^1000$/m);
        expect(said.match(/Read-only file system/g)).toHaveLength(3);
        expect(at(await folder.containerOf(name), "HostConfig")).toMatchObject({
            ReadonlyRootfs: true,
            CapDrop: ["ALL"],
            SecurityOpt: ["no-new-privileges=true"],
        });
    },
);

describe("saved to served", () => {
    test("api; a file that cannot be imported leaves it running", async () => {
        const file = fileOf(tree, "orcheo_backend/app/routers/system.py");
        const text = readFileSync(file, "utf8");
        const route = (edit: number) =>
            `${text}\n\n@public_router.get("/system/edit-${edit}")\ndef edit_${edit}() -> dict[str, int]:\n    return {"edit": ${edit}}\n`;
        const statusOf = async (edit: number): Promise<number> =>
            (await ask(folder.anybody(), "GET", `/api/system/edit-${edit}`)).status;
        const served = async (edit: number): Promise<boolean> => (await statusOf(edit)) === 200;
        const save = (edit: number): void => {
            writeFileSync(file, route(edit));
        };
        const health = async (): Promise<number> => (await send("https://orcheo.localhost/api/system/health")).status;
        const unanswered = await unansweredDuring(folder, health, () => measure(folder, "api", 20, save, served));
        // A connection that the former process has not accepted yet when it closes its port is lost.
        expect(unanswered).toBeLessThan(0.01);
        writeFileSync(file, `${text}\nthis is no Python\n`);
        await eventually(30, async () => {
            const log = await compose(["logs", "--no-log-prefix", "--since", "1m", "api"]);
            return log.includes("SyntaxError") && log.includes("api still runs what it had") ? true : undefined;
        });
        expect(await served(20)).toBe(true);
        writeFileSync(file, text);
        await eventually(30, async () => ((await statusOf(20)) === 404 ? true : undefined));
        expect(await ask(session, "GET", "/api/workflows")).toMatchObject({ status: 200 });
    });

    test("worker", async () => {
        const file = fileOf(tree, "orcheo/nodes/logic/utilities.py");
        const text = readFileSync(file, "utf8");
        const [before = "", after = ""] = text.split("class SetVariableNode");
        const edited = (edit: number): string =>
            `${before}class SetVariableNode${after.replace("return payload\n", `return {**payload, "edit": ${edit}}\n`)}`;
        expect(edited(1)).not.toBe(text);
        await measure(
            folder,
            "worker",
            20,
            (edit) => {
                writeFileSync(file, edited(edit));
            },
            async (edit) => {
                const id = await dispatch(session, workflow);
                for (const end = Date.now() + 20_000; Date.now() < end;) {
                    const { body } = await ask(session, "GET", `/api/runs/${id}`);
                    if (at(body, "status") === "succeeded") return at(resultOf(body, "set"), "edit") === edit;
                    await sleep(50);
                }
                return false;
            },
        );
        writeFileSync(file, text);
    });

    test("canvas, and the page is notified", async () => {
        const file = join(tree, "apps", "canvas", "src", "main.tsx");
        const text = readFileSync(file, "utf8");
        expect((await send("https://orcheo.localhost/")).body).toContain("/@vite/client");
        const page = await openPage(folder.anybody());
        await measure(
            folder,
            "canvas",
            12,
            (edit) => {
                writeFileSync(file, `${text}\nexport const edit = ${edit};\n`);
            },
            async (edit) => (await send("https://orcheo.localhost/src/main.tsx")).body.includes(`edit = ${edit};`),
        );
        expect(page.messages()).toContain("main.tsx");
        page.close();
        writeFileSync(file, text);
    });
});

/** Quick ones of Orcheo's own; the whole of them takes minutes. The other one is for a tree that has none. */
const someTests = [
    "tests/nodes/test_logic_set_variable_node.py",
    "tests/test_triggers_cron.py",
    "tests/test_vault_inmemory_scopes.py",
];
const ownTest = `import orcheo, pytest

@pytest.mark.asyncio
async def test_tree():
    assert orcheo.__file__.startswith("/src/src/orcheo/")
    with pytest.raises(OSError, match="Read-only file system"):
        open("/src/x", "w")
`;

test("pytest runs the tree's tests in the container", async () => {
    mkdirSync(join(tree, "tests"), { recursive: true });
    writeFileSync(join(tree, "tests", "test_tree.py"), ownTest);
    const present = ["tests/test_tree.py", ...someTests.filter((file) => existsSync(join(tree, file)))];
    const said = await folder.timed("tests", () => compose(["run", "--rm", "-T", "tests", "-q", ...present]));
    expect(said).toMatch(/^\d+ passed/m);
});

test("pgAdmin signs in, and opens the database", async () => {
    await folder.timed("pgAdmin", () => compose(["--profile", "pgadmin", "up", "--detach", "--wait", "pgadmin"]));
    const script = `cd "$(mktemp -d)"; at=http://127.0.0.1:5050
ask() { curl --silent --show-error --fail --max-time 60 --cookie jar --cookie-jar jar "$@"; }
token() { sed -n 's/.*"csrfToken": "\\([^"]*\\)".*/\\1/p' page | head -n 1; }
ask $at/login > page
ask --location --output page --data-urlencode email=admin@orcheo.example.com --data-urlencode "password@$1/pgadmin/password" \\
    --data-urlencode "csrf_token=$(token)" $at/authenticate/login
ask $at/browser/js/utils.js > page
csrf=$(sed -n "s/.*pgAdmin.*csrf_token'\\] = '\\([^']*\\)'.*/\\1/p" page)
ask --header "X-pgA-CSRFToken: $csrf" $at/browser/server/nodes/1/
ask --header "X-pgA-CSRFToken: $csrf" --header 'Content-Type: application/json' \\
    --data "{\\"password\\": \\"$(cat "$1/postgres/postgres-password")\\"}" $at/browser/server/connect/1/1`;
    const said = await besideEngine("bash", "-ec", script, "pgadmin", folder.secrets);
    expect(said).toContain("Orcheo");
    expect(said).toMatch(/Server connected/i);
});
