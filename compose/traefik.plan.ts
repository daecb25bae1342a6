/** Traefik without Kubernetes: the same routes, middlewares and backends as the Ingress, as a file. */
import { ports } from "../components/config/ports";
import type { Stack } from "../components/config/schema";
import { planRoutes, servers, type Paths } from "../components/entrance/routes.plan";
import { planTraefik } from "../components/entrance/traefik.plan";
import { reference } from "./variables.plan";

/** Where the certificate comes from; `dev` has the sign-in provider behind the same port. */
export type TraefikFile = "acme" | "files" | "dev";

export const stackCaFile = "/etc/orcheo/ca/ca.crt";
export const certificateDir = "/etc/orcheo/tls";
const host = `{{ env "ORCHEO_HOST" }}`;

/** Whole segments, as an Ingress compares them: /api is not /apix. */
const rule = (path: string): string =>
    path === "/" ? `Host(\`${host}\`)` : `Host(\`${host}\`) && (Path(\`${path}\`) || PathPrefix(\`${path}/\`))`;

const nameOf = (path: string): string => (path === "/" ? "root" : path.slice(1).replaceAll("/", "-"));

export function planTraefikFile(stack: Pick<Stack, "entrance" | "release">, file: TraefikFile): object {
    const { plain, streams } = planRoutes(stack.release);
    const objects = planTraefik(stack.entrance, "", { api: "", canvas: "" });
    const specOf = (name: string) => (objects[name] as unknown as { spec: Record<string, unknown> }).spec;
    const tls = file === "acme" ? { certResolver: "acme" } : {};
    const routers = (paths: Paths, middlewares: readonly string[]) =>
        Object.entries(paths).map(([path, service]) => [
            nameOf(path),
            // The longest path wins.
            { rule: rule(path), priority: 10 * path.length, entryPoints: ["websecure"], service, middlewares, tls },
        ]);
    return {
        http: {
            routers: {
                ...(Object.fromEntries([
                    ...routers(plain, ["headers", "body"]),
                    ...routers(streams, ["headers"]),
                    // Vite's WebSocket, which must not be buffered.
                    ...(file === "dev" ? routers({ "/vite-hmr": "canvas" }, ["headers"]) : []),
                ]) as Record<string, object>),
                redirect: {
                    rule: "PathPrefix(`/`)",
                    entryPoints: ["web"],
                    service: "canvas",
                    middlewares: ["redirect"],
                },
            },
            middlewares: Object.fromEntries(
                ["headers", "body", "redirect"].map((name) => [name, specOf(`middleware-${name}`)]),
            ),
            services: Object.fromEntries(
                servers.map((server) => [
                    server,
                    {
                        loadBalancer: {
                            servers: [{ url: `https://${server}:${ports[server]}` }],
                            serversTransport: server,
                        },
                    },
                ]),
            ),
            serversTransports: Object.fromEntries(
                servers.map((server) => [server, { ...specOf(`transport-${server}`), rootCAs: [stackCaFile] }]),
            ),
        },
        ...(file === "dev" && {
            // TLS ends in the provider.
            tcp: {
                routers: {
                    "sign-in": {
                        rule: "HostSNI(`sign-in.localhost`)",
                        entryPoints: ["websecure"],
                        service: "sign-in",
                        tls: { passthrough: true },
                    },
                },
                services: { "sign-in": { loadBalancer: { servers: [{ address: "sign-in:8443" }] } } },
            },
        }),
        ...(file !== "acme" && {
            tls: {
                stores: {
                    default: {
                        defaultCertificate: {
                            certFile: `${certificateDir}/tls.crt`,
                            keyFile: `${certificateDir}/tls.key`,
                        },
                    },
                },
            },
        }),
    };
}

/** Static settings, those of the embedded cluster's Traefik. */
export const traefikArguments = (file: "dev" | "prod"): readonly string[] => [
    "--global.checknewversion=false",
    "--global.sendanonymoususage=false",
    "--ping=true",
    "--ping.entrypoint=ping",
    "--entrypoints.ping.address=127.0.0.1:8082",
    "--entrypoints.web.address=:8080",
    "--entrypoints.websecure.address=:8443",
    "--entrypoints.websecure.transport.respondingtimeouts.readtimeout=600s",
    "--entrypoints.websecure.transport.respondingtimeouts.writetimeout=0s",
    "--entrypoints.websecure.transport.respondingtimeouts.idletimeout=180s",
    "--entrypoints.websecure.transport.lifecycle.gracetimeout=20s",
    `--providers.file.filename=/etc/traefik/${file === "dev" ? "dev" : "${ORCHEO_TLS-}"}.yaml`,
    ...(file === "dev"
        ? []
        : [
              "--certificatesresolvers.acme.acme.email=${ORCHEO_ACME_EMAIL-}",
              `--certificatesresolvers.acme.acme.caserver=${reference("ORCHEO_ACME_SERVER", file)}`,
              "--certificatesresolvers.acme.acme.storage=/acme/acme.json",
              "--certificatesresolvers.acme.acme.httpchallenge.entrypoint=web",
          ]),
    "--log.level=INFO",
    // WebSocket URLs may contain `?access_token=`: keep query strings out of the log, like headers by default.
    "--accesslog=true",
    "--accesslog.format=json",
    "--accesslog.fields.queryparameters.defaultmode=drop",
    // By which the lines of API and worker are found.
    "--accesslog.fields.headers.names.X-Request-Id=keep",
];
