import { called, notInCel } from "../aws.ts";
import type { ResourceRule } from "../rule.ts";
import { at, holdsUnknown, list, text } from "../values.ts";

/** The parameter that forces TLS, by what engines and families are called. */
const parameters = [
    { of: /postgres/, name: "rds.force_ssl", on: ["1", 1] },
    { of: /mysql|mariadb/, name: "require_secure_transport", on: ["1", 1, "ON"] },
];

/** Amazon's own groups, which nobody can change: those of PostgreSQL force TLS since version 15, no others do. */
const forcing = /^default\.postgres(1[5-9]|[2-9]\d)$/;

export const rdsForcedTls: ResourceRule = {
    name: "rds-forced-tls",
    level: "mandatory",
    scope: "resource",
    types: [
        "aws:rds/instance:Instance",
        "aws:rds/cluster:Cluster",
        "aws:rds/parameterGroup:ParameterGroup",
        "aws:rds/clusterParameterGroup:ClusterParameterGroup",
    ],
    description: "A client that forgets sslmode sends its password and its data in the clear.",
    remedy: "Give the database a parameter group that sets rds.force_ssl (MySQL: require_secure_transport) to 1.",
    reference: {
        title: "Amazon RDS: requiring an SSL connection to PostgreSQL",
        url: "https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/PostgreSQL.Concepts.General.SSL.html#PostgreSQL.Concepts.General.SSL.Requiring",
    },
    notInCel,
    found(resource) {
        const { type, props } = resource;
        const group = type.endsWith(":Cluster") ? "dbClusterParameterGroupName" : "parameterGroupName";
        if (type.endsWith(":Cluster") || type.endsWith(":Instance")) {
            const engine = text(at(props, "engine")) ?? "";
            const parameter = parameters.find((each) => each.of.test(engine));
            // Instances of an Aurora cluster take the cluster's group.
            const takesOne = type.endsWith(":Cluster") || !engine.startsWith("aurora");
            if (parameter === undefined || !takesOne) return [];
            const given = at(props, group);
            if (given === undefined) return [`${called(resource)}: ${group} is not set`];
            const name = text(given) ?? "";
            const amazons = name.startsWith("default.") && !forcing.test(name);
            return amazons ? [`${called(resource)}: ${group} is ${name}, which does not force TLS`] : [];
        }
        const family = text(at(props, "family")) ?? "";
        const parameter = parameters.find((each) => each.of.test(family));
        const set = at(props, "parameters");
        if (parameter === undefined || holdsUnknown(set)) return [];
        const forced = list(set).some(
            (each) => at(each, "name") === parameter.name && parameter.on.some((value) => at(each, "value") === value),
        );
        return forced ? [] : [`${called(resource)} does not set ${parameter.name} to 1`];
    },
};
