/** What PostgreSQL's audit log holds. */
import { z } from "zod";
import { choice } from "./fields";

export const audit = () =>
    z
        .array(choice(["ddl", "role", "write", "read", "function", "misc"]))
        .default([])
        .refine((classes) => new Set(classes).size === classes.length, { error: "each class once" })
        .describe(
            "Classes of statements that pgaudit logs ([docs/logs.md](logs.md#audit-logs)), such as ddl and role: without values of parameters. Turning it on or off restarts PostgreSQL.",
        );

/**
 * Settings of pgaudit; none without a class.
 *
 * @see https://github.com/pgaudit/pgaudit/blob/REL_17_STABLE/README.md#settings
 */
export const auditParameters = (classes: readonly string[]): Readonly<Record<string, string>> =>
    classes.length === 0
        ? {}
        : {
              "pgaudit.log": classes.join(","),
              // Omits statements on system catalogs, which every client sends when it connects.
              "pgaudit.log_catalog": "off",
              "pgaudit.log_parameter": "off",
          };
