/** Which images are built with the authorities of the network. */
import { existsSync, readFileSync } from "node:fs";
import { rootCertificates } from "node:tls";
import { expect, test } from "vitest";
import { additionalCas, imageNames, planImage } from "../../../components/images/images.plan";
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

const pem = (body: string): string => `-----BEGIN CERTIFICATE-----\n${body}\n-----END CERTIFICATE-----\n`;

test("of a bundle only those are passed that are not public, in its order", () => {
    const [first = "", second = ""] = rootCertificates;
    const bundle = `# the system's\n${first}\n${pem("TUlJ\nQg==")}${second.replaceAll("\n", "\r\n")}\n${pem("TUlJQw==")}`;
    expect(additionalCas(bundle, rootCertificates)).toBe(pem("TUlJ\nQg==") + pem("TUlJQw=="));
});

test("a bundle of public ones is none", () => {
    expect(additionalCas(rootCertificates.join("\n"), rootCertificates)).toBeUndefined();
});
