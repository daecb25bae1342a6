import { expect, it } from "vitest";
import table from "../../policies/support-ends.json";
import { built, deployed, endOf, versionsDoc } from "../versions-doc";

// `npm run docs` runs this with --update.
it("docs/versions.md is what is pinned", async () => {
    await expect(versionsDoc()).toMatchFileSnapshot("../../docs/versions.md");
});

/** Past their end, and why they are still here. */
const overdue: Readonly<Record<string, string>> = {
    containerd: "runs the embedded cluster only; 2.3.7 is next",
};

it.each([...deployed(), ...built()].map((each) => [`${each.name} ${each.version}`, each] as const))(
    "%s is known and supported",
    (_, pinned) => {
        const end = endOf(pinned);
        expect(end).not.toBe("unknown");
        if (end !== undefined)
            expect(end >= table.asOf || pinned.name in overdue, `support ended on ${end}`).toBe(true);
    },
);
