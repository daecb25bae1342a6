import type { Problem } from "../config/problems";
import type { Stack } from "../config/schema";
import { isRecord } from "../config/values";

/** A manifest that is complete enough to be declared. */
export interface Manifest {
    readonly apiVersion: string;
    readonly kind: string;
    readonly metadata: { readonly name: string; readonly namespace?: string; readonly [field: string]: unknown };
    readonly [field: string]: unknown;
}

/** Why a kind is no extra object of one stack, by group and kind. */
const refusedKinds: Readonly<Record<string, string>> = {
    "/Secret":
        "a Secret's content does not belong into plain config: create it with kubectl or External Secrets and name it where it is used",
    ...Object.fromEntries(
        [
            ...["/Namespace", "/Node", "/PersistentVolume", "apiextensions.k8s.io/CustomResourceDefinition"],
            ...["rbac.authorization.k8s.io/ClusterRole", "rbac.authorization.k8s.io/ClusterRoleBinding"],
            ...["storage.k8s.io/StorageClass", "storage.k8s.io/CSIDriver", "scheduling.k8s.io/PriorityClass"],
            ...["networking.k8s.io/IngressClass", "gateway.networking.k8s.io/GatewayClass", "node.k8s.io/RuntimeClass"],
            ...["cert-manager.io/ClusterIssuer", "external-secrets.io/ClusterSecretStore"],
            ...["admissionregistration.k8s.io/ValidatingAdmissionPolicy", "apiregistration.k8s.io/APIService"],
            ...[
                "admissionregistration.k8s.io/ValidatingAdmissionPolicyBinding",
                "certificates.k8s.io/CertificateSigningRequest",
            ],
            ...[
                "admissionregistration.k8s.io/MutatingAdmissionPolicy",
                "admissionregistration.k8s.io/MutatingAdmissionPolicyBinding",
            ],
            ...[
                "admissionregistration.k8s.io/ValidatingWebhookConfiguration",
                "admissionregistration.k8s.io/MutatingWebhookConfiguration",
            ],
        ].map((kind) => [kind, "it belongs to the whole cluster, not to one stack"]),
    ),
    "/ResourceQuota": "use orcheo:stack.kubernetes.quota",
};

/** `group/Kind`; the core group has no name. */
export function groupKind({ apiVersion, kind }: Pick<Manifest, "apiVersion" | "kind">): string {
    return `${apiVersion.includes("/") ? (apiVersion.split("/")[0] ?? "") : ""}/${kind}`;
}

/** Type token of Pulumi's provider for an object. */
export function typeToken({ apiVersion, kind }: Pick<Manifest, "apiVersion" | "kind">): string {
    return `kubernetes:${apiVersion.includes("/") ? apiVersion : `core/${apiVersion}`}:${kind}`;
}

/** Name of the resource in the state, unique among the extra objects. */
export const resourceName = (manifest: Manifest): string =>
    `extra-${groupKind(manifest)}-${manifest.metadata.name}`.replace("/", "-");

function isManifest(value: unknown): value is Manifest {
    if (!isRecord(value) || typeof value["apiVersion"] !== "string" || typeof value["kind"] !== "string") return false;
    return isRecord(value["metadata"]) && typeof value["metadata"]["name"] === "string";
}

/** The objects to declare; `extraObjectProblems` has refused the others before. */
export const manifestsOf = ({ extraObjects }: Pick<Stack, "extraObjects">): readonly Manifest[] =>
    extraObjects.filter(isManifest);

export function extraObjectProblems({
    extraObjects,
    kubernetes,
}: Pick<Stack, "extraObjects" | "kubernetes">): Problem[] {
    const earlier = new Set<string>();
    return extraObjects.flatMap((manifest, index): Problem[] => {
        const at = `orcheo:stack.extraObjects[${index}]`;
        const shape = incomplete(manifest, at);
        if (!isManifest(manifest)) return shape;
        const { namespace, name } = manifest.metadata;
        const problems = [...shape];
        const reason = refusedKinds[groupKind(manifest)];
        if (reason !== undefined)
            problems.push({ at: `${at}.kind`, found: `found "${manifest.kind}"`, remedy: `refused: ${reason}` });
        if (namespace !== undefined && namespace !== kubernetes.namespace)
            problems.push({
                at: `${at}.metadata.namespace`,
                found: `found ${JSON.stringify(namespace)}`,
                remedy: `accepted: nothing, or "${kubernetes.namespace}", the stack's own`,
            });
        if (earlier.has(resourceName(manifest)))
            problems.push({
                at: `${at}.metadata.name`,
                found: `found "${name}" twice`,
                remedy: "accepted: each object once",
            });
        earlier.add(resourceName(manifest));
        return problems;
    });
}

function incomplete(manifest: Readonly<Record<string, unknown>>, at: string): Problem[] {
    const { apiVersion, kind, metadata, status } = manifest;
    const name = isRecord(metadata) ? metadata["name"] : undefined;
    const problems: Problem[] = [];
    const shownValue = (value: unknown): string =>
        value === undefined ? "is missing" : `found ${JSON.stringify(value)}`;
    if (typeof apiVersion !== "string" || !/^([a-z0-9.-]+\/)?v\d+((alpha|beta)\d+)?$/.test(apiVersion))
        problems.push({
            at: `${at}.apiVersion`,
            found: shownValue(apiVersion),
            remedy: "accepted: such as v1 or apps/v1",
        });
    if (typeof kind !== "string" || !/^[A-Z][A-Za-z0-9]*$/.test(kind) || kind.endsWith("List"))
        problems.push({
            at: `${at}.kind`,
            found: shownValue(kind),
            remedy: "accepted: the kind of one object, such as ConfigMap",
        });
    if (typeof name !== "string" || !/^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/.test(name))
        problems.push({
            at: `${at}.metadata.name`,
            found: shownValue(name),
            remedy: "accepted: the name of an object",
        });
    if (status !== undefined)
        problems.push({ at: `${at}.status`, found: "is set", remedy: "accepted: no status, which controllers write" });
    return problems;
}
