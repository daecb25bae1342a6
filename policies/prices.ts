/**
 * List prices for the cost estimate, by region: on demand, USD. An order of magnitude for a budget check, not a bill: traffic,
 * requests, backups and discounts are not in it.
 *
 * Instances are in price-list.ts, which `npm run prices` writes. The rest is below; every group names its source and the day
 * of its prices, and both change together. AWS shows its prices at
 * https://aws.amazon.com/{ec2,rds,elasticache,eks,vpc,elasticloadbalancing,ebs,kms,secrets-manager,route53}/pricing/.
 */
import * as list from "./price-list.ts";

export const priceReference = {
    title: "AWS pricing; sources and dates are in policies/prices.ts",
    url: "https://aws.amazon.com/pricing/",
};

/** Hours in an average month, as AWS counts them. */
export const hoursPerMonth = 730;

/** ElastiCache for Valkey costs this share of its price for Redis OSS: in price-list.ts's source, for every type and region. */
export const valkeyShare = 0.8;

export type Region = (typeof list.regions)[number];
export const regions: readonly Region[] = list.regions;

/** USD an hour, or a month for each GiB or each thing. A single number is the price in every region. */
type Usd = number | Readonly<Partial<Record<Region, number>>>;

export interface PriceGroup {
    readonly source: string;
    /** The day of the prices. */
    readonly asOf: string;
    readonly per: "hour" | "month";
    readonly usd: Readonly<Record<string, Usd>>;
}

/** An offer file or price feed of AWS, as somebody published it. */
const published = (service: string, asOf: string, where: string) => ({
    source: `AWS prices of ${service}, in ${where}`,
    asOf,
});
const snapshots = "github.com/lamngockhuong/aws-price";

export const groups: readonly PriceGroup[] = [
    {
        ...published("Amazon EKS", "2025-10-28", snapshots),
        per: "hour",
        usd: { "eks cluster": 0.1, "eks cluster, extended support": 0.6 },
    },
    {
        ...published("NAT gateways", "2025-10-28", snapshots),
        per: "hour",
        usd: {
            "nat gateway": {
                ...{ "us-east-1": 0.045, "us-east-2": 0.045, "us-west-1": 0.048, "us-west-2": 0.045 },
                ...{ "ca-central-1": 0.05, "sa-east-1": 0.093 },
                ...{ "eu-west-1": 0.048, "eu-west-2": 0.05, "eu-west-3": 0.05 },
                ...{ "eu-central-1": 0.052, "eu-north-1": 0.046, "eu-south-1": 0.05 },
                ...{ "ap-south-1": 0.056, "ap-southeast-1": 0.059, "ap-southeast-2": 0.059 },
                ...{ "ap-northeast-1": 0.062, "ap-northeast-2": 0.059 },
            },
        },
    },
    { ...published("Amazon VPC", "2025-11-04", snapshots), per: "hour", usd: { "public ipv4": 0.005 } },
    { ...published("AWS KMS", "2025-08-28", snapshots), per: "month", usd: { "kms key": 1 } },
    {
        ...published("Secrets Manager and Route 53", "2026-09-11", "github.com/aadk979/SPOH_2027"),
        per: "month",
        usd: { secret: 0.4, "hosted zone": 0.5 },
    },
    {
        source: "Elastic Load Balancing's price page, in a public deployment tool",
        asOf: "2017-12-18",
        per: "hour",
        usd: {
            "load balancer": {
                ...{ "us-east-1": 0.0225, "us-east-2": 0.0225, "us-west-1": 0.0252, "us-west-2": 0.0225 },
                ...{ "ca-central-1": 0.02475, "eu-central-1": 0.027, "ap-southeast-2": 0.0252 },
                ...{ "ap-northeast-1": 0.0243 },
            },
        },
    },
    {
        source: "AWS price lists of Elastic Load Balancing, quoted in public repositories",
        asOf: "2026-08-18",
        per: "hour",
        usd: {
            "load balancer": {
                ...{ "eu-west-1": 0.0252, "eu-west-2": 0.02646, "eu-north-1": 0.02394, "ap-south-1": 0.0239 },
                ...{ "ap-southeast-1": 0.0252, "ap-northeast-2": 0.0225 },
            },
        },
    },
    {
        ...published("Amazon EBS", "2023-02-06", "github.com/jimgarrett123/rosa-calculator"),
        per: "month",
        usd: {
            "gp3 GiB": {
                ...{
                    "us-east-1": 0.08,
                    "us-east-2": 0.08,
                    "us-west-1": 0.096,
                    "us-west-2": 0.08,
                    "ca-central-1": 0.088,
                },
                ...{ "eu-west-1": 0.088, "eu-west-2": 0.0928, "eu-west-3": 0.0928 },
                ...{ "eu-central-1": 0.0952, "eu-north-1": 0.0836, "eu-south-1": 0.0924 },
                ...{ "ap-southeast-1": 0.096, "ap-southeast-2": 0.096 },
                ...{ "ap-northeast-1": 0.096, "ap-northeast-2": 0.0912 },
            },
        },
    },
    {
        source: "charges of Amazon EBS in the FinOps Foundation's FOCUS sample data",
        asOf: "2024-09-30",
        per: "month",
        usd: { "gp3 GiB": { "ap-south-1": 0.0912 } },
    },
    {
        source: "AWS price lists of Amazon RDS, quoted in public repositories",
        asOf: "2026-08-20",
        per: "month",
        usd: {
            "rds gp3 GiB": {
                ...{ "us-east-1": 0.115, "ca-central-1": 0.127 },
                ...{ "eu-west-1": 0.127, "eu-west-2": 0.133, "eu-central-1": 0.137 },
                ...{ "ap-south-1": 0.131, "ap-southeast-1": 0.138, "ap-northeast-1": 0.138, "ap-northeast-2": 0.131 },
            },
        },
    },
];

/**
 * Regions without a quoted price of an item, and the region whose price is taken: database instances cost the same in both.
 * The estimate says where it does that.
 */
export const borrowed: Readonly<Record<string, Readonly<Partial<Record<Region, Region>>>>> = {
    "rds gp3 GiB": { "us-east-2": "us-east-1", "us-west-2": "us-east-1" },
};

export interface Price {
    readonly usd: number;
    readonly per: PriceGroup["per"];
    /** The region that the price is of, where it is not the one asked for. */
    readonly of?: Region;
}

const isRegion = (name: string | undefined): name is Region => regions.some((region) => region === name);

function quoted(item: string, region: string | undefined): Price | undefined {
    const usd =
        isRegion(region) && Object.hasOwn(list.hourly, item) ? list.hourly[item]?.[regions.indexOf(region)] : undefined;
    if (typeof usd === "number") return { usd, per: "hour" };
    for (const { usd: prices, per } of groups) {
        const price = Object.hasOwn(prices, item) ? prices[item] : undefined;
        if (typeof price === "number") return { usd: price, per };
        const there = isRegion(region) ? price?.[region] : undefined;
        if (there !== undefined) return { usd: there, per };
    }
    return undefined;
}

/** The price of an item in a region; undefined where none is known. Items of one price need no region. */
export function priceOf(item: string, region: string | undefined): Price | undefined {
    const own = quoted(item, region);
    if (own !== undefined || !isRegion(region) || !Object.hasOwn(borrowed, item)) return own;
    const of = borrowed[item]?.[region];
    const price = quoted(item, of);
    return of === undefined || price === undefined ? undefined : { ...price, of };
}
