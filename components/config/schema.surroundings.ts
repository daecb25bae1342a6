/** Settings of what lies between the stack and the world: the image registry, proxies, private authorities. */
import { z } from "zod";
import { flag, imagePrefix, imageSource, kind, objectName, oneOf, path, url, words } from "./fields";
import { proxyException } from "./proxy-exceptions";

const pull = oneOf([
    z.strictObject({ kind: kind("anonymous") }),
    z.strictObject({
        kind: kind("secret"),
        name: objectName().describe("Secret of type kubernetes.io/dockerconfigjson in the namespace."),
    }),
    z.strictObject({
        kind: kind("credentials"),
        username: words("a user name").describe(
            "User. The password is the secret `orcheo:registryPassword`: pulumi config set --secret orcheo:registryPassword",
        ),
        server: words("a registry's host name")
            .optional()
            .describe("Registry that they are for; default that of prefix."),
    }),
]);

export const registry = z
    .strictObject({
        prefix: imagePrefix().describe(
            "Registry and path that built images are pushed to; `/backend`, `/canvas`, … are appended.",
        ),
        plainHttp: flag()
            .optional()
            .describe("Speak http to the registry; default only to one on loopback (127.0.0.1, localhost)."),
        pull: pull
            .prefault({ kind: "anonymous" })
            .describe(
                "How pods pull: with no credentials (or the node's), with a Secret, or with one the stack makes.",
            ),
        mirrors: z
            .record(imageSource(), imagePrefix())
            .default({})
            .describe(
                "Mirrors: images whose name starts with the key are pulled from the value instead, such as docker.io: mirror.example.com/hub. For published images, the base image and a ready canvas.",
            ),
    })
    .describe("The image registry.");

export const outbound = z
    .strictObject({
        proxy: z
            .strictObject({
                httpUrl: url().optional().describe("Proxy for http, such as http://proxy.example.com:3128."),
                httpsUrl: url().optional().describe("Proxy for https; most are asked by http all the same."),
                direct: z
                    .array(proxyException())
                    .default([])
                    .describe(
                        "Destinations that bypass the proxy (NO_PROXY): host names, domains (`.example.com`, whatever is below it), IPv4 addresses; docs/kubernetes.md says why nothing else. The cluster's own names always are.",
                    ),
            })
            .refine((proxy) => proxy.httpUrl !== undefined || proxy.httpsUrl !== undefined, {
                error: "httpUrl, httpsUrl or both; or leave the proxy out",
            })
            .optional()
            .describe(
                "HTTP proxy of API, worker, beat, initialisation and image builds. One at a private address also needs network.privateCidrs. A proxy that asks for a password comes by pods.all.envFrom.",
            ),
        caBundleFile: path()
            .optional()
            .describe(
                "PEM file of private authorities that API, worker, beat and initialisation trust besides the usual ones.",
            ),
    })
    .prefault({})
    .describe("Outbound connections of the pods that call other servers.");

export type Outbound = z.output<typeof outbound>;
