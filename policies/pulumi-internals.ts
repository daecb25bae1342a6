/** Modules of Pulumi's SDKs that are not their API: the only file here that loads any. */
import { createRequire } from "node:module";

/** The versions whose modules were checked; a test compares them with package.json. */
export const checkedWith = { "@pulumi/policy": "1.21.0", "@pulumi/pulumi": "3.276.0" };

const load = createRequire(import.meta.url);

/** Turns the engine's messages into properties (`deserializeProperties`). */
export const deserializer = (): unknown => load("@pulumi/policy/deserialize.js");

/** The messages between engine and pack, from the policy SDK's own copy of the protocol, should there be two. */
export function analyzerProtocol(): unknown {
    const sdk = createRequire(load.resolve("@pulumi/policy"));
    return sdk("@pulumi/pulumi/proto/analyzer_grpc_pb.js");
}
