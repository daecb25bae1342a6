// In JavaScript: Pulumi's runner checks the types of all that a TypeScript file imports, at each start, which takes most of a minute.
const { readFileSync } = require("node:fs");
const pulumi = require("@pulumi/pulumi");
const ts = require("typescript");

const compilerOptions = { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2023, esModuleInterop: true };
require.extensions[".ts"] = (module, fileName) => {
    module._compile(
        ts.transpileModule(readFileSync(fileName, "utf8"), { compilerOptions, fileName }).outputText,
        fileName,
    );
};

const { provider } = require("./provider");

module.exports = () => pulumi.provider.main(provider, process.argv.slice(2));
