/** The lives of the other examples and of each way that config offers, all at once: each waits for the provider most of the time. */
import { beforeAll, test } from "vitest";

import { lived, makeExisting, others, type Existing } from "./lives.ts";

let existing: Existing;
beforeAll(async () => {
    existing = await makeExisting();
});

test.concurrent.each(others)(
    "$title is created, stays as it is, and is destroyed but for what is protected",
    async (life) => {
        await lived(life, existing);
    },
);
