import { expect, it } from "vitest";
import { files } from "../../../compose/files";

// `npm run compose` runs this with --update.
it.each(Object.entries(files()))("compose/%s is what the plans say", async (file, text) => {
    await expect(text).toMatchFileSnapshot(`../../../compose/${file}`);
});
