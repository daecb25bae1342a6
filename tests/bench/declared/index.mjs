// Declares the resources of the exported state in the file $DECLARED, with the same names and inputs: the least that a program can do.
import { readFileSync } from "node:fs";
import * as pulumi from "@pulumi/pulumi";

const SECRET = "4dabf18193072939515e22adb298388d";

/** The state wraps a secret as {signature, plaintext: JSON}. */
const revived = (key, value) =>
    value !== null && typeof value === "object" && SECRET in value && "plaintext" in value
        ? pulumi.secret(JSON.parse(value.plaintext))
        : value;
// What providers add to inputs by themselves.
const isOwn = ([key]) => !key.startsWith("__") && key !== "version";

const { deployment } = JSON.parse(readFileSync(process.env.DECLARED, "utf8"), revived);
const declared = new Map();
for (const { urn, type, custom, inputs = {}, parent, provider = "", ...state } of deployment.resources) {
    const name = urn.split("::").at(-1);
    const byDefault = /::pulumi:providers:[^:]+::default_(.+)::[^:]+$/.exec(provider);
    const opts = {
        parent: declared.get(parent),
        protect: state.protect,
        retainOnDelete: state.retainOnDelete,
        ignoreChanges: state.ignoreChanges,
        additionalSecretOutputs: state.additionalSecretOutputs,
        ...(byDefault === null
            ? { provider: declared.get(provider.replace(/::[^:]+$/, "")) }
            : { version: byDefault[1].replaceAll("_", ".") }),
    };
    const own = Object.fromEntries(Object.entries(inputs).filter(isOwn));
    if (type === "pulumi:pulumi:Stack" || /^pulumi:providers:.*::default/.test(urn.split("::").slice(2).join("::")))
        continue;
    if (type.startsWith("pulumi:providers:"))
        declared.set(
            urn,
            new pulumi.ProviderResource(type.split(":").at(-1), name, own, { ...opts, version: inputs.version }),
        );
    else if (custom) declared.set(urn, new pulumi.CustomResource(type, name, own, opts));
    else declared.set(urn, new pulumi.ComponentResource(type, name, {}, opts));
}
