/** The identity provider in compose/dev.yaml: its keys and its person's password are made at the first start. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { get } from "node:https";
import { join } from "node:path";
import { newPassword } from "./password.ts";
import { start } from "./server.ts";
import { newSecrets, readSettings, secretsFile } from "./settings.ts";

const passwordCommand = "docker compose --file compose/dev.yaml exec sign-in node /app/compose.ts password";

const required = (name: string): string => {
    const value = process.env[name];
    if (value === undefined || value === "") throw new Error(`sign-in: ${name} is missing`);
    return value;
};

/** The directory of the volume, with secrets, password and the one client. */
function prepared(data: string): string {
    const clients = join(data, "clients");
    mkdirSync(clients, { recursive: true });
    const secrets = join(data, secretsFile);
    if (!existsSync(secrets)) {
        const password = newPassword();
        const person = { username: "admin", name: "Orcheo Admin", email: "admin@orcheo.localhost" };
        writeFileSync(join(data, "password"), `${password}\n`, { mode: 0o600 });
        writeFileSync(secrets, JSON.stringify(newSecrets(password, person)), { mode: 0o600 });
    }
    const client = required("SIGN_IN_CLIENT_ID");
    const registration = { origin: required("SIGN_IN_ORIGIN"), audience: client };
    writeFileSync(join(clients, `${client}.json`), JSON.stringify(registration));
    return clients;
}

function main(task: string | undefined): void {
    const data = required("SIGN_IN_DATA");
    switch (task) {
        case "password":
            process.stdout.write(readFileSync(join(data, "password"), "utf8"));
            return;
        case "healthy":
            // The certificate names the host, not loopback; nothing is sent to it.
            get("https://127.0.0.1:8443/healthz", { rejectUnauthorized: false, timeout: 3000 }, ({ statusCode }) =>
                process.exit(statusCode === 200 ? 0 : 1),
            ).on("error", () => process.exit(1));
            return;
        default: {
            const clients = prepared(data);
            start(
                readSettings({
                    ...process.env,
                    SIGN_IN_SECRETS: data,
                    SIGN_IN_CLIENTS: clients,
                    SIGN_IN_PASSWORD_COMMAND: passwordCommand,
                }),
            );
        }
    }
}

main(process.argv[2]);
