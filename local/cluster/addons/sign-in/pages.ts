/** The provider's pages: plain HTML that works without scripts, with a keyboard and with a screen reader. */

export function escape(text: string): string {
    const names: Readonly<Record<string, string>> = {
        "&": "&amp;",
        "<": "&lt;",
        ">": "&gt;",
        '"': "&quot;",
        "'": "&#39;",
    };
    return text.replaceAll(/[&<>"']/g, (character) => names[character] ?? character);
}

const style = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
body { margin: 0; display: grid; place-items: center; min-height: 100vh }
main { width: min(22rem, 90vw) }
label { display: block; margin-top: 1rem; font-weight: 600 }
input, button { box-sizing: border-box; width: 100%; font: inherit; padding: .5rem; margin-top: .25rem }
button { margin-top: 1.5rem; cursor: pointer }
[role=alert] { border-left: 4px solid #c0262d; padding: .5rem .75rem; margin: 1rem 0 0 }
small { display: block; margin-top: 1.5rem }
`;

/** Styles are inline and named by a hash or nonce; nothing else is loaded, and no script runs. */
export function page(title: string, body: string): string {
    return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(title)}</title>
<style>${style}</style>
</head>
<body><main>
<h1>${escape(title)}</h1>
${body}
</main></body>
</html>
`;
}

export interface LoginForm {
    readonly action: string;
    readonly username?: string;
    readonly error?: string;
    /** The command that prints the password. */
    readonly passwordCommand: string;
}

export function loginPage({ action, username = "", error, passwordCommand }: LoginForm): string {
    const described = error === undefined ? "" : ` aria-describedby="error" aria-invalid="true"`;
    const focused = username === "" ? ["autofocus ", ""] : ["", "autofocus "];
    return page(
        "Sign in to Orcheo",
        `${error === undefined ? "" : `<p role="alert" id="error">${escape(error)}</p>`}
<form method="post" action="${escape(action)}">
<label for="username">User name</label>
<input id="username" name="username" autocomplete="username" autocapitalize="none" required ${focused[0] ?? ""}value="${escape(username)}"${described}>
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" required ${focused[1] ?? ""}${described}>
<button type="submit">Sign in</button>
</form>
<small>The password is printed by <code>${escape(passwordCommand)}</code>.</small>`,
    );
}

export const errorPage = (error: string, description: string): string =>
    page("Sign-in failed", `<p role="alert">${escape(description)} (${escape(error)})</p>`);

export const signOutPage = (form: string): string =>
    page(
        "Sign out of Orcheo?",
        `${form}<button type="submit" form="op.logoutForm" name="logout" value="yes" autofocus>Sign out</button>`,
    );

export const signedOutPage = (): string => page("Signed out", "<p>You can close this page.</p>");
