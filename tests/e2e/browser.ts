/** Headless Chromium that trusts the certificates of some servers, after the local CA has vouched for them. */
import { createHash } from "node:crypto";
import { type Browser, chromium } from "playwright-core";
import { type Entrance, verifiedCertificate } from "./orcheo.ts";

export async function openBrowser(...entrances: readonly Entrance[]): Promise<Browser> {
    const keys = await Promise.all(entrances.map(keyOf));
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
            `--ignore-certificate-errors-spki-list=${keys.join(",")}`,
        ],
    });
}

async function keyOf(entrance: Entrance): Promise<string> {
    const { publicKey } = await verifiedCertificate(entrance);
    return createHash("sha256")
        .update(publicKey.export({ type: "spki", format: "der" }))
        .digest("base64");
}
