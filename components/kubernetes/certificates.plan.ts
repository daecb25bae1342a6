import { interpolate, type Input } from "@pulumi/pulumi";
import type { Certificate, Issuer } from "./custom-object";

/** Pulumi waits for this condition instead of guessing. */
export const untilReady = { "pulumi.com/waitFor": "condition=Ready" };

export interface IssuerRef {
    readonly kind: "Issuer" | "ClusterIssuer";
    readonly name: string;
}

export interface CertificateArgs {
    readonly name: string;
    readonly namespace: Input<string>;
    readonly issuer: IssuerRef;
    /** A public host; without it the certificate is for the Service of that name. */
    readonly host?: string;
    /** Of a Service's full name. */
    readonly clusterDomain?: string;
    /** May sign others. */
    readonly authority?: boolean;
}

export function planIssuer(
    name: string,
    namespace: Input<string>,
    spec: Pick<Issuer["spec"], "selfSigned" | "ca">,
): Issuer {
    return {
        apiVersion: "cert-manager.io/v1",
        kind: "Issuer",
        metadata: { name, namespace, annotations: untilReady },
        spec,
    };
}

type Spec = Certificate["spec"];

/** The Secret of a certificate: tls.crt, tls.key and ca.crt. */
export const tlsSecret = (certificate: string): string => `${certificate}-tls`;

/** @see https://cert-manager.io/docs/reference/api-docs/#cert-manager.io/v1.CertificateSpec */
export function planCertificate(args: CertificateArgs): Certificate {
    const { name, namespace, issuer, host, clusterDomain, authority } = args;
    const privateKey: Spec["privateKey"] = { algorithm: "ECDSA", size: 256, rotationPolicy: "Always" };
    const metadata = { name, namespace, annotations: untilReady };
    const shared: Spec = {
        secretName: tlsSecret(name),
        privateKey,
        issuerRef: { kind: issuer.kind, name: issuer.name, group: "cert-manager.io" },
    };
    const type = { apiVersion: "cert-manager.io/v1", kind: "Certificate", metadata } as const;
    if (authority === true)
        // The CA is valid for much longer than the certificates it signs: clients read it at start.
        // Its key stays, so that what clients hold keeps verifying after a renewal.
        return {
            ...type,
            spec: {
                ...shared,
                privateKey: { ...privateKey, rotationPolicy: "Never" },
                isCA: true,
                commonName: "Orcheo internal CA",
                duration: "87600h0m0s",
            },
        };
    const dnsNames =
        host === undefined
            ? [
                  name,
                  interpolate`${name}.${namespace}`,
                  interpolate`${name}.${namespace}.svc`,
                  ...(clusterDomain === undefined ? [] : [interpolate`${name}.${namespace}.svc.${clusterDomain}`]),
              ]
            : [host];
    const usages: Spec["usages"] = ["digital signature", "key encipherment", "server auth"];
    return { ...type, spec: { ...shared, dnsNames, usages, duration: "2160h0m0s", renewBefore: "720h0m0s" } };
}

/** cert-manager's, on the pods that answer a challenge. */
export const solverLabel = "acme.cert-manager.io/http01-solver";
