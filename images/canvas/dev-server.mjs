// Serves a mounted source tree by Vite, over TLS with the stack's certificate. It writes below /tmp only.
import { readFileSync } from "node:fs";
import { createServer as createHttpServer } from "node:http";
import { createServer } from "vite";

const [, , root] = process.argv;
const { hostname } = new URL(process.env.VITE_ORCHEO_BACKEND_URL);
const certificate = (file) => readFileSync(`/etc/orcheo/tls/${file}`);
// Tailwind's own paths are relative to it.
process.chdir(root);
const server = await createServer({
    root,
    // A bundled configuration would be written next to the file, which is read-only.
    configLoader: "runner",
    cacheDir: "/tmp/vite",
    clearScreen: false,
    server: {
        host: "0.0.0.0",
        port: 8443,
        strictPort: true,
        https: { cert: certificate("tls.crt"), key: certificate("tls.key") },
        allowedHosts: [hostname, "canvas"],
        // Behind Traefik, where this path has a route of its own.
        hmr: { protocol: "wss", clientPort: 443, path: "vite-hmr" },
        fs: { allow: [root, "/node_modules", "/tmp/vite"] },
        // Bundles the dependencies at the start, not while the first page waits.
        warmup: { clientFiles: ["./index.html"] },
    },
});
await server.listen();
// The health port of nginx in production.
createHttpServer((_, response) => response.end("ok\n")).listen(8081, "127.0.0.1");
console.log(`the canvas of ${root} is served, and reloaded when a file changes`);
for (const signal of ["SIGTERM", "SIGQUIT", "SIGINT"])
    process.on(signal, () => {
        void server.close().finally(() => process.exit(0));
    });
