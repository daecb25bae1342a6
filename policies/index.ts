import { PolicyPack } from "@pulumi/policy";

import { exceptionsKey } from "./exceptions.ts";
import { policyPack } from "./pack.ts";
import { profileKey, profileNamed } from "./profiles.ts";
import { exceptionsAreCurrent } from "./rules/exceptions-are-current.ts";
import { settingsProblems } from "./settings.ts";
import { checkSettings, hearStackConfig } from "./stack-config.ts";
import { rules } from "./table.ts";
import { unpackOnce } from "./unpack-once.ts";

const stackConfig = hearStackConfig((config) => {
    profileNamed(config(profileKey));
});
let packSettings: unknown;
checkSettings((settings) => {
    packSettings = settings;
    const wrong = settingsProblems(settings, [...rules, exceptionsAreCurrent]);
    if (wrong.length > 0) throw new Error(`the settings of the policy pack are wrong: ${wrong.join("; ")}`);
});
unpackOnce();
new PolicyPack(
    "orcheo",
    policyPack(
        rules,
        () => stackConfig(exceptionsKey),
        new Date(),
        () => stackConfig(profileKey),
        () => packSettings,
    ),
);
