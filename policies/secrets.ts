/**
 * What a secret looks like: by the name it stands under, by its own format, in arguments and in files. The expressions are
 * RE2's, as CEL has them; "(?i)" at the beginning stands for JavaScript's flag.
 */

import { connectionFormat, connectionInFile, fileFormats, filesOfUsers, formats } from "./secret-formats.ts";

/** Names under which every literal is a secret, numbers too. */
const passwordNames =
    "(?i)passw(or)?d|passphrase|passcode|(^|[^a-z])(pass|pwd|pw|pin|psk)([^a-z]|$)|pwd$|(db|user|root|admin|redis|mysql|pg|smtp|mail|auth|require)pass$";
const camelNames = "[a-z0-9](Pass|Pw|Pwd|Creds?)([A-Z_]|$)";
/** Names of tokens, keys and the like. */
const tokenNames =
    "(?i)secret|token|credential|(^|[^a-z])(creds?|jwt|bearer|dsn|authorization|pat)([^a-z]|$)|(api|private|access|encryption|encrypt|signing|master|fernet|hmac|ssh|webhook|preshared|wifi|wpa)[_.-]?key|connection[_.-]?string|erlang[_.-]?cookie|(redis|basic|proxy|master|neo4j|http)[_.-]?auth$|(^|[_.-])salt$";
/** Names of keys, which may be words of a program's own. */
const keyNames =
    "(?i)(auth|account|shared|session|admin|client|service|license|licence|storage|primary|app|cookie|deploy|function|subscription|ingest|write|integration|consumer|merchant|unseal|recovery|rpc|agent|enroll?ment|sdk|bot|personal|security|crypto?|cipher)[_.-]?key";
const harmlessKeys = "^[a-z]+([-_.:/][a-z]+)*:?$";
/** Names that speak of secrets and hold none: where one is, what it is called, which one it is, how long it lives, what it must look like. */
const harmlessEnds =
    "(?i)(files?|paths?|dir|directory|folder|ur[li]s?|endpoints?|host|hostname|port|addr|address|server|domain|names?|username|users?|mode|backend|issuer|audience|enabled?|disabled?|required?|allowed|seconds|secs|minutes|hours|days|millis|[_.-]ms|ttl|timeout|expir[a-z]*|expires[_.-]?in|lifetime|[_.-]age|interval|period|rotation|[_.-]ids?|Id|arns?|types?|kind|format|length|len|size|bytes|bits|[_.-]min|[_.-]max|count|limits?|budget|quota|polic(y|ies)|headers?|prefix|suffix|fields?|param|parameter|version|algorithm|[_.-]alg|algo|ref|refs|reference|store|provider|manager|engine|class|region|zone|namespace|roles?|scopes?|claims?|column|labels?|selector|template|regex|pattern|charset|strategy|method|driver|plugin|source|generator|validators?|hint|message|prompt|placeholder|description|text|title|page|form|attempts|retries|history|complexity|strength|[_.-]chars|check|validation|services?|registry|bucket|alias|index|usage|parallelism|[_.-]cache|stdin|[_.-]env|[_.-]var|project|location|mount|volume|owner|mapping|schema|config|configmap|settings|options|flags?|level|rounds|iterations|cost|encoding|encryption|hashing|status|models?|helpers?|hashers?|handlers?|adapters?|factory|resolvers?|extensions?|modules?|filters?|middlewares?|encoders?|decoders?|serializers?|parsers?|transport|protocol|realm|sock|sockets?|schedules?|cron|theme|locale|threshold|ratio|percent|priority|color|generation)$";
const harmlessParts =
    "(?i)image[_.-]?pull|existing[_.-]?secret|secret[_.-]?(name|ref|arn|store|manager|provider|class|version)|(tls|cert|certificate|ssl|ca|passwords?|token|credentials?)[_.-]?secret|password[_.-]?(polic|less|min|max|require|reset|expir|length|change|rotat|complex|strength|valid|history|attempt|hint|encod|key)|tokens?[_.-]?(type|ttl|expir|limit|count|iz|budget|review|bucket|rate|window|per)|(max|min|num|total|input|output|prompt|completion|context)[_.-]?(new[_.-]?)?tokens?|tokeni[sz]|secretar|passthrough|bypass|public[_.-]?key|publishable|keycloak[_.-]?(realm|client)$|(^|[_.-])(require|enable|disable|allow|use|show|hide|has|is|enforce)[_.-]|(drop|purge|prune)[_.-]?(credential|token|secret|password)s$";
