/**
 * The stack's config, from the engine itself: whichever file, environment or command line it was given in.
 *
 * The engine sends it to every pack before it asks anything (ConfigureStack), but the policy SDK for Node (1.21) keeps only
 * the stack's tags of that message.
 */
import { createRequire } from "node:module";

/** The text of a key of the stack's config, `project:key`; undefined before the engine has told it, and where it is not set. */
export type StackConfig = (key: string) => string | undefined;

interface ConfigMessage {
    getConfigMap(): { get(key: string): string | undefined };
}

function isConfigMessage(value: unknown): value is ConfigMessage {
    return typeof value === "object" && value !== null && typeof Reflect.get(value, "getConfigMap") === "function";
}

/**
 * Listens for the stack's config. To be called before the pack is served.
 *
 * @throws when the SDK reads that message in another way: without its exceptions a stack would be judged wrongly
 */
export function hearStackConfig(): StackConfig {
    // The SDK's own copy of the protocol, should there be two.
    const sdk = createRequire(createRequire(import.meta.url).resolve("@pulumi/policy"));
    const protocol: unknown = sdk("@pulumi/pulumi/proto/analyzer_grpc_pb.js");
    const method: unknown = Reflect.get(Object(Reflect.get(Object(protocol), "AnalyzerService")), "configureStack");
    const read: unknown = Reflect.get(Object(method), "requestDeserialize");
    if (typeof method !== "object" || method === null || typeof read !== "function") {
        throw new Error(
            "this version of @pulumi/policy does not receive the stack's config; install the one of package.json",
        );
    }
    let heard: ConfigMessage | undefined;
    Reflect.set(method, "requestDeserialize", (bytes: Uint8Array): unknown => {
        const message: unknown = Reflect.apply(read, undefined, [bytes]);
        if (isConfigMessage(message)) heard = message;
        return message;
    });
    return (key) => heard?.getConfigMap().get(key);
}
