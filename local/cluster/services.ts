/** The services of the node: one command line each, in dependency order. */
import { join } from "node:path";
import type { Toolchain } from "../toolchain/build.ts";
import { type ClusterSpec, cgroupOf, NODE_IP, NODE_NAME, pathsOf, POD_CIDR, SERVICE_CIDR } from "./spec.ts";

export interface Service {
    readonly name: string;
    readonly command: readonly string[];
}

const flags = (values: Readonly<Record<string, string | number | boolean>>): string[] =>
    Object.entries(values).map(([name, value]) => `--${name}=${value}`);

export function nodeServices(spec: ClusterSpec, toolchain: Toolchain): readonly Service[] {
    const paths = pathsOf(spec);
    const pki = (file: string): string => join(paths.pki, file);
    const config = (file: string): string => join(paths.config, file);
    const tls = (name: string) => ({ "tls-cert-file": pki(`${name}.crt`), "tls-private-key-file": pki(`${name}.key`) });
    const delegated = (name: string) => ({
        kubeconfig: config(`${name}.kubeconfig`),
        "authentication-kubeconfig": config(`${name}.kubeconfig`),
        "authorization-kubeconfig": config(`${name}.kubeconfig`),
        "bind-address": "127.0.0.1",
        "leader-elect": false,
        ...tls(name),
    });
    return [
        {
            name: "etcd",
            command: [
                toolchain.bin("etcd"),
                ...flags({
                    name: NODE_NAME,
                    "data-dir": paths.etcd,
                    "listen-client-urls": "https://127.0.0.1:2379",
                    "advertise-client-urls": "https://127.0.0.1:2379",
                    "listen-peer-urls": "https://127.0.0.1:2380",
                    "initial-advertise-peer-urls": "https://127.0.0.1:2380",
                    "initial-cluster": `${NODE_NAME}=https://127.0.0.1:2380`,
                    "cert-file": pki("etcd.crt"),
                    "key-file": pki("etcd.key"),
                    "trusted-ca-file": pki("etcd-ca.crt"),
                    "client-cert-auth": true,
                    "peer-cert-file": pki("etcd.crt"),
                    "peer-key-file": pki("etcd.key"),
                    "peer-trusted-ca-file": pki("etcd-ca.crt"),
                    "peer-client-cert-auth": true,
                    "auto-compaction-retention": "1h",
                    "log-level": "warn",
                }),
            ],
        },
        {
            name: "kube-apiserver",
            command: [
                toolchain.bin("kube-apiserver"),
                ...flags({
                    "advertise-address": NODE_IP,
                    "bind-address": "0.0.0.0",
                    "secure-port": spec.ports.api,
                    "etcd-servers": "https://127.0.0.1:2379",
                    "etcd-cafile": pki("etcd-ca.crt"),
                    "etcd-certfile": pki("etcd-client.crt"),
                    "etcd-keyfile": pki("etcd-client.key"),
                    "client-ca-file": pki("cluster-ca.crt"),
                    "authentication-config": config("authentication.yaml"),
                    "authorization-mode": "Node,RBAC",
                    "enable-admission-plugins": "NodeRestriction,PodSecurity",
                    "encryption-provider-config": config("secrets-at-rest.yaml"),
                    "audit-policy-file": config("audit-policy.yaml"),
                    "audit-log-path": join(paths.auditLogs, "audit.log"),
                    "audit-log-maxsize": 50,
                    "audit-log-maxbackup": 2,
                    "kubelet-certificate-authority": pki("cluster-ca.crt"),
                    "kubelet-client-certificate": pki("apiserver-kubelet-client.crt"),
                    "kubelet-client-key": pki("apiserver-kubelet-client.key"),
                    "kubelet-preferred-address-types": "InternalIP",
                    "requestheader-client-ca-file": pki("front-proxy-ca.crt"),
                    "requestheader-allowed-names": "front-proxy-client",
                    "requestheader-username-headers": "X-Remote-User",
                    "requestheader-group-headers": "X-Remote-Group",
                    "requestheader-extra-headers-prefix": "X-Remote-Extra-",
                    "proxy-client-cert-file": pki("front-proxy-client.crt"),
                    "proxy-client-key-file": pki("front-proxy-client.key"),
                    "enable-aggregator-routing": true,
                    "service-account-issuer": "https://kubernetes.default.svc.cluster.local",
                    "service-account-key-file": pki("service-account.pub"),
                    "service-account-signing-key-file": pki("service-account.key"),
                    "service-cluster-ip-range": SERVICE_CIDR,
                    profiling: false,
                    ...tls("apiserver"),
                }),
            ],
        },
        {
            name: "kube-controller-manager",
            command: [
                toolchain.bin("kube-controller-manager"),
                ...flags({
                    ...delegated("controller-manager"),
                    "cluster-cidr": POD_CIDR,
                    "allocate-node-cidrs": true,
                    "node-cidr-mask-size": Number(POD_CIDR.split("/")[1]),
                    "service-cluster-ip-range": SERVICE_CIDR,
                    "root-ca-file": pki("cluster-ca.crt"),
                    "cluster-signing-cert-file": pki("cluster-ca.crt"),
                    "cluster-signing-key-file": pki("cluster-ca.key"),
                    "service-account-private-key-file": pki("service-account.key"),
                    "use-service-account-credentials": true,
                    profiling: false,
                }),
            ],
        },
        {
            name: "kube-scheduler",
            command: [toolchain.bin("kube-scheduler"), ...flags({ ...delegated("scheduler"), profiling: false })],
        },
        { name: "registry", command: [toolchain.bin("registry"), "serve", config("registry.yaml")] },
        { name: "containerd", command: [toolchain.bin("containerd"), "--config", config("containerd.toml")] },
        {
            name: "kubelet",
            command: [
                toolchain.bin("kubelet"),
                ...flags({
                    config: config("kubelet.yaml"),
                    kubeconfig: config("kubelet-client.kubeconfig"),
                    "hostname-override": NODE_NAME,
                    "node-ip": NODE_IP,
                    "runtime-cgroups": `/${cgroupOf(spec)}`,
                }),
            ],
        },
        {
            name: "kube-proxy",
            command: [
                toolchain.bin("kube-proxy"),
                ...flags({
                    kubeconfig: config("proxy.kubeconfig"),
                    "hostname-override": NODE_NAME,
                    "cluster-cidr": POD_CIDR,
                    "proxy-mode": "iptables",
                    "conntrack-max-per-core": 0,
                    "conntrack-tcp-timeout-established": "0s",
                    "conntrack-tcp-timeout-close-wait": "0s",
                    "nodeport-addresses": "127.0.0.0/8",
                }),
            ],
        },
        {
            name: "kube-router",
            command: [
                toolchain.bin("kube-router"),
                ...flags({
                    kubeconfig: config("kube-router.kubeconfig"),
                    "hostname-override": NODE_NAME,
                    "run-router": false,
                    "run-service-proxy": false,
                    "run-loadbalancer": false,
                    "run-firewall": true,
                    "service-cluster-ip-range": SERVICE_CIDR,
                    "health-port": 0,
                    "metrics-port": 0,
                }),
            ],
        },
    ];
}
