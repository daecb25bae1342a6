/** The package's one component, and what Pulumi asks of it. */
import * as pulumi from "@pulumi/pulumi";
import * as state from "@pulumi/pulumi/runtime/state";
import { fileOf, type Problem } from "../components/config/problems";
import program from "../index";
import { asInputs, configOf, packageSchema, token, type Given } from "./inputs.plan";
import { version } from "./package.json";

type Outputs = Awaited<ReturnType<typeof program>>;

class Platform extends pulumi.ComponentResource {
    constructor(name: string, opts: pulumi.ComponentResourceOptions) {
        super(token, name, {}, opts);
    }

    /** Runs the program of a stack with the component in the stack's place: the parent of its resources, and what sees them all first. */
    async declare(problems: readonly Problem[]): Promise<Outputs> {
        (state as unknown as StackState).setStackResource(this);
        const outputs = await program(problems);
        this.registerOutputs(outputs);
        return outputs;
    }
}

async function given(input: unknown): Promise<Given> {
    const output = pulumi.output(input) as pulumi.Output<unknown> & Internals;
    const [known, secret] = await Promise.all([output.isKnown, pulumi.isSecret(output)]);
    return { known, secret, value: known ? await output.promise() : undefined };
}

/** Not in the SDK's types, as the next: what resources without a parent belong to, and stack transformations are kept by. */
interface StackState {
    setStackResource(resource: pulumi.Resource): void;
}

/** Of an output that is not known, `apply` would never be called. */
interface Internals {
    readonly isKnown: Promise<boolean>;
    promise(): Promise<unknown>;
}

async function construct(
    name: string,
    type: string,
    inputs: pulumi.Inputs,
    options: pulumi.ComponentResourceOptions,
): Promise<pulumi.provider.ConstructResult> {
    if (type !== token) throw new Error(`found type "${type}"; accepted: ${token}`);
    const file = fileOf(pulumi.getStack());
    try {
        const read = await Promise.all(
            Object.entries(inputs).map(async ([key, input]) => [key, await given(input)] as const),
        );
        const stackConfig = pulumi.runtime.allConfig();
        const { config, secretKeys, problems } = configOf(Object.fromEntries(read), Object.keys(stackConfig));
        pulumi.runtime.setAllConfig({ ...stackConfig, ...config }, [...secretKeys]);
        // Where the program, which Pulumi would start with it, looks it up.
        process.env["PULUMI_CONFIG_SECRET_KEYS"] = JSON.stringify(secretKeys);
        const platform = new Platform(name, options);
        return { urn: platform.urn, state: await platform.declare(problems) };
    } catch (error) {
        throw new Error(asInputs(error instanceof Error ? error.message : String(error), file, name), { cause: error });
    }
}

export const provider: pulumi.provider.Provider = { version, schema: packageSchema(version), construct };
