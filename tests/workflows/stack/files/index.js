/** A provider of files: what it makes can be changed by hand, as objects of a cluster can. */
const { existsSync, readFileSync, rmSync, writeFileSync } = require("node:fs");
const pulumi = require("@pulumi/pulumi");

const property = { type: "string" };
const file = {
    inputProperties: { path: property, content: property },
    properties: { path: property, content: property },
};
const write = ({ path, content }) => {
    writeFileSync(path, content);
    return { path, content };
};

const provider = {
    version: "1.0.0",
    schema: JSON.stringify({ name: "files", version: "1.0.0", resources: { "files:index:File": file } }),
    check: async (_urn, _olds, news) => ({ inputs: news }),
    diff: async (_id, _urn, olds, news) => ({
        changes: olds.path !== news.path || olds.content !== news.content,
        replaces: olds.path === news.path ? [] : ["path"],
    }),
    create: async (_urn, inputs) => ({ id: inputs.path, outs: write(inputs) }),
    read: async (path) => {
        if (!existsSync(path)) return { id: "" };
        const found = { path, content: readFileSync(path, "utf8") };
        return { id: path, props: found, inputs: found };
    },
    update: async (_id, _urn, _olds, news) => ({ outs: write(news) }),
    delete: async (path) => {
        rmSync(path, { force: true });
    },
};

module.exports = () => pulumi.provider.main(provider, process.argv.slice(2));
