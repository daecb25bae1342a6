/**
 * Finds pods in objects of any kind by their shape: custom resources keep pod templates, containers and settings of pods
 * in places of their own (KEDA, Argo, Ray, Kubeflow, Tekton, Spark, JobSet and any that comes later).
 */
import { kindOf, templatePathOf, tokenOf, typeOf } from "./kinds.ts";
import { at, fields, isObject, list, text, unknownText, type Fields } from "./values.ts";

export interface Container {
    readonly name: string;
    readonly role: "container" | "initContainer" | "ephemeralContainer";
    readonly spec: Fields;
}

export interface Shape {
    /** Where it stands in the object, such as `spec.templates[0]`. */
    readonly path: string;
    readonly spec: Fields;
    readonly metadata: Fields;
    readonly containers: readonly Container[];
}

export interface Search {
    readonly shapes: readonly Shape[];
    /** Whether all of the object was seen: not so when it is deeper or larger than the API server stores. */
    readonly complete: boolean;
}

const deepest = 64;
const mostObjects = 300_000;

/** Groups whose objects hold patterns, schemas or charts in the shape of pods, and no pods. */
const noPods =
    /^(apiextensions\.k8s\.io|admissionregistration\.k8s\.io|(.+\.)?kyverno\.io|(.+\.)?gatekeeper\.sh|(.+\.)?kubewarden\.io|helm\.sh|yaml|kustomize)$/;
/** Groups whose containers run in a cloud's own services. Objects of Kubernetes inside are pods all the same. */
const clouds =
    /^(?!pkg\.crossplane\.io$)(.+\.)?(crossplane\.io|upbound\.io|cnrm\.cloud\.google\.com|services\.k8s\.aws|azure\.com|alibabacloud\.com)$/;
/** Parts of any object that describe no pods: schemas, and the values of charts. */
const ignored = ["openAPIV3Schema", "managedFields", "values", "valuesObject"];

const lists = [
    ["containers", "container"],
    ["initContainers", "initContainer"],
    ["ephemeralContainers", "ephemeralContainer"],
    ["steps", "container"],
    ["sidecars", "container"],
] as const;
const singles = ["container", "script"];
const hostFlags = ["hostNetwork", "hostPID", "hostIPC"];
/** Security settings that only containers have. */
const containerOnly = ["privileged", "capabilities", "allowPrivilegeEscalation", "readOnlyRootFilesystem", "procMount"];

/** What a rule assumes of fields that an operator fills in by itself: values that pass. */
const assumed = {
    image: unknownText,
    resources: {
        requests: { cpu: unknownText, memory: unknownText },
        limits: { memory: unknownText, "ephemeral-storage": unknownText },
    },
    livenessProbe: unknownText,
    readinessProbe: unknownText,
    securityContext: {
        runAsNonRoot: true,
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ["ALL"] },
        seccompProfile: { type: "RuntimeDefault" },
    },
};

function filled(given: unknown, base: Fields): Fields {
    const own = fields(given);
    const entries = Object.entries(base).map(([key, value]) => {
        const mine = Object.hasOwn(own, key) ? own[key] : undefined;
        if (mine === undefined || mine === null) return [key, value] as const;
        const deeper = isObject(value) && !Array.isArray(value) && isObject(mine) && !Array.isArray(mine);
        return [key, deeper ? filled(mine, fields(value)) : mine] as const;
    });
    return { ...own, ...Object.fromEntries(entries) };
}

const isText = (value: unknown): boolean => typeof value === "string" && value !== "";
const isMap = (value: unknown): boolean => isObject(value) && !Array.isArray(value);

/** Whether an entry of a list of containers is one: other lists of that name hold names or numbers. */
function isContainer(value: unknown): boolean {
    if (!isMap(value)) return false;
    const arrays = ["command", "args", "env", "envFrom", "volumeMounts", "ports"];
    return (
        isText(at(value, "image")) ||
        arrays.some((key) => Array.isArray(at(value, key))) ||
        ["securityContext", "resources", "lifecycle", "livenessProbe", "readinessProbe"].some((key) =>
            isMap(at(value, key)),
        )
    );
}

/** Whether an object anywhere else is a container in all but name, such as Spark's driver. */
function actsAsContainer(value: Fields): boolean {
    const security = at(value, "securityContext");
    if (containerOnly.some((key) => at(security, key) !== undefined)) return true;
    const arrays = ["command", "args", "volumeMounts"];
    return (
        isText(at(value, "image")) &&
        (isMap(security) ||
            arrays.some((key) => Array.isArray(at(value, key))) ||
            list(at(value, "env")).some((each) => isText(at(each, "name"))))
    );
}

/** A container as the rules read it. `defaults` are those of Tekton's `stepTemplate`. */
function containerOf(
    value: unknown,
    name: string,
    role: Container["role"],
    defaults: unknown,
    sure: boolean,
): Container {
    const resources = at(value, "resources") ?? at(value, "computeResources");
    const spec = filled({ ...fields(value), ...(resources === undefined ? {} : { resources }) }, fields(defaults));
    // Without an image it is a patch of a container that an operator makes.
    const whole = sure && at(spec, "image") !== undefined;
    return { name: text(at(value, "name")) ?? name, role, spec: whole ? spec : filled(spec, assumed) };
}

