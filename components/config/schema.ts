/** Every setting of a stack: the value of `orcheo:stack` in Pulumi.<stack>.yaml. docs/config.md is generated from it. */
import { z } from "zod";
import type { Derived } from "./derived";
import { choice, hostName, semver, whole } from "./fields";
import { canvas, api, worker, beat } from "./schema.apps";
import { auth } from "./schema.auth";
import { aws } from "./schema.aws";
import { backup } from "./schema.backup";
import { cache, database } from "./schema.data";
import { entrance } from "./schema.entrance";
import { images } from "./schema.images";
import { kubernetes } from "./schema.kubernetes";
import { monitoring } from "./schema.monitoring";
import { network } from "./schema.network";
import { pods, serviceAccounts } from "./schema.pods";
import { secrets } from "./schema.secrets";
import { outbound, registry } from "./schema.surroundings";
import { tracing } from "./schema.tracing";
import { extraObjects, transforms } from "./schema.transforms";

export const stackSchema = z.strictObject({
    kubernetes,
    registry,
    release: choice(["0.33", "0.46"])
        .default("0.33")
        .describe(
            "Generation of Orcheo. There is no upgrade in place from 0.33 to 0.46: the initialisation Job refuses it.",
        ),
    version: semver().describe("Version of this deployment's images: their tag."),
    images: images.prefault({ kind: "build" }),
    rollbackTo: whole(1, 1_000_000)
        .optional()
        .describe(
            "Number of an earlier update whose images run again, without building anything: docs/runbooks/rollback.md. Remove it to build again.",
        ),
    host: hostName().default("orcheo.localhost").describe("Public host name."),
    entrance,
    database,
    cache,
    api,
    worker,
    beat,
    canvas,
    auth,
    tracing,
    monitoring,
    network,
    aws,
    backup,
    outbound,
    secrets,
    pods,
    serviceAccounts,
    transforms,
    extraObjects,
});

/** The settings as they were written, defaults filled in. */
export type Settings = z.output<typeof stackSchema>;

/** Input of the whole program: the settings, and values derived from them. */
export type Stack = Omit<Settings, keyof Derived> & Derived;

/** The settings of one kind of database or cache. */
export type DatabaseOf<K extends Stack["database"]["kind"]> = Extract<Stack["database"], { kind: K }>;
export type CacheOf<K extends Stack["cache"]["kind"]> = Extract<Stack["cache"], { kind: K }>;

/** Sections that the preflight checks. */
export type Sections = Pick<
    Settings,
    | "kubernetes"
    | "registry"
    | "images"
    | "release"
    | "rollbackTo"
    | "host"
    | "entrance"
    | "network"
    | "outbound"
    | "database"
    | "cache"
    | "aws"
    | "backup"
    | "auth"
    | "canvas"
    | "api"
    | "worker"
    | "beat"
    | "secrets"
    | "monitoring"
    | "tracing"
>;
