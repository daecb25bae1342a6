import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { Stack } from "../config/schema";
import type { ImageSettings } from "../images/images.plan";
import { planAdmission } from "./admission.plan";
import { planSignatures } from "./signatures.plan";

/**
 * The pod rules of policies/, enforced by the API server in the stack's namespace: pods created without Pulumi, such as by
 * `kubectl run`, are refused with the same message; unsigned images are refused by policy-controller, if it is installed. Workloads depend on it.
 *
 * @see https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/
 */
export class Admission extends pulumi.ComponentResource {
    constructor(
        name: string,
        { stack }: { stack: ImageSettings & Pick<Stack, "entrance" | "kubernetes"> },
        opts?: pulumi.ComponentResourceOptions,
    ) {
        super("orcheo:index:Admission", name, {}, opts);
        const { ValidatingAdmissionPolicy, ValidatingAdmissionPolicyBinding } = k8s.admissionregistration.v1;
        for (const { rule, policy, binding } of planAdmission(stack)) {
            const declared = new ValidatingAdmissionPolicy(`${name}-${rule}`, policy, { parent: this });
            new ValidatingAdmissionPolicyBinding(`${name}-${rule}`, binding, { parent: this, dependsOn: declared });
        }
        for (const { role, policy } of planSignatures(stack))
            new k8s.apiextensions.CustomResource(`${name}-${role}`, policy, { parent: this });
        this.registerOutputs({});
    }
}
