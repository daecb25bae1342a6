/** `images.admission`: only signed images run in the stack's namespace. */
import { describe, expect, it } from "vitest";
import { planSignatures } from "../../../components/admission/signatures.plan";
import { planNamespace } from "../../../components/cluster/cluster.plan";
import { signedNamespace } from "../../../components/preflight/signed-namespace";
import { parseStack } from "../../../components/stack/read";
import { fakeCluster } from "../../fake-cluster";
import { runBoth, settingsOf } from "../../harness";
import { byKey, signedOnlyBy, signedOnlyByKey, variants } from "../../variants";

function parsed(settings: object) {
    return parseStack({ stack: "dev", keys: [], json: JSON.stringify(settings), secret: false });
}

function stackOf(settings: object) {
    const { stack, problems } = parsed(settings);
    if (stack === undefined || problems.length > 0) throw new Error(JSON.stringify(problems));
    return stack;
}

const policiesOf = (settings: object) =>
    Object.fromEntries(planSignatures(stackOf(settings)).map(({ role, policy }) => [role, policy]));
const workflow = {
    kind: "identity",
    identity: "https://github.com/example/orcheo/.github/workflows/publish.yml@refs/tags/v*",
};

describe("the policies", () => {
    it("ask for a signature and for an SBOM with packages, both of the key, of every image that the stack runs", () => {
        const { signature, sbom, ...others } = policiesOf(signedOnlyByKey);
        expect(others).toEqual({});
        const globs = ["backend", "canvas", "postgres", "valkey"].map((each) => ({
            glob: `ghcr.io/example/orcheo/${each}@**`,
        }));
        expect(signature).toMatchObject({
            metadata: { name: "orcheo.signature", annotations: { "pulumi.com/waitFor": "condition=Ready" } },
            spec: { images: globs, authorities: [{ name: "signature", key: { data: byKey.publicKey } }] },
        });
        expect(signature?.spec.authorities).not.toHaveProperty([0, "attestations"]);
        expect(sbom).toMatchObject({
            metadata: { name: "orcheo.sbom" },
            spec: {
                images: globs,
                authorities: [
                    {
                        key: { data: byKey.publicKey },
                        attestations: [
                            {
                                predicateType: "https://spdx.dev/Document",
                                policy: { type: "cue", data: "predicate: packages: [_, ...]" },
                            },
                        ],
                    },
                ],
            },
        });
    });

    it("cover the pooler and the dump where there are any, and images of a mirror and of Docker Hub by their full names", () => {
        const { backup } = variants["backups to a store of one's own"];
        const { database } = variants["a connection pooler"];
        const globsOf = (more: object) =>
            policiesOf({ ...signedOnlyByKey, ...more })["sbom"]?.spec.images?.map(({ glob }) => glob);
        expect(globsOf({ backup, database })?.slice(-2)).toEqual([
            "ghcr.io/example/orcheo/pgbouncer@**",
            "ghcr.io/example/orcheo/backup@**",
        ]);
        const mirrors = { "ghcr.io": "mirror.example.com/ghcr" };
        const registry = { ...(settingsOf("dev")["registry"] as object), mirrors };
        expect(globsOf({ registry })?.[0]).toBe("mirror.example.com/ghcr/example/orcheo/backend@**");
        const backend = `docker.io/example/backend@sha256:${"a".repeat(64)}`;
        expect(globsOf({ images: { ...signedOnlyByKey.images, backend } })?.[0]).toBe(
            "index.docker.io/example/backend@**",
        );
    });

    it("ask for keyless signatures of an identity as bundles, whose `*` stands for any text", () => {
        const { signature, sbom } = policiesOf(signedOnlyBy(workflow));
        const identity = {
            issuer: "https://token.actions.githubusercontent.com",
            subjectRegExp: "^https://github\\.com/example/orcheo/\\.github/workflows/publish\\.yml@refs/tags/v.*$",
        };
        for (const [policy, predicateType] of [
            [signature, "https://sigstore.dev/cosign/sign/v1"],
            [sbom, "https://spdx.dev/Document"],
        ] as const)
            expect(policy?.spec.authorities).toMatchObject([
                {
                    signatureFormat: "bundle",
                    keyless: { url: "https://fulcio.sigstore.dev", identities: [identity] },
                    attestations: [{ predicateType }],
                },
            ]);
    });

    it("let images run without a signature only where the settings say so", () => {
        const unsigned = ["quay.io/jetstack/cert-manager-acmesolver"];
        const policy = policiesOf(signedOnlyBy(byKey, { unsigned }))["unsigned"];
        expect(policy?.spec).toEqual({
            images: [{ glob: `${unsigned[0] ?? ""}/**` }, { glob: `${unsigned[0] ?? ""}@**` }],
            authorities: [{ name: "unsigned", static: { action: "pass" } }],
        });
    });

    it("are none by default, and the namespace has policy-controller's label only with them", () => {
        const label = { "policy.sigstore.dev/include": "true" };
        expect(planSignatures(stackOf(settingsOf("dev")))).toEqual([]);
        expect(planNamespace(stackOf(settingsOf("dev"))).metadata).not.toMatchObject({ labels: label });
        expect(planNamespace(stackOf(signedOnlyByKey)).metadata).toMatchObject({ labels: label });
    });

    it("are there before the pods", async () => {
        const { resources, error } = await runBoth({ stack: "dev", settings: signedOnlyByKey });
        expect(error).toBeUndefined();
        const policies = resources.filter(({ type }) => type.endsWith(":ClusterImagePolicy"));
        expect(policies.map(({ name }) => name)).toEqual(["admission-signature", "admission-sbom"]);
        // What has pods waits for the whole component.
        expect(policies.every(({ options }) => options.urn.includes("orcheo:index:Admission$"))).toBe(true);
        const waiting = resources.filter(({ options }) => options.after.includes("Admission"));
        expect(waiting.map(({ type }) => type)).toEqual(
            expect.arrayContaining(["orcheo:index:Backend", "orcheo:index:Canvas"]),
        );
    });
});

