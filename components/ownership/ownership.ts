import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import { madeByAws } from "../config/kinds";
import { ConfigError, fileOf, type Problem } from "../config/problems";
import type { Stack } from "../config/schema";
import { isClusterError, objectPath, type ClusterContext } from "../kubernetes/cluster-api";
import { contextOf } from "../kubernetes/made-cluster";
import type { Recorded, RecordedObject } from "../kubernetes/recorded.plan";
import { machine } from "../machine";
import {
    declaredAs,
    existing,
    explained,
    keptMetadata,
    labelled,
    pulumiManager,
    withReplicas,
    type Properties,
} from "./declared";
import { describedAs } from "./descriptions.plan";
import { takenBack, type Reapplied } from "./overrides";
import { forceKey, missingMessage, reappliedKey } from "./overrides.plan";
import {
    asDeclared,
    declaredTwice,
    foreignOwner,
    markOf,
    ownerKey,
    ownershipProblems,
    pathOf,
    type Declared,
    type Foreign,
} from "./ownership.plan";

type OwnerSettings = Pick<Stack, "aws" | "kubernetes">;

/**
 * Marks every object of the cluster that has a fixed name as this stack's, and lets nothing be changed before it is certain that none of them is
 * another stack's. The first resource of the program: it sees all that are declared after it.
 *
 * An update may then override what others have changed on the stack's own objects.
 *
 * @see https://www.pulumi.com/registry/packages/kubernetes/how-to-guides/managing-resources-with-server-side-apply/
 */
export class Ownership extends pulumi.ComponentResource {
    private readonly stack: OwnerSettings;
    private readonly declared: Declared[] = [];
    private home: pulumi.Resource | undefined;
    private open: (proof: Proof) => void = () => undefined;
    /** Settled once nothing stands against the update. */
    private readonly proof = new Promise<Proof>((open) => {
        this.open = open;
    });

    constructor(name: string, { stack }: { readonly stack: OwnerSettings }, opts?: pulumi.ComponentResourceOptions) {
        super("orcheo:index:Ownership", name, {}, opts);
        this.stack = stack;
        const self = {
            organization: pulumi.getOrganization(),
            project: pulumi.getProject(),
            stack: pulumi.getStack(),
        };
        pulumi.runtime.registerStackTransformation((resource) => this.transformed(resource, mark));
        // Protected: what outlives a `pulumi destroy --exclude-protected` bears its mark.
        const gate = madeByAws(stack) ? {} : { dependsOn: this.proof.then(() => []) };
        const { result } = new random.RandomUuid(name, {}, { parent: this, protect: true, ...gate });
        const mark = result.apply((id) => markOf(self, id));
        this.registerOutputs({});
    }

    private transformed(
        { resource, name, type, props, opts }: pulumi.ResourceTransformationArgs,
        mark: pulumi.Output<string>,
    ): pulumi.ResourceTransformationResult | undefined {
        const custom = opts as pulumi.CustomResourceOptions;
        const inCluster = type.startsWith("kubernetes:");
        // The cluster may first have to be made.
        if (!(resource instanceof pulumi.CustomResource) || (madeByAws(this.stack) && !inCluster)) return undefined;
        // The engine's client also takes what is nested deeper than its types say.
        // Of two stacks that create the namespace at the same time, one fails there: it is to have changed nothing else.
        const after = inCluster && this.home !== undefined ? [this.home] : [];
        const dependsOn = this.proof.then(() => [opts.dependsOn ?? [], ...after] as pulumi.Input<pulumi.Resource>[]);
        const gated = { ...opts, dependsOn };
        // What is only read is someone else's.
        if (!inCluster || custom.id !== undefined) return { props: props, opts: gated };
        if (type === namespaceType) this.home = resource;
        const own = (props as Properties).metadata?.name;
        const ignored = { ignoreChanges: [...(opts.ignoreChanges ?? []), ...keptMetadata(type, own)] };
        const described = describedAs(type.split(":").at(-1) ?? "", typeof own === "string" ? own : name);
        const complete = explained(labelled(props, described), described);
        return { props: this.marked(type, complete, mark), opts: { ...gated, ...ignored } };
    }

