/** The whole platform, from `make up` to `pulumi destroy`, as a newcomer, an operator and an attacker meet it. */
import { mkdirSync } from "node:fs";
import { afterAll, beforeAll, describe } from "vitest";
import { stopCluster } from "../../local/cluster/cluster.ts";
import { inPod, withKubectl } from "./platform/attacker.ts";
import { endurance } from "./endurance.ts";
import { backup } from "./platform/backup.ts";
import { badInput } from "./platform/bad-input.ts";
import { anotherVaultKey, damagedFile } from "./platform/damage.ts";
import { artifacts, report, spec } from "./platform/harness.ts";
import { lostState } from "./platform/lost-state.ts";
import { mainJob, withoutDatabase } from "./platform/jobs.ts";
import { endedByHand, loseRuns, lostRuns } from "./platform/lost-runs.ts";
import { newcomer } from "./platform/newcomer.ts";
import { destroy, load, refusedUpgrade, secondRun } from "./platform/operator.ts";
import { person } from "./platform/person.ts";
import { signsIn } from "./platform/sign-in.ts";
import { secondStack } from "./platform/second-stack.ts";

beforeAll(async () => {
    mkdirSync(artifacts, { recursive: true });
    // What an interrupted run of this test left.
    await stopCluster(spec, report, { deleteData: true });
});

afterAll(async () => {
    await stopCluster(spec, report, { deleteData: true });
});

// One story: each part finds the stack as the one before it left it.
describe("a newcomer", newcomer);
describe("a person signs in", signsIn);
describe("a person in a browser", person);
describe("the main job", mainJob);
describe("runs that lose their worker or their message", loseRuns);
describe("without its database", withoutDatabase);
describe("runs that were lost", lostRuns);
if (endurance) describe("a damaged append-only file", damagedFile);
describe("another vault key", anotherVaultKey);
describe("a second run", secondRun);
describe("a second stack", secondStack);
describe("a run that was ended by hand", endedByHand);
describe("an attacker in a pod", inPod);
describe("an attacker with kubectl", withKubectl);
describe("bad input is refused with its reason, and nothing changes", badInput);
describe("a busy day", load);
describe("a backup", backup);
describe("the step from 0.33 to 0.46", refusedUpgrade);
if (endurance) describe("a lost state", lostState);
describe("the end", destroy);
