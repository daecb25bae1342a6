/** Before each file: asks for the cluster, and waits for it. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { inject } from "vitest";
import type { Answer } from "./cluster.ts";

const folder = inject("verdictsFolder");
const file = join(folder, "cluster.json");
writeFileSync(join(folder, "wanted"), "");
while (!existsSync(file)) await sleep(500);
const answer = JSON.parse(readFileSync(file, "utf8")) as Answer;
if ("failed" in answer) throw new Error(answer.failed);
Object.assign(process.env, answer.variables);
