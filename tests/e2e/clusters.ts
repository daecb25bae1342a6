/** The embedded clusters of the end-to-end tests: one a file, of other names and ports than anybody else's. */
import { clusterSpec, type ClusterSpec } from "../../local/cluster/spec.ts";

export const endToEndClusters: Readonly<Record<string, ClusterSpec>> = {
    "10-cluster.test.ts": clusterSpec("e2e", { api: 26443, registry: 25000, http: 20080, https: 20443 }),
    "20-platform.test.ts": clusterSpec("platform", { api: 26444, registry: 25001, http: 20081, https: 20444 }),
    "30-neighbours.test.ts": clusterSpec("neighbours", { api: 26445, registry: 25002, http: 20082, https: 20445 }),
};

/** Of `make alerts-on-cluster`, which is no part of `make test`. */
export const alertsCluster = clusterSpec("alerts", { api: 26451, registry: 25011, http: 20091, https: 20451 });

/** Of its test of the other kinds of monitoring. */
export const kindsCluster = clusterSpec("kinds", { api: 26454, registry: 25014, http: 20094, https: 20454 });

/** Of `make logs-on-cluster`, which is no part of `make test` either. */
export const logsCluster = clusterSpec("logs", { api: 26452, registry: 25012, http: 20092, https: 20452 });

/** Of Flux in `make endurance`. */
export const fluxCluster = clusterSpec("flux", { api: 26453, registry: 25013, http: 20093, https: 20453 });

/** The cluster of the running file: vitest.config.mts sets its variables. Never that of `make up`, which tests would delete. */
export function clusterOfThisFile(): ClusterSpec {
    const name = process.env.ORCHEO_CLUSTER;
    const spec = [...Object.values(endToEndClusters), alertsCluster, kindsCluster, fluxCluster, logsCluster].find(
        (one) => one.name === name,
    );
    if (spec === undefined) throw new Error(`ORCHEO_CLUSTER is ${name ?? "not set"}: no cluster of these tests`);
    return spec;
}
