/** How the embedded cluster runs its identity provider: image, objects, secrets, and the settings of the stacks. */
import { mkdtempSync, readFileSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parseAllDocuments } from "yaml";
import { fillIn } from "../../local/cluster/cluster.ts";
import { librariesIn, packageFolders } from "../../local/cluster/node-image.ts";
import { clientIdOf, ensureSecrets, signInOf, signInSettings } from "../../local/cluster/sign-in.ts";
import { clusterSpec } from "../../local/cluster/spec.ts";
import { embeddedSettings } from "../../local/settings.ts";

const spec = clusterSpec("try", { api: 1, registry: 2, http: 3, https: 8443 }, mkdtempSync(join(tmpdir(), "sign-in-")));

describe("the embedded cluster's identity provider", () => {
    it("gets a password once, which nobody else can read, and of which the pod has a hash", () => {
        const secrets = ensureSecrets(spec);
        expect(ensureSecrets(spec)).toBe(secrets);
        const { issuer, passwordCommand } = signInOf(spec);
        expect(issuer).toBe("https://sign-in.localhost:8443");
        const file = passwordCommand.replace("cat ", "");
        expect(statSync(file).mode & 0o777).toBe(0o600);
        expect(statSync(join(spec.stateDir, "sign-in")).mode & 0o777).toBe(0o700);
        expect(secrets).not.toContain(readFileSync(file, "utf8").trim());
    });

    it("is what a stack uses that leaves sign-in to the cluster", () => {
        const cluster = { context: "orcheo-try", kubeconfig: "/k", registry: "127.0.0.1:2", builder: "orcheo-try" };
        const committed = { version: "1.0.0", auth: { clientUploads: true } };
        const settings = embeddedSettings(committed, {
            cluster,
            httpsPort: 8443,
            signIn: signInSettings(spec, "dev"),
        });
        expect(settings.auth).toMatchObject({
            clientUploads: true,
            signIn: {
                kind: "oidc",
                issuer: "https://sign-in.localhost:8443",
                clientId: "orcheo-dev",
                audience: "orcheo-dev",
                authority: { kind: "file", path: join(spec.stateDir, "ca.crt") },
            },
        });
    });

    it("has a client for each stack, named by letters that a file name takes", () => {
        expect(clientIdOf("dev")).toBe("orcheo-dev");
        expect(clientIdOf("My_Stack.2")).toBe("orcheo-my-stack-2");
        expect(clientIdOf("x".repeat(100))).toHaveLength(63);
    });

    it("runs restricted, and its manifest refers to known values only", () => {
        const names = ["image:sign-in", "signInSecretsKey", "signInHost", "signInIssuer", "signInPasswordCommand"];
        const values = new Map([...names.map((name): [string, string] => [name, name]), ["signInSecrets", '"{}"']]);
        const file = join(import.meta.dirname, "../../local/cluster/addons/sign-in/manifest.yaml");
        const documents = parseAllDocuments(fillIn(readFileSync(file, "utf8"), values));
        expect(documents.flatMap(({ errors }) => errors)).toEqual([]);
        const objects = documents.map((each) => each.toJS() as Record<string, unknown>);
        expect(objects[0]).toMatchObject({
            kind: "Namespace",
            metadata: { labels: { "pod-security.kubernetes.io/enforce": "restricted" } },
        });
        expect(objects.find(({ kind }) => kind === "Deployment")).toMatchObject({
            spec: {
                template: {
                    spec: {
                        automountServiceAccountToken: false,
                        containers: [
                            {
                                securityContext: {
                                    allowPrivilegeEscalation: false,
                                    readOnlyRootFilesystem: true,
                                    capabilities: { drop: ["ALL"] },
                                },
                            },
                        ],
                    },
                },
            },
        });
    });
});

describe("its image", () => {
    it("holds a package and all that it needs, of the versions that each of them resolves", () => {
        const lock = {
            packages: {
                "node_modules/a": { dependencies: { b: "1", "@s/c": "1" } },
                "node_modules/a/node_modules/b": { dependencies: { d: "1" } },
                "node_modules/@s/c": { dependencies: { b: "2", a: "1" } },
                "node_modules/b": {},
                "node_modules/d": {},
                "node_modules/unused": {},
            },
        };
        expect(packageFolders(lock, "a")).toEqual([
            "node_modules/@s/c",
            "node_modules/a",
            "node_modules/a/node_modules/b",
            "node_modules/b",
            "node_modules/d",
        ]);
        expect(() => packageFolders({ packages: { "node_modules/a": { dependencies: { x: "1" } } } }, "a")).toThrow(
            "package-lock.json has no x, which node_modules/a needs",
        );
    });

    it("holds the libraries and the loader that Node is linked with", () => {
        const ldd = [
            "\tlinux-vdso.so.1 (0x00007f6207)",
            "\tlibm.so.6 => /lib/x86_64-linux-gnu/libm.so.6 (0x00007f62)",
            "\t/lib64/ld-linux-x86-64.so.2 (0x00007f62)",
        ].join("\n");
        expect(librariesIn(ldd)).toEqual(["/lib/x86_64-linux-gnu/libm.so.6", "/lib64/ld-linux-x86-64.so.2"]);
    });
});
