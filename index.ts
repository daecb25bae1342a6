/** Orcheo on Kubernetes. Settings: docs/config.md. */
import "./components/stack/stack-traces";
import { Admission } from "./components/admission/admission";
import { createCloud } from "./components/aws/aws";
import { Backend } from "./components/backend/backend";
import { createBackup } from "./components/backup/backup";
import { createCache } from "./components/cache/cache";
import { Canvas } from "./components/canvas/canvas";
import { Cluster } from "./components/cluster/cluster";
import type { Problem } from "./components/config/problems";
import { createDatabase, createPooler } from "./components/database/database";
import { Entrance } from "./components/entrance/entrance";
import { Images } from "./components/images/images";
import { Authority } from "./components/kubernetes/certificates";
import { Monitoring } from "./components/monitoring/monitoring";
import { planRulesText } from "./components/monitoring/monitoring.plan";
import { NetworkPolicies } from "./components/network/network";
import { Ownership } from "./components/ownership/ownership";
import { Secrets } from "./components/secrets/secrets";
import { ExtraObjects } from "./components/stack/extra-objects";
import { guide } from "./components/stack/outputs";
import { givenSettings, readStack, registryPassword } from "./components/stack/stack";
import { Transforms } from "./components/stack/transforms";
import { UnsafeChoices } from "./components/stack/unsafe";
import { earlierImages, Updates } from "./components/updates/updates";
import { watchUpdate } from "./components/watch/watch";

/** @param further  problems found by the caller, reported together with those of the settings */
export = async (further: readonly Problem[] = []) => {
    const stack = await readStack(further);
    const watch = await watchUpdate(stack);
    const transforms = new Transforms(stack.transforms);
    const ownership = new Ownership("ownership", { stack });
    new UnsafeChoices("unsafe", { stack });

    const secrets = new Secrets("secrets", { stack });
    const cloud = await createCloud("aws", { stack, secrets, rules: planRulesText(stack) });
    const settings = givenSettings();
    const earlier = await earlierImages(stack, settings, cloud.kubeconfig);
    const images = new Images("images", { stack, earlier }, { dependsOn: cloud.repositories });
    const cluster = new Cluster("cluster", {
        stack,
        kubeconfig: cloud.kubeconfig,
        registryPassword: registryPassword(stack),
    });
    const { namespace } = cluster;
    const onCluster = { provider: cluster.provider };

    const network = new NetworkPolicies("network", { stack, namespace, image: images.valkey }, onCluster);
    const { clusterDomain } = stack.kubernetes;
    const authority = new Authority("authority", { namespace, clusterDomain }, onCluster);
    const admission = new Admission("admission", { stack }, onCluster);
    const guarded = { ...onCluster, dependsOn: [network, admission] };

    const database = createDatabase(
        "postgres",
        { stack, namespace, image: images.postgres, password: secrets.postgresPassword, authority, cloud },
        guarded,
    );
    const pooled = createPooler(
        "pgbouncer",
        { stack, namespace, image: images.pgbouncer, database, authority },
        guarded,
    );
    const cache = createCache(
        "valkey",
        { stack, namespace, image: images.valkey, password: secrets.valkeyPassword, authority, cloud },
        guarded,
    );
    const backend = new Backend(
        "backend",
        { stack, namespace, image: images.backend, database: pooled, cache, secrets, authority, cloud },
        guarded,
    );
    const backup = createBackup("backup", { stack, namespace, images, database, backend, cloud }, guarded);
    const canvas = new Canvas("canvas", { stack, namespace, image: images.canvas, authority }, guarded);
    if (stack.monitoring.kind !== "none") new Monitoring("monitoring", { stack, namespace }, guarded);
    const entrance = new Entrance("entrance", { stack, namespace, backend, canvas }, onCluster);
    const { url } = entrance;

    const { backend: backendImage, canvas: canvasImage, postgres, pgbouncer, valkey, backup: backupImage } = images;
    new Updates(
        "updates",
        {
            ...{ stack, namespace, settings, kubeconfig: cloud.kubeconfig },
            images: { backend: backendImage, canvas: canvasImage, postgres, pgbouncer, valkey, backup: backupImage },
        },
        { ...onCluster, dependsOn: [backend, canvas, entrance] },
    );
    if (stack.extraObjects.length > 0) new ExtraObjects("extra", { stack, namespace }, guarded);

    transforms.proven();
    await ownership.proven(cloud.kubeconfig);
    return {
        url: watch.served(url, [...database.resources, ...cache.resources]),
        namespace,
        images: { backend: images.backend, canvas: images.canvas, postgres: images.postgres, valkey: images.valkey },
        ...cloud.outputs,
        ...backup.outputs,
        ...guide(stack, { bootstrapToken: backend.bootstrapToken, url }),
    };
};
