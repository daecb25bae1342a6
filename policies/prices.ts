/**
 * List prices for the cost estimate: on-demand, Linux, USD; RDS for PostgreSQL in one zone. An order of magnitude for a budget
 * check, not a bill: traffic, requests, backups and discounts are not in it.
 *
 * AWS shows them at https://aws.amazon.com/{ec2,rds,elasticache,eks,vpc,elasticloadbalancing,ebs,kms,secrets-manager,route53}/pricing/.
 * Each group says what its numbers were compared with; renew the month with the numbers.
 */
export const pricesOf = "2026-11";

/** The region whose prices these are. */
export const region = "us-east-1";

/** Hours in an average month, as AWS counts them. */
export const hoursPerMonth = 730;

/** ElastiCache takes this share of the price for Valkey (AWS Price List, 2026-10-02: of every node type). */
export const valkeyShare = 0.8;

export interface PriceGroup {
    readonly comparedWith: string;
    readonly per: "hour" | "month";
    readonly usd: Readonly<Record<string, number>>;
}

export const groups: readonly PriceGroup[] = [
    {
        comparedWith: "AWS Price List of 2026-01-21, in Karpenter 1.8.6 (pkg/providers/pricing)",
        per: "hour",
        usd: {
            "t3.small": 0.0208,
            "t3.medium": 0.0416,
            "t3.large": 0.0832,
            "t3.xlarge": 0.1664,
            "t4g.small": 0.0168,
            "t4g.medium": 0.0336,
            "t4g.large": 0.0672,
            "t4g.xlarge": 0.1344,
            "m6i.large": 0.096,
            "m6i.xlarge": 0.192,
            "m6i.2xlarge": 0.384,
            "m7g.large": 0.0816,
            "m7g.xlarge": 0.1632,
            "m7g.2xlarge": 0.3264,
            "m7i.large": 0.1008,
            "m7i.xlarge": 0.2016,
        },
    },
    {
        comparedWith: "AWS Price List of 2026-10-02 (AmazonElastiCache, Redis OSS), quoted by a public cost tool",
        per: "hour",
        usd: {
            "cache.t4g.micro": 0.016,
            "cache.t4g.small": 0.032,
            "cache.t4g.medium": 0.065,
            "cache.m6g.large": 0.149,
            "cache.m6g.xlarge": 0.297,
            "cache.m7g.large": 0.158,
            "cache.r6g.large": 0.206,
            "cache.r6g.xlarge": 0.411,
            "cache.r7g.large": 0.219,
        },
    },
    {
        comparedWith: "two public tables of the list, of 2026-04 and 2026-09-11",
        per: "hour",
        usd: { "db.t4g.micro": 0.016, "db.t4g.small": 0.032, "db.t4g.medium": 0.065, "db.m6g.large": 0.159 },
    },
    {
        comparedWith: "one public table of the list, of 2026-04",
        per: "hour",
        usd: {
            "db.t4g.large": 0.129,
            "db.m6g.xlarge": 0.318,
            "db.m7g.large": 0.168,
            "db.m7g.xlarge": 0.337,
            "db.r6g.large": 0.225,
            "db.r6g.xlarge": 0.45,
        },
    },
    {
        comparedWith: "Infracost's expected estimates (internal/providers/terraform/aws/testdata), 2024-07 to 2025-07",
        per: "hour",
        usd: { "eks cluster": 0.1, "nat gateway": 0.045, "load balancer": 0.0225, "public ipv4": 0.005 },
    },
    {
        comparedWith: "Infracost's expected estimates (internal/providers/terraform/aws/testdata), 2024-07",
        per: "month",
        usd: { "gp3 GiB": 0.08, "kms key": 1, secret: 0.4, "hosted zone": 0.5 },
    },
    {
        comparedWith: "two public tables of the list, of 2026-06 and 2026-09-11",
        per: "month",
        usd: { "rds gp3 GiB": 0.115 },
    },
];

function all(per: PriceGroup["per"]): Readonly<Record<string, number>> {
    return Object.fromEntries(groups.filter((group) => group.per === per).flatMap(({ usd }) => Object.entries(usd)));
}

/** USD an hour. */
export const hourly = all("hour");

/** USD a month, for each GiB or each thing. */
export const monthly = all("month");
