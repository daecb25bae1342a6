/**
 * The second enforcer: every pod rule as a ValidatingAdmissionPolicy with its binding, so that what goes round Pulumi
 * (`kubectl run`, a Helm release, another controller) is refused with the same name and message.
 *
 * @see https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/
 */
import { excessesCel, sizesCel } from "./pod-bounds.ts";
import { settingsOf, type ContainerRule, type PodRule, type Rule, type Settings } from "./rule.ts";
import { podSize } from "./rules/pod-size.ts";
import { templatePaths } from "./workloads.ts";

/** Namespaces carry this label to be under the policies. */
export const namespaceLabel = { key: "orcheo.dev/policies", value: "enforced" };

type PodTemplateRule = ContainerRule | PodRule;

export interface AdmissionObject {
    readonly apiVersion: "admissionregistration.k8s.io/v1";
    readonly kind: "ValidatingAdmissionPolicy" | "ValidatingAdmissionPolicyBinding";
    readonly metadata: {
        readonly name: string;
        readonly labels: Readonly<Record<string, string>>;
        readonly annotations?: Readonly<Record<string, string>>;
    };
    readonly spec: Readonly<Record<string, unknown>>;
}

export interface AdmissionOptions {
    /** Settings by rule name, as in the pack's config. */
    readonly settings?: Readonly<Record<string, Settings>>;
    /** Rules with a live exception: they only warn and leave an audit entry, because CEL sees no stack config. */
    readonly excepted?: readonly string[];
    /** Beginning of the objects' names, the rest is the rule's name; default `orcheo-`. */
    readonly prefix?: string;
    /** Labels of the namespaces in which the policies bind; default `namespaceLabel`. */
    readonly namespaces?: Readonly<Record<string, string>>;
}

/** Whether the rule is enforced in the cluster too. */
export function inCluster(rule: Rule): rule is PodTemplateRule {
    return rule.scope === "container" || rule.scope === "pod";
}

const labels = { "app.kubernetes.io/part-of": "orcheo", "app.kubernetes.io/component": "policies" };

const resourceRules = [
    { apiGroups: [""], resources: ["pods", "pods/ephemeralcontainers", "podtemplates", "replicationcontrollers"] },
    { apiGroups: ["apps"], resources: ["deployments", "statefulsets", "daemonsets", "replicasets"] },
    { apiGroups: ["batch"], resources: ["jobs", "cronjobs"] },
].map((rule) => ({ ...rule, apiVersions: ["v1"], operations: ["CREATE", "UPDATE"] }));

/** CEL of the pod template of whatever kind is asked about; the usual place is the last branch. */
function templateCel(): string {
    const usual = templatePaths["Deployment"]?.join(".") ?? "";
    const special = Object.entries(templatePaths).filter(([, path]) => path.join(".") !== usual);
    return special.reduceRight(
        (otherwise, [kind, path]) => `object.kind == "${kind}" ? ${["object", ...path].join(".")} : (${otherwise})`,
        `object.${usual}`,
    );
}

const listed = (key: string): string => `variables.pod.?${key}.orValue([])`;
const containerLists = {
    all: ["containers", "initContainers", "ephemeralContainers"].map(listed).join(" + "),
    lasting: ["containers", "initContainers"].map(listed).join(" + "),
    // An init container that is always restarted is a sidecar.
    running: `${listed("containers")} + ${listed("initContainers")}.filter(i, i.?restartPolicy.orValue("") == "Always")`,
};

const owner = `object.kind + " \\"" + object.metadata.?name.orValue(object.metadata.?generateName.orValue("")) + "\\""`;

/** A text as a CEL string literal. JSON's escapes are CEL's. */
function literal(text: string): string {
    return JSON.stringify(text);
}

/** CEL of a list with one text for each violation, in the words of evaluate.ts. */
function violationsCel(rule: PodTemplateRule): string {
    const { broken } = rule.cel;
    const ofPod = (cel: { readonly broken: string; readonly found: string }): string =>
        `((${cel.broken}) ? [variables.owner + " " + ${cel.found}] : [])`;
    if (rule.scope === "pod") return ofPod(rule.cel);
    const worded = `variables.owner + ", container \\"" + c.name + "\\" " + ${rule.cel.found}`;
    const linux = rule.linuxOnly === true ? `variables.pod.?os.?name.orValue("") != "windows" && ` : "";
    const ofContainers = `(${containerLists[rule.containers]}).filter(c, ${linux}(${broken})).map(c, ${worded})`;
    return rule.ofPod === undefined ? ofContainers : `${ofPod(rule.ofPod.cel)} + ${ofContainers}`;
}

function policy(rule: PodTemplateRule, name: string, settings: Settings): AdmissionObject {
    return {
        apiVersion: "admissionregistration.k8s.io/v1",
        kind: "ValidatingAdmissionPolicy",
        metadata: {
            name,
            labels,
            annotations: { "orcheo.dev/description": rule.description, "orcheo.dev/reference": rule.reference.url },
        },
        spec: {
            failurePolicy: "Fail",
            matchConstraints: { matchPolicy: "Equivalent", resourceRules },
            // What is being deleted must be let go, whatever it once was.
            matchConditions: [{ name: "not-being-deleted", expression: "!has(object.metadata.deletionTimestamp)" }],
            variables: [
                { name: "template", expression: templateCel() },
                { name: "pod", expression: "variables.template.spec" },
                { name: "meta", expression: "variables.template.?metadata.orValue({})" },
                { name: "owner", expression: owner },
                { name: "sizes", expression: sizesCel },
                { name: "small", expression: `${excessesCel}.size() == 0` },
                ...Object.entries(rule.cel.variables?.(settings) ?? {}).map(([key, expression]) => ({
                    name: key,
                    expression,
                })),
                // A pod that is too large is refused by the rule on that alone.
                {
                    name: "violations",
                    expression:
                        rule.name === podSize.name
                            ? violationsCel(rule)
                            : `variables.small ? (${violationsCel(rule)}) : []`,
                },
            ],
            validations: [
                {
                    expression: "variables.violations.size() == 0",
                    messageExpression: `variables.violations.join("; ") + ${literal(`. ${rule.remedy}`)}`,
                    message: rule.remedy,
                    reason: "Forbidden",
                },
            ],
        },
    };
}

function binding(name: string, denies: boolean, namespaces: Readonly<Record<string, string>>): AdmissionObject {
    return {
        apiVersion: "admissionregistration.k8s.io/v1",
        kind: "ValidatingAdmissionPolicyBinding",
        metadata: { name, labels },
        spec: {
            policyName: name,
            validationActions: denies ? ["Deny", "Audit"] : ["Warn", "Audit"],
            matchResources: { namespaceSelector: { matchLabels: namespaces } },
        },
    };
}

/** The policies and bindings of every rule that CEL can express, in the order of the table. */
export function admissionObjects(rules: readonly Rule[], options: AdmissionOptions = {}): readonly AdmissionObject[] {
    const { settings = {}, excepted = [], prefix = "orcheo-" } = options;
    const namespaces = options.namespaces ?? { [namespaceLabel.key]: namespaceLabel.value };
    return rules.filter(inCluster).flatMap((rule) => {
        const name = prefix + rule.name;
        const denies = rule.level === "mandatory" && !excepted.includes(rule.name);
        return [policy(rule, name, settingsOf(rule, settings[rule.name])), binding(name, denies, namespaces)];
    });
}
