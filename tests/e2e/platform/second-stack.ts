/** A second stack with the first one's settings: it gets nothing, and deletes nothing. */
import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { pulumiDir } from "../../../local/platform.ts";
import { prepareStack, readStackFile } from "../../../local/pulumi.ts";
import { merge, settingsOf } from "../../../local/settings.ts";
import { ask } from "../orcheo.ts";
import {
    attempt,
    caller,
    environmentOf,
    kube,
    NAMESPACE,
    type Outcome,
    putSettings,
    spec,
    STACK,
    writesOf,
    type Written,
} from "./harness.ts";

const second = "second";
const environment = environmentOf(second);
const file = join(pulumiDir(spec), `Pulumi.${second}.yaml`);
const pulumi = (...args: string[]): Promise<Outcome> => attempt("pulumi", [...args, "--non-interactive"], environment);

const kinds = [
    "namespaces,validatingadmissionpolicies,validatingadmissionpolicybindings",
    "networkpolicies,resourcequotas,limitranges,issuers,certificates,serviceaccounts,services,ingresses,secrets,configmaps",
    "deployments,statefulsets,persistentvolumeclaims,poddisruptionbudgets,horizontalpodautoscalers,jobs,middlewares.traefik.io",
];

/** Who wrote what, and when, but for status. */
async function written(): Promise<Map<string, unknown>> {
    const { items } = JSON.parse(await kube("get", kinds.join(","), "--show-managed-fields", "-o", "json")) as {
        items: Written[];
    };
    // Cluster-wide objects of anybody else are none of its business.
    const own = items.filter(
        ({ metadata: { name, namespace = name } }) => namespace === NAMESPACE || name.startsWith(`${NAMESPACE}.`),
    );
    return new Map(own.map((each) => [`${each.kind} ${each.metadata.name}`, writesOf(each)]));
}

export function secondStack(): void {
    beforeAll(async () => {
        copyFileSync(join(pulumiDir(spec), `Pulumi.${STACK}.yaml`), file);
        await prepareStack(pulumiDir(spec), second, { ...environment });
    });

    test("in the same namespace is refused with every problem; its destroy deletes nothing of the first", async () => {
        const before = await written();
        expect(before.size).toBeGreaterThan(100);
        const owner = new RegExp(`belongs to organization/orcheo/${STACK}/[0-9a-f-]{36}`);
        for (const command of [["preview"], ["up", "--yes", "--skip-preview"]]) {
            const { code, output } = await pulumi(...command);
            expect(code).not.toBe(0);
            expect(output).toContain("2 problems, nothing was changed");
            expect(output).toMatch(new RegExp(`Namespace ${NAMESPACE} exists and ${owner.source}`));
            expect(output).toContain(`"orcheo.localhost" already leads to Ingress ${NAMESPACE}/`);
            // Nothing tells it to destroy what is not its own.
            expect(output).not.toContain("destroy");
        }
        expect((await pulumi("destroy", "--yes")).code).toBe(0);
        expect(await written()).toEqual(before);
    });

    test("in another namespace is refused while it has the first one's host", async () => {
        const settings = settingsOf(readStackFile(file), file);
        putSettings(file, merge(settings, { kubernetes: { namespace: "second" } }));
        for (const command of [["preview"], ["up", "--yes", "--skip-preview"]]) {
            const { code, output } = await pulumi(...command);
            expect(code).not.toBe(0);
            expect(output).toContain("1 problem, nothing was changed");
            expect(output).toContain(`orcheo:stack.host: "orcheo.localhost" already leads to Ingress ${NAMESPACE}/`);
        }
        expect(await kube("get", "namespace", "second", "--ignore-not-found", "-o", "name")).toBe("");
        expect((await ask(caller(), "GET", "/api/workflows")).status).toBe(200);
        expect((await pulumi("stack", "rm", second, "--yes", "--force")).code).toBe(0);
    });
}
