import { called, notInCel } from "../aws.ts";
import type { ResourceRule } from "../rule.ts";
import { at, holdsUnknown, list, text } from "../values.ts";

export const rdsForcedTls: ResourceRule = {
    name: "rds-forced-tls",
    level: "mandatory",
    scope: "resource",
    types: [
        "aws:rds/instance:Instance",
        "aws:rds/parameterGroup:ParameterGroup",
        "aws:rds/clusterParameterGroup:ClusterParameterGroup",
    ],
    description: "A client that forgets sslmode sends its password and its data in the clear.",
    remedy: "Give the database a parameterGroupName whose group sets rds.force_ssl to 1.",
    reference: {
        title: "Amazon RDS: requiring an SSL connection to PostgreSQL",
        url: "https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/PostgreSQL.Concepts.General.SSL.html#PostgreSQL.Concepts.General.SSL.Requiring",
    },
    notInCel,
    found(resource) {
        if (resource.type.endsWith(":Instance")) {
            const engine = text(at(resource.props, "engine")) ?? "";
            const group = at(resource.props, "parameterGroupName");
            // Instances of an Aurora cluster take the cluster's group.
            if (group !== undefined || engine !== "postgres") return [];
            return [`${called(resource)}: parameterGroupName is not set`];
        }
        const family = text(at(resource.props, "family")) ?? "";
        const parameters = at(resource.props, "parameters");
        if (!/postgres/.test(family) || holdsUnknown(parameters)) return [];
        const forced = list(parameters).some(
            (each) => at(each, "name") === "rds.force_ssl" && ["1", 1].some((one) => at(each, "value") === one),
        );
        return forced ? [] : [`${called(resource)} does not set rds.force_ssl to 1`];
    },
};
