/** The cluster's CAs and certificates, created with OpenSSL and renewed before they expire. */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { randomBytes, X509Certificate } from "node:crypto";
import { join } from "node:path";
import { run } from "../process.ts";
import { API_SERVICE_IP, type ClusterSpec, NODE_IP, NODE_NAME, pathsOf } from "./spec.ts";

/** User name in the kubeconfig of the cluster, with which `make up` deploys. */
export const ADMINISTRATOR = "orcheo-admin";

const CA_DAYS = 3650;
const CERTIFICATE_DAYS = 365;
const RENEW_BEFORE_DAYS = 60;

interface Leaf {
    readonly name: string;
    readonly ca: "cluster" | "etcd" | "front-proxy";
    /** OpenSSL subject, e.g. `/O=system:nodes/CN=system:node:x`. */
    readonly subject: string;
    readonly usage: "serverAuth" | "clientAuth" | "serverAuth,clientAuth";
    readonly names?: readonly string[];
}

const LOCAL = ["IP:127.0.0.1", "DNS:localhost"];

const leaves: readonly Leaf[] = [
    { name: "etcd", ca: "etcd", subject: "/CN=etcd", usage: "serverAuth,clientAuth", names: LOCAL },
    { name: "etcd-client", ca: "etcd", subject: "/CN=kube-apiserver-etcd-client", usage: "clientAuth" },
    {
        name: "apiserver",
        ca: "cluster",
        subject: "/CN=kube-apiserver",
        usage: "serverAuth",
        names: [
            ...LOCAL,
            `IP:${NODE_IP}`,
            `IP:${API_SERVICE_IP}`,
            ...["", ".default", ".default.svc", ".default.svc.cluster.local"].map((rest) => `DNS:kubernetes${rest}`),
        ],
    },
    {
        name: "apiserver-kubelet-client",
        ca: "cluster",
        subject: "/CN=kube-apiserver-kubelet-client",
        usage: "clientAuth",
    },
    { name: "front-proxy-client", ca: "front-proxy", subject: "/CN=front-proxy-client", usage: "clientAuth" },
    {
        name: "kubelet",
        ca: "cluster",
        subject: `/O=system:nodes/CN=system:node:${NODE_NAME}`,
        usage: "serverAuth",
        names: [`IP:${NODE_IP}`, `DNS:${NODE_NAME}`],
    },
    {
        name: "kubelet-client",
        ca: "cluster",
        subject: `/O=system:nodes/CN=system:node:${NODE_NAME}`,
        usage: "clientAuth",
    },
    {
        name: "controller-manager",
        ca: "cluster",
        subject: "/CN=system:kube-controller-manager",
        usage: "serverAuth,clientAuth",
        names: LOCAL,
    },
    {
        name: "scheduler",
        ca: "cluster",
        subject: "/CN=system:kube-scheduler",
        usage: "serverAuth,clientAuth",
        names: LOCAL,
    },
    { name: "proxy", ca: "cluster", subject: "/CN=system:kube-proxy", usage: "clientAuth" },
    { name: "kube-router", ca: "cluster", subject: "/CN=kube-router", usage: "clientAuth" },
    { name: "admin", ca: "cluster", subject: `/O=system:masters/CN=${ADMINISTRATOR}`, usage: "clientAuth" },
];

const authorities = ["cluster", "etcd", "front-proxy", "ingress"] as const;

/** Creates missing certificates and renews those about to expire. Returns whether any changed, so that their users must restart. */
export async function ensureCertificates(spec: ClusterSpec): Promise<boolean> {
    const { pki, ingressCa } = pathsOf(spec);
    mkdirSync(pki, { recursive: true, mode: 0o700 });
    const at = (file: string): string => join(pki, file);
    let changed = false;
    for (const ca of authorities) {
        if (existsSync(at(`${ca}-ca.crt`))) continue;
        await key(at(`${ca}-ca.key`));
        await run("openssl", [
            "req",
            "-x509",
            "-new",
            "-key",
            at(`${ca}-ca.key`),
            "-days",
            String(CA_DAYS),
            "-subj",
            `/O=Orcheo ${spec.name}/CN=${ca} CA`,
            "-addext",
            "basicConstraints=critical,CA:TRUE",
            "-addext",
            "keyUsage=critical,keyCertSign,cRLSign",
            "-out",
            at(`${ca}-ca.crt`),
        ]);
        changed = true;
    }
    for (const leaf of leaves) {
        if (isFresh(at(`${leaf.name}.crt`))) continue;
        rmSync(at(`${leaf.name}.crt`), { force: true });
        await key(at(`${leaf.name}.key`));
        await run("openssl", [
            "req",
            "-new",
            "-key",
            at(`${leaf.name}.key`),
            "-subj",
            leaf.subject,
            "-out",
            at(`${leaf.name}.csr`),
        ]);
        const extensions = [
            "basicConstraints=critical,CA:FALSE",
            "keyUsage=critical,digitalSignature",
            `extendedKeyUsage=${leaf.usage}`,
            ...(leaf.names === undefined ? [] : [`subjectAltName=${leaf.names.join(",")}`]),
        ];
        writeFileSync(at(`${leaf.name}.ext`), `${extensions.join("\n")}\n`);
        await run("openssl", [
            "x509",
            "-req",
            "-in",
            at(`${leaf.name}.csr`),
            "-CA",
            at(`${leaf.ca}-ca.crt`),
            "-CAkey",
            at(`${leaf.ca}-ca.key`),
            "-CAcreateserial",
            "-days",
            String(CERTIFICATE_DAYS),
            "-extfile",
            at(`${leaf.name}.ext`),
            "-out",
            at(`${leaf.name}.crt`),
        ]);
        changed = true;
    }
    // The public key is written last: if it is missing, the pair is incomplete.
    if (!existsSync(at("service-account.pub"))) {
        await run("openssl", [
            "genpkey",
            "-algorithm",
            "RSA",
            "-pkeyopt",
            "rsa_keygen_bits:3072",
            "-out",
            at("service-account.key"),
        ]);
        await run("openssl", ["pkey", "-in", at("service-account.key"), "-pubout", "-out", at("service-account.pub")]);
    }
    if (!existsSync(at("secrets-at-rest.key")))
        writeFileSync(at("secrets-at-rest.key"), randomBytes(32).toString("base64"), { mode: 0o600 });
    writeFileSync(ingressCa, readFileSync(at("ingress-ca.crt")));
    return changed;
}

const key = (file: string): Promise<string> =>
    run("openssl", ["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", file]);

/** Whether a certificate exists and is valid for more than RENEW_BEFORE_DAYS. */
export function isFresh(file: string, now = Date.now()): boolean {
    if (!existsSync(file)) return false;
    const end = Date.parse(new X509Certificate(readFileSync(file)).validTo);
    return end - now > RENEW_BEFORE_DAYS * 24 * 3600 * 1000;
}
