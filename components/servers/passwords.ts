import type * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import { planSlots, type Slot } from "./passwords.plan";

export interface SlotPassword extends Slot {
    readonly password: pulumi.Output<string>;
}

/** The passwords that are valid in a generation. Not protected: a new generation replaces one. */
export function rotatingPasswords(
    name: string,
    generation: number,
    opts: pulumi.CustomResourceOptions,
): { readonly current: SlotPassword; readonly previous?: SlotPassword } {
    const { current, previous } = planSlots(generation);
    const withPassword = (slot: Slot): SlotPassword => {
        const args = { length: 40, special: false, keepers: { generation: String(slot.generation) } };
        return { ...slot, password: new random.RandomPassword(`${name}-${slot.slot}`, args, opts).result };
    };
    return { current: withPassword(current), ...(previous !== undefined && { previous: withPassword(previous) }) };
}
