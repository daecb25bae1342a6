import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import { madeByAws } from "../config/kinds";
import { ConfigError, fileOf, type Problem } from "../config/problems";
import type { Stack } from "../config/schema";
import {
    isClusterError,
    objectPath,
    type ClusterApi,
    type ClusterContext,
    type KubernetesObject,
} from "../kubernetes/cluster-api";
import { instanceOf } from "../kubernetes/labels";
import type { Recorded } from "../kubernetes/recorded.plan";
import { machine } from "../machine";
import { overrideMessage } from "./overrides.plan";
import {
    declaredTwice,
    foreignOwner,
    isPulumi,
    managersOf,
    markOf,
    ownerKey,
    ownershipProblems,
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
    private open: (managers: ReadonlyMap<string, string>) => void = () => undefined;
    /** Field managers of what is adopted, by path; settled once nothing stands against the update. */
    private readonly proof = new Promise<ReadonlyMap<string, string>>((open) => {
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
        { resource, type, props, opts }: pulumi.ResourceTransformationArgs,
        mark: pulumi.Output<string>,
    ): pulumi.ResourceTransformationResult | undefined {
        const custom = opts as pulumi.CustomResourceOptions;
        const inCluster = type.startsWith("kubernetes:");
        // The cluster may first have to be made.
        if (!(resource instanceof pulumi.CustomResource) || (madeByAws(this.stack) && !inCluster)) return undefined;
        // The engine's client also takes what is nested deeper than its types say.
        const dependsOn = this.proof.then(() => [opts.dependsOn ?? []] as pulumi.Input<pulumi.Resource>[]);
        const gated = { ...opts, dependsOn };
        // What is only read is somebody else's.
        if (!inCluster || custom.id !== undefined) return { props: props, opts: gated };
        // A Secret with a generated name would be replaced, and its pods restarted, for a label.
        const generated = (props as Properties).metadata?.name === undefined;
        const labels = generated ? { ignoreChanges: [...(opts.ignoreChanges ?? []), "metadata.labels"] } : {};
        return { props: this.marked(type, labelled(props), mark), opts: { ...gated, ...labels } };
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
            metadata: {
                ...props.metadata,
                annotations: pulumi.output(annotations).apply((own) => ({
                    ...own,
                    [ownerKey]: mark,
                    // The fields of the stack's own objects are the stack's, whoever has set them since.
                    "pulumi.com/patchForce": "true",
                    // As the former owner: a field that it set and this stack does not goes away.
                    ...(adopt !== undefined && { [managerKey]: this.manager(declared) }),
                })),
            },
        };
    }

    private manager(declared: Declared): pulumi.Output<string | undefined> {
        return pulumi.output(this.proof.then((managers) => managers.get(pathOf(declared))));
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
        this.open(where === undefined ? new Map() : await this.examined(where));
    }

    private async examined(where: ClusterContext): Promise<ReadonlyMap<string, string>> {
        try {
            const cluster = await machine.cluster(where);
            const known = await machine.recorded();
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
            await Promise.all(objects.map((object) => warnOfOverrides(object, known, cluster)));
            if (adopt !== undefined && foreign.length === 0)
                void pulumi.log.info("orcheo:stack.kubernetes.adopt has nothing left to take over: remove it");
            return new Map(foreign.map(({ object }) => [pathOf(asDeclared(object)), pulumiManager(object)]));
        } catch (error) {
            if (!isClusterError(error)) throw error;
            // Said before, by the preflight.
            if (pulumi.runtime.isDryRun()) return new Map();
            throw new pulumi.RunError(
                `nothing was changed in the cluster, as its owner is not certain: ${error.message}`,
            );
        }
    }
}

/** @throws pulumi.RunError with every problem, if there is any */
export function refuse(problems: readonly Problem[]): void {
    if (problems.length > 0) throw new pulumi.RunError(new ConfigError(fileOf(pulumi.getStack()), problems).message);
}

const managerKey = "pulumi.com/patchFieldManager";

/** With the label that tells the objects of one stack from those of another; selectors do not use it. */
function labelled(props: Properties): Properties {
    const instance = instanceOf(pulumi.getProject(), pulumi.getStack());
    const labels = pulumi
        .output(props.metadata?.labels)
        .apply((own) => ({ ...own, "app.kubernetes.io/instance": instance }));
    return { ...props, metadata: { ...props.metadata, labels } };
}

interface Properties {
    readonly metadata?: {
        readonly name?: unknown;
        readonly labels?: pulumi.Input<Record<string, pulumi.Input<string>>>;
        readonly namespace?: unknown;
        readonly annotations?: pulumi.Input<Record<string, pulumi.Input<string>>>;
    };
    readonly [property: string]: unknown;
}

/** @param type  such as `kubernetes:apps/v1:Deployment`, `kubernetes:core/v1:Secret` */
function declaredAs(
    type: string,
    name: string,
    namespace: unknown,
    { kubernetes }: Pick<Stack, "kubernetes">,
): Declared {
    const [, group = "", kind = ""] = type.split(":");
    const apiVersion = group.replace(/^core\//, "");
    if (namespace === undefined) return { apiVersion, kind, name };
    // An output is the namespace's own name.
    return { apiVersion, kind, name, namespace: typeof namespace === "string" ? namespace : kubernetes.namespace };
}

const pathOf = ({ apiVersion, kind, name, namespace }: Declared): string =>
    objectPath(apiVersion, kind, name, namespace);

const asDeclared = ({ apiVersion = "", kind = "", metadata: { name, namespace } }: KubernetesObject): Declared => ({
    ...{ apiVersion, kind, name, namespace },
});

async function existing(declared: Declared, cluster: ClusterApi): Promise<KubernetesObject | undefined> {
    const { apiVersion, kind } = declared;
    const object = await cluster.metadata(pathOf(declared));
    // Metadata alone comes as a kind of its own.
    return object === undefined ? undefined : { ...object, apiVersion, kind };
}

async function warnOfOverrides(object: KubernetesObject, { objects }: Recorded, cluster: ClusterApi): Promise<void> {
    const recorded = objects.find(({ uid }) => uid !== undefined && uid === object.metadata.uid);
    const others = managersOf(object).some(
        ({ manager, subresource }) => !isPulumi(manager) && subresource !== "status",
    );
    if (recorded === undefined || !others || object.kind === "Secret") return;
    const whole = await cluster.get(pathOf(asDeclared(object)));
    const message = whole === undefined ? undefined : overrideMessage(whole, recorded);
    if (message !== undefined) void pulumi.log.warn(message);
}

function pulumiManager(object: KubernetesObject): string {
    const applied = managersOf(object).filter(({ manager, operation }) => isPulumi(manager) && operation === "Apply");
    return applied.at(-1)?.manager ?? "orcheo";
}

/** Undefined while the cluster is not known. */
async function contextOf(
    stack: OwnerSettings,
    kubeconfig?: pulumi.Output<string>,
): Promise<ClusterContext | undefined> {
    const { context } = stack.kubernetes;
    if (!madeByAws(stack)) return stack.kubernetes;
    if (kubeconfig === undefined) return undefined;
    const output = kubeconfig as unknown as { isKnown: Promise<boolean>; promise(): Promise<string> };
    const text = await output.promise();
    return (await output.isKnown) ? { context, kubeconfig: text } : undefined;
}
