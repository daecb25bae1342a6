import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { planCertificate, planIssuer, tlsSecret, type CertificateArgs } from "./certificates.plan";

/**
 * The stack's own certificate authority: it signs the certificates of all servers in the namespace.
 * cert-manager keeps the keys and renews; Pulumi never sees one.
 *
 * @see https://cert-manager.io/docs/configuration/ca/
 */
export class Authority extends pulumi.ComponentResource {
    private readonly issuer: k8s.apiextensions.CustomResource;
    private readonly namespace: pulumi.Input<string>;
    private readonly clusterDomain: string;

    constructor(
        name: string,
        { namespace, clusterDomain }: { namespace: pulumi.Input<string>; clusterDomain: string },
        opts?: pulumi.ComponentResourceOptions,
    ) {
        super("orcheo:index:Authority", name, {}, opts);
        this.namespace = namespace;
        this.clusterDomain = clusterDomain;
        const root = new k8s.apiextensions.CustomResource(
            `${name}-root`,
            planIssuer("root", namespace, { selfSigned: {} }),
            { parent: this },
        );
        const certificate = new k8s.apiextensions.CustomResource(
            `${name}-certificate`,
            planCertificate({ name: "ca", namespace, issuer: { kind: "Issuer", name: "root" }, authority: true }),
            { parent: this, dependsOn: [root] },
        );
        this.issuer = new k8s.apiextensions.CustomResource(
            `${name}-issuer`,
            planIssuer("ca", namespace, { ca: { secretName: "ca-tls" } }),
            { parent: this, dependsOn: [certificate] },
        );
        this.registerOutputs({});
    }

    /** Certificate of the Service `name`; @returns the Secret with tls.crt, tls.key and ca.crt. */
    serverCertificate(name: string, opts: pulumi.CustomResourceOptions): pulumi.Output<string> {
        const { namespace, clusterDomain } = this;
        const service = { name, namespace, clusterDomain, issuer: { kind: "Issuer" as const, name: "ca" } };
        return certificate(`${name}-tls`, service, { ...opts, dependsOn: [this.issuer] });
    }
}

/** @returns the name of the certificate's Secret, known once it is issued */
export function certificate(
    name: string,
    args: CertificateArgs,
    opts: pulumi.CustomResourceOptions,
): pulumi.Output<string> {
    const issued = new k8s.apiextensions.CustomResource(name, planCertificate(args), opts);
    return issued.id.apply(() => tlsSecret(args.name));
}
