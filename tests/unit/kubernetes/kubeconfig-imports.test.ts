/** What reading a kubeconfig loads. A file of its own: what another test has loaded would not be loaded again. */
import { registerHooks } from "node:module";
import { expect, test } from "vitest";
import { loadKubeConfig } from "../../../components/kubernetes/cluster-api.ts";

test("a kubeconfig is read without the generated APIs", async () => {
    const loaded: string[] = [];
    const hooks = registerHooks({
        load: (url, context, next) => {
            loaded.push(url);
            return next(url, context);
        },
    });
    const cluster = { name: "here", cluster: { server: "https://127.0.0.1:6443" } };
    const context = { name: "here", context: { cluster: "here", user: "" } };
    const kubeconfig = JSON.stringify({ clusters: [cluster], contexts: [context], "current-context": "here" });
    const config = await loadKubeConfig({ kubeconfig });
    hooks.deregister();
    expect(config.getCurrentCluster()?.server).toBe("https://127.0.0.1:6443");
    expect(loaded.some((url) => url.endsWith("/client-node/dist/config.js"))).toBe(true);
    expect(loaded.filter((url) => url.includes("/client-node/dist/gen/")).length).toBeLessThan(40);
});
