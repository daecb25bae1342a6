/**
 * Two slots take turns: a new generation only changes the unused slot. Running pods keep their password, which
 * stays valid until the generation after, and is restarted one pod at a time with the new one.
 */
export interface Slot {
    readonly slot: "a" | "b";
    readonly generation: number;
}

/** The slot that is to be used, and the one before; docs/decisions/password-rotation.md says why. */
export function planSlots(generation: number): { readonly current: Slot; readonly previous?: Slot } {
    const slotOf = (number: number): Slot => ({ slot: number % 2 === 1 ? "a" : "b", generation: number });
    return { current: slotOf(generation), ...(generation > 1 && { previous: slotOf(generation - 1) }) };
}
