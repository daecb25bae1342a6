import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { Acme } from "../config/kinds";
import type { Stack } from "../config/schema";
import type { IssuerRef } from "../kubernetes/certificates.plan";
import { objectLabels } from "../kubernetes/labels";
import { machine } from "../machine";
import { planAcme, planRoute53Identity, planSolverAccess } from "./issuer.plan";

export interface AcmeIssuerArgs {
    readonly stack: Pick<Stack, "entrance" | "host" | "network">;
    readonly namespace: pulumi.Input<string>;
    readonly acme: Acme;
    readonly issuer: IssuerRef;
}

/** An ACME account, and what its proofs need: a way to the solver, or an identity that changes DNS records. */
export class AcmeIssuer extends pulumi.ComponentResource {
    constructor(name: string, args: AcmeIssuerArgs, opts?: pulumi.ComponentResourceOptions) {
        super("orcheo:index:AcmeIssuer", name, {}, opts);
        const { stack, namespace, acme, issuer } = args;
        const { solver } = acme;
        const child = { parent: this };
        const labels = objectLabels();
        const needed: pulumi.Resource[] = [];
        if (solver.kind === "http01") {
            const metadata = { name: "acme-solver", namespace, labels };
            const spec = planSolverAccess(stack.network);
            needed.push(new k8s.networking.v1.NetworkPolicy(`${name}-solver`, { metadata, spec }, child));
        }
        if (solver.kind === "route53") {
            const { account, role, binding } = planRoute53Identity(solver, namespace);
            needed.push(
                new k8s.core.v1.ServiceAccount(`${name}-account`, account, child),
                new k8s.rbac.v1.Role(`${name}-role`, role, child),
                new k8s.rbac.v1.RoleBinding(`${name}-binding`, binding, child),
            );
        }
        const authority = acme.caBundleFile === undefined ? undefined : machine.read(acme.caBundleFile);
        new k8s.apiextensions.CustomResource(name, planAcme(stack, acme, issuer, namespace, authority), {
            ...child,
            dependsOn: needed,
        });
        this.registerOutputs({});
    }
}
