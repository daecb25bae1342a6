import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import { declareAlarms, logGroup, serverSecurityGroup, storedSecret, type Account } from "../aws/aws";
import { planCacheAlarms } from "../aws/aws.plan";
import { ports } from "../config/ports";
import type { CacheOf } from "../config/schema";
import type { Trust } from "../kubernetes/volumes.plan";
import { rotatingPasswords } from "../servers/servers";
import { trustFile, type ServerUrl, type Server } from "../servers/servers.plan";
import * as plan from "./elasticache.plan";

export interface ElasticacheArgs {
    readonly settings: CacheOf<"elasticache">;
    readonly account: Account;
}

/** Valkey on ElastiCache in two zones or more. Runs that wait in it are data: protected, and kept on delete. */
export class Elasticache extends pulumi.ComponentResource implements Server {
    readonly url: ServerUrl;
    /** ElastiCache's certificates come from Amazon Trust Services, which every system trusts. */
    readonly trust: Trust = { kind: "system" };
    readonly resources: readonly pulumi.Resource[];

    constructor(name: string, { settings, account }: ElasticacheArgs, opts?: pulumi.ComponentResourceOptions) {
        super("orcheo:index:Elasticache", name, {}, opts);
        const child = { parent: this, provider: account.provider };
        const id = plan.groupIdOf(account.settings);
        const users = this.users(name, { settings, account });
        const logs = plan.logTypes.map((logType) => {
            const monitored = { settings: account.settings, dataKeyArn: account.dataKeyArn };
            const group = logGroup(`${name}-${logType}`, `/aws/elasticache/${id}/${logType}`, monitored, child);
            return { logType, destination: group.name, destinationType: "cloudwatch-logs", logFormat: "json" };
        });
        const subnets = new aws.elasticache.SubnetGroup(
            `${name}-subnets`,
            { name: id, description: "Private subnets", subnetIds: account.network.subnetIds },
            child,
        );
        const parameters = new aws.elasticache.ParameterGroup(
            `${name}-parameters`,
            plan.planParameters(settings),
            child,
        );
        const securityGroup = serverSecurityGroup(
            `${name}-access`,
            { account, port: ports.valkey, existing: settings.securityGroupId, description: "Orcheo's cache" },
            child,
        );
        const server = new aws.elasticache.ReplicationGroup(
            name,
            {
                ...plan.planReplicationGroup(settings, account.settings),
                subnetGroupName: subnets.name,
                parameterGroupName: parameters.name,
                securityGroupIds: [securityGroup],
                kmsKeyId: account.dataKeyArn,
                userGroupIds: [users.groupId],
                logDeliveryConfigurations: logs,
            },
            { ...child, protect: true, retainOnDelete: true },
        );
        declareAlarms(planCacheAlarms(id, settings), account.topicArn, child);
        const value = pulumi.secret(
            pulumi.interpolate`rediss://${plan.userName}:${users.password}@${server.primaryEndpointAddress}:${ports.valkey}/0?ssl_cert_reqs=required&ssl_ca_certs=${trustFile("cache", this.trust)}`,
        );
        this.url = { kind: "value", value };
        storedSecret(
            `${name}-stored`,
            {
                path: `${account.settings.name}/cache`,
                description: "The cache's URL with the password of the present generation",
                keyArn: account.dataKeyArn,
                value: pulumi.jsonStringify({ "redis-url": value }),
            },
            child,
        );
        this.resources = [server];
        this.registerOutputs({});
    }

    /** The user of the backend, with both generations' passwords, and a default user that can do nothing. */
    private users(name: string, { settings, account }: ElasticacheArgs) {
        const child = { parent: this, provider: account.provider };
        const id = plan.groupIdOf(account.settings);
        const { current, previous } = rotatingPasswords(`${name}-password`, settings.passwordGeneration, {
            parent: this,
        });
        const nobody = new random.RandomPassword(`${name}-nobody`, { length: 40, special: false }, { parent: this });
        const engine = "valkey";
        const off = new aws.elasticache.User(
            `${name}-default-user`,
            {
                userId: `${id}-default`,
                userName: "default",
                engine,
                accessString: "off -@all",
                passwords: [nobody.result],
            },
            child,
        );
        const user = new aws.elasticache.User(
            `${name}-user`,
            {
                userId: `${id}-${plan.userName}`,
                userName: plan.userName,
                engine,
                accessString: plan.accessString,
                passwords: [current.password, ...(previous === undefined ? [] : [previous.password])],
            },
            child,
        );
        const group = new aws.elasticache.UserGroup(
            `${name}-users`,
            { userGroupId: id, engine, userIds: [off.userId, user.userId] },
            child,
        );
        return { groupId: group.userGroupId, password: current.password };
    }
}
