import type { Server } from "../connection";

/** A broker that Celery can use, wherever it runs: `rediss://…?ssl_cert_reqs=required…`. */
export type Cache = Server;
