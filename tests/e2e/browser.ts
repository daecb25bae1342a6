/** Headless Chromium that trusts one server's certificate, after the local authority has vouched for it. */
import { createHash } from "node:crypto";
import { type Browser, chromium } from "playwright-core";
import { type Entrance, verifiedCertificate } from "./orcheo.ts";

export async function openBrowser(entrance: Entrance): Promise<Browser> {
    const { publicKey } = await verifiedCertificate(entrance);
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
