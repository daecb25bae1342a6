import { expect, it } from "vitest";
import table from "../../policies/support-ends.json";
import { built, deployed, endOf, versionsDoc } from "../versions-doc";

// `npm run docs` runs this with --update.
it("docs/versions.md is what is pinned", async () => {
    await expect(versionsDoc()).toMatchFileSnapshot("../../docs/versions.md");
});

it.each([...deployed(), ...built()].map((each) => [`${each.name} ${each.version}`, each] as const))(
    "%s is known and supported",
    (_, pinned) => {
        const end = endOf(pinned);
        expect(end).not.toBe("unknown");
        if (end !== undefined) expect(end >= table.asOf, `support ended on ${end}`).toBe(true);
    },
);