/** Values that are no secrets under any name: switches, paths, templates and references to where the secret is. */
const harmlessValues =
    "(?i)^(|true|false|yes|no|on|off|null|nil|none|undefined|enabled|disabled|optional|required|default|auto|unset|[0-9]+(ms|s|m|h|d|w)|\\*+|x{3,}|\\.{3,}|redacted|masked|hidden|(your|my|the|some|insert|enter|replace)[-_ ].*|.*[-_ ]here|placeholder|\\$.*|<.*>|%.*%|@.*@|__.*__|\\[.*\\]|.*(\\{\\{|<%|\\$\\{|\\$\\().*|(/[a-z0-9._-]*)+|(\\./|\\.\\./|~/|file:).*|(arn|vault|ssm|env|secretref|keyvault|awssm|gcpsm|sops|k8s):.*|(op|sm|vault|secret|secrets|ref\\+[a-z]+|gcp-?sm|aws-?sm|asm|bao)://.*|ref\\+.*|(kv|secret|secrets)/.*|projects/[^/]+/secrets/.*|!.*|x-[a-z-]+|authorization|argon2(i|d|id)?|(b|s|yes|md5|sha(256|512)[-_]?)crypt|pbkdf2([-_][a-z0-9]+)*|(scram-)?sha-?[0-9]+(-plus)?|md5)$";
const variableNames = "^[A-Z][A-Z0-9]*(_[A-Z0-9]+)+$";
/** More values that are none under the name of a token or a key: small numbers, addresses, schemes, names of Secrets. */
const harmlessTokens =
    "(?i)^([0-9]{1,6}|[a-z][a-z0-9+.-]*://[^@\\s]*|bearer|basic|jwt|opaque|oauth2?|oidc|rs256|hs256|es256|ldap|saml|file|memory|local|redis|postgres|kubernetes|header|cookie|regcred|.*\\[[^\\]]+\\][+*{].*|([a-z0-9-]+/)?[a-z][a-z0-9.-]*-(secrets?|credentials?|creds|certs?|certificate|tls|regcred|pull|auth|keys?|tokens?|passwords?|config))$";

const flagNames =
    "password|passwd|pwd|passphrase|requirepass|masterauth|token|api[-_]?key|secret[-_]?key|access[-_]?key|(client|app|auth|jwt|session|signing|webhook|shared|cookie|api|consumer|oauth2?)[-_]?secret";
/** The beginning of a literal: no variable, path, template, other flag, or its end. */
const literal = "[^-$/<{(`'\\x22\\s*]";
const quoted = `['\\x22]?${literal}`;
/** In all the words of a command together: a flag and its value may be one word or two. */
const argumentFormats = [
    `(?i)(^|[\\s;])--?(([\\w.-]*[._-])?(${flagNames})|[\\w.-]*password)(=| )${quoted}` +
        // With one dash it is openssl's, which also takes the name of a file or a variable.
        `|(^|[\\s;])(--|-[\\w.-]*[._-])pass(=| )${quoted}|\\s-pass(in|out)? pass:${literal}`,
    `(?i)(^|[\\s;&'\\x22])(requirepass|masterauth) ${quoted}` +
        `|(^|[\\s;&'\\x22=,])(\\w*_)?(pg|mysql_)?(password|passwd|pass|pwd|secret|token|api_?key|secret_?key|access_?key)=${quoted}\\S{2}` +
        `|\\s(-u|--user)[ =]['\\x22]?[^\\s:$'\\x22/]+:${literal}` +
        `|redis-cli [^;|]{0,200}-a ${quoted}|(mysql|mysqldump|mysqladmin|mariadb) [^;|]{0,200}(?-i:-p)['\\x22]?[^-$/<{(\\s'\\x22]|sshpass -p ?${quoted}`,
    // Programs with words of their own for it, headers of HTTP, statements of SQL.
    `(?i)(^|[\\s;/&|'\\x22])(mongo(sh|dump|restore|export|import)?|[a-z]+ ([a-z]+ )?login) ([^;|&]{0,200} )?(?-i:-p) ${quoted}` +
        `|ldap[a-z]+ ([^;|&]{0,200} )?(?-i:-w) ${quoted}|(sqlcmd|bcp) ([^;|&]{0,200} )?(?-i:-P) ?${quoted}` +
        `|(secret_access_key|session_token) ${quoted}|mc (alias set|config host add) \\S+ \\S+ ${literal}\\S* ${literal}`,
    `(?i)vault operator unseal ${literal}\\S{20}|-dev-root-token-id[= ]${quoted}|wpa_passphrase \\S+ ${quoted}` +
        `|echo (-n )?${quoted}[^|;]{0,200}\\| ?[^|;]{0,200}(pass(word)?-stdin|passwd --stdin|chpasswd|passphrase-fd)` +
        `|(x-[a-z-]*(key|token|secret)|private-token|api-?key): ?${literal}\\S{7}|:_(auth|authtoken|password)[= ]${quoted}` +
        `|(password|identified( with \\w+)? by) '[^'$<{:%]{3}`,
] as const;

function compile(source: string): RegExp {
    const insensitive = source.startsWith("(?i)");
    return new RegExp(insensitive ? source.slice("(?i)".length) : source, insensitive ? "i" : "");
}

/** The expressions as CEL takes them. */
export const expressions = {
    passwordNames,
    camelNames,
    tokenNames,
    keyNames,
    harmlessKeys,
    harmlessEnds,
    harmlessParts,
    harmlessValues,
    variableNames,
    harmlessTokens,
    formats: [...formats, connectionFormat],
    argumentFormats,
    /** Names that are worth a closer look: each of the names above has one of these in it. */
    anyName: "(?i)pass|pwd|pw|pin|secret|token|cred|key|jwt|bearer|dsn|auth|conn|salt|cookie|psk|pat",
};

