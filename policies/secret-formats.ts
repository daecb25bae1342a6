/**
 * Texts that are secrets by their own format. The expressions are RE2's, as CEL has them; "(?i)" at the beginning stands for
 * JavaScript's flag. Each group has to fit CEL's budget for one match: 790 characters at most.
 */

const passwordKeys =
    "(password|passwd|pwd|accountkey|sharedaccesskey|sharedsecret|secretkey)=[^;\\s$<{*%/\"'(][^;\\s$({]{3}";
/** A password among the parts of a connection string. In a file, where code says `password=` as well, only between semicolons. */
export const connectionFormat = `(?i)(^|[;\\s\x22'])[\\w.-]*${passwordKeys}|(^|\\s)passw(or)?d=\\\\?[\x22'][^\x22'$<{%*\\\\]{3}`;
export const connectionInFile = new RegExp(`;[a-z ]*${passwordKeys}`, "i");

const oneOf = (...formats: readonly string[]): string => formats.join("|");
/** Tokens that begin a word. */
const tokens = (...formats: readonly string[]): string => `(^|[\\W_])(${oneOf(...formats)})`;
const end = "($|[^\\w+/=])";

const addresses = oneOf(
    "://[^/@:\\s]*:[^/@\\s$<{*%][^/@\\s]*@",
    "(?i:[?&](password|passwd|pwd|pass|token|access_token|auth_token|api_?key|secret|client_secret|sig)=[^&\\s$<{*])",
    "-----BEGIN [A-Z ]*PRIVATE KEY",
    "(?i:(bearer|basic) [\\w+/.~-]{16})",
    "(?i:(apikey|ssws|geniekey) [\\w+/=-]{20})",
    '"auth" ?: ?"[\\w+/=]{8}',
    "eyJhdXRocyI6",
    "(?i:login \\S+ password \\S)",
);

const hosts = tokens(
    "(AKIA|ASIA)[0-9A-Z]{16}",
    "gh[pousr]_[\\w.-]{30}",
    "github_pat_\\w{20}",
    "gl(pat|dt|rtr?|cbt|ptt|ft|imt|agent|oas|soat|ffct|wt)-[\\w-]{18}",
    "GR1348941[\\w-]{18}",
    "AT(BB|CTT3|ATT)[\\w=-]{24}",
    "(npm|tfp)_[^\\W_]{30}",
    "pypi-AgE[\\w-]{30}",
    "dckr_[op]at_[\\w-]{18}",
    "rubygems_[\\da-f]{30}",
    "cio[^\\W_]{32}",
    "oy2[a-z0-9]{43}",
    "CLOJARS_[0-9a-z]{40}",
    "AIza[\\w-]{30}",
    "AQ\\.[\\w-]{30}",
    "ya29\\.[\\w-]{18}",
    "1//0[\\w-]{30}",
    "GOCSPX-[\\w-]{18}",
    "do[op]_v1_[\\da-f]{30}",
    "pul-[\\da-f]{30}",
    "[^\\W_]{14}\\.atlasv1\\.",
    "[\\w~.-]{3}8Q~[\\w~.-]{30}",
);

const payment = oneOf(
    tokens(
        "eyJ[\\w-]{6,}\\.eyJ[\\w-]{6}",
        "xox[a-z]-[\\w-]{10}",
        "xapp-\\d-[\\w-]{10}",
        "[sr]k_(live|test|prod)_[^\\W_]{10}",
        "sk_[\\da-f]{48}",
        "whsec_[\\w+/=]{16}",
        // A run without a dash: names of CSS classes begin with sk- as well.
        "sk-([^\\W_]+-){0,3}\\w{20}",
        "(hf|gsk)_[^\\W_]{28}",
        "api_org_[A-Za-z]{30}",
        "(xai|pplx)-[^\\W_]{28}",
        "SG\\.[\\w-]{16,}\\.[\\w-]{16}",
        "SK[\\da-f]{32}",
        "key-[\\da-f]{32}",
        "[\\da-f]{32}-us\\d",
        "xkeysib-[\\da-f]{30}",
        "re_[^\\W_]{8}_[^\\W_]{20}",
        "shp[a-z]{2}_[\\dA-Fa-f]{30}",
        "sq0[a-z]{3}-[\\w-]{20}",
        "\\d{8,10}:[\\w-]{35}",
    ),
    "hooks\\.slack\\.com/(services|triggers|workflows)/T[^\\W_]",
    "discord(app)?\\.com/api/webhooks/\\d",
    "webhook\\.office\\.com/webhookb2/",
    "outlook\\.office\\.com/webhook/",
    "hooks\\.zapier\\.com/hooks/catch/\\d",
    "/v1/spaces/[^?\\s]+/messages\\?key=",
);

const services = tokens(
    "glsa_[^\\W_]{28}",
    "glc_[\\w+/=]{28}",
    "eyJrIjoi[^\\W_]{30}",
    "NRAK-[0-9A-Z]{20}",
    "sntry[su]_[\\w+/=-]{28}",
    "dt0[a-z]\\d{2}\\.[0-9A-Z]{20}",
    "dapi[\\da-f]{32}",
    "(lin_api|ntn|r8|nfp)_[^\\W_]{28}",
    "secret_[^\\W_]{40}",
    "(figd|fo1)_[\\w-]{28}",
    "PMAK-[\\da-f]{20}",
    "sbp_[\\da-f]{30}",
    "pscale_[a-z]+_[\\w.-]{28}",
    "tskey-[a-z]+-[^\\W_]{8}",
    "bk[a-z]{2}_[\\da-f]{30}",
    "CCIPAT_[^\\W_]{16}",
    "sq[apu]_[\\da-f]{40}",
    "AKCp[^\\W_]{30}",
    "cmVmdGtuO[^\\W_]{30}",
    "dp\\.[a-z]{2,5}\\.[^\\W_]{28}",
    "HRKU-[\\w-]{28}",
    "EAA[^\\W_]{50}",
    "PRIVATE KEY-----",
);

