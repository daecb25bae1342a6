/** A page in a separate namespace, at two ports of one pod, and a workflow that visits it. */

const labels = { app: "page" };
const ports = { open: 8080, closed: 8081 };
export const title = "shown by its script";

export function pagesIn(namespace: string) {
    const url = (port: number): string => `http://page.${namespace}.svc:${port}/`;
    return {
        /** For `network.peers`. */
        peer: { namespace, podLabels: labels, ports: [ports.open] },
        openUrl: url(ports.open),
        closedUrl: url(ports.closed),
    };
}

const html = `<!doctype html><title>not shown yet</title><h1>Orcheo</h1>
<script>document.title = "${title}"; document.body.style.background = "rgb(10, 125, 50)"</script>`;

/** Serves the page at both ports. */
const server = `import http.server, threading
class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(${JSON.stringify(html)}.encode())
def serve(port):
    http.server.ThreadingHTTPServer(("", port), Page).serve_forever()
threading.Thread(target=serve, args=(${ports.closed},)).start()
serve(${ports.open})`;

/** @param image  any with Python, that the cluster has already */
export function pageServer(namespace: string, image: string): object {
    const metadata = { name: "page", namespace };
    const container = { name: "page", image, command: ["python3", "-c", server] };
    const list = Object.entries(ports).map(([name, port]) => ({ name, port }));
    return {
        apiVersion: "v1",
        kind: "List",
        items: [
            { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } },
            {
                apiVersion: "v1",
                kind: "Pod",
                metadata: { ...metadata, labels },
                spec: {
                    automountServiceAccountToken: false,
                    terminationGracePeriodSeconds: 0,
                    containers: [container],
                },
            },
            { apiVersion: "v1", kind: "Service", metadata, spec: { selector: labels, ports: list } },
        ],
    };
}

/** Orcheo's nodes have pictures only in a trace, which they write to a file of the worker. */
export const visit = (address: string, trace: string): string => `from langgraph.graph import END, START, StateGraph
from orcheo.graph.state import State
from orcheo.nodes.browser import BrowserCloseNode, BrowserExtractNode, BrowserNavigateNode, BrowserScriptNode


def build():
    graph = StateGraph(State)
    graph.add_node("open", BrowserNavigateNode(name="open", url="${address}", trace_path="${trace}", timeout_ms=15000))
    graph.add_node("script", BrowserScriptNode(name="script", script="() => 6 * 7"))
    graph.add_node("title", BrowserExtractNode(name="title", mode="title"))
    graph.add_node("close", BrowserCloseNode(name="close"))
    graph.add_edge(START, "open")
    graph.add_edge("open", "script")
    graph.add_edge("script", "title")
    graph.add_edge("title", "close")
    graph.add_edge("close", END)
    return graph
`;
