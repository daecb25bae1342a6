/** Orcheo on Kubernetes. Settings: docs/config.md. */
import { Backend } from "./components/backend/backend";
import { createCache } from "./components/cache";
import { Canvas } from "./components/canvas";
import { Authority } from "./components/certificates";
import { Cluster } from "./components/cluster";
import { createDatabase } from "./components/database";
import { Entrance } from "./components/entrance";
import { guide } from "./components/guide";
import { Images } from "./components/images";
import { NetworkPolicies } from "./components/network-policies";
import { Secrets } from "./components/secrets";
import { readStack } from "./components/stack";

export = async () => {
    const stack = await readStack();

    const images = new Images("images", { stack });
    const secrets = new Secrets("secrets");
    const cluster = new Cluster("cluster", { stack });
    const { namespace } = cluster;
    const place = { provider: cluster.provider };

    const network = new NetworkPolicies("network", { stack, namespace }, place);
    const authority = new Authority("authority", { namespace }, place);
    const guarded = { ...place, dependsOn: [network] };

    const database = createDatabase(
        "postgres",
        { stack, namespace, image: images.postgres, password: secrets.postgresPassword, authority },
        guarded,
    );
    const cache = createCache(
        "valkey",
        { stack, namespace, image: images.valkey, password: secrets.valkeyPassword, authority },
        guarded,
    );
    const backend = new Backend(
        "backend",
        { stack, namespace, image: images.backend, database, cache, secrets, authority },
        guarded,
    );
    const canvas = new Canvas("canvas", { stack, namespace, image: images.canvas, authority }, guarded);
    const { url } = new Entrance("entrance", { stack, namespace, backend, canvas }, place);

    return {
        url,
        namespace,
        images: { backend: images.backend, canvas: images.canvas, postgres: images.postgres, valkey: images.valkey },
        ...guide(stack, { secretName: backend.secretName, url }),
    };
};
