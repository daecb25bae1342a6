/** GitHub's API on loopback: the comments of pull request 7 in the repository o/r, and what a test adds; nothing else. */
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

interface Comment {
    readonly id: number;
    readonly user: { readonly login: string };
    body: string;
}

/** A status and a body, or undefined for what this part of the API does not know. */
export type Answer = (method: string, url: URL, body: Buffer) => [number, unknown] | undefined;

/** Whom GitHub names as the author of what a workflow's token writes. */
export const bot = "github-actions[bot]";

export class GitHub {
    comments: Comment[] = [];
    /** Requests that it has no answer to. */
    readonly unknown: string[] = [];

    readonly url: string;
    readonly #server: Server;

    private constructor(server: Server, url: string) {
        this.#server = server;
        this.url = url;
    }

    /**
     * @param token  the one that it takes
     * @param more  a further part of the API
     */
    static async start(token: string, more: Answer = () => undefined): Promise<GitHub> {
        const server = createServer((request, response) => {
            const parts: Buffer[] = [];
            request.on("data", (part: Buffer) => parts.push(part));
            request.on("end", () => {
                const body = Buffer.concat(parts);
                const asked = [request.method ?? "", new URL(request.url ?? "", "http://github"), body] as const;
                const known = request.headers.authorization === `Bearer ${token}`;
                const [status, value] = known
                    ? (more(...asked) ?? github.answer(...asked))
                    : [401, { message: "Bad credentials" }];
                response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));
            });
        });
        server.listen(0, "127.0.0.1");
        await once(server, "listening");
        const github: GitHub = new GitHub(server, `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
        return github;
    }

    stop(): void {
        this.#server.close();
    }

    private answer(method: string, url: URL, body: Buffer): [number, unknown] {
        const { pathname, searchParams } = url;
        const said = (): string => (JSON.parse(body.toString()) as { body: string }).body;
        if (pathname === "/repos/o/r/issues/7/comments" && method === "GET") {
            const at = (Number(searchParams.get("page")) - 1) * 100;
            return [200, this.comments.slice(at, at + 100)];
        }
        if (pathname === "/repos/o/r/issues/7/comments" && method === "POST") {
            this.comments.push({ id: this.comments.length + 1, user: { login: bot }, body: said() });
            return [201, {}];
        }
        const found = this.comments.find(({ id }) => pathname === `/repos/o/r/issues/comments/${id}`);
        if (found === undefined || method !== "PATCH") {
            this.unknown.push(`${method} ${pathname}`);
            return [404, { message: "Not Found" }];
        }
        found.body = said();
        return [200, {}];
    }
}
