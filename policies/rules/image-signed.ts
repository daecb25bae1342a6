import { hardeningGuide, type ResourceRule } from "../rule.ts";
import { ask, questionsOf, sbomProblem, signatureProblem, signerOf, type Signer } from "../signatures.ts";
import { text, UNKNOWN } from "../values.ts";
import { imagesOf, podsOf } from "../workloads.ts";

const DIGEST = /@(sha(?:256:[0-9a-f]{64}|512:[0-9a-f]{128}))$/;

function problemsOf(image: string, signer: Signer): readonly string[] {
    const digest = DIGEST.exec(image)?.[1];
    if (digest === undefined) return ["has no digest: what its tag names may change after it was verified"];
    const { signature, sbom } = questionsOf(image, signer);
    return [signatureProblem(ask(signature)), sbomProblem(ask(sbom), digest)].filter((each) => each !== undefined);
}

export const imageSigned: ResourceRule = {
    name: "image-signed",
    level: "mandatory",
    scope: "resource",
    types: (type) => type.startsWith("kubernetes:"),
    description:
        "A digest says which image runs, not who made it. Before an update, cosign (on the PATH) verifies the signature and the SBOM of each image; it needs access to the registry, and images that the same update builds cannot have either.",
    remedy: "Use the digest of an image that `make publish` or cosign has signed, with its SBOM attested (SPDX).",
    reference: hardeningGuide("Building secure container images"),
    settings: {
        key: {
            type: "string",
            description:
                "Public key of cosign that must have signed each image: in PEM, as an absolute path, or a KMS reference such as `awskms:///alias/cosign`. Without it and `identity` the rule does nothing.",
            default: "",
        },
        identity: {
            type: "string",
            description:
                "For keyless signatures instead of a key, the certificate's identity; `*` stands for any text: `https://github.com/example/orcheo/.github/workflows/publish.yml@refs/tags/v*`.",
            default: "",
        },
        issuer: {
            type: "string",
            description: "Issuer of the identity.",
            default: "https://token.actions.githubusercontent.com",
        },
    },
    notInCel: "the API server cannot ask a registry",
    found({ type, name, props }, settings) {
        const signer = signerOf(settings);
        if (signer === undefined) return [];
        return podsOf(type, name, props).flatMap((pod) => {
            if (typeof signer === "string") return [`${pod.owner} cannot be verified: the rule ${signer}`];
            return imagesOf(pod)
                .filter(({ image }) => image !== UNKNOWN)
                .flatMap(({ user, image }) => {
                    const reference = text(image) ?? "";
                    return problemsOf(reference, signer).map(
                        (problem) => `${pod.owner}, ${user}: image "${reference}" ${problem}`,
                    );
                });
        });
    },
};
