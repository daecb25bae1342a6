/** Each alert on audit logs fires on the lines that it is for, and on no others, by the store that evaluates it. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { parse } from "yaml";
import { auditRules } from "../../local/cluster/monitoring.ts";
import { projectDir } from "../../local/paths.ts";
import { startLogStore, stopAll } from "../local/metrics-store.ts";

type Line = Readonly<Record<string, string>>;

const api = (user: string, verb: string, resource: string, more: Line = {}): Line => ({
    log: "kubernetes-audit",
    _msg: `/api/v1/namespaces/orcheo/${resource}`,
    verb,
    "user.username": user,
    "objectRef.resource": resource,
    "objectRef.namespace": "orcheo",
    "responseStatus.code": "200",
    ...more,
});
const postgres = (user: string, _msg: string, more: Line = {}): Line => ({
    "kubernetes.pod_namespace": "orcheo",
    "kubernetes.pod_name": "postgres-0",
    logger: "postgres",
    user,
    _msg,
    ...more,
});
const audit = (user: string, statement: string): Line =>
    postgres(user, `AUDIT: SESSION,1,1,ROLE,${statement},<not logged>`, { kind: "audit" });

const pods = (user: string, verb: string, subresource: string, code: string): Line =>
    api(user, verb, "pods", {
        "objectRef.subresource": subresource,
        "objectRef.name": "postgres-0",
        "responseStatus.code": code,
    });
/** As `make status` does. */
const asks = (user: string): Line => {
    const text = readFileSync(join(projectDir, "tools/status/runs.py"), "utf8");
    const command = encodeURIComponent(text).replaceAll("'", "%27");
    return { ...pods(user, "get", "exec", "101"), _msg: `/api/v1/x/exec?tty=false&command=-c&command=${command}` };
};
const policies = (user: string, more: Line = {}): Line =>
    api(user, "patch", "networkpolicies", { "objectRef.name": "deny-all", ...more });

/** Users in capitals are those of whom an alert speaks. */
const cases: Readonly<Record<string, readonly Line[]>> = {
    OrcheoSecretsRead: [
        api("LISTS", "list", "secrets"),
        api("GETS", "get", "secrets"),
        api("orcheo-admin", "get", "secrets"),
        api("system:serviceaccount:orcheo:api", "get", "secrets"),
        api("system:serviceaccount:kube-system:namespace-controller", "list", "secrets"),
        api("system:serviceaccount:cert-manager:cert-manager", "watch", "secrets"),
        api("refused", "list", "secrets", { "responseStatus.code": "403" }),
        api("elsewhere", "list", "secrets", { "objectRef.namespace": "another" }),
        api("reads-pods", "list", "pods"),
    ],
    OrcheoPodEntered: [
        pods("EXECS", "get", "exec", "101"),
        pods("FORWARDS", "get", "portforward", "101"),
        pods("DEBUGS", "patch", "ephemeralcontainers", "200"),
        asks("orcheo-admin"),
        asks("ASKS"),
        pods("refused", "get", "exec", "403"),
        pods("evicts", "create", "eviction", "201"),
    ],
    OrcheoAccessChanged: [
        policies("CHANGES"),
        api("BINDS", "create", "rolebindings", { "objectRef.name": "mine", "responseStatus.code": "201" }),
        policies("orcheo-admin"),
        policies("tries", { _msg: "/apis/networking.k8s.io/v1/x?dryRun=All&fieldManager=y" }),
        api("changes-another", "patch", "configmaps", { "objectRef.name": "c" }),
    ],
    OrcheoPostgresSignInFailed: [
        postgres("GUESSES", "password authentication failed", { code: "28P01", client: "10.244.0.7" }),
        postgres("STRAYS", "no pg_hba.conf entry", { code: "28000", client: "10.244.0.8" }),
        postgres("LOCAL", "no pg_hba.conf entry", { code: "28000", client: "[local]" }),
        postgres("errs", "duplicate key", { code: "23505" }),
    ],
    OrcheoPostgresRolesChanged: [
        audit("CREATES", "CREATE ROLE,,,create role intruder"),
        audit("GRANTS", "GRANT,,,grant pg_read_all_data to intruder"),
        audit("MAKES-ADMIN", "ALTER ROLE,,,alter role orcheo superuser"),
        audit("HIDES", 'CREATE ROLE,,,"CREATE ROLE orcheo; alter role postgres password <REDACTED>"'),
        // What images/postgres/entrypoint.sh does at each start.
        audit(
            "starts",
            "ALTER ROLE,,,ALTER ROLE orcheo LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS PASSWORD <REDACTED>",
        ),
        audit("starts", "CREATE ROLE,,,CREATE ROLE orcheo"),
        audit("starts", 'REVOKE,,,"REVOKE CONNECT, TEMPORARY ON DATABASE ""orcheo"" FROM PUBLIC;"'),
        audit("starts", 'REVOKE,,,"REVOKE CONNECT, TEMPORARY ON DATABASE postgres, template1 FROM PUBLIC;"'),
        postgres("defines", "AUDIT: SESSION,1,1,DDL,CREATE TABLE,,,create table t (),<not logged>", { kind: "audit" }),
    ],
};

const { groups } = parse(auditRules("orcheo")) as {
    groups: readonly { readonly rules: readonly { readonly alert: string; readonly expr: string }[] }[];
};
const rules = groups.flatMap((group) => group.rules);

let store: string;
const ask = async (expr: string): Promise<readonly string[]> => {
    const answer = await fetch(`${store}/select/logsql/stats_query`, {
        method: "POST",
        body: new URLSearchParams({ query: expr }),
    });
    if (!answer.ok) throw new Error(await answer.text());
    const { data } = (await answer.json()) as { data: { result: readonly { metric: { user: string } }[] } };
    return data.result.map(({ metric }) => metric.user).sort();
};

async function insert(lines: readonly Line[]): Promise<void> {
    const answer = await fetch(`${store}/insert/jsonline?_stream_fields=log,kubernetes.pod_namespace,kind`, {
        method: "POST",
        headers: { "content-type": "application/stream+json" },
        body: lines.map((line) => JSON.stringify(line)).join("\n"),
    });
    expect(answer.status).toBe(200);
    // From then on queries see them.
    expect((await fetch(`${store}/internal/force_flush`)).status).toBe(200);
}

beforeAll(async () => {
    store = await startLogStore();
    const _time = new Date().toISOString();
    const old = new Date(Date.now() - 11 * 60_000).toISOString();
    const lines = Object.values(cases)
        .flat()
        .flatMap((line) => [
            { _time, ...line },
            // Older than the window of every rule.
            { ...line, _time: old, ...("user" in line ? { user: "OLD" } : { "user.username": "OLD" }) },
        ]);
    await insert(lines);
});
afterAll(stopAll);

it("there are lines for each rule", () => {
    expect(rules.map(({ alert }) => alert).sort()).toEqual(Object.keys(cases).sort());
});

it.each(rules)("$alert", async ({ alert, expr }) => {
    const users = (cases[alert] ?? []).map((line) => line["user"] ?? line["user.username"] ?? "");
    expect(await ask(expr)).toEqual(users.filter((user) => user === user.toUpperCase()).sort());
});

it("somebody whom the deployer impersonates is not the deployer", async () => {
    const line = { ...api("orcheo-admin", "list", "secrets"), "impersonatedUser.username": "jane" };
    await insert([{ _time: new Date().toISOString(), ...line }]);
    const read = rules.find(({ alert }) => alert === "OrcheoSecretsRead")?.expr ?? "";
    expect(await ask(read)).toContain("orcheo-admin");
});
