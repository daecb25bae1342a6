/** A person in a browser: the canvas from its sign-in page to its sign-out, with what `make up` prints. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Browser, Page, WebSocket } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { signInOf } from "../../../local/cluster/sign-in.ts";
import { run } from "../../../local/process.ts";
import { openBrowser } from "../browser.ts";
import * as canvas from "../canvas.ts";
import { ask } from "../orcheo.ts";
import { artifacts, caller, env, spec } from "./harness.ts";

/** The main job with its result first: it is on the page while the rest still runs. */
const script = `from langgraph.graph import END, START, StateGraph
from orcheo.graph.state import State
from orcheo.nodes.logic import DelayNode, SetVariableNode


def build():
    graph = StateGraph(State)
    graph.add_node("set", SetVariableNode(name="set", variables={"answer": 42}))
    graph.add_node("wait", DelayNode(name="wait", duration_seconds=10))
    graph.add_edge(START, "set")
    graph.add_edge("set", "wait")
    graph.add_edge("wait", END)
    return graph
`;

async function printedPerson(): Promise<canvas.Person> {
    const printed = readFileSync(join(artifacts, "make-up.log"), "utf8");
    const [, userName = "", command = "false"] =
        /as the user (\S+); its password is printed by\s+(\S.*)$/m.exec(printed) ?? [];
    return { userName, password: (await run("bash", ["-c", command], { env })).trim() };
}

export function person(): void {
    let browser: Browser | undefined;
    let page: Page;
    let me: canvas.Person;
    const violations: string[] = [];
    const sockets: WebSocket[] = [];

    beforeAll(async () => {
        me = await printedPerson();
        browser = await openBrowser(caller(), { ...caller(), origin: signInOf(spec).issuer });
        page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
        page.setDefaultTimeout(90_000);
        page.on("console", (message) => {
            const blocked = /content security policy/i.test(message.text());
            const ours = message.location().url.startsWith(caller().origin);
            // The real canvas asks for a helper on the person's own machine: see canvas.browserHelper.
            if (blocked && ours && !message.text().includes("localhost:3333")) violations.push(message.text());
        });
        page.on("websocket", (socket) => sockets.push(socket));
    });

    afterAll(async () => {
        await browser?.close();
    });

    test("a wrong password is reported, and the right one opens the canvas", async () => {
        await page.goto(caller().origin);
        await canvas.openSignInForm(page);
        await canvas.submit(page, { ...me, password: `${me.password}x` });
        await page.getByRole("alert").waitFor();
        await canvas.submit(page, me);
        await canvas.expectGallery(page);
    });

    test("creates a workflow, runs it and sees the result while it comes over the WebSocket", async () => {
        const workflow = await canvas.useTemplate(page, "Simple Agent");
        const mine = { ...caller(), token: await canvas.accessToken(page) };
        // The canvas has no editor: scripts are uploaded, here with the session's own token.
        const version = { script, entrypoint: "build", created_by: "e2e" };
        const uploaded = await ask(mine, "POST", `/api/workflows/${workflow}/versions/ingest`, version);
        expect(uploaded.status, JSON.stringify(uploaded.body)).toBe(201);
        await page.reload();
        await canvas.run(page);
        await canvas.span(page, "set").click();
        await canvas.result(page, '"answer": 42').waitFor();
        expect(sockets.at(-1)?.isClosed()).toBe(false);
        await canvas.span(page, "wait").waitFor();
        await page.screenshot({ path: join(artifacts, "canvas.png") });
        expect(violations).toEqual([]);
    });

    test("signs out: no session is left, and the next sign-in asks for the password again", async () => {
        await canvas.logOut(page);
        expect(await canvas.accessToken(page)).toBeUndefined();
        expect(await page.evaluate(async () => (await fetch("/api/workflows")).status)).toBe(401);
        await page.goto(caller().origin);
        await canvas.signIn(page, me);
    });

    test("an expired session leads back to the sign-in page", async () => {
        await page.clock.setSystemTime(Date.now() + 24 * 3600 * 1000);
        await page.reload();
        await canvas.expectSignInPage(page);
        expect(await canvas.accessToken(page)).toBeUndefined();
    });
}
