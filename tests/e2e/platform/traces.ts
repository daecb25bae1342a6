/** One trace of a run: from the entrance through API, queue and worker to Postgres, as docs/tracing.md describes it. */
import { expect, test } from "vitest";
import { clusterInfo } from "../../../local/cluster/cluster.ts";
import { block } from "../docs.ts";
import { at, createWorkflow, dispatch, ended, type Entrance } from "../orcheo.ts";
import { apply, attempt, eventually, kube, spec } from "./harness.ts";
import { replaced } from "./gateway.ts";
import { serve, strictNamespace } from "./servers.ts";

const name = "traces";
const namespace = "telemetry";
const port = 4318;
const endpoint = `https://${name}.${namespace}.svc:${port}/v1/traces`;

/** `tracing` of a stack that sends all its traces to the receiver below. Its CA is that of the embedded cluster. */
export const tracing = () => ({
    kind: "otlp",
    endpoint,
    samplePercent: 100,
    authority: { kind: "file", path: clusterInfo(spec).caFile },
    reach: { kind: "pods", namespace, podLabels: { app: name } },
});

/** Prints each span as a line, decoded by OpenTelemetry's own definitions. */
const receiver = `import gzip, json, ssl
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
def values(attributes):
    return {each.key: str(getattr(each.value, each.value.WhichOneof("value"))) for each in attributes}
class Handler(BaseHTTPRequestHandler):
    def pieces(self):
        length = self.headers.get("Content-Length")
        if length is not None:
            yield self.rfile.read(int(length))
            return
        # Traefik sends it in chunks.
        while size := int(self.rfile.readline(), 16):
            yield self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
    def do_POST(self):
        body = b"".join(self.pieces())
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        for sender in ExportTraceServiceRequest.FromString(body).resource_spans:
            service = values(sender.resource.attributes)["service.name"]
            for scope in sender.scope_spans:
                for span in scope.spans:
                    print(json.dumps({
                        "service": service, "name": span.name, "trace": span.trace_id.hex(), "id": span.span_id.hex(),
                        "parent": span.parent_span_id.hex(), "attributes": values(span.attributes)}), flush=True)
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()
    def log_message(self, *_):
        pass
server = ThreadingHTTPServer(("", ${port}), Handler)
context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
context.load_cert_chain("/tls/tls.crt", "/tls/tls.key")
# The handshake is the business of each connection's own thread.
server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
server.serve_forever()`;

interface Span {
    readonly service: string;
    readonly name: string;
    readonly trace: string;
    readonly id: string;
    readonly parent: string;
    readonly attributes: Readonly<Record<string, string>>;
}

/** In the backend's image, which has these definitions. */
async function startReceiver(): Promise<void> {
    const path = "jsonpath={.spec.template.spec.containers[0].image}";
    const image = await kube("get", "deployment", "worker", "-o", path);
    const secretName = `${name}-tls`;
    await apply([
        strictNamespace(namespace),
        {
            apiVersion: "cert-manager.io/v1",
            kind: "Certificate",
            metadata: { name, namespace },
            spec: {
                secretName,
                dnsNames: [new URL(endpoint).hostname],
                issuerRef: { kind: "ClusterIssuer", name: "orcheo-local-ca" },
            },
        },
    ]);
    const command = ["python3", "-c", receiver];
    await serve({ name, namespace, image, command, ports: [port], mounts: [{ path: "/tls", secret: secretName }] });
}

/** By the page's own command, for this receiver. */
async function traefikSendsItsSpans(): Promise<void> {
    const command = block("tracing.md", "kubectl --namespace traefik patch")
        .replace(/endpoint=[^"]+/, `endpoint=${endpoint}`)
        .replace("ca.crt", clusterInfo(spec).caFile)
        .replace(/samplerate=[\d.]+/, "samplerate=1");
    const { code, output } = await attempt("bash", ["-c", command]);
    expect(code, output).toBe(0);
    await replaced("traefik", "traefik");
}

const linesOf = (text: string): unknown[] =>
    text
        .split("\n")
        .filter((line) => line.startsWith("{"))
        .map((line) => JSON.parse(line) as unknown);
const received = async (): Promise<readonly Span[]> =>
    linesOf(await kube("logs", `--namespace=${namespace}`, `deployment/${name}`)) as Span[];

const traceOf = (run: string, spans: readonly Span[]): readonly Span[] => {
    const executed = spans.find((span) => span.name === "execute_run" && span.attributes["orcheo.run.id"] === run);
    return spans.filter(({ trace }) => trace === executed?.trace);
};
const roots = (spans: readonly Span[]): string[] =>
    spans.filter(({ parent }) => parent === "").map(({ service }) => service);
/** Whose parent has not been received. */
const orphans = (spans: readonly Span[]): readonly Span[] => {
    const ids = new Set(spans.map(({ id }) => id));
    return spans.filter(({ parent }) => parent !== "" && !ids.has(parent));
};

/** Of a stack with the settings above. */
export function tracesOf(callerOf: () => Entrance, release: "0.33" | "0.46"): void {
    test("a run is one trace, from the entrance through API, queue and worker to Postgres", async () => {
        await Promise.all([startReceiver(), traefikSendsItsSpans()]);
        const run = await dispatch(callerOf(), await createWorkflow(callerOf(), release, "e2e-trace"));
        expect(at(await ended(callerOf(), run), "status")).toBe("succeeded");
        // Each process sends what it has every few seconds.
        const all = await eventually(20, received, (seen) => {
            const spans = traceOf(run, seen);
            return roots(spans).length > 0 && orphans(spans).length === 0;
        });
        const spans = traceOf(run, all);
        const shown = JSON.stringify(spans.map(({ service, name: what }) => `${service}: ${what}`));
        expect(roots(spans), shown).toEqual(["traefik"]);
        expect(orphans(spans), shown).toEqual([]);
        const request = spans.find(({ attributes }) => attributes["http.route"] === "/api/triggers/manual/dispatch");
        expect(spans.find(({ id }) => id === request?.parent)?.service, shown).toBe("traefik");
        for (const service of ["orcheo-api", "orcheo-worker"]) {
            const statements = spans.filter(
                (span) => span.service === service && span.attributes["db.system.name"] === "postgresql",
            );
            expect(statements.length, `${service}: ${shown}`).toBeGreaterThan(0);
        }
        expect(JSON.stringify(all)).not.toContain(callerOf().token);

        // The request's id leads to the same spans, and the trace's to the lines of the log.
        const executed = spans.find((span) => span.name === "execute_run");
        const id = String(executed?.attributes["orcheo.request.id"]);
        const asked = all.filter(({ attributes }) => attributes["orcheo.request.id"] === id);
        expect(new Set(asked.map(({ service }) => service))).toEqual(new Set(["orcheo-api", "orcheo-worker"]));
        const trace = String(executed?.trace);
        expect(new Set(asked.map((span) => span.trace))).toEqual(new Set([trace]));
        const search = block("tracing.md", "kubectl --namespace orcheo logs").replace("TRACE", trace);
        const { output } = await attempt("bash", ["-c", search]);
        for (const role of [{ logger: "uvicorn.access" }, { run }])
            expect(linesOf(output)).toContainEqual(expect.objectContaining({ ...role, trace, request: id }));
    });
}
