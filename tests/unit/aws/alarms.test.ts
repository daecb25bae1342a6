import { beforeAll, describe, expect, it } from "vitest";
import { databaseMembers, planBackupAlarms, planDatabaseAlarms } from "../../../components/aws/alarms.plan";
import { parseStack } from "../../../components/stack/read";
import { everythingNew, plain } from "../../aws-programs";
import { runBoth, settingsOf, type Run } from "../../harness";

/** Namespace, dimension, metric, statistic, comparison, threshold, seconds of a period, periods, missing data. */
type Row = [string, string, string, string, string, number, number, number, string?];

const above = "GreaterThanThreshold";
const below = "LessThanThreshold";

/** Thresholds that differ from the defaults and from each other: one that is mixed up shows. */
const settings = {
    ...everythingNew,
    database: {
        ...(everythingNew["database"] as object),
        alarms: { cpuPercent: 71, freeStoragePercent: 12, connections: 333 },
    },
    cache: {
        ...(everythingNew["cache"] as object),
        nodes: 2,
        alarms: { memoryPercent: 66, cpuPercent: 77 },
    },
};

const expected: Record<string, Row> = {
    ...Object.fromEntries(
        [1, 2, 3].flatMap((number): [string, Row][] => {
            const member = `orcheo-prod-database-instance-${number}`;
            const dimension = `DBInstanceIdentifier=${member}`;
            const free = Math.floor((100 * 1024 ** 3 * 12) / 100);
            return [
                [`${member}-cpu`, ["AWS/RDS", dimension, "CPUUtilization", "Average", above, 71, 300, 3]],
                [`${member}-storage`, ["AWS/RDS", dimension, "FreeStorageSpace", "Minimum", below, free, 300, 3]],
                [`${member}-connections`, ["AWS/RDS", dimension, "DatabaseConnections", "Average", above, 333, 300, 3]],
            ];
        }),
    ),
    ...Object.fromEntries(
        ["001", "002"].flatMap((number): [string, Row][] => {
            const node = `orcheo-prod-cache-${number}`;
            const place = ["AWS/ElastiCache", `CacheClusterId=${node}`] as const;
            return [
                [`${node}-memory`, [...place, "DatabaseMemoryUsagePercentage", "Maximum", above, 66, 300, 2]],
                [`${node}-evictions`, [...place, "Evictions", "Sum", above, 0, 300, 1]],
                [`${node}-cpu`, [...place, "EngineCPUUtilization", "Average", above, 77, 300, 3]],
            ];
        }),
    ),
    "orcheo-prod-backup-failed": [
        ...([
            "AWS/Backup",
            "BackupVaultName=orcheo-prod",
            "NumberOfBackupJobsFailed",
            "Sum",
            above,
            0,
            300,
            1,
        ] as const),
    ],
    "orcheo-prod-backup-missing": [
        ...(["AWS/Backup", "BackupVaultName=orcheo-prod", "NumberOfBackupJobsCompleted", "Sum"] as const),
        ...([below, 1, 86_400, 2, "breaching"] as const),
    ],
};

describe("alarms on AWS", () => {
    let run: Run;
    beforeAll(async () => {
        run = await runBoth({ stack: "prod", settings });
    }, 60_000);

    it("each watches its metric of its member, against its threshold", () => {
        const alarms = run.resources.filter(({ type }) => type === "aws:cloudwatch/metricAlarm:MetricAlarm");
        const rows = alarms.map(({ name, inputs }) => {
            const alarm = plain(inputs);
            const dimensions = Object.entries(alarm["dimensions"] as object).map((each) => each.join("="));
            const keys = ["metricName", "statistic", "comparisonOperator", "threshold", "period", "evaluationPeriods"];
            const row = [alarm["namespace"], dimensions.join(), ...keys.map((key) => alarm[key])];
            const missing = alarm["treatMissingData"];
            return [name, missing === undefined ? row : [...row, missing]] as const;
        });
        expect(Object.fromEntries(rows)).toEqual(expected);
    });

    it("each notifies the topic when it starts and when it ends, with a link to the remedy", () => {
        const alarms = run.resources.filter(({ type }) => type === "aws:cloudwatch/metricAlarm:MetricAlarm");
        const topic = run.resources.find(({ type }) => type === "aws:sns/topic:Topic")?.state["arn"];
        expect(topic).toMatch(/^arn:aws:sns:/);
        for (const { name, inputs } of alarms)
            expect(plain(inputs), name).toMatchObject({
                name,
                alarmActions: [topic],
                okActions: [topic],
                alarmDescription: expect.stringContaining("docs/runbooks/alarms.md") as unknown,
            });
    });

    it("the budget counts what bears the stack's tag, and notifies the topic at 80 % and when 100 % is forecast", () => {
        const budgets = run.resources.filter(({ type }) => type === "aws:budgets/budget:Budget");
        const topic = run.resources.find(({ type }) => type === "aws:sns/topic:Topic")?.state["arn"];
        const told = {
            comparisonOperator: "GREATER_THAN",
            thresholdType: "PERCENTAGE",
            subscriberSnsTopicArns: [topic],
        };
        expect(budgets.map(({ inputs }) => plain(inputs))).toEqual([
            {
                name: "orcheo-prod",
                budgetType: "COST",
                limitAmount: "1200",
                limitUnit: "USD",
                timeUnit: "MONTHLY",
                costFilters: [{ name: "TagKeyValue", values: ["user:Stack$orcheo-prod"] }],
                notifications: [
                    { ...told, notificationType: "ACTUAL", threshold: 80 },
                    { ...told, notificationType: "FORECASTED", threshold: 100 },
                ],
            },
        ]);
        // The filter is that of the tag which every resource has.
        const provider = run.resources.find(({ type }) => type === "pulumi:providers:aws");
        expect(JSON.stringify(plain(provider?.inputs ?? {}))).toMatch(/\\?"Stack\\?":\\?"orcheo-prod\\?"/);
    });

    it("copies of backups are watched in the vault that they come from, where there are any", () => {
        const rows = planBackupAlarms("vault", true).map(({ name, metricName, dimensions }) => [
            name,
            metricName,
            dimensions,
        ]);
        const dimension = { BackupVaultName: "vault" };
        expect(rows).toEqual([
            ["vault-backup-failed", "NumberOfBackupJobsFailed", dimension],
            ["vault-backup-missing", "NumberOfBackupJobsCompleted", dimension],
            ["vault-copy-failed", "NumberOfCopyJobsFailed", dimension],
            ["vault-copy-missing", "NumberOfCopyJobsCompleted", dimension],
        ]);
        expect(planBackupAlarms("vault", false).map(({ name }) => name)).toEqual([
            "vault-backup-failed",
            "vault-backup-missing",
        ]);
    });

    it("a single instance is watched by its own name", () => {
        const { stack } = parseStack({
            stack: "prod",
            keys: [],
            json: JSON.stringify(settingsOf("prod")),
            secret: false,
        });
        if (stack?.database.kind !== "rds") throw new Error("prod has no database of RDS");
        expect(databaseMembers("db", stack.database)).toEqual(["db"]);
        const dimensions = planDatabaseAlarms("db", stack.database).map((alarm) => alarm.dimensions);
        expect(dimensions).toEqual(Array(3).fill({ DBInstanceIdentifier: "db" }));
    });
});
