import { called, notInCel } from "../aws.ts";
import type { Resource, ResourceRule } from "../rule.ts";
import { at, holdsUnknown, list, text, UNKNOWN } from "../values.ts";

/** The parameter that forces TLS, by what engines and families are called. */
const parameters = [
    { of: /postgres/, name: "rds.force_ssl", on: ["1", 1] },
    { of: /mysql|mariadb/, name: "require_secure_transport", on: ["1", 1, "ON"] },
];

/** PostgreSQL forces TLS by default since version 15, Aurora's since 17; no other engine does. */
function forcedByDefault(engine: string, major: number): boolean {
    if (engine === "postgres") return major >= 15;
    return engine === "aurora-postgresql" && major >= 17;
}

/** The same of a family, and of Amazon's own group for it, which nobody can change. */
function forcingFamily(name: string): boolean {
    const [, engine = "", major = ""] = /^(?:default\.)?([a-z-]+)(\d+)$/.exec(name) ?? [];
    return forcedByDefault(engine, Number(major));
}

function ofDatabase(resource: Resource): readonly string[] {
    const { type, props } = resource;
    const group = type.endsWith(":Cluster") ? "dbClusterParameterGroupName" : "parameterGroupName";
    const engine = text(at(props, "engine")) ?? "";
    // Instances of an Aurora cluster take the cluster's group.
    const takesOne = type.endsWith(":Cluster") || !engine.startsWith("aurora");
    if (!parameters.some((each) => each.of.test(engine)) || !takesOne) return [];
    const given = at(props, group);
    if (given === undefined || given === "") {
        const version = at(props, "engineVersion");
        const major = Number.parseInt(text(version) ?? "", 10);
        const forced = version === UNKNOWN || forcedByDefault(engine, major);
        return forced ? [] : [`${called(resource)}: ${group} is not set`];
    }
    const name = text(given) ?? "";
    const amazons = name.startsWith("default.") && !forcingFamily(name);
    return amazons ? [`${called(resource)}: ${group} is ${name}, which does not force TLS`] : [];
}

function ofGroup(resource: Resource): readonly string[] {
    const family = text(at(resource.props, "family")) ?? "";
    const parameter = parameters.find((each) => each.of.test(family));
    const set = at(resource.props, "parameters");
    if (parameter === undefined || holdsUnknown(set)) return [];
    const own = list(set).filter((each) => at(each, "name") === parameter.name);
    const forced = own.some((each) => parameter.on.some((value) => at(each, "value") === value));
    // What a group does not set is as its family has it.
    const inherited = own.length === 0 && forcingFamily(family);
    return forced || inherited ? [] : [`${called(resource)} does not set ${parameter.name} to 1`];
}

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
    found: (resource) => (/ParameterGroup$/.test(resource.type) ? ofGroup(resource) : ofDatabase(resource)),
};
