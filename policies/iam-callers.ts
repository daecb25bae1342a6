/** Whom a statement of a resource's policy lets in, by what its principals and conditions mean. */
import { oneOrMore, testsOf, type Test } from "./iam-document.ts";
import { covers, hasWildcard } from "./iam-patterns.ts";
import { at, list, UNKNOWN } from "./values.ts";

/** Conditions that hold for the values named only; the others are negations, or speak of something else. */
const positive = /^(string(equals|like|equalsignorecase)|arn(equals|like)|ipaddress)$/;
const negated = /^(stringnot(equals|like|equalsignorecase)|arnnot(equals|like)|notipaddress)$/;
/** The operators that take `*` and `?` as wildcards. */
const globbing = /^(string(not)?like|arn(not)?(equals|like))$/;

/** The account of an ARN is one that is named, or the ARN belongs to no account and names one object. */
function fixedArn(value: string): boolean {
    const [arn, partition = "", service = "", , account = "", ...rest] = value.split(":");
    if (arn !== "arn" || hasWildcard(service)) return false;
    if (partition !== "aws" && !/^aws[\w*?-]*$/.test(partition)) return false;
    // A bucket's name is its owner's alone; with a wildcard anybody can have one like it.
    if (account === "")
        return service === "s3" && rest.length > 0 && !hasWildcard((rest[0] ?? "").split("/")[0] ?? "*");
    return /^\d{12}$/.test(account);
}

/** Ranges that AWS itself calls public: wider than /8, or /32 of IPv6. Private ones are nobody's on the internet. */
function narrowRange(value: string): boolean {
    if (hasWildcard(value)) return /^\d+\./.test(value);
    const [address = "", length] = value.split("/");
    if (length === undefined) return true;
    return Number(length) >= (address.includes(":") ? 32 : 8);
}

const noWildcard = (value: string): boolean => value !== "" && !hasWildcard(value);

