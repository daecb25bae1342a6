import * as pulumi from "@pulumi/pulumi";
import type { Stack } from "../config/schema";
import { unsafeChoices, type UnsafeChoice as Choice } from "./unsafe.plan";

/** One setting that gives up a safe default, shown by a preview and evaluated by the policy pack. */
class UnsafeChoice extends pulumi.ComponentResource {
    constructor({ setting, found, consequence }: Choice, opts: pulumi.ComponentResourceOptions) {
        super("orcheo:index:UnsafeChoice", setting, { found, consequence }, opts);
        this.registerOutputs({ found, consequence });
    }
}

/** Every such setting of the stack: it makes nothing, and shows each by name. */
export class UnsafeChoices extends pulumi.ComponentResource {
    constructor(name: string, { stack }: { stack: Stack }, opts?: pulumi.ComponentResourceOptions) {
        super("orcheo:index:UnsafeChoices", name, {}, opts);
        for (const choice of unsafeChoices(stack)) new UnsafeChoice(choice, { parent: this });
        this.registerOutputs({});
    }
}
