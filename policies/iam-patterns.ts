/** What the wildcards of IAM can match: `*` any text, `?` one character. Decided by matching, not by their spelling. */

/**
 * Whether a pattern matches a text. Actions are compared without regard to case. In time that grows with the product of
 * both lengths: a regular expression of a hostile pattern would take forever.
 */
export function matches(pattern: string, text: string, ignoreCase = false): boolean {
    const [wanted, given] = ignoreCase ? [pattern.toLowerCase(), text.toLowerCase()] : [pattern, text];
    let [at, star, resume] = [0, -1, 0];
    for (let index = 0; index < given.length;) {
        if (at < wanted.length && wanted[at] !== "*" && (wanted[at] === "?" || wanted[at] === given[index])) {
            at++;
            index++;
        } else if (wanted[at] === "*") {
            star = at++;
            resume = index;
        } else if (star >= 0) {
            at = star + 1;
            index = ++resume;
        } else return false;
    }
    while (wanted[at] === "*") at++;
    return at === wanted.length;
}

const wildcard = /[*?]/;

export function hasWildcard(text: string): boolean {
    return wildcard.test(text);
}

/** A name that nobody gave anything: a pattern that matches it matches whatever there is. */
const anyName = "zq7kx9jw";

/** First letters of actions; a list such as `s3:A*`, `s3:B*`, … together is a wildcard too. */
const letters = Array.from("abcdefghijklmnopqrstuvwxyz");

/** The service of an action or of an ARN's pattern, where it is one. */
function serviceOf(pattern: string, separator: number): string | undefined {
    const service = pattern.split(":")[separator];
    return service === undefined || service === "" || hasWildcard(service) ? undefined : service.toLowerCase();
}

/** A service that the first part of an action's pattern matches. */
function exampleService(action: string): string {
    return (action.split(":")[0] ?? "").replaceAll("*", anyName).replaceAll("?", "q").toLowerCase();
}

/** The actions among these that together allow whatever a service can do: `*`, `s3:**`, `iam:?*`, `s3:A*` to `s3:Z*`. */
export function wildActions(actions: readonly string[]): readonly string[] {
    const services = new Set(actions.map(exampleService));
    return [...services].flatMap((service) => {
        const used = new Set<string>();
        const all = letters.every((letter) => {
            const found = actions.find((action) => matches(action, `${service}:${letter}${anyName}`, true));
            if (found !== undefined) used.add(found);
            return found !== undefined;
        });
        return all ? [...used] : [];
    });
}

/** An ARN that a pattern must match to match everything of a service; region and account as the pattern names them. */
function anyArn(pattern: string, service: string, resource: string): string {
    const parts = pattern.split(":");
    const fixed = (index: number, other: string): string => {
        // The last part of a short pattern stands for all that follows too.
        const part = index < parts.length - 1 ? parts[index] : undefined;
        return part === undefined || hasWildcard(part) ? other : part;
    };
    return ["arn", fixed(1, "aws"), service, fixed(3, "xx-east-9"), fixed(4, "999900009999"), resource].join(":");
}

/** Whether a resource pattern leaves out nothing that an action can be used on. */
export function coversService(pattern: string, action: string): boolean {
    const service = serviceOf(action, 0) ?? serviceOf(pattern, 2) ?? exampleService(action);
    return [anyName, `${anyName}/${anyName}`].every((name) => matches(pattern, anyArn(pattern, service, name)));
}

/** Whether a resource pattern matches every object of one type of IAM, such as `role`. */
export function coversType(pattern: string, service: string, type: string): boolean {
    return matches(pattern, anyArn(pattern, service, `${type}/${anyName}`));
}

/** Whether every text that `narrow` matches is matched by `wide`: its wildcards stand for any text. */
export function covers(wide: string, narrow: string, ignoreCase = false): boolean {
    const example = narrow.replaceAll("*", anyName).replaceAll("?", "q");
    const another = narrow.replaceAll("*", "").replaceAll("?", "z");
    return matches(wide, example, ignoreCase) && matches(wide, another, ignoreCase);
}

/** Whether the resource patterns together cover a bucket and every object in it. */
export function coversBucket(patterns: readonly string[], bucket: string): boolean {
    const partition = /^arn:(aws[\w-]*):/.exec(patterns.find((each) => each.startsWith("arn:aws")) ?? "")?.[1] ?? "aws";
    const arn = `arn:${partition}:s3:::${bucket}`;
    return [arn, `${arn}/${anyName}/${anyName}`].every((each) => patterns.some((pattern) => matches(pattern, each)));
}
