/** Headless Chromium that trusts one server's certificate, after the local authority has vouched for it. */
import { createHash, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { connect } from "node:tls";
import { type Browser, chromium } from "playwright-core";
import type { Entrance } from "./orcheo.ts";

export async function openBrowser(entrance: Entrance): Promise<Browser> {
    const { publicKey } = new X509Certificate(await verifiedCertificate(entrance));
    const key = createHash("sha256")
        .update(publicKey.export({ type: "spki", format: "der" }))
        .digest("base64");
    return chromium.launch({
        executablePath: "/usr/bin/chromium",
        args: [
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            `--ignore-certificate-errors-spki-list=${key}`,
        ],
    });
}

/** The certificate of the server. @throws when the authority did not sign it, or it is for another name */
const verifiedCertificate = ({ origin, caFile }: Entrance): Promise<Buffer> =>
    new Promise((done, fail) => {
        const { hostname, port } = new URL(origin);
        const options = {
            host: "127.0.0.1",
            port: Number(port || 443),
            servername: hostname,
            ca: readFileSync(caFile),
        };
        const socket = connect(options, () => {
            done(socket.getPeerX509Certificate()?.raw ?? Buffer.of());
            socket.end();
        });
        socket.on("error", fail);
    });
