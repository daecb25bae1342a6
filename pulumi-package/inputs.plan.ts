/** What the component takes: one input for each key of `orcheo:stack`, with its name, read by the reader of a stack's file. */
import { z } from "zod";
import { shown, type Problem } from "../components/config/problems";
import { stackSchema } from "../components/config/schema";

export const token = "orcheo:index:Platform";

/** Marked as a secret, and no part of the settings. */
export const passwordInput = "registryPassword";

const outputs = {
    url: "Where Orcheo is served.",
    namespace: "Its namespace in the cluster.",
    images: "The images that run, by digest.",
    bootstrapToken: "The command that prints the token of Orcheo's first administrator.",
    signIn: "How people sign in.",
    nextSteps: "What to do next.",
} as const;

/**
 * The package's schema for Pulumi. No input is required, and sections are of any type: the reader of settings then reports all that is missing
 * or wrong at once, which a language's own check would cut short.
 */
export function packageSchema(version: string): string {
    const any = (description: string): object => ({ $ref: "pulumi.json#/Any", description });
    const all = <T>(from: Readonly<Record<string, T>>, to: (value: T, key: string) => object): object =>
        Object.fromEntries(Object.entries(from).map(([key, value]) => [key, to(value, key)]));
    const settings = all<z.ZodType>(stackSchema.shape, ({ description = "" }, key) =>
        any(`${description} docs/config.md, "${key}".`.trim()),
    );
    const password = { type: "string", secret: true, description: "The password that pods pull images with." };
    return JSON.stringify({
        name: "orcheo",
        version,
        description: "Orcheo on Kubernetes, as one component",
        license: "MIT",
        resources: {
            [token]: {
                isComponent: true,
                description: "Orcheo, with all that it needs. Its inputs are the settings of docs/config.md.",
                inputProperties: { ...settings, [passwordInput]: password },
                properties: all(outputs, any),
            },
        },
    });
}

/** An input as the component got it. */
export interface Given {
    /** False for an output of a resource that a preview does not make. */
    readonly known: boolean;
    readonly secret: boolean;
    readonly value: unknown;
}

export interface StackConfig {
    /** By key, as in a stack's file. */
    readonly config: Readonly<Record<string, string>>;
    readonly secretKeys: readonly string[];
    readonly problems: readonly Problem[];
}

/** @param keys  of the stack's own configuration */
export function configOf(given: Readonly<Record<string, Given>>, keys: readonly string[]): StackConfig {
    const { [passwordInput]: password, ...settings } = given;
    const unknown = Object.entries(given).filter(([, { known }]) => !known);
    const values = Object.fromEntries(Object.entries(settings).map(([key, { value }]) => [key, value]));
    const secret = Object.values(settings).some((each) => each.secret);
    const passwordKey = `orcheo:${passwordInput}`;
    const { kind } = (values["images"] ?? {}) as { kind?: unknown };
    // Docker would look for the images' folders in the program that uses the component.
    const building: Problem[] =
        kind === "published"
            ? []
            : [{ at: "orcheo:stack.images.kind", found: shown(kind, secret), remedy: 'accepted: "published"' }];
    return {
        config: {
            "orcheo:stack": JSON.stringify(values),
            ...(password !== undefined && { [passwordKey]: String(password.value) }),
        },
        secretKeys: [...(secret ? ["orcheo:stack"] : []), ...(password?.secret === true ? [passwordKey] : [])],
        problems: [
            ...building,
            ...unknown.map(([key]) => ({
                at: `orcheo:stack.${key}`,
                found: "is not known before the update",
                remedy: "accepted: values that a preview knows",
            })),
            ...keys
                .filter((key) => ["orcheo:stack", passwordKey].includes(key))
                .map((at) => ({
                    at,
                    found: "is in the stack's file",
                    remedy: "accepted: only the component's inputs",
                })),
        ],
    };
}

/** A problem's text with the names of inputs instead of keys of a stack's file. */
export function asInputs(message: string, file: string, component: string): string {
    const command = String.raw`pulumi config set --secret (?:--path )?orcheo:\S+`;
    return message
        .replaceAll(file, `${token} "${component}"`)
        .replaceAll(new RegExp(`set it with: ${command}`, "g"), "pass it as a secret")
        .replaceAll(new RegExp(`set with ${command}`, "g"), "passed as a secret")
        .replaceAll(/\borcheo:stack\.(?=[a-z])/g, "")
        .replaceAll(`orcheo:${passwordInput}`, passwordInput);
}
