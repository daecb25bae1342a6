/** Passes connections on. `node relay.ts FILE HOST PORT` listens at a socket file: a way out of a network namespace. */
import { connect, createServer, type Server, type Socket } from "node:net";

export const relay = (onward: () => Socket): Server =>
    createServer((from) => {
        const to = onward();
        from.pipe(to).pipe(from);
        from.on("error", () => to.destroy());
        to.on("error", () => from.destroy());
    });

if (import.meta.main) {
    const [file, host, port] = process.argv.slice(2);
    relay(() => connect(Number(port), host)).listen(file);
}
