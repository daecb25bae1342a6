import { expect, it } from "vitest";
import { configDocs } from "../../components/config/docs";

// `npm run docs` runs this with --update.
it("docs/config.md is what the schema says", async () => {
    await expect(configDocs()).toMatchFileSnapshot("../../docs/config.md");
});
