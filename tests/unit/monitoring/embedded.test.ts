/** What the embedded cluster's monitoring says of the stack is what the stack itself says. */
import { describe, expect, it } from "vitest";
import { monitoredRoles } from "../../../components/monitoring/monitoring.plan";
import { scrapedRoles } from "../../../local/cluster/addons/monitoring/scrape.ts";
import { monitoringSettings } from "../../../local/cluster/monitoring.ts";
import { monitoredStack } from "../../monitored-stack";

describe("the embedded cluster's monitoring", () => {
    it("reads every process that has metrics", () => {
        expect(scrapedRoles).toEqual(monitoredRoles);
    });

    it("gives a stack settings that the program accepts", () => {
        expect(monitoredStack(monitoringSettings).monitoring).toMatchObject(monitoringSettings);
    });
});
