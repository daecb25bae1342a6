/**
 * Stands in for the AWS provider in Pulumi's engine, for states that it made itself: they lack what the real provider records
 * (region, keyUsage, engineMode), which would then replace nearly everything. It answers what tests/aws-mocks.ts answers, with
 * default tags as the provider merges them, and says of a change whether it replaces. It throws on a type that it does not
 * know, and on all that an update does not need: reading, deleting.
 */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import grpc from "@grpc/grpc-js";
import type { Struct } from "google-protobuf/google/protobuf/struct_pb.js";
import provider from "@pulumi/pulumi/proto/provider_pb.js";
import services from "@pulumi/pulumi/proto/provider_grpc_pb.js";
import plugin from "@pulumi/pulumi/proto/plugin_pb.js";
import { awsCalls, awsComputed, replacing } from "../../aws-mocks.ts";

type Values = Readonly<Record<string, unknown>>;

const require = createRequire(import.meta.url);
const { Struct: struct } = require("google-protobuf/google/protobuf/struct_pb.js") as {
    Struct: { fromJavaScript(value: Values): Struct };
};

const sdk = new URL("../../../node_modules/@pulumi/aws/", import.meta.url);
const { version } = JSON.parse(readFileSync(new URL("package.json", sdk), "utf8")) as { version: string };

let defaultTags: Values = {};

const values = (given: Struct | undefined): Values => given?.toJavaScript() ?? {};

/** Whether the SDK's resource of `aws:rds/instance:Instance` has the tags that the provider merges. */
function taggable(type: string): boolean {
    const source = new URL(`${type.split(":")[1] ?? ""}.js`, sdk);
    return existsSync(source) && readFileSync(source, "utf8").includes("tagsAll");
}

function computed(type: string, name: string, inputs: Values): Values {
    const answer = awsComputed[type];
    if (answer === undefined) throw new Error(`the stand-in for AWS does not know the type ${type} (${name})`);
    return { ...inputs, ...answer(name, inputs), ...(type === "aws:eks/cluster:Cluster" ? testCluster() : {}) };
}

/** A new cluster of EKS is the tests' own, so that what goes into it is asked of a real API server. */
function testCluster(): Values {
    const view = execFileSync("kubectl", ["config", "view", "--raw", "--minify", "--flatten", "--output", "json"]);
    const { clusters } = JSON.parse(view.toString()) as {
        clusters: readonly { cluster: { server: string; "certificate-authority-data": string } }[];
    };
    const [found] = clusters;
    if (found === undefined) throw new Error("the kubeconfig's context has no cluster");
    const { server, "certificate-authority-data": data } = found.cluster;
    return { endpoint: server, certificateAuthority: { data } };
}

/** Top-level inputs that differ. */
function changed(before: Values, after: Values): string[] {
    const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter((key) => key !== "__defaults");
    return keys.filter((key) => JSON.stringify(before[key]) !== JSON.stringify(after[key]));
}

interface Call<Request> {
    readonly request: Request;
}
type Answer<Response> = (error: Error | null, response?: Response) => void;

/** The method with its errors told to the engine. */
function method<Request, Response>(act: (request: Request) => Response) {
    return ({ request }: Call<Request>, answer: Answer<Response>): void => {
        try {
            answer(null, act(request));
        } catch (error) {
            answer(error instanceof Error ? error : new Error(String(error)));
        }
    };
}

const methods = {
    getPluginInfo: method(() => new plugin.PluginInfo().setVersion(version)),
    checkConfig: method((request: InstanceType<typeof provider.CheckRequest>) =>
        new provider.CheckResponse().setInputs(request.getNews()),
    ),
    diffConfig: method(() => new provider.DiffResponse().setChanges(provider.DiffResponse.DiffChanges.DIFF_NONE)),
    configure: method((request: InstanceType<typeof provider.ConfigureRequest>) => {
        // A provider's nested inputs are JSON text.
        const { defaultTags: given } = values(request.getArgs());
        const { tags } = (typeof given === "string" ? JSON.parse(given) : (given ?? {})) as { tags?: Values };
        defaultTags = tags ?? {};
        return new provider.ConfigureResponse().setAcceptsecrets(true);
    }),
    check: method((request: InstanceType<typeof provider.CheckRequest>) => {
        const inputs = values(request.getNews());
        const all = { ...defaultTags, ...(inputs["tags"] as Values | undefined) };
        const tagged = taggable(request.getType()) ? { ...inputs, tagsAll: all } : inputs;
        computed(request.getType(), request.getName(), inputs);
        return new provider.CheckResponse().setInputs(struct.fromJavaScript(tagged));
    }),
    diff: method((request: InstanceType<typeof provider.DiffRequest>) => {
        const changes = changed(values(request.getOldInputs()), values(request.getNews()));
        const { DIFF_SOME, DIFF_NONE } = provider.DiffResponse.DiffChanges;
        return new provider.DiffResponse()
            .setChanges(changes.length > 0 ? DIFF_SOME : DIFF_NONE)
            .setDiffsList(changes)
            .setReplacesList(changes.filter((key) => replacing[request.getType()]?.includes(key) === true));
    }),
    invoke: method((request: InstanceType<typeof provider.InvokeRequest>) => {
        const answer = awsCalls[request.getTok()];
        if (answer === undefined) throw new Error(`the stand-in for AWS does not know ${request.getTok()}`);
        return new provider.InvokeResponse().setReturn(struct.fromJavaScript(answer(values(request.getArgs()))));
    }),
    create: method((request: InstanceType<typeof provider.CreateRequest>) =>
        new provider.CreateResponse()
            .setId(`${request.getName()}-id`)
            .setProperties(
                struct.fromJavaScript(computed(request.getType(), request.getName(), values(request.getProperties()))),
            ),
    ),
    update: method((request: InstanceType<typeof provider.UpdateRequest>) =>
        new provider.UpdateResponse().setProperties(
            struct.fromJavaScript(computed(request.getType(), request.getName(), values(request.getNews()))),
        ),
    ),
};

const server = new grpc.Server({ "grpc.max_receive_message_length": -1 });
server.addService(services.ResourceProviderService, methods);
server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, port) => {
    if (error !== null) throw error;
    // The engine reads the port from here.
    console.log(port);
});
