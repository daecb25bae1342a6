/** The end of a container's log, as a message of Pulumi shows it. */

/** Limits on lines and characters; Pulumi prints a message twice. */
const most = 15;
const longest = 1000;

/** The images log no secret; what others print may hold a URL with its password, or a token. */
const secrets = [
    /(access_token=)[^&\s"']+/g,
    /(\b[Bb]earer[ .])[\w.~+/=-]+/g,
    /(\b[a-z][a-z0-9+.-]*:\/\/[^\s:/@]*:)\S+(?=@)/gi,
];

/** @param log  plain lines, or one JSON object a line as the images write it */
export function lastLines(log: string): readonly string[] {
    return log
        .split("\n")
        .flatMap((line) => readable(line).split("\n"))
        .filter((line) => line.trim() !== "")
        .slice(-most)
        .map((line) => secrets.reduce((text, pattern) => text.replace(pattern, "$1***"), line).slice(0, longest));
}

function readable(line: string): string {
    if (!line.startsWith("{")) return line;
    try {
        const { level, message, exception } = JSON.parse(line) as Record<string, unknown>;
        if (typeof message !== "string") return line;
        const text = typeof level === "string" ? `${level} ${message}` : message;
        return typeof exception === "string" ? `${text}\n${exception}` : text;
    } catch {
        return line;
    }
}