const names = {
    password: compile(passwordNames),
    camel: compile(camelNames),
    token: compile(tokenNames),
    key: compile(keyNames),
};
const harmless = {
    ends: compile(harmlessEnds),
    parts: compile(harmlessParts),
    values: compile(harmlessValues),
    variables: compile(variableNames),
    tokens: compile(harmlessTokens),
    keys: compile(harmlessKeys),
};
const ownFormats = formats.map(compile);
const ownConnectionFormat = compile(connectionFormat);
const ownArgumentFormats = argumentFormats.map(compile);

/** Whether a text holds a secret by its own format, whatever it stands under. */
export const isFormatted = (text: string): boolean => ownFormats.some((format) => format.test(text));

/** Whether a value is a secret by itself, or holds one. */
export function holdsSecret(value: string): boolean {
    return isFormatted(value) || ownConnectionFormat.test(value);
}

/** Whether a value is a secret because of its name. */
export function isNamedSecret(name: string, value: string): boolean {
    const password = names.password.test(name) || names.camel.test(name);
    const token = names.token.test(name);
    if (!password && !token && !names.key.test(name)) return false;
    if (harmless.ends.test(name) || harmless.parts.test(name)) return false;
    if (harmless.values.test(value) || harmless.variables.test(value)) return false;
    if (password) return true;
    return !harmless.tokens.test(value) && (token || !harmless.keys.test(value));
}

/** Whether the words of a command or its arguments, joined by blanks, hold a secret. */
export function argumentsHoldSecret(words: string): boolean {
    return holdsSecret(words) || ownArgumentFormats.some((format) => format.test(words));
}

const assignment =
    /^\s*(?:export\s+|set\s+|env\s+|-\s+)?(["']?)([A-Za-z][\w.-]*)\1\s*(?:=>|[=:])\s*(?:"([^"]*)"|'([^']*)'|([^\s"'#;,]+))\s*[,;]?\s*(?:[#;].*)?$/i;
/** Names with values that may stand anywhere in a line: JSON, attributes, elements of XML, variables of a pod. */
const pairs = [
    /"([A-Za-z][\w.-]*)"\s*:\s*"([^"]*)"/g,
    /(?:^|\s)([A-Za-z][\w.-]*)="([^"]*)"/g,
    /<([A-Za-z][\w.-]*)>([^<>]*)<\//g,
    /["']?(?:name|key)["']?\s*[:=]\s*["']?([A-Za-z][\w.-]*)["']?,?\s+["']?value["']?\s*[:=]\s*["']?([^\s"',}]+)/g,
    /\b(?:define|getenv|environ\.get|env)\(\s*["']([A-Za-z][\w.-]*)["']\s*,\s*["']([^"']*)["']\s*\)/g,
];
const directive = /^\s*(requirepass|masterauth)\s+["']?[^\s"'$<{]/i;
/** A name and a value at the end of a line that begins with few other words. A value of letters alone is one of a text or a program. */
const words =
    /^\s*(?:[\w*.@-]+\s+){0,4}?([\w.-]*(?:password|passwd|passphrase))\s+(["']?)([^\s"'();,-][^\s"'();,]*)\2;?$/i;
/** Whether a value of a file is more than a word of its language: what stands in a file is often code. */
function isLiteral(value: string, quoted: boolean): boolean {
    if (/[()]|\.\w+\(|^[\w-]+\.[\w.-]+$/.test(value) && !quoted) return false;
    return value.length > 0;
}

/** Whether a file (dotenv, properties, INI, YAML, JSON, a shell script) holds a secret: by format, or by the names in it. */
export function fileHoldsSecret(text: string, file = ""): boolean {
    if (isFormatted(text) || connectionInFile.test(text)) return true;
    if (fileFormats.some((format) => format.test(text))) return true;
    if (filesOfUsers.some(({ name, line }) => name.test(file) && line.test(text))) return true;
    const named = pairs.flatMap((each) => [...text.matchAll(each)]);
    if (named.some(([, name, value]) => isNamedSecret(name ?? "", value ?? ""))) return true;
    return text.split(/\r?\n/).some((line) => {
        if (/^\s*(#|;|\/\/|\*)/.test(line)) return false;
        if (directive.test(line)) return true;
        const [, last, , worth] = words.exec(line) ?? [];
        if (last !== undefined && worth !== undefined && /[^A-Za-z]/.test(worth) && isNamedSecret(last, worth)) {
            return true;
        }
        const [, , name, double, single, bare] = assignment.exec(line) ?? [];
        const value = double ?? single ?? bare;
        if (name === undefined || value === undefined || !isLiteral(value, bare === undefined)) return false;
        return isNamedSecret(name, value);
    });
}

/** Whether a value under a name is a secret as far as one can tell. */
export function looksSecret(name: string, value: string): boolean {
    if (isNamedSecret(name, value)) return true;
    return value.includes("\n") ? fileHoldsSecret(value) : holdsSecret(value);
}
