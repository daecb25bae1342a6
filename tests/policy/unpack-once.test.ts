import { createRequire } from "node:module";

import { expect, test } from "vitest";

import { policyPack } from "../../policies/pack.ts";
import { rules } from "../../policies/table.ts";
import { unpackOnce } from "../../policies/unpack-once.ts";
import { compliant, tokenOf } from "./pods.ts";

type Call = (request: object, done: (error: unknown, response: unknown) => void) => void;

/** The SDK's own handler of one resource, which is not part of its public types. */
function analyzer(): Call {
    const server: unknown = createRequire(import.meta.url)("@pulumi/policy/server.js");
    const make: unknown = Reflect.get(Object(server), "makeAnalyzeRpcFun");
    if (typeof make !== "function") throw new Error("the policy SDK has no makeAnalyzeRpcFun any more");
    const { policies } = policyPack(rules, () => undefined);
    return Reflect.apply(make, undefined, ["orcheo", "0.1.0", "mandatory", policies]) as Call;
}

test("with all its policies the SDK unpacks a resource once", async () => {
    const manifest = compliant("Deployment");
    let unpacked = 0;
    const properties = { toJavaScript: () => (unpacked++, manifest) };
    const options = {
        getProtect: () => false,
        getIgnorechangesList: () => [],
        getAliasesList: () => [],
        getCustomtimeouts: () => undefined,
        getAdditionalsecretoutputsList: () => [],
        getDeletebeforereplacedefined: () => false,
        getParent: () => "",
    };
    const request = {
        getType: () => tokenOf(manifest),
        getUrn: () => "urn:pulumi:s::p::t::api",
        getName: () => "api",
        getProperties: () => properties,
        getOptions: () => options,
        getProvider: () => undefined,
    };
    expect(unpackOnce()).toBe(true);
    const call = analyzer();
    await new Promise<void>((resolve, reject) => {
        call({ request }, (error) => {
            if (error === null || error === undefined) resolve();
            else reject(new Error("the analysis failed", { cause: error }));
        });
    });
    expect(unpacked).toBe(1);
});