/** Keys that a caller cannot choose, with the values that leave somebody out. */
const callerKeys: readonly (readonly [RegExp, (value: string) => boolean])[] = [
    [/^(aws:(principalarn|sourcearn|sourcevpcarn)|s3:dataaccesspointarn|elasticfilesystem:accesspointarn)$/, fixedArn],
    [/^(aws:(principalaccount|sourceaccount|sourceowner)|kms:calleraccount|s3:dataaccesspointaccount)$/, noWildcard],
    [/^aws:(principalorgid|sourceorgid)$/, noWildcard],
    [/^aws:(principalorgpaths|sourceorgpaths)$/, (value) => /^o-[a-z0-9]+(\/|$)/.test(value)],
    [/^aws:(sourceip|vpcsourceip)$/, narrowRange],
    [/^aws:(sourcevpce?|vpce(account|orgid|orgpaths))$/, (value) => noWildcard(value) || /^o-[a-z0-9]+\//.test(value)],
    [/^aws:userid$/, (value) => /^(A[A-Z]{3}[A-Z0-9]{6,}|\d{12})(:.*)?$/.test(value)],
    [/^aws:principalservicename(slist)?$/, noWildcard],
];
/** Flags that only calls from within an account of AWS's own, or from within a network, carry. */
const callerFlags = /^(aws:principalisawsservice|elasticfilesystem:accessedviamounttarget)$/;
/** Variables of a value that the resource settles and not the caller. */
const ownVariables = /\$\{(aws:resource(account|orgid|orgpaths)|[*?$])(, *'[^']*')?\}/gi;

/** Whether a key limited to this value leaves strangers out. */
function narrow(value: string, operator: string, fixed: (value: string) => boolean): boolean {
    const settled = value.replaceAll(ownVariables, "0");
    if (settled.includes("${")) return false;
    // Without wildcards a star is a star, which nobody is called.
    return (operator.startsWith("string") && !globbing.test(operator)) || fixed(settled);
}

const required = (tests: readonly Test[], key: string): boolean =>
    tests.some((test) => test.operator === "null" && test.key === key && test.values.join() === "false");

/** Whether a test fails for a caller who has no such key, such as one who is not signed in. */
function needsKey(test: Test, tests: readonly Test[]): boolean {
    return (!test.ifExists && test.set !== "forallvalues") || required(tests, test.key);
}

function allNarrow(test: Test, keys: typeof callerKeys): boolean {
    const [, fixed] = keys.find(([key]) => key.test(test.key)) ?? [];
    if (fixed === undefined) return false;
    return test.values.length > 0 && test.values.every((value) => narrow(value, test.operator, fixed));
}

function limits(test: Test, tests: readonly Test[], keys: typeof callerKeys): boolean {
    if (test.unknown && test.key === "") return true;
    if (test.unknown && test.values.length === 0) return keys.some(([key]) => key.test(test.key));
    if (test.operator === "bool" && callerFlags.test(test.key)) return test.values.join() === "true" && !test.ifExists;
    return positive.test(test.operator) && needsKey(test, tests) && allNarrow(test, keys);
}

/** Whether a Condition leaves strangers out. Unknown parts may. */
function leavesOut(statement: unknown, keys: typeof callerKeys): boolean {
    const tests = testsOf(statement);
    return tests === UNKNOWN || tests.some((test) => limits(test, tests, keys));
}

/** Whether a principal, or one of a list, is everybody. */
function anybody(principal: unknown): boolean {
    if (principal === "*") return true;
    const named = ["AWS", "Federated", "Service", "*"].flatMap((kind) => oneOrMore(at(principal, kind)));
    return named.some((each) => each === "*" || /^arn:[^:]*:(iam|sts)::[^:]*[*?]/.test(each));
}

const whole = (statement: unknown, key: string): readonly string[] => {
    const given = oneOrMore(at(statement, key));
    return given.length === 0 && at(statement, key) === undefined ? ["*"] : given;
};

/** Whether a Deny takes back from every stranger what an Allow gives. */
function takesBack(deny: unknown, allow: unknown): boolean {
    if (at(deny, "Effect") !== "Deny") return false;
    const everybody = anybody(at(deny, "Principal")) || at(deny, "NotPrincipal") !== undefined;
    const covered = ["Action", "Resource"].every((key) =>
        whole(allow, key).every((given) => whole(deny, key).some((taken) => covers(taken, given, key === "Action"))),
    );
    const exact = ["NotAction", "NotResource"].every(
        (key) => at(deny, key) === undefined && at(allow, key) === undefined,
    );
    if (!everybody || !covered || !exact) return false;
    const tests = testsOf(deny);
    if (tests === UNKNOWN) return true;
    return tests.every((test) => {
        if (test.unknown) return true;
        if (test.operator === "bool" && callerFlags.test(test.key)) return test.values.join() === "false";
        return negated.test(test.operator) && test.set !== "foranyvalue" && allNarrow(test, callerKeys);
    });
}

/** Names that the subject of a token begins with and that say nothing of whose it is. */
const schemes = new Set(
    [
        "repo",
        "repository",
        "system",
        "serviceaccount",
        "project",
        "project_path",
        "org",
        "organization",
        "workspace",
    ].concat(["owner", "user", "pipeline", "group", "ref", "type"]),
);

/** Claims that many callers of a shared provider have alike. */
const common = "aud|iss|ref|ref_type|base_ref|head_ref|environment|event_name|workflow|runner_environment";
const claim = new RegExp(`^(?!aws:|sts:).*:(?!(${common})$)[^:]+$`);

/** Whether a claim names somebody: its first part that is no scheme, and so the whole owner, has no wildcard. */
function namesSomebody(value: string, own: boolean): boolean {
    const first = value.split(/[:/]/).find((part) => !schemes.has(part));
    return first !== undefined && first !== "" && !(own ? /^[*?]/.test(first) : hasWildcard(first));
}

/** The identity provider that admits all of its users; undefined when there is none. */
function openProvider(statement: unknown, principal: unknown): string | undefined {
    return oneOrMore(at(principal, "Federated")).find((provider) => {
        const oidc = /:oidc-provider\/(.+)$/.exec(provider)?.[1];
        if (oidc !== undefined) {
            const names = (value: string): boolean => namesSomebody(value, oidc.startsWith("oidc.eks."));
            const tests = testsOf(statement);
            // A subject is never missing.
            const bySubject = (test: Test): boolean =>
                positive.test(test.operator) && allNarrow(test, [[/:sub$/, names]]);
            return tests !== UNKNOWN && !leavesOut(statement, [[claim, names]]) && !tests.some(bySubject);
        }
        // A provider that everybody shares: the application is what must be named.
        if (!/^[\w.-]+\.(com|net|org)$/.test(provider)) return false;
        return !leavesOut(statement, [[new RegExp(`^${provider.replaceAll(".", "\\.")}:`), noWildcard]]);
    });
}

/**
 * Whom a statement lets in without limits; undefined when nobody.
 *
 * @param others  the document's statements, of which a Deny may take back what this one gives
 */
export function letsIn(statement: unknown, others: readonly unknown[]): string | undefined {
    if (at(statement, "Effect") !== "Allow") return undefined;
    const principal = at(statement, "Principal");
    const but = at(statement, "NotPrincipal");
    const open = (but !== undefined && but !== UNKNOWN) || anybody(principal);
    if (open && !leavesOut(statement, callerKeys) && !list(others).some((other) => takesBack(other, statement))) {
        return principal === undefined ? "everybody but NotPrincipal" : "everybody";
    }
    const provider = openProvider(statement, principal);
    return provider === undefined ? undefined : `everybody whom ${provider} knows`;
}
