/** Settings of the NetworkPolicies. */
import { z } from "zod";
import { cidr } from "./addresses";
import { choice, labelKey, labelValue, name, whole } from "./fields";

export const network = z
    .strictObject({
        ingressNamespace: name()
            .default("traefik")
            .describe("Namespace of the ingress controller: the only one that may reach canvas and API."),
        ingressPodLabels: z
            .record(labelKey(), labelValue())
            .default({ "app.kubernetes.io/name": "traefik" })
            .describe("Labels of its pods."),
        ingressCidrs: z
            .array(cidr())
            .default([])
            .describe("Addresses of an ingress controller that runs outside the pod network (host network)."),
        dnsNamespace: name().default("kube-system").describe("Namespace of the cluster's DNS."),
        dnsPort: whole(1, 65_535)
            .default(53)
            .describe("Port of the DNS server's pods, which policies name, not that of its Service."),
        dnsCidrs: z
            .array(cidr())
            .default([])
            .describe(
                "Addresses of DNS servers that are no pods: NodeLocal DNSCache, or an existing cluster in EKS Auto Mode (the address of its kube-dns Service). A new one's are known.",
            ),
        enforcement: choice(["checked", "probed", "assumed"])
            .default("checked")
            .describe(
                "`checked`: a cluster whose network is known to enforce no NetworkPolicies (flannel by itself, the Amazon VPC CNI without its agent) is refused. `probed`: an update also tries it with a pod that may reach DNS only, before anything else starts, and fails when that pod reaches the API server; anew with each `version` and change of the policies. `assumed`: the network is not checked.",
            ),
        privateCidrs: z
            .array(cidr())
            .default([])
            .describe(
                "Private ranges that workflows may reach; all others are refused. Addresses of machines and pods: a Service's own address is none of them, use peers.",
            ),
        peers: z
            .array(
                z.strictObject({
                    namespace: name(),
                    podLabels: z
                        .record(labelKey(), labelValue())
                        .refine((labels) => Object.keys(labels).length > 0, { error: "at least one label" }),
                    ports: z.array(whole(1, 65_535)).min(1, { error: "at least one port" }),
                }),
            )
            .default([])
            .describe(
                "Pods of the cluster that workflows may reach, such as a language model's: {namespace, podLabels, ports}. The ports are those of the pods (TCP), not of their Service.",
            ),
    })
    .prefault({})
    .describe("NetworkPolicies: everything not listed is refused.");
