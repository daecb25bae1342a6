/** Three stacks on one cluster: release 0.46, prod with a database on that one's server, and one that somebody brought there. */
import { mkdirSync } from "node:fs";
import { afterAll, beforeAll, describe } from "vitest";
import { startCluster, stopCluster } from "../../local/cluster/cluster.ts";
import { artifacts, report, spec, toolchain } from "./platform/harness.ts";
import { executedAgain, newerRelease } from "./platform/jobs.ts";
import { elsewhere } from "./platform/newcomer.ts";
import { otherForms } from "./platform/other-forms.ts";
import { prod } from "./platform/prod.ts";
import { stateOnAws } from "./platform/state-on-aws.ts";

beforeAll(async () => {
    mkdirSync(artifacts, { recursive: true });
    // What an interrupted run of this test left.
    await stopCluster(spec, report, { deleteData: true });
    await startCluster(spec, toolchain, report);
});

afterAll(async () => {
    await stopCluster(spec, report, { deleteData: true });
});

// One story: prod's database is on the server of the stack before it.
describe("release 0.46", newerRelease);
describe("its state in a bucket", stateOnAws);
describe("release 0.46, later", executedAgain);
describe("the Kubernetes half of prod", prod);
describe("someone with their own cluster", elsewhere);
describe("its other forms", otherForms);
