/**
 * List prices for the cost estimate: on-demand, Linux, us-east-1, USD; RDS for PostgreSQL in one zone; ElastiCache for Redis
 * OSS (Valkey is a fifth cheaper). An order of magnitude for a budget check, not a bill: traffic, requests, backups and
 * discounts are not in it.
 *
 * Source: AWS' list as https://aws.amazon.com/{ec2,rds,elasticache,eks,vpc,elasticloadbalancing,ebs,kms,secrets-manager,route53}/pricing/
 * shows it. RDS and a part of ElastiCache were compared with public tables made from AWS' price list, the others were not;
 * renew the month with the numbers.
 */
export const pricesOf = "2026-11";

/** Hours in an average month, as AWS counts them. */
export const hoursPerMonth = 730;

/** USD an hour. */
export const hourly: Readonly<Record<string, number>> = {
    "eks cluster": 0.1,
    "nat gateway": 0.045,
    "load balancer": 0.0225,
    "public ipv4": 0.005,
    "t3.small": 0.0208,
    "t3.medium": 0.0416,
    "t3.large": 0.0832,
    "t3.xlarge": 0.1664,
    "t4g.small": 0.0168,
    "t4g.medium": 0.0336,
    "t4g.large": 0.0672,
    "m6i.large": 0.096,
    "m6i.xlarge": 0.192,
    "m6i.2xlarge": 0.384,
    "m7g.large": 0.0816,
    "m7g.xlarge": 0.1632,
    "db.t4g.micro": 0.016,
    "db.t4g.small": 0.032,
    "db.t4g.medium": 0.065,
    "db.t4g.large": 0.129,
    "db.m6g.large": 0.159,
    "db.m6g.xlarge": 0.318,
    "db.m7g.large": 0.168,
    "db.r6g.large": 0.225,
    "db.r6g.xlarge": 0.45,
    "cache.t4g.micro": 0.016,
    "cache.t4g.small": 0.032,
    "cache.t4g.medium": 0.065,
    "cache.m6g.large": 0.149,
    "cache.r6g.large": 0.206,
};

/** USD a month, for each GiB or each thing. */
export const monthly: Readonly<Record<string, number>> = {
    "gp3 GiB": 0.08,
    "rds gp3 GiB": 0.115,
    "kms key": 1,
    secret: 0.4,
    "hosted zone": 0.5,
};