describe("refused before anything changes", () => {
    const problemsOf = (settings: object) => parsed(settings).problems;

    it("is what is no public key, with the remedy", () => {
        const publicKey = "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n";
        expect(problemsOf(signedOnlyBy({ kind: "key", publicKey }))).toEqual([
            {
                at: "orcheo:stack.images.admission.signer.publicKey",
                found: "holds no key",
                remedy: expect.stringContaining("cosign.pub") as string,
            },
        ]);
        expect(problemsOf(signedOnlyBy({ kind: "key", publicKey: "cosign.pub" }))[0]?.remedy).toContain(
            "a public key in PEM",
        );
    });

    it("is an ACME solver that the cluster would refuse, unless its image is listed", () => {
        const { entrance } = variants["Traefik with ACME over http"];
        const at = "orcheo:stack.images.admission.unsigned";
        expect(problemsOf({ ...signedOnlyByKey, entrance })).toMatchObject([{ at }]);
        const unsigned = ["quay.io/jetstack/cert-manager-acmesolver"];
        expect(problemsOf({ ...signedOnlyBy(byKey, { unsigned }), entrance })).toEqual([]);
    });

    it("is a namespace of another owner without policy-controller's label", async () => {
        const kubernetes = { ...(settingsOf("dev")["kubernetes"] as object), namespaceKind: "existing" };
        const { sections } = parsed({ ...signedOnlyByKey, kubernetes });
        const problems = (labels: Record<string, string>) => {
            const object = { apiVersion: "v1", kind: "Namespace", metadata: { name: "orcheo", labels } };
            return signedNamespace.run(sections, fakeCluster([object]), { id: undefined, objects: [] });
        };
        expect(await problems({})).toMatchObject([
            {
                at: "orcheo:stack.images.admission.kind",
                remedy: expect.stringContaining(
                    "kubectl label namespace orcheo policy.sigstore.dev/include=true",
                ) as string,
            },
        ]);
        expect(await problems({ "policy.sigstore.dev/include": "true" })).toEqual([]);
    });
});
