import { readFileSync } from "node:fs";
import * as pulumi from "@pulumi/pulumi";

class Platform extends pulumi.ComponentResource {
    constructor(name, inputs) {
        super("orcheo:index:Platform", name, { ...inputs, url: undefined }, {}, true);
    }
}

const { inputs, secrets } = JSON.parse(readFileSync(process.env.INPUTS, "utf8"));
const secret = Object.fromEntries(Object.entries(secrets).map(([key, value]) => [key, pulumi.secret(value)]));

export const { url } = new Platform("orcheo", { ...inputs, ...secret });
