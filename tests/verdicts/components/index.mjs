// Registers the resources listed in the file $FIXTURES: [{type, name, props}]. As components they need no provider, and the
// engine hands their inputs to the policy pack like those of any other resource: AWS is judged without an account.
import { readFileSync } from "node:fs";

import * as pulumi from "@pulumi/pulumi";

for (const { type, name, props, options } of JSON.parse(readFileSync(process.env.FIXTURES, "utf8"))) {
    new pulumi.ComponentResource(type, name, props, options);
}
