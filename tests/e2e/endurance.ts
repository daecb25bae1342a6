/** True in `make endurance`, which adds the long proofs; `make test` shows each promise in its short form. */
export const endurance = process.env.ORCHEO_ENDURANCE === "1";
