/** One request to the entrance, with its certificate verified by the system's CAs and those that are named. */
import { request as plain, type IncomingMessage } from "node:http";
import { request as secure, type RequestOptions } from "node:https";
import { isIP } from "node:net";
import { getCACertificates, type TLSSocket } from "node:tls";
import type { Answer } from "./reading.ts";

export interface AskOptions {
    /** PEM text of further CAs. */
    readonly ca?: string;
    /** Address to connect to in place of the URL's host. */
    readonly address?: string;
    readonly timeoutMs: number;
}

/** @returns what came, or why nothing did; never throws */
export function ask(url: URL, { ca, address, timeoutMs }: AskOptions): Promise<Omit<Answer, "path">> {
    return new Promise((done) => {
        const host = url.hostname.replace(/^\[|\]$/g, "");
        const secured = url.protocol === "https:";
        // Names below localhost are this machine's, whether or not the resolver knows it.
        const own = /(^|\.)localhost$/.test(url.hostname) ? "127.0.0.1" : undefined;
        const options: RequestOptions = {
            host: address ?? own ?? host,
            port: url.port || (secured ? 443 : 80),
            path: url.pathname,
            headers: { host: url.host, "user-agent": "orcheo-status" },
            agent: false,
            ...(secured && {
                ...(isIP(host) === 0 && { servername: host }),
                ca: [...getCACertificates("default"), ...(ca === undefined ? [] : [ca])],
                // The answer says whether it was verified: one with an unknown CA serves all the same.
                rejectUnauthorized: false,
            }),
        };
        const answered = (response: IncomingMessage): void => {
            response.resume();
            clearTimeout(timer);
            const socket = response.socket as Partial<TLSSocket>;
            const ends = secured ? socket.getPeerCertificate?.().valid_to : undefined;
            done({
                status: response.statusCode,
                ...(secured && { verified: socket.authorized === true }),
                ...(ends !== undefined && { certificateEnds: new Date(ends).toISOString() }),
            });
            sent.destroy();
        };
        const sent = (secured ? secure : plain)(options, answered);
        const timer = setTimeout(() => sent.destroy(new Error(`no answer within ${timeoutMs / 1000} s`)), timeoutMs);
        sent.on("error", (error) => {
            clearTimeout(timer);
            done({ error: error.message || error.name });
        });
        sent.end();
    });
}