function containersIn(value: Fields): readonly Container[] {
    const listed = lists.flatMap(([key, role]) => {
        const given = at(value, key);
        const defaults = key === "steps" ? at(value, "stepTemplate") : undefined;
        return Array.isArray(given) && given.some(isContainer)
            ? list(given).map((each, index) => containerOf(each, `#${index}`, role, defaults, true))
            : [];
    });
    const alone = singles
        .filter((key) => isContainer(at(value, key)))
        .map((key) => containerOf(at(value, key), key, "container", undefined, true));
    return [...listed, ...alone];
}

/** Security settings that hold for every container below, by the names that operators give them. */
function securityOf(value: Fields): unknown {
    const places = [
        ["securityContext"],
        ["podSecurityContext"],
        ["podTemplate", "securityContext"],
        ["taskRunTemplate", "podTemplate", "securityContext"],
    ];
    return places.map((path) => at(value, ...path)).find((each) => each !== undefined);
}

/** Whether the settings of pods stand here without their containers, as in a `podTemplate` of Tekton. */
function sharesNode(value: Fields): boolean {
    return (
        hostFlags.some((flag) => at(value, flag) === true) ||
        list(at(value, "volumes")).some((volume) => isMap(at(volume, "hostPath")))
    );
}

/** A whole pod spec: it is the spec of a template, and each of its containers has an image. */
function isWhole(value: Fields, template: Fields | undefined): boolean {
    const containers = list(at(value, "containers"));
    return (
        template !== undefined &&
        fields(template)["spec"] === value &&
        (at(template, "kind") === undefined || at(template, "kind") === "Pod") &&
        containers.length > 0 &&
        containers.every((each) => isText(at(each, "image")))
    );
}

/** What is handed down on the way: the parent, the nearest security settings, whether only whole objects count here. */
interface Way {
    readonly path: string;
    readonly depth: number;
    readonly parent?: Fields;
    readonly security?: unknown;
    readonly cloud: boolean;
}

/** Every pod in an object, and every part of one. */
export function searchPods(type: string, object: Fields): Search {
    const shapes: Shape[] = [];
    const seen = new WeakSet();
    let complete = true;
    let objects = 0;
    const group = tokenOf(type)?.group ?? "";

    function found(value: Fields, way: Way): void {
        const containers = containersIn(value);
        const whole = isWhole(value, way.parent);
        const metadata = fields(at(way.parent, "metadata"));
        const { path } = way;
        if (containers.length > 0 && whole) shapes.push({ path, spec: value, metadata, containers });
        else if (containers.length > 0 || sharesNode(value)) {
            const serves = Array.isArray(at(value, "containers")) ? {} : { restartPolicy: "Never" };
            const security = securityOf(value) ?? way.security;
            const spec = filled(value, { ...serves, automountServiceAccountToken: unknownText });
            shapes.push({
                path,
                spec: security === undefined ? spec : { ...spec, securityContext: security },
                metadata,
                containers,
            });
        } else if (actsAsContainer(value)) {
            const name = path.slice(path.lastIndexOf(".") + 1);
            const spec = { automountServiceAccountToken: unknownText, restartPolicy: "Never" };
            const one = containerOf(value, name, "container", undefined, false);
            shapes.push({ path, spec, metadata: {}, containers: [one] });
        }
    }

    /** The pod of an object of Kubernetes' own that another object holds. @returns whether it is one */
    function embedded(value: Fields, way: Way): boolean {
        const [apiVersion, kind] = [text(at(value, "apiVersion")), text(at(value, "kind"))];
        if (apiVersion === undefined || kind === undefined) return false;
        const inner = typeOf(apiVersion, kind);
        if (noPods.test(tokenOf(inner)?.group ?? "")) return true;
        if (kindOf(inner) === undefined) return false;
        const path = templatePathOf(inner);
        const template = path === undefined ? undefined : at(value, ...path);
        const spec = at(template, "spec");
        if (path !== undefined && isMap(spec)) {
            const metadata = fields(at(template, "metadata"));
            const where = [way.path, ...path, "spec"].filter((each) => each !== "").join(".");
            shapes.push({ path: where, spec: fields(spec), metadata, containers: containersIn(fields(spec)) });
        }
        return true;
    }

    function visit(value: unknown, way: Way): void {
        if (!isObject(value) || seen.has(value)) return;
        seen.add(value);
        if (way.depth > deepest || ++objects > mostObjects) {
            complete = false;
            return;
        }
        const depth = way.depth + 1;
        if (Array.isArray(value)) {
            for (const [index, each] of value.entries()) {
                visit(each, { ...way, path: `${way.path}[${index}]`, depth, parent: undefined });
            }
            return;
        }
        if (way.depth > 0 && embedded(value, way)) return;
        const isObjectOfItsOwn = way.depth === 0 || isText(at(value, "apiVersion"));
        if (!way.cloud) found(value, way);
        const taken = containersIn(value).length > 0 && !way.cloud ? [...lists.map(([key]) => key), ...singles] : [];
        const security = securityOf(value) ?? way.security;
        for (const [key, inner] of Object.entries(value)) {
            if (ignored.includes(key) || (isObjectOfItsOwn && (key === "metadata" || key === "status"))) continue;
            if (taken.includes(key) && (Array.isArray(inner) ? inner.some(isContainer) : isContainer(inner))) continue;
            const path = way.path === "" ? key : `${way.path}.${key}`;
            const cloud = way.cloud || ["forProvider", "initProvider", "atProvider"].includes(key);
            visit(inner, { path, depth, parent: value, security, cloud });
        }
    }

    if (!noPods.test(group)) visit(object, { path: "", depth: 0, cloud: clouds.test(group) });
    return { shapes, complete };
}
