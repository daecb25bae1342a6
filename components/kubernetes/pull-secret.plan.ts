import type { types } from "@pulumi/kubernetes";
import { interpolate, jsonStringify, secret, type Input, type Output } from "@pulumi/pulumi";
import type { Stack } from "../config/schema";
import { objectLabels } from "./labels";

type Credentials = Extract<Stack["registry"]["pull"], { kind: "credentials" }>;

/** Read by the kubelet whenever it pulls: new credentials need no new pods, so the name stays. */
const madeByStack = "registry-pull";

export function pullSecretName({ registry }: Pick<Stack, "registry">): string | undefined {
    switch (registry.pull.kind) {
        case "anonymous":
            return undefined;
        case "secret":
            return registry.pull.name;
        case "credentials":
            return madeByStack;
    }
}

/** @see https://kubernetes.io/docs/concepts/configuration/secret/#docker-config-secrets */
export function planPullSecret(
    { registry }: Pick<Stack, "registry">,
    { username, server }: Credentials,
    password: Output<string>,
    namespace: Input<string>,
): types.input.core.v1.Secret {
    const [host = ""] = registry.prefix.split("/");
    const auth = interpolate`${username}:${password}`.apply((text) => Buffer.from(text).toString("base64"));
    return {
        metadata: { name: madeByStack, namespace, labels: objectLabels() },
        type: "kubernetes.io/dockerconfigjson",
        stringData: {
            ".dockerconfigjson": secret(jsonStringify({ auths: { [server ?? host]: { username, password, auth } } })),
        },
    };
}
