/** Every rendered file of this folder. `npm run compose` writes them; a unit test compares them with what is committed. */
import { stringify } from "yaml";
import { planPostgresConf } from "../components/database/postgres.plan";
import { planDocument } from "./document.plan";
import { stackOf, withVariables } from "./stack.plan";
import { planTraefikFile } from "./traefik.plan";
import { example, rules, type File } from "./variables.plan";

const rendered =
    "# Rendered by `npm run compose` from the plans of the Kubernetes stack; do not edit. docs/compose.md explains it.\n";
const yaml = (value: object): string =>
    stringify(value, { aliasDuplicateObjects: false, lineWidth: 0, compat: "yaml-1.1" });

const document = (file: File): string => rendered + withVariables(yaml(planDocument(file)), file);
const traefik = (file: "acme" | "files" | "dev"): string => rendered + yaml(planTraefikFile(stackOf("prod"), file));

export const files = (): Readonly<Record<string, string>> => ({
    "dev.yaml": document("dev"),
    "prod.yaml": document("prod"),
    "traefik/acme.yaml": traefik("acme"),
    "traefik/files.yaml": traefik("files"),
    "traefik/dev.yaml": traefik("dev"),
    "postgresql.conf": planPostgresConf(stackOf("prod").database),
    "variables.json": `${JSON.stringify(rules(), undefined, 4)}\n`,
    ".env.example": example(),
});
