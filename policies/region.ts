/** The AWS region of a resource, as far as the engine or a stack's export shows it. */
import type { Resource } from "./rule.ts";
import { at, text } from "./values.ts";

/** Of `eu-central-1a` as well; undefined for local zones and whatever else is no zone of a region. */
function ofZone(zone: unknown): string | undefined {
    return /^([a-z]{2}(?:-[a-z]+)+-\d)[a-z]$/.exec(text(zone) ?? "")?.[1];
}

/** Global services have none in their ARNs. */
function ofArn(arn: unknown): string | undefined {
    const [scheme, , , region] = (text(arn) ?? "").split(":");
    return scheme === "arn" && region !== "" ? region : undefined;
}

/** The region of a resource: its own, or else its provider's. Undefined while it is not known. */
export function regionOf({ type, props, provider }: Resource): string | undefined {
    if (!type.startsWith("aws:") && type !== "pulumi:providers:aws") return undefined;
    return (
        text(at(props, "region")) ??
        ofZone(at(props, "availabilityZone")) ??
        ofArn(at(props, "arn")) ??
        text(at(provider, "region"))
    );
}

/** The region of all resources that have one; undefined where they have several. */
export function soleRegion(resources: readonly Resource[]): string | undefined {
    const [region, ...others] = new Set(resources.map(regionOf).filter((each) => each !== undefined));
    return others.length === 0 ? region : undefined;
}