const moreServices = tokens(
    "pat-[a-z]{2}\\d-[\\da-f]{8}-",
    "pat[^\\W_]{14}\\.[\\da-f]{30}",
    "[MNO][\\w-]{23,25}\\.[\\w-]{6}\\.[\\w-]{27}",
    "K10[\\da-f]{64}::",
    "AVNS_[\\w-]{18}",
    "lsv2_(pt|sk)_[\\da-f]{30}",
    "pcsk_\\w{40}",
    "sb_secret_[\\w-]{20}",
    "hcai[a-z]_[^\\W_]{40}",
    "FLWSECK(_TEST)?-[^\\W_]{20}",
    "sdk-[\\da-f]{8}-[\\da-f]{4}-",
    "access-(production|sandbox|development)-[\\da-f]{8}-",
    "CFPAT-[\\w-]{40}",
    "sgp_[0-9a-f_]{40}",
    "(pnu|phx|ddapp)_[^\\W_]{30}",
    "EZ[AT]K[^\\W_]{40}",
    "ops_eyJ[\\w-]{40}",
    "secret-token:\\S",
);

/** Vault's tokens and keys, other private keys, and keys of Azure with their mark in the middle. */
const keys = oneOf(
    "(^|[\\W_])hv[sbr]\\.[\\w-]{18}",
    "(^|[\\s\x22'=:])s\\.[^\\W_]{24}($|[\\s\x22',;])",
    "(?i:(unseal|recovery)[_ ]keys?(_b64|_hex)?( \\d+)?\x22?: ?\\[?\\s*\x22?)[\\w+/]{40}",
    "LS0tLS1CRUdJTiB(SU0EgUFJJ|QUklWQVRF|FQyBQUklW|PUEVOU1NIIFBS|FTkNSWVBURUQgUFJJ|QR1AgUFJJ|EU0EgUFJJ)",
    "AGE-SECRET-KEY-1",
    "PuTTY-User-Key-File-\\d",
    "\x22(d|k|dp|qi)\x22 ?: ?\x22[\\w-]{40}",
    "(InNlcnZpY2VfYWNjb3VudC|JzZXJ2aWNlX2FjY291bn|c2VydmljZV9hY2NvdW50I)",
    `[\\w+/-]{8}(\\+A(St|CR|Eh|Ba|MC)|A(CDb|PIM|IoT)|Az(Ca|Se|Fu))[\\w+/]{5,6}={0,2}${end}`,
    `[^\\W_]{8}(AZDO[^\\W_]{4}|JQQJ99[^\\W_]{26})${end}`,
);

/** Hashes and verifiers of passwords. Kubernetes and Compose write a dollar as two. */
const hashes = oneOf(
    "\\$+2[abxy]\\$+\\d{2}\\$+[\\w./]{53}",
    "\\$+argon2(i|d|id)\\$+v=\\d+\\$+m=[0-9,tp=]+\\$+[\\w+/]{8,}\\$+[\\w+/]{16}",
    "\\$+scrypt\\$+ln=[0-9,rp=]+\\$+[\\w+/=]{8}",
    "\\$+(1|5|6|7|y|gy|apr1)\\$+([^$\\s]{1,24}\\$+){1,2}[\\w./]{20}",
    "SCRAM-SHA-\\d+\\$\\d+:[\\w+/=]{8}",
    "pbkdf2[_:-]sha\\d+[$:]\\d+\\$[^$\\s]+\\$[\\w+/=]{20}",
    "scrypt:[0-9:]+\\$[^\\W_]+\\$[\\da-f]{40}",
    "(^|[\\W_])(md5[\\da-f]{32}|\\*[0-9A-F]{40})($|[\\W_])",
    "\\{S?(SHA|MD5)\\d*\\}[\\w+/]{16}",
);

export const formats = [addresses, hosts, payment, services, moreServices, keys, hashes] as const;

/**
 * Secrets of files by their form: npm's, SQL's, libpq's, Redis' users, PostgreSQL's .pgpass and IPsec's keys.
 */
export const fileFormats = [
    /:_(auth|authToken|password)\s*=\s*["']?[^\s"'$<{%]/i,
    /\b(password|identified(\s+with\s+\w+)?\s+by)\s+'[^'$<{:%]{3}/i,
    /(^|\s)(host|hostaddr|user|dbname)=[^\s,]+\s+([a-z_]+=[^\s,]+\s+){0,12}password=[^\s$<{%'"(]{3}/i,
    /^\s*user\s+\S+\s+(on|off)\s(.*\s)?>[^\s$<{]/im,
    /^[^\s:#]+:(\d+|\*):[^\s:]+:[^\s:]+:(?:[^\s$<{:\\]|\\.)(?:[^\s:\\]|\\.)*$/m,
    /:\s*(PSK|XAUTH|EAP)\s+["'][^"'$<{]/,
];

/** Files whose lines are a user and a password, by their names: those of pgbouncer and of Apache's htpasswd. */
export const filesOfUsers: readonly { readonly name: RegExp; readonly line: RegExp }[] = [
    { name: /userlist/i, line: /^\s*"[^"]+"\s+"[^"$<{]+"/m },
    { name: /htpasswd/i, line: /^[^\s:#]+:[./0-9A-Za-z]{13}$/m },
];
