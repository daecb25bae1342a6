/** The AWS provider of the tests knows every type that the program uses. */
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import sdk from "@pulumi/aws/package.json";
import { tools } from "../../../local/toolchain/tools";
import { typesIn, usedTypes, type BridgedTypes } from "../../aws-types";

const folder = "local/toolchain/modules/pulumi-resource-aws";
const table = JSON.parse(readFileSync(`${folder}/info/types.json`, "utf8")) as BridgedTypes;
const used = usedTypes();

// `npm run aws-types` runs this with --update; the provider is built anew then.
it("its table is what components use, and nothing else", async () => {
    await expect(`${JSON.stringify(used, undefined, 4)}\n`).toMatchFileSnapshot(`../../../${folder}/info/types.json`);
});

it.each(Object.entries({ ...used.resources, ...used.functions }))("%s (%s) is bridged", (name, type) => {
    expect({ ...table.resources, ...table.functions }[name]).toBe(type);
});

it.each(Object.entries({ ...used.resources, ...used.functions }))(
    "the service of %s (%s) is compiled in",
    (name, type) => {
        /** Where the provider's folders are not named like the SDK's modules. */
        const folders: Readonly<Record<string, string>> = { vpc: "ec2", index: "meta" };
        const [module = ""] = type.split("/");
        const service = name.startsWith("aws_cloudwatch_log_") ? "logs" : (folders[module] ?? module);
        const services = readFileSync(`${folder}/cut/service_packages_gen.go`, "utf8");
        expect(services).toContain(`\t\t${service}.ServicePackage(ctx),`);
    },
);

it("it answers for the SDK that the program is written with", () => {
    const [, version] = /^const Version = "(.*)"$/m.exec(readFileSync(`${folder}/info/info.go`, "utf8")) ?? [];
    expect([version, tools.find(({ name }) => name === "pulumi-resource-aws")?.version]).toEqual([
        sdk.version,
        sdk.version,
    ]);
});

it("names what a program uses, as Terraform does", () => {
    const source = `import * as aws from "@pulumi/aws";
        new aws.rds.ClusterParameterGroup("a"); new aws.rds.EventSubscription("b"); new aws.ec2.VpcEndpoint("c");
        aws.getCallerIdentityOutput({}); aws.ec2.getSubnet({});`;
    expect(typesIn({ "a.ts": source })).toEqual({
        resources: {
            aws_db_event_subscription: "rds/EventSubscription",
            aws_rds_cluster_parameter_group: "rds/ClusterParameterGroup",
            aws_vpc_endpoint: "ec2/VpcEndpoint",
        },
        functions: { aws_caller_identity: "index/getCallerIdentity", aws_subnet: "ec2/getSubnet" },
    });
});

it.each(['import { Bucket } from "@pulumi/aws/s3";', 'import { s3 } from "@pulumi/aws";'])(
    "does not read %s",
    (line) => {
        expect(() => typesIn({ "a.ts": line })).toThrow(/^a\.ts: .*write `import \* as aws from "@pulumi\/aws"`/);
    },
);
