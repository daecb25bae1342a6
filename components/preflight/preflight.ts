/**
 * Looks at the surroundings before any resource is registered: the kube context, the registry, files that are named.
 * What it finds is reported together with the config's problems. It asks through probes, which tests replace.
 */
import { acmeOf, madeByAws } from "../config/kinds";
import type { Problem } from "../config/problems";
import type { Sections } from "../config/schema";
import { registryScheme } from "../images/images.plan";
import type { Probes } from "../machine";
import { caProblems } from "./certificate-files.plan";
import { checkSignIn } from "./sign-in";
import { pluginProblems } from "./plugins.plan";
export { checkCluster } from "./cluster-checks";
export { upgradeProblems } from "./eks-upgrade.plan";
export { settingsSupport } from "./support.plan";

/**
 * @param stack  the sections that could be understood
 * @param update  false for previews, which must not need the registry or the builder
 */
export async function preflight(stack: Partial<Sections>, probes: Probes, update: boolean): Promise<Problem[]> {
    return [
        ...kubeContext(stack, probes),
        ...files(stack, probes),
        ...authorities(stack, probes),
        ...(await checkSignIn(stack, probes)),
        ...(update ? await building(stack, probes) : []),
    ];
}

function kubeContext(stack: Partial<Sections>, probes: Probes): Problem[] {
    const { kubernetes } = stack;
    if (kubernetes === undefined || madeByAws(stack)) return [];
    const { where, names } = probes.contexts(kubernetes.kubeconfig);
    if (names === undefined) {
        const remedy =
            "name one with orcheo:stack.kubernetes.kubeconfig or $KUBECONFIG, or start a cluster with `make up`";
        return [{ at: "orcheo:stack.kubernetes.kubeconfig", found: `no kubeconfig at ${where}`, remedy }];
    }
    if (names.includes(kubernetes.context)) return [];
    const found = `found ${JSON.stringify(kubernetes.context)}, which is no context of ${where}`;
    const remedy = names.length === 0 ? "that file has none" : `accepted: ${names.join(", ")}`;
    return [{ at: "orcheo:stack.kubernetes.context", found, remedy }];
}

/** A file of CA certificates; `optional`: the setting may be left out. */
function caFile(
    setting: string,
    file: string | undefined,
    probes: Probes,
    { optional = false, inCluster = true } = {},
): Problem[] {
    if (file === undefined) return [];
    const at = `orcheo:stack.${setting}`;
    if (!probes.isFile(file)) {
        const remedy = optional ? "accepted: a PEM file; or leave it out" : "accepted: a PEM file";
        return [{ at, found: `there is no file ${file}`, remedy }];
    }
    let text: string;
    try {
        text = probes.read(file);
    } catch (error) {
        const why = error instanceof Error && "code" in error ? String(error.code) : "unknown error";
        return [{ at, found: `${file} cannot be read (${why})`, remedy: "accepted: a PEM file that you may read" }];
    }
    return caProblems({ path: file, text, inCluster }).map((problem) => ({ at, ...problem }));
}

function files({ images, outbound, entrance, release, rollbackTo }: Partial<Sections>, probes: Probes): Problem[] {
    const problems = caFile("outbound.caBundleFile", outbound?.caBundleFile, probes, { optional: true });
    const acme = entrance && acmeOf(entrance);
    problems.push(...caFile("entrance.tls.caBundleFile", acme?.caBundleFile, probes, { optional: true }));
    if (images?.kind !== "build") return problems;
    // A build secret, often the machine's own bundle: it is in no object of the cluster.
    const build = { optional: true, inCluster: false };
    problems.push(...caFile("images.caBundleFile", images.caBundleFile, probes, build));
    const { pluginLock } = images;
    const lock = images.plugins.length > 0 && probes.isFile(pluginLock) ? probes.read(pluginLock) : undefined;
    if (rollbackTo === undefined) problems.push(...pluginProblems(images, release, lock));
    const { source } = images.canvas;
    if (source.kind === "directory" && !probes.isFile(`${source.path}/apps/canvas/package.json`))
        problems.push({
            at: "orcheo:stack.images.canvas.source.path",
            found: probes.isDirectory(source.path)
                ? `${source.path} holds no apps/canvas/package.json`
                : `there is no directory ${source.path}`,
            remedy: "accepted: an Orcheo source tree",
        });
    return problems;
}

/** PEM files that servers are verified with. */
function authorities(
    { database, cache, backup, auth, monitoring, tracing }: Partial<Sections>,
    probes: Probes,
): Problem[] {
    const named = [
        { at: "database.caBundleFile", file: database?.kind === "rds" ? database.caBundleFile : undefined },
        ...Object.entries({ database, cache }).map(([server, settings]) => ({
            at: `${server}.authority.path`,
            file:
                settings?.kind === "external" && settings.authority.kind === "file"
                    ? settings.authority.path
                    : undefined,
        })),
        {
            at: "backup.authority.path",
            file: backup?.kind === "s3" && backup.authority.kind === "file" ? backup.authority.path : undefined,
        },
        ...Object.entries({ monitoring, tracing }).map(([section, settings]) => ({
            at: `${section}.authority.path`,
            file: settings?.kind === "otlp" && settings.authority.kind === "file" ? settings.authority.path : undefined,
        })),
        {
            at: "auth.signIn.authority.path",
            file:
                auth?.signIn.kind === "oidc" && auth.signIn.authority.kind === "file"
                    ? auth.signIn.authority.path
                    : undefined,
        },
    ];
    return named.flatMap(({ at, file }) => caFile(at, file, probes));
}

async function building({ images, registry, rollbackTo }: Partial<Sections>, probes: Probes): Promise<Problem[]> {
    if (images?.kind !== "build" || registry === undefined || rollbackTo !== undefined) return [];
    const problems: Problem[] = [];
    const [host = ""] = registry.prefix.split("/");
    const base = `${registryScheme(registry)}://${host}/v2/`;
    const silent = await probes.registry(base);
    if (silent !== undefined)
        problems.push({
            at: "orcheo:stack.registry.prefix",
            found: `the registry does not answer at ${base} (${silent})`,
            remedy: "start it (`make up` starts the embedded one), or name another; plainHttp decides between http and https",
        });
    const builders = probes.builders();
    if (images.builder !== undefined && builders !== undefined && !builders.includes(images.builder))
        problems.push({
            at: "orcheo:stack.images.builder",
            found: `found ${JSON.stringify(images.builder)}, which buildx does not know`,
            remedy:
                builders.length === 0
                    ? "buildx has no builder; see `docker buildx create`"
                    : `accepted: ${builders.join(", ")}`,
        });
    return problems;
}
