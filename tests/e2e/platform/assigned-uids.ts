/** A namespace whose platform assigns the uid of every pod, and refuses pods that name another one, as OpenShift's `restricted-v2` does. */
import { apply } from "./harness.ts";

export const assignedUid = 1_000_700_000;
const name = "assigned-uids";

/** Pods that name no uid get the assigned one, as user and as the group of their volumes; their primary group is 0. */
export const assignUids = (namespace: string): Promise<string> => {
    const pods = {
        namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": namespace } },
        resourceRules: [{ apiGroups: [""], apiVersions: ["v1"], operations: ["CREATE"], resources: ["pods"] }],
    };
    const ids = `runAsUser: ${assignedUid}, fsGroup: ${assignedUid}`;
    const named = ["runAsUser", "fsGroup"].map((field) => `has(object.spec.securityContext.${field})`).join(" || ");
    const expression = `${named} ? Object{} : Object{spec: Object.spec{securityContext: Object.spec.securityContext{${ids}}}}`;
    const containers = "(object.spec.containers + (has(object.spec.initContainers) ? object.spec.initContainers : []))";
    const policy = (kind: string, spec: object) => ({
        apiVersion: "admissionregistration.k8s.io/v1",
        kind,
        metadata: { name },
        spec: { failurePolicy: "Fail", matchConstraints: pods, ...spec },
    });
    const binding = (kind: string, spec: object) => ({
        apiVersion: "admissionregistration.k8s.io/v1",
        kind: `${kind}Binding`,
        metadata: { name },
        spec: { policyName: name, ...spec },
    });
    return apply([
        policy("MutatingAdmissionPolicy", {
            reinvocationPolicy: "IfNeeded",
            mutations: [{ patchType: "ApplyConfiguration", applyConfiguration: { expression } }],
        }),
        binding("MutatingAdmissionPolicy", {}),
        policy("ValidatingAdmissionPolicy", {
            validations: [
                {
                    expression: `object.spec.securityContext.runAsUser == ${assignedUid} && object.spec.securityContext.fsGroup == ${assignedUid}`,
                    message: "the pod names another uid or fsGroup than the namespace's",
                },
                {
                    expression: `${containers}.all(c, !has(c.securityContext) || !has(c.securityContext.runAsUser))`,
                    message: "a container names a uid",
                },
            ],
        }),
        binding("ValidatingAdmissionPolicy", { validationActions: ["Deny"] }),
    ]);
};
