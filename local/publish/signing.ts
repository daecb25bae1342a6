/** cosign, by a key file or by the identity of a workflow. */
import { run } from "../process.ts";
import type { Toolchain } from "../toolchain/build.ts";
import { isLoopback } from "./registry.ts";

export const KEYLESS = "keyless";

export interface Signer {
    /** Signs an image; of an index each of its images as well. */
    sign(target: string): Promise<void>;
    /** Attaches a signed statement about an image. */
    attest(target: string, type: "spdxjson" | "slsaprovenance1", predicateFile: string): Promise<void>;
}

export function signing(key: string, toolchain: Toolchain): Signer {
    // With a key file there is no public log of the signature.
    const withKey = ["--key", key, "--use-signing-config=false", "--tlog-upload=false"];
    // In both formats: cosign 3 looks for bundles, policy-controller knows a key's signatures only as cosign 2 wrote them.
    const formats = key === KEYLESS ? [[]] : [withKey, [...withKey, "--new-bundle-format=false"]];
    const cosign = async (target: string, ...args: string[]): Promise<void> => {
        const env = { COSIGN_PASSWORD: "", ...process.env };
        for (const format of formats) {
            const options = ["--yes", ...format, ...(isLoopback(target) ? ["--allow-http-registry"] : [])];
            await run(toolchain.bin("cosign"), [...args, ...options, target], { timeoutSeconds: 120, env });
        }
    };
    return {
        sign: (target) => cosign(target, "sign", "--recursive"),
        attest: (target, type, file) => cosign(target, "attest", "--type", type, "--predicate", file),
    };
}
