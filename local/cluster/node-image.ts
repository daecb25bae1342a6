/** An image of Node and one program, built `FROM scratch`: the Node that runs this, the libraries it is linked with, and packages. */
import { createHash } from "node:crypto";
import {
    cpSync,
    existsSync,
    mkdirSync,
    mkdtempSync,
    readdirSync,
    readFileSync,
    realpathSync,
    rmSync,
    statSync,
    writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { logFile, projectDir } from "../paths.ts";
import { run } from "../process.ts";
import type { Toolchain } from "../toolchain/build.ts";
import { buildAndPush, hasManifest } from "./images.ts";
import { type ClusterSpec, pathsOf, registryOf } from "./spec.ts";

interface Lock {
    readonly packages: Readonly<Record<string, { readonly dependencies?: Readonly<Record<string, string>> }>>;
}

/** Folders of a package and of everything that it needs, as npm laid them out. */
export function packageFolders({ packages }: Lock, name: string): string[] {
    const found = new Set<string>();
    const visit = (wanted: string, from: string): void => {
        // As Node resolves: the nearest node_modules on the way up.
        for (let here = from; ; here = here.replace(/(^|\/)node_modules\/(@[^/]+\/)?[^/]+$/, "")) {
            const folder = `${here === "" ? "" : `${here}/`}node_modules/${wanted}`;
            const entry = packages[folder];
            if (entry !== undefined) {
                if (found.has(folder)) return;
                found.add(folder);
                for (const next of Object.keys(entry.dependencies ?? {})) visit(next, folder);
                return;
            }
            if (here === "") throw new Error(`package-lock.json has no ${wanted}, which ${from || "an image"} needs`);
        }
    };
    visit(name, "");
    return [...found].sort();
}

/** Files in the output of ldd: `libm.so.6 => /lib/libm.so.6 (0x…)`, and the loader without an arrow. */
export const librariesIn = (ldd: string): string[] =>
    [...ldd.matchAll(/(?:=>\s+|^\s+)(\/\S+)\s+\(0x/gm)].map(([, path = ""]) => path);

export interface NodeImage {
    readonly name: string;
    /** Folder of the program's .ts files. */
    readonly program: string;
    readonly main: string;
    readonly packageName: string;
}

/** Builds and pushes the image unless the registry has it. @returns its reference by digest */
export async function ensureNodeImage(spec: ClusterSpec, toolchain: Toolchain, image: NodeImage): Promise<string> {
    const lock = readFileSync(join(projectDir, "package-lock.json"), "utf8");
    const folders = packageFolders(JSON.parse(lock) as Lock, image.packageName);
    const program = readdirSync(image.program)
        .filter((file) => file.endsWith(".ts"))
        .sort();
    const versions = folders.map((folder) => readFileSync(join(projectDir, folder, "package.json"), "utf8"));
    const node = realpathSync(process.execPath);
    const texts = program.map((file) => readFileSync(join(image.program, file), "utf8"));
    const key = createHash("sha256")
        .update(JSON.stringify([image.name, image.main, versions, texts, node, statSync(node).size, dockerfile(image)]))
        .digest("hex")
        .slice(0, 12);
    const repository = `${registryOf(spec)}/orcheo-system/${image.name}`;
    const record = join(pathsOf(spec).config, `image-${image.name}-${key}`);
    if (existsSync(record)) {
        const digest = readFileSync(record, "utf8");
        if (await hasManifest(spec, `orcheo-system/${image.name}`, digest)) return `${repository}@${digest}`;
    }
    const context = mkdtempSync(join(tmpdir(), "orcheo-image-"));
    const root = join(context, "root");
    const copy = (from: string, to: string): void => {
        mkdirSync(dirname(join(root, to)), { recursive: true });
        cpSync(from, join(root, to), { recursive: true, dereference: true });
    };
    try {
        copy(node, "/usr/bin/node");
        for (const library of librariesIn(await run("ldd", [node]))) copy(library, library);
        for (const file of program) copy(join(image.program, file), `/app/${file}`);
        for (const folder of folders) copy(join(projectDir, folder), `/app/${folder}`);
        writeFileSync(join(root, "app", "package.json"), `{ "type": "module" }\n`);
        writeFileSync(join(context, "Dockerfile"), dockerfile(image));
        const log = logFile(`image-${image.name}`);
        const digest = await buildAndPush(spec, toolchain, context, `${repository}:${key}`, { log });
        writeFileSync(record, digest);
        return `${repository}@${digest}`;
    } finally {
        rmSync(context, { recursive: true, force: true });
    }
}

const dockerfile = ({ main }: NodeImage): string =>
    [
        "FROM scratch",
        "COPY root/ /",
        "USER 65532:65532",
        "WORKDIR /app",
        // node:sqlite and .ts files still print a warning.
        `ENTRYPOINT ["/usr/bin/node", "--disable-warning=ExperimentalWarning", "--max-old-space-size=96", "/app/${main}"]`,
        "",
    ].join("\n");
