import { called, notInCel, tagsOf } from "../aws.ts";
import type { ResourceRule } from "../rule.ts";
import { strings, UNKNOWN } from "../values.ts";

// What costs money or holds data, and takes tags.
const taggable =
    /^aws:(rds\/(instance|cluster|clusterInstance)|elasticache\/(replicationGroup|cluster|serverlessCache)|dynamodb\/table|s3\/bucket(V2)?|ecr\/repository|kms\/key|secretsmanager\/secret|eks\/(cluster|nodeGroup)|ec2\/(vpc|subnet|instance|natGateway|eip|securityGroup)|ebs\/volume|lb\/loadBalancer|cloudwatch\/logGroup|efs\/fileSystem|backup\/vault):/;

export const requiredTags: ResourceRule = {
    name: "required-tags",
    level: "mandatory",
    scope: "resource",
    types: (type) => taggable.test(type),
    description: "What carries no tags belongs to nobody on the bill and in an incident.",
    remedy: "Set the tags, best as defaultTags of the AWS provider.",
    reference: {
        title: "AWS: best practices for tagging resources",
        url: "https://docs.aws.amazon.com/whitepapers/latest/tagging-best-practices/tagging-best-practices.html",
    },
    settings: {
        tags: {
            type: "array",
            items: { type: "string" },
            description: "Keys that every resource must carry; none demands nothing.",
            default: [],
        },
    },
    notInCel,
    found(resource, settings) {
        const given = tagsOf(resource);
        if (given === UNKNOWN) return [];
        const absent = strings(settings["tags"]).filter((tag) => !given.includes(tag));
        return absent.length > 0 ? [`${called(resource)} has no tag ${absent.join(", ")}`] : [];
    },
};
