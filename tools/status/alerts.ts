/** Asks Alertmanager, or a Prometheus or vmalert, which alerts fire. */
import { request as plain } from "node:http";
import { request as secure } from "node:https";
import { getCACertificates } from "node:tls";
import { ClusterError, isClusterError, type ClusterApi } from "../cluster.ts";

/** `http(s)://…`, or `service/NAMESPACE/NAME:PORT` through the cluster's API. */
export type AlertSource = string;

export const alertSource = /^(https?:\/\/[^\s/?#@]+(\/[^\s?#]*)?|service\/[a-z0-9-]+\/(https:)?[a-z0-9-]+:[a-z0-9-]+)$/;

/** In this order: only Alertmanager knows what is silenced, so where it is asked, its answer counts. */
const paths = ["/api/v2/alerts?active=true&silenced=false&inhibited=false", "/api/v1/alerts"];
const mostBytes = 8 * 1024 * 1024;

/** @throws ClusterError when there is no answer, or another than that of a known API */
export async function readAlerts(
    source: AlertSource,
    { api, ca, timeoutMs }: { readonly api: ClusterApi; readonly ca?: string; readonly timeoutMs: number },
): Promise<unknown> {
    const ask = (path: string): Promise<string> =>
        source.startsWith("service/") ? api.text(proxied(source, path)) : fetchText(source, path, ca, timeoutMs);
    for (const path of paths) {
        try {
            const answer = JSON.parse(await ask(path)) as unknown;
            if (typeof answer === "object" && answer !== null) return answer;
        } catch (error) {
            // Another server answers the first path with 400 or 404, or with its page.
            const other =
                error instanceof SyntaxError || (isClusterError(error) && [400, 404].includes(error.status ?? 0));
            if (!other) throw error;
        }
    }
    throw new ClusterError(`${source} answers neither as Alertmanager nor as Prometheus or vmalert`);
}

function proxied(source: string, path: string): string {
    const [, namespace = "", service = ""] = source.split("/");
    return `/api/v1/namespaces/${namespace}/services/${service}/proxy${path}`;
}

function fetchText(base: string, path: string, ca: string | undefined, timeoutMs: number): Promise<string> {
    const url = new URL(`${base.replace(/\/+$/, "")}${path}`);
    return new Promise((done, fail) => {
        const failed = (reason: string, status?: number): void => {
            fail(new ClusterError(`${base}: ${reason}`, status));
        };
        const trusted = { ca: [...getCACertificates("default"), ...(ca === undefined ? [] : [ca])] };
        const send = url.protocol === "https:" ? secure : plain;
        const options = { signal: AbortSignal.timeout(timeoutMs), ...(url.protocol === "https:" && trusted) };
        const sent = send(url, options, (response) => {
            let text = "";
            response.setEncoding("utf8").on("data", (chunk: string) => {
                text += chunk;
                if (text.length > mostBytes) sent.destroy(new Error("the answer is too long"));
            });
            response.once("end", () => {
                const status = response.statusCode ?? 0;
                if (status === 200) done(text);
                else failed(`it answers ${status}`, status);
            });
        });
        sent.on("error", (error) => {
            failed(error.name === "AbortError" ? `no answer within ${timeoutMs / 1000} s` : error.message);
        });
        sent.end();
    });
}
