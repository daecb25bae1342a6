import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { Stack } from "../config/schema";
import { imageNames, type ImageName } from "../images/images.plan";
import { objectPath, type ClusterContext } from "../kubernetes/cluster-api";
import { objectLabels } from "../kubernetes/labels";
import { contextOf } from "../kubernetes/made-cluster";
import { machine } from "../machine";
import { refuse } from "../ownership/ownership";
import {
    differingSettings,
    isLatest,
    latestKey,
    latestText,
    rollbackProblems,
    settingsKey,
    settingsText,
    shownUpdate,
    updatesIn,
    updatesKey,
    updatesName,
    updatesText,
    withUpdate,
    type Running,
    type Update,
} from "./updates.plan";

type UpdateSettings = Pick<Stack, "aws" | "backup" | "database" | "kubernetes" | "release" | "rollbackTo" | "version">;

async function recordedUpdates(where: ClusterContext, namespace: string): Promise<readonly Update[]> {
    const cluster = await machine.cluster(where);
    return updatesIn(await cluster.get(objectPath("v1", "ConfigMap", updatesName, namespace)));
}

/**
 * The images of the update that `rollbackTo` names, by image; undefined when the stack does not go back. Says what else differs from
 * that update.
 *
 * @param settings  `orcheo:stack` as it is written; undefined when it holds a secret
 * @param kubeconfig  of a cluster that AWS makes
 * @throws pulumi.RunError when no such update is recorded, or it does not fit
 */
export async function earlierImages(
    stack: UpdateSettings,
    settings: unknown,
    kubeconfig?: pulumi.Output<string>,
): Promise<Readonly<Record<ImageName, string>> | undefined> {
    const { rollbackTo, kubernetes } = stack;
    if (rollbackTo === undefined) return undefined;
    const where = await contextOf(stack, kubeconfig);
    if (where === undefined)
        throw new pulumi.RunError(
            "orcheo:stack.rollbackTo: no update is recorded, as the cluster does not exist yet; leave it out",
        );
    const updates = await recordedUpdates(where, kubernetes.namespace);
    refuse(rollbackProblems({ ...stack, rollbackTo }, updates, imageNames(stack)));
    const target = updates.find(({ number }) => number === rollbackTo);
    if (target === undefined) throw new Error(`update ${rollbackTo} is missing`);
    const known = settings !== undefined && target.settings !== undefined;
    const differing = known ? differingSettings(target.settings, settings) : [];
    const rest =
        differing.length === 0
            ? ""
            : ` Settings that differ from that update and stay as they are now: ${differing.join(", ")}.`;
    void pulumi.log.info(
        `the images are those of ${shownUpdate(target)}, and nothing is built. To build again, remove orcheo:stack.rollbackTo.${rest}`,
    );
    return target.images as Record<ImageName, string>;
}

export interface UpdatesArgs {
    readonly stack: UpdateSettings;
    readonly namespace: pulumi.Input<string>;
    readonly images: Readonly<Record<ImageName, pulumi.Output<string> | undefined>>;
    /** `orcheo:stack` as it is written; undefined when it holds a secret. */
    readonly settings: unknown;
    readonly kubeconfig?: pulumi.Output<string>;
}

/**
 * Records what each successful update ran. Let it depend on everything that has to have succeeded.
 *
 * An update with the images and settings of the latest is not recorded again.
 */
export class Updates extends pulumi.ComponentResource {
    constructor(name: string, args: UpdatesArgs, opts?: pulumi.ComponentResourceOptions) {
        super("orcheo:index:Updates", name, {}, opts);
        const { stack, namespace, images, settings, kubeconfig } = args;
        const { release, version, kubernetes } = stack;
        const text = pulumi.all([pulumi.all(images), kubeconfig]).apply(async ([references, made]): Promise<string> => {
            const given = Object.entries<string | undefined>(references).flatMap(([image, reference]) =>
                reference === undefined ? [] : [[image, reference] as const],
            );
            const running: Running = {
                ...{ version, release, commit: machine.commit(), settings },
                images: Object.fromEntries(given),
            };
            const where = made === undefined ? kubernetes : { context: kubernetes.context, kubeconfig: made };
            const updates = await recordedUpdates(where, kubernetes.namespace).catch(silentInPreviews);
            if (updates !== undefined && isLatest(updates, running)) return updatesText(updates);
            // Its time is not known before it succeeds.
            if (updates === undefined || pulumi.runtime.isDryRun()) return pulumi.unknown as unknown as string;
            return updatesText(withUpdate(updates, running, new Date()));
        });
        new k8s.core.v1.ConfigMap(
            name,
            {
                metadata: { name: updatesName, namespace, labels: objectLabels() },
                data: {
                    ...{ [updatesKey]: text, [latestKey]: text.apply(latestText) },
                    ...(settings !== undefined && { [settingsKey]: settingsText(settings) }),
                },
            },
            { parent: this },
        );
        this.registerOutputs({});
    }
}

/** A preview goes on without the cluster. */
function silentInPreviews(error: unknown): undefined {
    if (!pulumi.runtime.isDryRun()) throw error;
    return undefined;
}
