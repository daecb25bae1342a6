import { control, nist, notInCel, unless } from "../aws.ts";
import type { ResourceRule } from "../rule.ts";
import { at, number, UNKNOWN } from "../values.ts";

export const logRetention: ResourceRule = {
    name: "log-retention",
    level: "mandatory",
    scope: "resource",
    types: ["aws:cloudwatch/logGroup:LogGroup"],
    description: "Logs kept too short miss the incident; logs kept forever are paid for, and leak, forever.",
    remedy: "Set retentionInDays within the rule's settings.",
    reference: control("CloudWatch.16", nist),
    settings: {
        fewest: { type: "integer", description: "Fewest days.", default: 30 },
        most: { type: "integer", description: "Most days.", default: 3653 },
    },
    notInCel,
    found(resource, settings) {
        // AWS keeps what is only passed on for two days, and takes no other number.
        const logClass = at(resource.props, "logGroupClass");
        if (logClass === "DELIVERY" || logClass === UNKNOWN) return [];
        const [fewest, most] = [number(settings["fewest"]) ?? 30, number(settings["most"]) ?? 3653];
        return unless(resource, ["retentionInDays"], (value) => {
            const days = number(value) ?? 0;
            return days >= fewest && days <= most;
        });
    },
};
