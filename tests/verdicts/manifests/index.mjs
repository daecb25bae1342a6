// Converts the manifests of the file $FIXTURES, {name: YAML}, to Pulumi resources, as a project does with a rendered chart.
import { readFileSync } from "node:fs";

import * as k8s from "@pulumi/kubernetes";

for (const [name, yaml] of Object.entries(JSON.parse(readFileSync(process.env.FIXTURES, "utf8")))) {
    new k8s.yaml.v2.ConfigGroup(name, { yaml });
}
