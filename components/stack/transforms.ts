import * as pulumi from "@pulumi/pulumi";
import type { Problem } from "../config/problems";
import { refuse } from "../ownership/ownership";
import { isMeant, patched, type Transform } from "./transforms.plan";

interface Metadata {
    readonly name?: unknown;
    readonly labels?: unknown;
}

/**
 * Applies `transforms` to every object of the cluster that the program declares. Made before the first of them.
 *
 * Call `proven` once all are declared: a transform that met no object is a mistake, most often of a name.
 */
export class Transforms {
    private readonly declared: { readonly kind: string; readonly names: readonly string[] }[] = [];
    private readonly found: Problem[] = [];

    constructor(private readonly transforms: readonly Transform[]) {
        if (transforms.length === 0) return;
        pulumi.runtime.registerStackTransformation(({ resource, type, props, opts }) => {
            const custom = opts as pulumi.CustomResourceOptions;
            if (!(resource instanceof pulumi.CustomResource) || !type.startsWith("kubernetes:")) return undefined;
            // An object that is only read belongs to another owner.
            return custom.id === undefined ? { props: this.transformed(type, props), opts } : undefined;
        });
    }

    private transformed(type: string, props: pulumi.Inputs): pulumi.Inputs {
        const [, , kind = ""] = type.split(":");
        const { name, labels } = (props["metadata"] ?? {}) as Metadata;
        const component = (labels as Record<string, unknown> | undefined)?.["app.kubernetes.io/component"];
        const names = [name, component].filter((each) => typeof each === "string");
        this.declared.push({ kind, names });
        return this.transforms.reduce<pulumi.Inputs>((inputs, transform, index) => {
            if (!isMeant(transform, { kind, names })) return inputs;
            const wrong = (found: string, own: readonly string[]): void => {
                this.found.push({
                    at: `orcheo:stack.transforms[${index}].patch`,
                    found: `${kind} "${names[0] ?? ""}" ${found}`,
                    remedy: `its own are ${own.join(", ") || "none"}`,
                });
            };
            return patched(inputs, transform, wrong) as pulumi.Inputs;
        }, props);
    }

    /** @throws pulumi.RunError when a patch found nothing to change; nothing has been changed in the cluster so far */
    proven(): void {
        refuse(this.problems());
    }

    private problems(): readonly Problem[] {
        const unmet = this.transforms.flatMap((transform, index): Problem[] => {
            if (this.declared.some((object) => isMeant(transform, object))) return [];
            const names = this.declared.filter(({ kind }) => kind === transform.kind).map(({ names: [name] }) => name);
            return [
                {
                    at: `orcheo:stack.transforms[${index}]`,
                    found: `the stack has no ${transform.kind} ${transform.name === undefined ? "at all" : `"${transform.name}"`}`,
                    remedy: `accepted: ${[...new Set(names)].join(", ") || "a kind that this stack has"}`,
                },
            ];
        });
        return [...unmet, ...this.found];
    }
}
