// The program as `npm run render` runs it: Pulumi's Kubernetes provider writes files, and no cluster is asked for anything.
// In JavaScript: below tools/ Node itself reads TypeScript, and as modules that cannot change what they import.
const { join } = require("node:path");
const pulumi = require("@pulumi/pulumi");

process.chdir(join(__dirname, "../../.."));
const { ClusterError } = require("../../../components/kubernetes/cluster-api");
const { machine } = require("../../../components/machine");

// Whoever applies the manifests finds out what the cluster lacks, and whose the objects in it are.
const notAsked = () => Promise.reject(new ClusterError("rendered manifests are not compared with a cluster", 403));
const none = () => Promise.resolve(undefined);
machine.registry = none;
machine.contexts = () => ({ where: "", names: { includes: () => true } });
// The record of updates by Pulumi begins anew, and is left out of the manifests.
const get = (path) => (path.endsWith("/configmaps/updates") ? none() : notAsked());
machine.cluster = () => Promise.resolve({ get, list: notAsked, metadata: none, text: () => Promise.resolve("{}") });

const rendered = /^(pulumi|orcheo|kubernetes|random):/;
pulumi.runtime.registerResourceTransform(({ type, name, opts }) => {
    if (type === "pulumi:providers:kubernetes")
        return { props: { renderYamlToDirectory: process.env.RENDER_DIRECTORY }, opts };
    if (rendered.test(type)) return undefined;
    throw new pulumi.RunError(
        `${type} "${name}" is no object of Kubernetes: render a stack with images.kind "published" and without aws`,
    );
});

module.exports = require("../../../index");
