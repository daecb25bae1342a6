/**
 * What a person does in the canvas, by what its pages show: the same on Orcheo's own canvas and on the tests' stand-in.
 * tests/canvas-app/README.md describes both.
 */
import type { Page } from "playwright-core";

export interface Person {
    readonly userName: string;
    readonly password: string;
}

/** The page of somebody who is not signed in. */
export async function expectSignInPage(page: Page): Promise<void> {
    await page.getByText("Continue with your OAuth provider.").waitFor();
}

/** From the canvas' sign-in page to the provider's form. Both buttons lead to whatever provider is configured. */
export async function openSignInForm(page: Page): Promise<void> {
    await expectSignInPage(page);
    await page.getByRole("button", { name: "Google" }).click();
    await page.getByLabel("Password").waitFor();
}

/** Fills in the provider's form; whether it lets the person in is for the caller to check. */
export async function submit(page: Page, { userName, password }: Person): Promise<void> {
    await page.getByLabel("User name").fill(userName);
    await page.getByLabel("Password").fill(password);
    await page.getByRole("button", { name: "Sign in" }).click();
}

/** The workflows of somebody who is signed in. */
export async function expectGallery(page: Page): Promise<void> {
    await page.getByRole("tab", { name: /^Templates/ }).waitFor();
}

export async function signIn(page: Page, person: Person): Promise<void> {
    await openSignInForm(page);
    await submit(page, person);
    await expectGallery(page);
}

/** Creates a workflow from a template, which opens it. @returns its id or handle */
export async function useTemplate(page: Page, name: string): Promise<string> {
    await page.getByRole("tab", { name: /^Templates/ }).click();
    await page.getByPlaceholder("Search workflows...").fill(name);
    await page.getByRole("button", { name: "Use template" }).click();
    await page.getByRole("button", { name: "Run", exact: true }).waitFor();
    return new URL(page.url()).pathname.split("/").at(-1) ?? "";
}

/** Runs the open workflow and shows its trace, which fills while it runs. */
export async function run(page: Page): Promise<void> {
    await page.getByRole("button", { name: "Run", exact: true }).click();
    await page.getByRole("tab", { name: "Trace" }).click();
}

/** One step of the trace, by the name of its node. */
export const span = (page: Page, node: string) => page.getByRole("button", { name: `span card for ${node} at level` });

/** What a node added to the run's results, once its span is selected. */
export const result = (page: Page, text: string) => page.getByText("After:").filter({ hasText: text, visible: true });

/** The button of the account's menu has no name; it is the last one of the page's head. */
export async function logOut(page: Page): Promise<void> {
    await page.locator("header").first().getByRole("button").last().click();
    await page.getByRole("menuitem", { name: "Log out" }).click();
    await expectSignInPage(page);
}

/** The token that the canvas sends, kept in the browser; undefined when nobody is signed in. */
export const accessToken = (page: Page): Promise<string | undefined> =>
    page.evaluate(() => {
        const kept = localStorage.getItem("orcheo_canvas_auth_tokens");
        return kept === null ? undefined : (JSON.parse(kept) as { accessToken: string }).accessToken;
    });
