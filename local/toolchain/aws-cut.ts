/**
 * Cuts terraform-provider-aws down to the services that this project uses: `node local/toolchain/aws-cut.ts FOLDER` reads its two tables
 * in FOLDER, an unpacked version of the module, and writes those of modules/pulumi-resource-aws/cut. All 261 clients would take an
 * hour to compile.
 */
import { existsSync, globSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Those of info/types.json, as the provider's folders are named; S3 reads tags by S3 Control, and the account by STS. */
const SERVICES = [
    ...["amp", "backup", "budgets", "cloudwatch", "ec2", "ecr", "eks", "elasticache", "iam", "kms", "logs", "rds"],
    ...["route53", "s3", "s3control", "secretsmanager", "sns", "sts"],
];

const CLIENTS = "internal/conns/awsclient_gen.go";
const PACKAGES = "internal/provider/sdkv2/service_packages_gen.go";
const SERVICE = "internal/service";

const sourcesIn = (root: string, folder: string, pattern = "*.go"): string[] =>
    globSync(join(root, folder, pattern))
        .filter((file) => !file.endsWith("_test.go") && file !== join(root, CLIENTS))
        .map((file) => readFileSync(file, "utf8"));

/** The services, and those that their sources import. */
function closureOf(root: string): ReadonlySet<string> {
    const all = new Set<string>();
    const add = (service: string): void => {
        if (all.has(service) || !existsSync(join(root, SERVICE, service))) return;
        all.add(service);
        for (const source of sourcesIn(root, join(SERVICE, service)))
            for (const [, other = ""] of source.matchAll(/^\t(?:\w+ )?".*\/internal\/service\/([a-z0-9]+)"$/gm))
                add(other);
    };
    SERVICES.forEach(add);
    return all;
}

/** Only the clients that some source asks for. */
function cutClients(text: string, sources: readonly string[]): string {
    const asked = new Set(sources.flatMap((source) => source.match(/(?<=\.)[A-Z]\w*Client(?=\(ctx)/g) ?? []));
    const functions = [...text.matchAll(/^func \(c \*AWSClient\) (\w+)\(.*?\) \*(\w+)\.Client \{.*?^\}\n/gms)];
    const kept = functions.filter(([, name = ""]) => asked.has(name));
    const packages = new Set(kept.map(([, , service]) => service));
    const head = text.slice(0, text.indexOf("\nfunc "));
    const imports = head.split("\n").filter((line) => {
        const [, alias, path] =
            /^\t(?:(\w+) )?"github\.com\/aws\/aws-sdk-go-v2\/service\/([a-z0-9]+)"$/.exec(line) ?? [];
        return path === undefined || packages.has(alias ?? path);
    });
    return [imports.join("\n"), ...kept.map(([body]) => body)].join("\n");
}

const cutPackages = (text: string): string =>
    text
        .split("\n")
        .filter((line) => {
            const [, imported, called] =
                /^\t".*\/internal\/service\/([a-z0-9]+)"$|^\t\t([a-z0-9]+)\.ServicePackage\(ctx\),$/.exec(line) ?? [];
            const service = imported ?? called;
            return service === undefined || SERVICES.includes(service);
        })
        .join("\n");

if (import.meta.main) {
    const [, , root = ""] = process.argv;
    const shared = globSync(join(root, "{internal,names,xpprovider}/**/*.go"))
        .filter((file) => !/_test\.go$|\/internal\/(service|generate|acctest|sweep)\/|awsclient_gen/.test(file))
        .map((file) => readFileSync(file, "utf8"));
    const services = [...closureOf(root)].flatMap((service) => sourcesIn(root, join(SERVICE, service), "**/*.go"));
    const to = join(import.meta.dirname, "modules/pulumi-resource-aws/cut");
    writeFileSync(
        join(to, "awsclient_gen.go"),
        cutClients(readFileSync(join(root, CLIENTS), "utf8"), [...shared, ...services]),
    );
    writeFileSync(join(to, "service_packages_gen.go"), cutPackages(readFileSync(join(root, PACKAGES), "utf8")));
}
