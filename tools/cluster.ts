/** A cluster as these commands read it: its API, and commands in pods that only read. Every call ends within its time. */
import { Writable } from "node:stream";
import {
    clusterApi,
    ClusterError,
    isClusterError,
    loadKubeConfig,
    type ClusterApi,
    type ClusterContext,
} from "../components/kubernetes/cluster-api.ts";

export { ClusterError, isClusterError };
export type { ClusterApi, KubernetesObject } from "../components/kubernetes/cluster-api.ts";

/** A command in a container. */
export interface Command {
    readonly namespace: string;
    readonly pod: string;
    readonly container: string;
    readonly words: readonly string[];
    readonly timeoutMs: number;
}

export interface Cluster {
    readonly api: ClusterApi;
    readonly context: string;
    /** Standard output. @throws ClusterError when it cannot be run, ends with another code than 0, or takes too long */
    exec(command: Command): Promise<string>;
}

/** @throws ClusterError when the kubeconfig names no such cluster */
export async function connect(where: Partial<ClusterContext>, timeoutMs: number): Promise<Cluster> {
    const config = await loadKubeConfig(where);
    const exec = async ({ namespace, pod, container, words, timeoutMs: most }: Command): Promise<string> => {
        // Not the package's index, which loads every API: half a second.
        const { Exec } = await import("@kubernetes/client-node/dist/exec.js");
        const output = collector();
        const errors = collector();
        let close = (): void => undefined;
        const ended = new Promise<string>((done, fail) => {
            const timer = setTimeout(() => {
                fail(new ClusterError(`no answer from pod ${pod} within ${most / 1000} s`));
            }, most);
            new Exec(config)
                .exec(namespace, pod, container, [...words], output.stream, errors.stream, null, false, (status) => {
                    clearTimeout(timer);
                    if (status.status === "Success") done(output.text());
                    else fail(new ClusterError(`the command in pod ${pod} failed: ${lastLine(errors.text())}`));
                })
                .then(
                    (socket: { close(): void }) => {
                        close = () => {
                            socket.close();
                        };
                    },
                    (error: unknown) => {
                        clearTimeout(timer);
                        fail(new ClusterError(`no command can be run in pod ${pod}: ${reasonOf(error)}`));
                    },
                );
        });
        return ended.finally(() => {
            close();
        });
    };
    return { api: clusterApi(config, timeoutMs), context: config.getCurrentContext(), exec };
}

/** Reads that may fail: what a role may not read, or a slow server does not send in time, is left out and named in `notRead`. */
export const leavingOut =
    (notRead: string[]) =>
    async <T>(name: string, work: Promise<T>, otherwise: T): Promise<T> => {
        try {
            return await work;
        } catch (error) {
            if (!isClusterError(error)) throw error;
            notRead.push(`${name}: ${error.message}`);
            return otherwise;
        }
    };

function collector() {
    const chunks: Buffer[] = [];
    const stream = new Writable({
        write(chunk: Buffer, _encoding, done) {
            chunks.push(chunk);
            done();
        },
    });
    return { stream, text: () => Buffer.concat(chunks).toString("utf8") };
}

const lastLine = (text: string): string => text.trim().split("\n").at(-1) ?? "";

/** Of a WebSocket that failed, an event with the error in it. */
function reasonOf(error: unknown): string {
    if (typeof error === "object" && error !== null && "message" in error) return String(error.message);
    return String(error);
}
