/** Every rule of the pack, in the order of docs/policies.md. A rule that is not listed here does not exist. */
import type { Rule } from "./rule.ts";
import { appArmorProfile } from "./rules/app-armor-profile.ts";
import { defaultProcMount } from "./rules/default-proc-mount.ts";
import { dropAllCapabilities } from "./rules/drop-all-capabilities.ts";
import { graceCoversPreStop } from "./rules/grace-covers-pre-stop.ts";
import { imageByDigest } from "./rules/image-by-digest.ts";
import { imageRegistry } from "./rules/image-registry.ts";
import { noAddedCapabilities } from "./rules/no-added-capabilities.ts";
import { noHostNamespaces } from "./rules/no-host-namespaces.ts";
import { noHostPath } from "./rules/no-host-path.ts";
import { noHostPorts } from "./rules/no-host-ports.ts";
import { noPrivilegeEscalation } from "./rules/no-privilege-escalation.ts";
import { noPrivilegedContainers } from "./rules/no-privileged-containers.ts";
import { noSecretLiterals } from "./rules/no-secret-literals.ts";
import { noSharedProcessNamespace } from "./rules/no-shared-process-namespace.ts";
import { noTokenAutomount } from "./rules/no-token-automount.ts";
import { nonZeroUid } from "./rules/non-zero-uid.ts";
import { probesOnWhatServes } from "./rules/probes-on-what-serves.ts";
import { readOnlyRootFilesystem } from "./rules/read-only-root-filesystem.ts";
import { requestsAndLimits } from "./rules/requests-and-limits.ts";
import { runAsNonRoot } from "./rules/run-as-non-root.ts";
import { safeSysctls } from "./rules/safe-sysctls.ts";
import { seccompProfile } from "./rules/seccomp-profile.ts";
import { secretsAsFiles } from "./rules/secrets-as-files.ts";
import { selinuxOptions } from "./rules/selinux-options.ts";

export const rules: readonly Rule[] = [
    runAsNonRoot,
    nonZeroUid,
    readOnlyRootFilesystem,
    noPrivilegeEscalation,
    noPrivilegedContainers,
    dropAllCapabilities,
    noAddedCapabilities,
    seccompProfile,
    imageByDigest,
    imageRegistry,
    defaultProcMount,
    safeSysctls,
    appArmorProfile,
    selinuxOptions,
    noHostNamespaces,
    noHostPath,
    noHostPorts,
    noTokenAutomount,
    noSharedProcessNamespace,
    requestsAndLimits,
    probesOnWhatServes,
    graceCoversPreStop,
    noSecretLiterals,
    secretsAsFiles,
];
