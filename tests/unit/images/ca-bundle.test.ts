/** Which images are built with the authorities of the network. */
import { existsSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { imageNames, planImage } from "../../../components/images/images.plan";
import { parseStack } from "../../../components/stack/read";
import { settingsOf } from "../../harness";

const caBundleFile = "network.pem";
const settings = {
    ...settingsOf("dev"),
    database: { kind: "statefulset", pooler: { kind: "pgbouncer" } },
    images: { kind: "build", caBundleFile },
};
const { stack, problems } = parseStack({ stack: "dev", keys: [], json: JSON.stringify(settings), secret: false });
if (stack === undefined) throw new Error(JSON.stringify(problems));

test.each(imageNames({ ...stack, backup: {} }))("%s gets them exactly if its Dockerfile mounts them", (name) => {
    const file = `images/${name}/Dockerfile`;
    expect(existsSync(file)).toBe(true);
    const mounts = readFileSync(file, "utf8").includes("type=secret,id=ca-bundle");
    const plan = planImage(name, stack);
    expect(plan.kind === "build" && plan.caBundleFile).toBe(mounts ? caBundleFile : undefined);
});
