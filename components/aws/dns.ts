import * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";
import type { Aws } from "../config/schema.aws";

/** The record of the public host; none when the config names no zone. */
export function dnsRecord(name: string, host: string, dns: Aws["dns"], opts: pulumi.CustomResourceOptions): void {
    if (dns === undefined) return;
    const { zoneId, target } = dns;
    const record = { name: host, zoneId } satisfies Partial<aws.route53.RecordArgs>;
    if (target.kind === "cname")
        new aws.route53.Record(name, { ...record, type: "CNAME", ttl: 300, records: [target.name] }, opts);
    else {
        const alias = { name: target.name, zoneId: target.zoneId, evaluateTargetHealth: true };
        new aws.route53.Record(name, { ...record, type: "A", aliases: [alias] }, opts);
    }
}
