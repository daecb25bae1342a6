/** A webhook that Alertmanager notifies, and what it has said so far. */
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";

/** @see https://prometheus.io/docs/alerting/latest/configuration/#webhook_config */
interface Notification {
    readonly alerts: readonly {
        readonly status: "firing" | "resolved";
        readonly labels: Readonly<Record<string, string>>;
        readonly annotations: Readonly<Record<string, string>>;
        readonly fingerprint: string;
    }[];
}

export interface Arrived {
    readonly labels: Readonly<Record<string, string>>;
    readonly annotations: Readonly<Record<string, string>>;
    /** When it arrived, in milliseconds. */
    readonly at: number;
}

/** Alertmanager's configuration: each alert for itself, at once, and its resolution as well. */
export const routeTo = (url: string): object => ({
    route: { receiver: "test", group_by: ["..."], group_wait: "0s", group_interval: "1s", repeat_interval: "4h" },
    receivers: [{ name: "test", webhook_configs: [{ url, send_resolved: true }] }],
});

export class Receiver {
    readonly #server: Server;
    /** By fingerprint. */
    readonly #firing = new Map<string, Arrived>();
    /** By name and severity, in milliseconds. */
    readonly #resolvedAt = new Map<string, number>();

    private constructor(server: Server) {
        this.#server = server;
    }

    static async start(): Promise<Receiver> {
        const server = createServer();
        const receiver = new Receiver(server);
        server.on("request", (request, response) => {
            void json(request).then((body) => {
                receiver.take(body as Notification);
                response.end();
            });
        });
        server.listen(0, "127.0.0.1");
        await once(server, "listening");
        return receiver;
    }

    get url(): string {
        return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
    }

    take({ alerts }: Notification, at = Date.now()): void {
        for (const { status, labels, annotations, fingerprint } of alerts) {
            if (status === "firing") this.#firing.set(fingerprint, { labels, annotations, at });
            else if (this.#firing.delete(fingerprint))
                this.#resolvedAt.set(`${labels["alertname"] ?? ""} ${labels["severity"] ?? ""}`, at);
        }
    }

    firing(name: string, severity: string): Arrived[] {
        return [...this.#firing.values()].filter(
            ({ labels }) => labels["alertname"] === name && labels["severity"] === severity,
        );
    }

    /** When the last of them was resolved. */
    resolvedAt(name: string, severity: string): number {
        const end = this.#resolvedAt.get(`${name} ${severity}`);
        if (end === undefined) throw new Error(`no ${name} of severity ${severity} has been resolved yet`);
        return end;
    }

    names(): string[] {
        return [...new Set([...this.#firing.values()].map(({ labels }) => labels["alertname"] ?? ""))].sort();
    }

    /** @throws with what fires instead */
    async until(seconds: number, what: string, holds: () => boolean): Promise<void> {
        const end = Date.now() + seconds * 1000;
        while (!holds()) {
            if (Date.now() > end)
                throw new Error(`${what} not within ${seconds} s; firing: ${this.names().join(", ")}`);
            await sleep(200);
        }
    }

    stop(): void {
        this.#server.closeAllConnections();
        this.#server.close();
    }
}
