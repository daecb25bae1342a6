/** The metrics of a running stack, read as docs/monitoring.md describes it, and by nobody else. */
import { expect, test } from "vitest";
import { at, createWorkflow, dispatch, ended, type Entrance } from "../orcheo.ts";
import { apply, attempt, eventually, kube, NAMESPACE } from "./harness.ts";
import { strictNamespace } from "./servers.ts";

const SCRAPERS = "monitoring";
const label = "app.kubernetes.io/component";

/** Verifies the server's certificate for the name of its Service. */
const scrape = `import http.client, json, socket, ssl, sys
trust, targets = sys.argv[1], json.loads(sys.argv[2])
def read(name, address, port, path):
    context = ssl.create_default_context(cadata=trust)
    try:
        plain = socket.create_connection((address, port), timeout=5)
    except OSError as error:
        return type(error).__name__
    with context.wrap_socket(plain, server_hostname=name) as secured:
        connection = http.client.HTTPSConnection(name, port)
        connection.sock = secured
        connection.request("GET", path)
        return connection.getresponse().read().decode()
print(json.dumps([[target[0], read(*target)] for target in targets]))`;

/** What a pod says of its metrics: the name of the certificate, address, port and path. */
type Target = readonly [name: string, address: string, port: number, path: string];
/** The name of a certificate, and what was read: metrics, or the error of the connection. */
type Reading = readonly [name: string, text: string];

async function annotatedTargets(): Promise<Target[]> {
    const { items } = JSON.parse(await kube("get", "pods", "-o", "json")) as { items: unknown[] };
    return items
        .filter((pod) => at(pod, "metadata", "annotations", "prometheus.io/scrape") === "true")
        .filter((pod) => at(pod, "metadata", "deletionTimestamp") === undefined)
        .map((pod): Target => {
            const role = String(at(pod, "metadata", "labels", label));
            const annotation = (key: string) => String(at(pod, "metadata", "annotations", `prometheus.io/${key}`));
            expect(annotation("scheme"), role).toBe("https");
            const address = String(at(pod, "status", "podIP"));
            return [`${role}.${NAMESPACE}.svc`, address, Number(annotation("port")), annotation("path")];
        });
}

const scraperPod = (name: string, image: string): object => ({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace: SCRAPERS, labels: { "app.kubernetes.io/name": name } },
    spec: {
        automountServiceAccountToken: false,
        terminationGracePeriodSeconds: 1,
        securityContext: { runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } },
        containers: [
            {
                name,
                image,
                command: ["sleep", "3600"],
                securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } },
            },
        ],
    },
});

/** Reads every target from a pod of the scrapers' namespace. */
async function readFrom(pod: string, targets: readonly Target[]): Promise<readonly Reading[]> {
    const path = "jsonpath={.data.ca\\.crt}";
    const trust = Buffer.from(await kube("get", "secret", "api-tls", "-o", path), "base64").toString();
    const command = ["python3", "-c", scrape, trust, JSON.stringify(targets)];
    const { code, output } = await attempt("kubectl", ["--namespace", SCRAPERS, "exec", pod, "--", ...command]);
    expect(code, output).toBe(0);
    return JSON.parse(output.slice(output.indexOf("[["))) as Reading[];
}

/** Sum of the series that start so, over all pods of a role; NaN where there is none. */
function sumOf(readings: readonly Reading[], role: string, series: string): number {
    const values = readings
        .filter(([name]) => name.startsWith(`${role}.`))
        .flatMap(([, text]) => text.split("\n"))
        .filter((line) => line.startsWith(series))
        .map((line) => Number(line.slice(line.lastIndexOf(" ") + 1)));
    return values.length === 0 ? Number.NaN : values.reduce((sum, value) => sum + value, 0);
}

/** Turned on in the stack whose caller this is, for the annotations' scraper. */
export function metricsOf(callerOf: () => Entrance, release: "0.33" | "0.46"): void {
    test("the scraper alone reads the metrics of every part, over verified TLS, after real requests and runs", async () => {
        const workflow = await createWorkflow(callerOf(), release, "e2e-metrics");
        expect(at(await ended(callerOf(), await dispatch(callerOf(), workflow)), "status")).toBe("succeeded");
        const image = await kube(
            ...["get", "deployment", "worker", "-o", "jsonpath={.spec.template.spec.containers[0].image}"],
        );
        const scrapers = ["prometheus", "other"];
        await apply([strictNamespace(SCRAPERS), ...scrapers.map((name) => scraperPod(name, image))]);
        const ready = ["--for=condition=Ready", "--timeout=60s"];
        await kube("wait", `--namespace=${SCRAPERS}`, ...ready, ...scrapers.map((name) => `pod/${name}`));

        const targets = await annotatedTargets();
        const parts = ["api", "beat", "canvas", "worker"];
        expect([...new Set(targets.map(([name]) => name))].sort()).toEqual(
            parts.map((role) => `${role}.${NAMESPACE}.svc`),
        );
        // The numbers of the queue are read every ten seconds.
        const seen = await eventually(
            30,
            () => readFrom("prometheus", targets),
            (readings) =>
                sumOf(readings, "worker", "orcheo_runs_waiting") === 0 &&
                sumOf(readings, "worker", "orcheo_valkey_clients") > 0,
        );
        const shown = JSON.stringify(seen);
        expect(sumOf(seen, "api", 'orcheo_http_requests_total{method="POST"'), shown).toBeGreaterThan(0);
        expect(sumOf(seen, "api", "orcheo_http_request_duration_seconds_count"), shown).toBeGreaterThan(0);
        const succeeded = 'orcheo_tasks_finished_total{outcome="succeeded",task="execute_run"}';
        expect(sumOf(seen, "worker", succeeded), shown).toBe(1);
        expect(sumOf(seen, "worker", "orcheo_runs_waiting"), shown).toBe(0);
        const full = [
            "postgres_connections",
            "postgres_database_bytes",
            "valkey_memory_bytes",
            "valkey_memory_max_bytes",
        ];
        for (const server of full) expect(sumOf(seen, "worker", `orcheo_${server}`), server).toBeGreaterThan(0);
        const tick = sumOf(seen, "beat", "orcheo_beat_last_tick_timestamp_seconds");
        expect(Date.now() / 1000 - tick, shown).toBeLessThan(120);
        expect(sumOf(seen, "canvas", "nginx_connections_active"), shown).toBeGreaterThan(0);
        // Mounted once the update has ended; the kubelet looks every minute.
        const told = await eventually(
            150,
            () => readFrom("prometheus", targets),
            (readings) => sumOf(readings, "beat", `orcheo_stack_info{`) === 1,
        );
        expect(JSON.stringify(told)).toContain(`release=\\"${release}\\"`);
        const updated = sumOf(told, "beat", "orcheo_stack_last_update_timestamp_seconds");
        expect(Date.now() / 1000 - updated).toBeLessThan(3 * 3600);

        // The same program in a pod with another label: only the policy keeps it out.
        const refused = (await readFrom("other", targets)).map(([, text]) => text);
        for (const error of refused) expect(error).toMatch(/^(TimeoutError|ConnectionRefusedError)$/);
        const rules = await kube("get", "configmap", "alert-rules", "-o", "jsonpath={.data.rules\\.yaml}");
        expect(rules).toContain("- alert: OrcheoWatchdog\n");
        await kube("delete", "namespace", SCRAPERS, "--wait=false");
    });
}