    private marked(type: string, props: Properties, mark: pulumi.Output<string>): pulumi.Inputs {
        const { name, namespace, annotations } = props.metadata ?? {};
        // Nobody else has a generated name; and a Secret with one is replaced with whatever changes in it.
        if (typeof name !== "string") return props;
        const declared = declaredAs(type, name, namespace, this.stack);
        this.declared.push(declared);
        const { adopt } = this.stack.kubernetes;
        return {
            ...props,
            ...withReplicas(
                type,
                props,
                this.found(({ replicas }) => replicas, declared),
            ),
            metadata: {
                ...props.metadata,
                annotations: pulumi.output(annotations).apply((own) => ({
                    ...own,
                    [ownerKey]: mark,
                    // The fields of the stack's own objects are the stack's, whoever has set them since.
                    [forceKey]:
                        type !== namespaceType || adopt !== undefined
                            ? "true"
                            : this.found(({ forced }) => forced, declared),
                    // As the former owner: a field that it set and this stack does not goes away.
                    ...(adopt !== undefined && { [managerKey]: this.found(({ managers }) => managers, declared) }),
                    [reappliedKey]: this.found(({ reapplied }) => reapplied, declared),
                })),
            },
        };
    }

    private found<T>(of: (proof: Proof) => ReadonlyMap<string, T>, declared: Declared): pulumi.Output<T | undefined> {
        return pulumi.output(this.proof.then((proof) => of(proof).get(pathOf(declared)))) as pulumi.Output<
            T | undefined
        >;
    }

    /**
     * Call it once all resources are declared.
     *
     * @param kubeconfig  of a cluster that is made in the same update
     * @throws pulumi.RunError when an object of that name is another owner's; nothing has been changed then
     */
    async proven(kubeconfig?: pulumi.Output<string>): Promise<void> {
        refuse(declaredTwice(this.declared));
        const where = await contextOf(this.stack, kubeconfig);
        this.open(where === undefined ? nothing : await this.examined(where));
    }

    private async examined(where: ClusterContext): Promise<Proof> {
        const known = await machine.recorded();
        try {
            const cluster = await machine.cluster(where);
            const { adopt, namespace } = this.stack.kubernetes;
            const [found, home] = await Promise.all([
                Promise.all(this.declared.map((each) => existing(each, cluster))),
                cluster.metadata(objectPath("v1", "Namespace", namespace)),
            ]);
            const objects = found.filter((each) => each !== undefined);
            const foreign = objects.flatMap((object): Foreign[] => {
                const owner = foreignOwner(object, known);
                return owner === undefined ? [] : [{ object, owner }];
            });
            const problems = ownershipProblems(foreign, adopt, home?.metadata.uid);
            refuse(problems);
            if (adopt !== undefined && foreign.length === 0)
                void pulumi.log.info("orcheo:stack.kubernetes.adopt has nothing left to take over: remove it");
            const recorded = this.recorded(known);
            const paths = new Set(objects.map((object) => pathOf(asDeclared(object))));
            const missing = missingMessage([...recorded.values()].filter((each) => !paths.has(pathOf(each))));
            if (missing !== undefined) void pulumi.log.warn(missing);
            return {
                managers: new Map(foreign.map(({ object }) => [pathOf(asDeclared(object)), pulumiManager(object)])),
                ...(await takenBack(objects, recorded, cluster)),
            };
        } catch (error) {
            if (!isClusterError(error)) throw error;
            // Said before, by the preflight.
            if (pulumi.runtime.isDryRun()) return { ...nothing, ...(await takenBack([], this.recorded(known))) };
            throw new pulumi.RunError(
                `nothing was changed in the cluster, as its owner is not certain: ${error.message}`,
            );
        }
    }

    /** What the state has of the declared objects, by path. */
    private recorded({ objects }: Recorded): ReadonlyMap<string, RecordedObject> {
        const declared = new Set(this.declared.map(pathOf));
        return new Map(objects.map((each) => [pathOf(each), each] as const).filter(([path]) => declared.has(path)));
    }
}

/** What is known of the cluster's objects, by path. */
interface Proof extends Reapplied {
    /** Field managers of what is adopted. */
    readonly managers: ReadonlyMap<string, string>;
}
const nothing: Proof = { managers: new Map(), reapplied: new Map(), replicas: new Map(), forced: new Map() };

/** @throws pulumi.RunError with every problem, if there is any */
export function refuse(problems: readonly Problem[]): void {
    if (problems.length > 0) throw new pulumi.RunError(new ConfigError(fileOf(pulumi.getStack()), problems).message);
}

const namespaceType = "kubernetes:core/v1:Namespace";
const managerKey = "pulumi.com/patchFieldManager";
