import { PolicyPack } from "@pulumi/policy";

import { exceptionsKey } from "./exceptions.ts";
import { policyPack } from "./pack.ts";
import { hearStackConfig } from "./stack-config.ts";
import { rules } from "./table.ts";
import { unpackOnce } from "./unpack-once.ts";

const stackConfig = hearStackConfig();
unpackOnce();
// The SDK takes the pack's version from the package.json of the working directory: let it find the pack's own.
process.chdir(import.meta.dirname);
new PolicyPack(
    "orcheo",
    policyPack(rules, () => stackConfig(exceptionsKey)),
);
