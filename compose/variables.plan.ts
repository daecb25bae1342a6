/** What `.env` says: each variable with its form, which is that of the setting in the schema where there is one. */
import { z } from "zod";
import { email, hostName, httpsUrl, pinnedImage, text, whole } from "../components/config/fields";
import { s3 } from "../components/config/schema.backup";

export type File = "dev" | "prod";

export interface Variable {
    readonly about: string;
    /** Pattern and words come from here. */
    readonly form: z.ZodType;
    readonly example: string;
    /** Files that cannot start without it. */
    readonly required: readonly File[];
    /** Only these files read it; default both. */
    readonly files?: readonly File[];
    /** Written by build.sh. */
    readonly image?: true;
    /** Value without the variable. */
    readonly usual?: Readonly<Partial<Record<File, string>>>;
}

const image = (about: string): Variable => ({
    about,
    form: pinnedImage(),
    example: `ghcr.io/team/orcheo/image@sha256:<64 hex digits>`,
    required: ["prod"],
    image: true,
});
const issuerForm = "the issuer's https:// URL as its tokens name it, without a query";

export const variables: Readonly<Record<string, Variable>> = {
    ORCHEO_HOST: {
        about: "Public host name.",
        form: hostName(),
        example: "orcheo.example.com",
        required: ["prod"],
        usual: { dev: "orcheo.localhost" },
    },
    ORCHEO_TLS: {
        about: "Certificate of the host: `acme` asks Let's Encrypt for one, `files` takes secrets/entrance-tls/tls.crt and tls.key.",
        form: text(/^(acme|files)$/, "acme or files"),
        example: "acme",
        required: ["prod"],
        files: ["prod"],
    },
    ORCHEO_ACME_EMAIL: {
        about: "Where Let's Encrypt writes to when a certificate is about to expire; with ORCHEO_TLS=acme.",
        form: email(),
        example: "ops@example.com",
        required: [],
        files: ["prod"],
    },
    ORCHEO_ACME_SERVER: {
        about: "Directory of another ACME CA than Let's Encrypt, or of its staging environment.",
        form: httpsUrl(),
        example: "https://acme-staging-v02.api.letsencrypt.org/directory",
        required: [],
        files: ["prod"],
        usual: { prod: "https://acme-v02.api.letsencrypt.org/directory" },
    },
    ORCHEO_SIGN_IN_ISSUER: {
        about: "OpenID provider that people sign in with (docs/sign-in.md).",
        form: text(/^https:\/\/[A-Za-z0-9._:-]+(\/[A-Za-z0-9._:/~%+-]*)?$/, issuerForm),
        example: "https://id.example.com/realms/team",
        required: ["prod"],
        files: ["prod"],
    },
    ORCHEO_SIGN_IN_CLIENT_ID: {
        about: "Public client of the canvas there, with PKCE and the redirect URI https://<host>/auth/callback.",
        form: text(/^[A-Za-z0-9._:/@+=~%-]+$/, "a client id"),
        example: "orcheo",
        required: ["prod"],
        files: ["prod"],
    },
    ORCHEO_SIGN_IN_AUDIENCE: {
        about: "Audience that access tokens must name.",
        form: text(/^[A-Za-z0-9._:/@+=~%-]+$/, "one audience, without spaces or commas"),
        example: "orcheo",
        required: ["prod"],
        files: ["prod"],
    },
    ORCHEO_SIGN_IN_KEYS_URL: {
        about: "The issuer's keys or discovery document, when it is not <issuer>/.well-known/openid-configuration.",
        form: httpsUrl(),
        example: "https://id.example.com/keys",
        required: [],
        files: ["prod"],
    },
    ORCHEO_BACKUP_BUCKET: {
        about: "S3 bucket of the profile `backup`.",
        form: s3.shape.bucket.unwrap(),
        example: "orcheo-backups",
        required: [],
        files: ["prod"],
    },
    ORCHEO_BACKUP_REGION: {
        about: "Its region.",
        form: text(/^[a-z0-9-]+$/, "a region such as eu-central-1"),
        example: "eu-central-1",
        required: [],
        files: ["prod"],
        usual: { prod: "us-east-1" },
    },
    ORCHEO_BACKUP_ENDPOINT: {
        about: "A store other than AWS that speaks S3.",
        form: text(/^https:\/\/[^\s/?#@\\]+$/, "a URL such as https://minio.example.com:9000, without a path"),
        example: "https://minio.example.com:9000",
        required: [],
        files: ["prod"],
    },
    ORCHEO_BACKEND_IMAGE: image("Backend of API, worker, beat and init."),
    ORCHEO_CANVAS_IMAGE: { ...image("Canvas."), files: ["prod"] },
    ORCHEO_POSTGRES_IMAGE: image("Postgres."),
    ORCHEO_VALKEY_IMAGE: image("Valkey."),
    ORCHEO_BACKUP_IMAGE: { ...image("Backup."), files: ["prod"] },
    ORCHEO_TRAEFIK_IMAGE: {
        about: "Traefik 3; it runs as uid 1000.",
        form: pinnedImage(),
        example: "docker.io/library/traefik:v3.7@sha256:<64 hex digits>",
        required: ["dev", "prod"],
    },
    ORCHEO_SIGN_IN_IMAGE: { ...image("Sign-in provider for development."), files: ["dev"], required: [] },
    ORCHEO_CANVAS_DEV_IMAGE: { ...image("Canvas with Vite, for development."), files: ["dev"], required: [] },
    ORCHEO_PGADMIN_IMAGE: { ...image("pgAdmin of the profile `pgadmin`."), files: ["dev"], required: [] },
    ORCHEO_TESTS_IMAGE: { ...image("Backend with pytest, of the profile `tests`."), files: ["dev"], required: [] },
    ORCHEO_SOURCE: {
        about: "Orcheo source tree (with src/orcheo, apps/backend/src and apps/canvas) that API, worker and canvas run and reload; the images' own without it.",
        form: text(/^[/.][^\0:]*$/, "an absolute path, or one that begins with ./ or ../"),
        example: "../../orcheo",
        required: [],
        files: ["dev"],
        usual: { dev: "./no-source" },
    },
    ORCHEO_HTTPS_PORT: {
        about: "Port of 127.0.0.1. With another than 443 only the API can be used: the canvas and the sign-in name port 443.",
        form: text(
            /^([1-9]\d{0,3}|[1-5]\d{4}|6[0-4]\d{3}|65[0-4]\d{2}|655[0-2]\d|6553[0-5])$/,
            (whole(1, 65_535).meta() as { accepted: string }).accepted,
        ),
        example: "443",
        required: [],
        files: ["dev"],
        usual: { dev: "443" },
    },
};

const isOf = (file: File, { files }: Variable): boolean => files === undefined || files.includes(file);

export interface Rule {
    readonly accepted: string;
    readonly pattern: string;
    readonly example: string;
    readonly required: readonly File[];
    readonly files: readonly File[];
}

/** The rules as compose/check.py reads them. */
export const rules = (): Readonly<Record<string, Rule>> =>
    Object.fromEntries(
        Object.entries(variables).map(([name, variable]) => {
            const { pattern } = z.toJSONSchema(variable.form) as { pattern?: string };
            const { accepted } = variable.form.meta() as { accepted?: string };
            if (pattern === undefined || accepted === undefined) throw new Error(`${name}: its form has no pattern`);
            const files = (["dev", "prod"] as const).filter((file) => isOf(file, variable));
            return [name, { accepted, pattern, example: variable.example, required: variable.required, files }];
        }),
    );

/** How a file refers to a variable. Without one the service `check` says what is missing, every problem at once. */
export function reference(name: string, file: File): string {
    const variable = variables[name];
    if (variable === undefined) throw new Error(`${name} is no variable`);
    const usual = variable.usual?.[file];
    return `\${${name}${usual === undefined ? "-" : `:-${usual}`}}`;
}

export const namesOf = (file: File): readonly string[] =>
    Object.entries(variables).flatMap(([name, variable]) => (isOf(file, variable) ? [name] : []));

/** .env.example. */
export const example = (): string =>
    [
        "# Copy to compose/.env. docs/compose.md says more; compose/build.sh writes the images, compose/prepare.sh the secrets.",
        "# Rendered by `npm run compose`; do not edit.",
        ...Object.entries(variables).flatMap(([name, variable]) => {
            const { accepted } = variable.form.meta() as { accepted: string };
            const needed =
                variable.required.length > 0 ? `Required by ${variable.required.join(" and ")}.` : "Optional.";
            const only = variable.files === undefined ? "" : ` Only ${variable.files.join(" and ")}.yaml.`;
            const usual = Object.entries(variable.usual ?? {}).map(
                ([file, value]) => ` Default in ${file}.yaml: ${value}.`,
            );
            return [
                "",
                `# ${variable.about}`,
                `# ${needed}${only}${usual.join("")} Accepted: ${accepted}.`,
                `#${name}=${variable.example}`,
            ];
        }),
        "",
    ].join("\n");
