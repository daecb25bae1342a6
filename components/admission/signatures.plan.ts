/** Policies of Sigstore's policy-controller: who must have signed the images that run in the stack's namespace. */
import { signedOnly } from "../config/kinds";
import type { Stack } from "../config/schema";
import { imageNames, planImage, type ImageSettings } from "../images/images.plan";
import { untilReady } from "../kubernetes/certificates.plan";
import type { ClusterImagePolicy } from "../kubernetes/custom-object";
import { objectLabels } from "../kubernetes/labels";

type Authority = NonNullable<ClusterImagePolicy["spec"]["authorities"]>[number];
type Attestation = NonNullable<Authority["attestations"]>[number];
type Signer = NonNullable<ReturnType<typeof signedOnly>>["signer"];

const signature = { name: "signature", predicateType: "https://sigstore.dev/cosign/sign/v1" };
/** The rule `image-signed` asks for packages as well. */
const sbom = {
    name: "sbom",
    predicateType: "https://spdx.dev/Document",
    policy: { type: "cue", data: "predicate: packages: [_, ...]" },
};

/** policy-controller compares full names, and knows Docker Hub by another one. */
const fullName = (repository: string): string => repository.replace(/^docker\.io\//, "index.docker.io/");

const repositoryOf = (image: string): string => image.replace(/(:[\w][\w.-]*)?@.*$/, "");

/** policy-controller reads an identity's signatures as bundles, which are attestations too, and a key's only as cosign 2 wrote them. */
function authority(signer: Signer, wanted: typeof signature | typeof sbom): Authority {
    const { name } = wanted;
    const attestations: readonly Attestation[] = [wanted];
    if (signer.kind === "key") {
        const key = { data: signer.publicKey };
        return wanted === sbom ? { name, key, attestations } : { name, key };
    }
    const pattern = signer.identity.replace(/[.+?^${}()|[\]\\]/g, "\\$&").replaceAll("*", ".*");
    return {
        name,
        signatureFormat: "bundle",
        keyless: {
            url: "https://fulcio.sigstore.dev",
            identities: [{ issuer: signer.issuer, subjectRegExp: `^${pattern}$` }],
        },
        ctlog: { url: "https://rekor.sigstore.dev" },
        attestations,
    };
}

/**
 * Two policies, since any authority satisfies its policy, but an image has to satisfy every policy: one requires the signature, one the SBOM.
 * They apply to the stack's images, whoever starts them, in every namespace with policy-controller's label.
 *
 * @see https://docs.sigstore.dev/policy-controller/overview/
 */
export function planSignatures(
    stack: ImageSettings & Pick<Stack, "kubernetes">,
): readonly { readonly role: string; readonly policy: ClusterImagePolicy }[] {
    const admission = signedOnly(stack.images);
    if (admission === undefined) return [];
    const { signer, unsigned } = admission;
    const own = imageNames(stack).map((name) => {
        const plan = planImage(name, stack);
        return `${fullName(plan.kind === "published" ? repositoryOf(plan.ref) : plan.repository)}@**`;
    });
    const others = unsigned.map(fullName).flatMap((source) => [`${source}/**`, `${source}@**`]);
    const policy = (role: string, globs: readonly string[], authorities: readonly Authority[]) => ({
        role,
        policy: {
            apiVersion: "policy.sigstore.dev/v1beta1" as const,
            kind: "ClusterImagePolicy" as const,
            metadata: {
                // No namespace has a dot: two stacks of a cluster never meet.
                name: `${stack.kubernetes.namespace}.${role}`,
                labels: { ...objectLabels(), "app.kubernetes.io/component": "policies" },
                annotations: untilReady,
            },
            spec: { images: globs.map((glob) => ({ glob })), authorities },
        },
    });
    return [
        policy("signature", own, [authority(signer, signature)]),
        policy("sbom", own, [authority(signer, sbom)]),
        ...(others.length > 0 ? [policy("unsigned", others, [{ name: "unsigned", static: { action: "pass" } }])] : []),
    ];
}
