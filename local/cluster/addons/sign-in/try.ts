/**
 * Runs the provider on this machine without a cluster, with a person and its own client, all forgotten at the end:
 *
 *   local/run node local/cluster/addons/sign-in/try.ts [origin of the canvas] [port] [audience]
 *
 * Defaults: http://localhost:5173, 9000 and `orcheo`. The issuer is http://localhost:<port>, the client `orcheo-dev`.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { orcheoScopes, personScopes } from "./clients.ts";
import { newPassword } from "./password.ts";
import { serve } from "./server.ts";
import { newSecrets } from "./settings.ts";
import { Store } from "./store.ts";

const [origin = "http://localhost:5173", port = "9000", audience = "orcheo"] = process.argv.slice(2);
const clientsDir = mkdtempSync(join(tmpdir(), "sign-in-"));
writeFileSync(join(clientsDir, "orcheo-dev.json"), JSON.stringify({ origin, audience }));
const password = process.env.SIGN_IN_TRY_PASSWORD ?? newPassword();
const issuer = `http://localhost:${port}`;
serve(
    {
        ...newSecrets(password, { username: "admin", name: "Orcheo Admin", email: "admin@orcheo.localhost" }),
        issuer,
        port: Number(port),
        clientsDir,
        dataFile: ":memory:",
        passwordCommand: "try.ts, when it starts",
        accessTokenSeconds: Number(process.env.SIGN_IN_ACCESS_TOKEN_SECONDS ?? 3600),
        refreshTokenSeconds: 86_400,
    },
    new Store(":memory:"),
);
process.stdout.write(
    [
        `issuer    ${issuer}`,
        `client id orcheo-dev (redirect URI ${origin}/auth/callback)`,
        `audience  ${audience}`,
        `scopes    ${[...personScopes, ...orcheoScopes].join(" ")}`,
        `user      admin`,
        `password  ${password}`,
        ``,
    ].join("\n"),
);
process.once("exit", () => {
    rmSync(clientsDir, { recursive: true, force: true });
});
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(0));
