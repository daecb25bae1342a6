import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { declareAlarms, logGroup, serverSecurityGroup, storedSecret, type Account } from "../aws/aws";
import { planDatabaseAlarms, servicePolicy } from "../aws/aws.plan";
import { ports } from "../config/ports";
import type { DatabaseOf } from "../config/schema";
import type { Trust } from "../kubernetes/volumes.plan";
import { trustOf, rotatingPasswords } from "../servers/servers";
import { trustFile, type ServerUrl, type Server } from "../servers/servers.plan";
import { DatabaseUsers } from "./database-users";
import * as plan from "./rds.plan";
import type { UsersSettings } from "./database-users.plan";

export interface RdsArgs {
    readonly stack: UsersSettings;
    readonly settings: DatabaseOf<"rds">;
    readonly namespace: pulumi.Input<string>;
    /** Of the PostgreSQL image, whose psql makes the users. */
    readonly image: pulumi.Input<string>;
    /** Of the master. */
    readonly password: pulumi.Output<string>;
    readonly account: Account;
}

/** PostgreSQL on RDS in two or three zones: private, TLS only, backed up; protected, and kept on delete. */
export class Rds extends pulumi.ComponentResource implements Server {
    readonly url: ServerUrl;
    readonly trust: Trust;
    readonly resources: readonly pulumi.Resource[];

    constructor(name: string, args: RdsArgs, opts?: pulumi.ComponentResourceOptions) {
        super("orcheo:index:Rds", name, {}, opts);
        const { stack, settings, namespace, image, password, account } = args;
        const inCluster = { parent: this };
        const authority = { kind: "file", path: settings.caBundleFile } as const;
        this.trust = trustOf(`${name}-authority`, authority, namespace, inCluster);
        const { host, server } = this.server(name, args);
        const passwords = rotatingPasswords(`${name}-password`, settings.passwordGeneration, inCluster);
        const users = new DatabaseUsers(
            `${name}-users`,
            { stack, namespace, image, trust: this.trust, host, master: password, passwords },
            { ...inCluster, dependsOn: [server] },
        );
        const user = users.current;
        const value = pulumi.secret(
            pulumi.interpolate`postgresql://${user}:${passwords.current.password}@${host}:${ports.postgres}/${plan.databaseName}?sslmode=verify-full&sslrootcert=${trustFile("database", this.trust)}`,
        );
        this.url = { kind: "value", value };
        storedSecret(
            `${name}-stored`,
            {
                path: `${account.settings.name}/database`,
                description: "The database's address and the password of the present generation",
                keyArn: account.dataKeyArn,
                value: pulumi.jsonStringify({
                    engine: "postgres",
                    host,
                    port: ports.postgres,
                    dbname: plan.databaseName,
                    username: user,
                    password: passwords.current.password,
                    "postgres-dsn": value,
                }),
            },
            { parent: this, provider: account.provider },
        );
        this.resources = [server, ...users.resources];
        this.registerOutputs({});
    }

    private server(name: string, { settings, account, password }: RdsArgs) {
        const child = { parent: this, provider: account.provider };
        const identifier = plan.identifierOf(account.settings);
        const monitored = { settings: account.settings, dataKeyArn: account.dataKeyArn };
        const logs = plan
            .planLogGroups(identifier, settings)
            .map((path) => logGroup(`${name}-log-${path.slice(path.lastIndexOf("/") + 1)}`, path, monitored, child));
        const subnets = new aws.rds.SubnetGroup(
            `${name}-subnets`,
            { name: identifier, description: "Private subnets", subnetIds: account.network.subnetIds },
            child,
        );
        const securityGroup = serverSecurityGroup(
            `${name}-access`,
            { account, port: ports.postgres, existing: settings.securityGroupId, description: "Orcheo's database" },
            child,
        );
        const observer = this.observer(name, account);
        const shared = {
            dbSubnetGroupName: subnets.name,
            vpcSecurityGroupIds: [securityGroup],
            kmsKeyId: account.dataKeyArn,
            performanceInsightsKmsKeyId: account.dataKeyArn,
            monitoringRoleArn: observer.arn,
        } satisfies plan.CommonArgs;
        const kept = { ...child, protect: true, retainOnDelete: true, dependsOn: [...logs, observer.attached] };
        declareAlarms(planDatabaseAlarms(identifier, settings), account.topicArn, child);
        const { deployment } = settings;
        if (deployment.kind === "instance") {
            const parameters = new aws.rds.ParameterGroup(`${name}-parameters`, plan.planParameters(settings), child);
            const instance = new aws.rds.Instance(
                name,
                {
                    ...plan.planInstance(identifier, settings, deployment.maxStorageGiB, account.settings),
                    ...shared,
                    parameterGroupName: parameters.name,
                    password,
                },
                kept,
            );
            return { server: instance, host: instance.address };
        }
        const parameters = new aws.rds.ClusterParameterGroup(
            `${name}-parameters`,
            plan.planParameters(settings),
            child,
        );
        const cluster = new aws.rds.Cluster(
            name,
            {
                ...plan.planCluster(identifier, settings, deployment.iops, account.settings),
                ...shared,
                dbClusterParameterGroupName: parameters.name,
                masterPassword: password,
            },
            kept,
        );
        return { server: cluster, host: cluster.endpoint };
    }

    /** The role in which RDS publishes the operating system's metrics. */
    private observer(name: string, { settings, provider }: Account) {
        const child = { parent: this, provider };
        const role = new aws.iam.Role(
            `${name}-observer`,
            {
                namePrefix: `${settings.name}-rds-monitoring-`,
                assumeRolePolicy: servicePolicy("monitoring.rds.amazonaws.com", settings.accountId),
            },
            child,
        );
        const policyArn = "arn:aws:iam::aws:policy/service-role/AmazonRDSEnhancedMonitoringRole";
        const attached = new aws.iam.RolePolicyAttachment(
            `${name}-observer-policy`,
            { role: role.name, policyArn },
            child,
        );
        return { arn: role.arn, attached };
    }
}
