import { PolicyPack } from "@pulumi/policy";

import { policyPack } from "./pack.ts";
import { rules } from "./table.ts";
import { unpackOnce } from "./unpack-once.ts";

const project = { directory: process.cwd(), stackConfig: process.env["ORCHEO_POLICY_STACK_CONFIG"] };
// The SDK takes the pack's version from the package.json of the working directory: let it find the pack's own.
process.chdir(import.meta.dirname);

unpackOnce();
new PolicyPack("orcheo", policyPack(rules, project));
