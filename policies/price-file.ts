/**
 * Writes price-list.ts, the hourly prices of instances by region: `npm run prices`, which needs Go.
 *
 * Their source is a Go module that embeds the price lists behind instances.vantage.sh. Go checks what it downloads against the
 * checksum below, so the same version always gives the same file. To renew the prices, take the module's newest version.
 */
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { at, isObject, list, number, text } from "./values.ts";

const source = {
    module: "github.com/cristim/ec2-instances-info",
    version: "v0.0.0-20250528091325-32acf84f42eb",
    sum: "h1:exJ9FsMTbotSG5xgDHmFJE84gV3MZ4JRpR8nhbgJz/k=",
    asOf: "2025-05-28",
};

const regions = [
    ...["us-east-1", "us-east-2", "us-west-1", "us-west-2", "ca-central-1", "sa-east-1"],
    ...["eu-west-1", "eu-west-2", "eu-west-3", "eu-central-1", "eu-north-1", "eu-south-1"],
    ...["ap-south-1", "ap-southeast-1", "ap-southeast-2", "ap-northeast-1", "ap-northeast-2"],
];

/** Which types, and where each file has the price of one in a region. */
const lists = [
    {
        file: "instances.json",
        types: /^(t3a?|t4g|m5|[mcr][67]i|[mcr][67]a|[mcr][678]g|c5|r5)\.(nano|micro|small|medium|x?large|[24]xlarge)$/,
        path: ["linux", "ondemand"],
    },
    {
        file: "rds-instances.json",
        types: /^db\.(t3|t4g|[mr][67]i|[mr][678]gd?|m5|r5)\.(micro|small|medium|x?large|[24]xlarge)$/,
        path: ["PostgreSQL", "ondemand"],
    },
    {
        file: "elasticache-instances.json",
        types: /^cache\.(t3|t4g|[mr][67]g|m5|r5)\.(micro|small|medium|x?large|[24]xlarge)$/,
        path: ["Redis", "ondemand"],
    },
] as const;

/** The module's folder, once Go has downloaded and checked it. */
function downloaded(): string {
    const answer: unknown = JSON.parse(
        execFileSync("go", ["mod", "download", "-json", `${source.module}@${source.version}`], { encoding: "utf8" }),
    );
    const [folder, sum] = [text(at(answer, "Dir")), text(at(answer, "Sum"))];
    if (folder === undefined || sum !== source.sum) {
        throw new Error(`${source.module}@${source.version} has the checksum ${sum ?? "?"}, not ${source.sum}`);
    }
    return folder;
}

type Row = readonly [type: string, prices: readonly (number | null)[]];

const byName = new Intl.Collator("en", { numeric: true });

function rowsOf({ file, types, path }: (typeof lists)[number], folder: string): readonly Row[] {
    return list(JSON.parse(readFileSync(join(folder, "data", file), "utf8")))
        .filter(isObject)
        .map((instance): Row => {
            const usd = regions.map((region) => Number(at(instance, "pricing", region, ...path) ?? 0));
            return [text(instance["instance_type"]) ?? "", usd.map((price) => (price > 0 ? price : null))];
        })
        .filter(([type, prices]) => types.test(type) && prices.some((price) => number(price) !== undefined))
        .sort(([one], [other]) => byName.compare(one, other));
}

/** The text of price-list.ts. */
export function priceList(folder: string): string {
    const rows = lists.flatMap((each) => rowsOf(each, folder));
    return [
        "// Written by `npm run prices` (price-file.ts); do not edit.",
        "",
        `export const source = ${JSON.stringify(`AWS price lists in ${source.module}@${source.version}`)};`,
        `export const asOf = ${JSON.stringify(source.asOf)};`,
        "",
        "/** The order of the prices below. */",
        `export const regions = ${JSON.stringify(regions)} as const;`,
        "",
        "/** USD an hour on demand (Linux; PostgreSQL in one zone; Redis OSS); null where the list has no price. */",
        "export const hourly: Readonly<Record<string, readonly (number | null)[]>> = {",
        ...rows.map(([type, prices]) => `    ${JSON.stringify(type)}: ${JSON.stringify(prices)},`),
        "};",
        "",
    ].join("\n");
}

if (import.meta.main) writeFileSync(new URL("price-list.ts", import.meta.url), priceList(downloaded()));
