import { createRequire } from "node:module";

import { expect, test } from "vitest";

import { hearStackConfig } from "../../policies/stack-config.ts";
import { at } from "../../policies/values.ts";

const require = createRequire(import.meta.url);

test("the stack's config comes from the engine's message; before that there is none", () => {
    const config = hearStackConfig();
    expect(config("shop:color")).toBeUndefined();
    // The message as the engine sends it, read by what the SDK's server reads it with.
    const messages: unknown = require("@pulumi/pulumi/proto/analyzer_pb.js");
    const Message = Reflect.get(Object(messages), "AnalyzerStackConfigureRequest") as new () => {
        getConfigMap(): { set(key: string, value: string): void };
        serializeBinary(): Uint8Array;
    };
    const message = new Message();
    message.getConfigMap().set("shop:color", "red");
    const protocol: unknown = require("@pulumi/pulumi/proto/analyzer_grpc_pb.js");
    const read: unknown = at(Reflect.get(Object(protocol), "AnalyzerService"), "configureStack", "requestDeserialize");
    if (typeof read !== "function") throw new Error("the protocol has no configureStack any more");
    Reflect.apply(read, undefined, [message.serializeBinary()]);
    expect(config("shop:color")).toBe("red");
    expect(config("shop:shape")).toBeUndefined();
});
