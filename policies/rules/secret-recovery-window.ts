import { notInCel, unless } from "../aws.ts";
import type { ResourceRule } from "../rule.ts";
import { number } from "../values.ts";

export const secretRecoveryWindow: ResourceRule = {
    name: "secret-recovery-window",
    level: "mandatory",
    scope: "resource",
    types: ["aws:secretsmanager/secret:Secret"],
    description: "A secret deleted without a recovery window takes with it all that it encrypts.",
    remedy: "Leave recoveryWindowInDays out (30 days), or set it to at least the rule's setting.",
    reference: {
        title: "AWS Secrets Manager: delete a secret",
        url: "https://docs.aws.amazon.com/secretsmanager/latest/userguide/manage_delete-secret.html",
    },
    settings: { days: { type: "integer", description: "Shortest recovery window in days.", default: 7 } },
    notInCel,
    found(resource, settings) {
        const fewest = number(settings["days"]) ?? 7;
        return unless(resource, ["recoveryWindowInDays"], (value) => (number(value) ?? 30) >= fewest);
    },
};
