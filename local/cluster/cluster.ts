/** Starts, inspects and stops one embedded cluster. Every step is idempotent. */
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { withLock } from "../lock.ts";
import { run } from "../process.ts";
import type { Report } from "../report.ts";
import type { Toolchain } from "../toolchain/build.ts";
import { attachBuilder, builderStatus, detachBuilder } from "./builder.ts";
import { ensureCertificates } from "./certificates.ts";
import * as configs from "./configs.ts";
import { ensureSystemImages, PAUSE_TAG } from "./images.ts";
import { linkPid, nodePid, serviceStates, startNode, stopNode } from "./node.ts";
import { nodeServices } from "./services.ts";
import { builderPaths, type ClusterSpec, contextOf, INGRESS_NODE_PORTS, pathsOf, registryOf } from "./spec.ts";

/** Everything that a client of the cluster needs. */
export interface ClusterInfo {
    readonly kubeconfig: string;
    readonly context: string;
    /** Plain http; the name is the same for the host, BuildKit and the kubelet. */
    readonly registry: string;
    /** Name of the buildx builder, found when `BUILDX_CONFIG` is `buildxConfigDir`. */
    readonly builder: string;
    readonly buildxConfigDir: string;
    /** Certificate of the CA that signs the Ingress certificates. */
    readonly caFile: string;
}

export const clusterInfo = (spec: ClusterSpec): ClusterInfo => {
    const paths = pathsOf(spec);
    return {
        kubeconfig: paths.kubeconfig,
        context: contextOf(spec),
        registry: registryOf(spec),
        builder: contextOf(spec),
        buildxConfigDir: paths.buildx,
        caFile: paths.ingressCa,
    };
};

/** kubectl with administrator permissions on one cluster. */
export const kubectl = (
    spec: ClusterSpec,
    toolchain: Toolchain,
    args: readonly string[],
    input?: string,
): Promise<string> =>
    run(toolchain.bin("kubectl"), ["--kubeconfig", pathsOf(spec).kubeconfig, ...args], { input, timeoutSeconds: 300 });

/** Starts everything that is not running and returns when the add-ons are available. */
export async function startCluster(spec: ClusterSpec, toolchain: Toolchain, report: Report): Promise<ClusterInfo> {
    const paths = pathsOf(spec);
    mkdirSync(spec.stateDir, { recursive: true, mode: 0o700 });
    return withLock(join(spec.stateDir, "lock"), report, async () => {
        for (const dir of [paths.config, paths.logs, paths.run, paths.volumes, join(paths.buildx, "instances")])
            mkdirSync(dir, { recursive: true });
        const renewed = await ensureCertificates(spec);
        if (renewed && nodePid(spec) !== undefined) {
            report.note("certificates were renewed: restarting the node");
            await stopNode(spec);
            mkdirSync(paths.run, { recursive: true });
        }
        writeConfigs(spec, toolchain);
        await report.step(`start the node "${spec.name}"`, join(paths.logs, "node.log"), () =>
            startNode(spec, nodeServices(spec, toolchain), toolchain.path),
        );
        await report.step("start the image builder", builderPaths().logs, () => attachBuilder(spec, toolchain, report));
        await report.step("wait for the API server", join(paths.logs, "kube-apiserver", "current"), () =>
            retry(90, () => kubectl(spec, toolchain, ["get", "--raw", "/readyz"])),
        );
        await report.step("install the add-ons", join(paths.logs, "registry", "current"), () =>
            retry(90, () => fetch(`http://${registryOf(spec)}/v2/`)).then(() => applyAddOns(spec, toolchain)),
        );
        await report.step("wait for the node and its add-ons", undefined, () => waitForAddOns(spec, toolchain));
        return clusterInfo(spec);
    });
}

/** Stops the cluster and restores the machine's previous state; data is kept unless `deleteData` is set. */
export async function stopCluster(spec: ClusterSpec, report: Report, { deleteData = false } = {}): Promise<void> {
    await report.step(`stop the node "${spec.name}"`, undefined, async () => {
        await stopNode(spec, { keepData: !deleteData });
        await detachBuilder(spec, report);
    });
    if (deleteData) rmSync(spec.stateDir, { recursive: true, force: true });
}

/** One line per component: its name, whether it is running, since when, and its log. */
export async function clusterStatus(spec: ClusterSpec, toolchain: Toolchain): Promise<string[]> {
    const { logs } = pathsOf(spec);
    const node = nodePid(spec);
    const link = linkPid(spec);
    const head = [
        `node: ${node === undefined ? "not running" : `running as process ${node}`} (log: ${join(logs, "node.log")})`,
        `link: ${link === undefined ? "not running" : `running as process ${link}`} (log: ${join(logs, "link.log")})`,
    ];
    return node === undefined
        ? head
        : [
              ...head,
              ...(await serviceStates(spec, nodeServices(spec, toolchain))).map((line) => `${line} (logs: ${logs})`),
              ...(await builderStatus()),
          ];
}

function writeConfigs(spec: ClusterSpec, toolchain: Toolchain): void {
    const paths = pathsOf(spec);
    const write = (file: string, text: string): void => {
        mkdirSync(join(file, ".."), { recursive: true });
        writeFileSync(file, text, { mode: 0o600 });
    };
    for (const user of ["controller-manager", "scheduler", "kubelet-client", "proxy", "kube-router"]) {
        write(join(paths.config, `${user}.kubeconfig`), configs.kubeconfig(spec, user));
    }
    write(paths.kubeconfig, configs.kubeconfig(spec, "admin"));
    const files: Record<string, string> = {
        "secrets-at-rest.yaml": configs.secretsAtRest(spec),
        "audit-policy.yaml": configs.auditPolicy(),
        "authentication.yaml": configs.authentication(),
        "kubelet.yaml": configs.kubelet(spec),
        "containerd.toml": configs.containerd(
            spec,
            `${registryOf(spec)}/orcheo-system/pause:${PAUSE_TAG}`,
            toolchain.path,
            toolchain.bin("runc"),
        ),
        [`certs.d/${registryOf(spec)}/hosts.toml`]: configs.registryHosts(spec),
        "cni/10-orcheo.conflist": configs.cni(),
        "registry.yaml": configs.registry(paths.registry, registryOf(spec)),
        "resolv.conf": configs.resolvConf(configs.hostNameServers()),
    };
    for (const [name, text] of Object.entries(files)) write(join(paths.config, name), text);
    // Build steps must be able to read this file.
    chmodSync(join(paths.config, "resolv.conf"), 0o644);
    write(
        join(paths.buildx, "instances", contextOf(spec)),
        configs.buildxInstance(contextOf(spec), paths.buildkitSocket),
    );
}

const ADD_ONS = join(import.meta.dirname, "addons");
/** Manifests from this number on need add-ons that are already responding. */
const LAST = "70";

async function applyAddOns(spec: ClusterSpec, toolchain: Toolchain): Promise<void> {
    const paths = pathsOf(spec);
    const images = await ensureSystemImages(spec, toolchain);
    const values = new Map([
        ...[...images].map(([name, reference]): [string, string] => [`image:${name}`, reference]),
        ["volumes", paths.volumes],
        ["ingressHttpPort", String(INGRESS_NODE_PORTS.http)],
        ["ingressHttpsPort", String(INGRESS_NODE_PORTS.https)],
        // A JSON string is a YAML string.
        ["ingressCaCertificate", JSON.stringify(readFileSync(join(paths.pki, "ingress-ca.crt"), "utf8"))],
        ["ingressCaKey", JSON.stringify(readFileSync(join(paths.pki, "ingress-ca.key"), "utf8"))],
        ["clusterCa", JSON.stringify(readFileSync(join(paths.pki, "cluster-ca.crt"), "utf8"))],
    ]);
    const filled = readdirSync(ADD_ONS)
        .filter((file) => file.endsWith(".yaml"))
        .sort()
        .map((file) => ({ file, text: fillIn(readFileSync(join(ADD_ONS, file), "utf8"), values) }));
    const together = (texts: readonly string[]): string => texts.join("\n---\n");
    const stages = [
        // Upstream CRDs come first and have no placeholders.
        together(
            ["cert-manager-crds.yaml", "traefik-crds.yaml"].map((file) => readFileSync(toolchain.share(file), "utf8")),
        ),
        together(filled.filter(({ file }) => file < LAST).map(({ text }) => text)),
        together(filled.filter(({ file }) => file >= LAST).map(({ text }) => text)),
    ];
    // Applied at every start, to restore anything deleted or changed by hand.
    for (const text of stages)
        await retry(90, () =>
            kubectl(spec, toolchain, ["apply", "--server-side", "--force-conflicts", "-f", "-"], text),
        );
}

/** Fills in the placeholders of a manifest, such as `${image:name}`. @throws when a value is unknown */
export const fillIn = (manifest: string, values: ReadonlyMap<string, string>): string =>
    manifest.replaceAll(/\$\{([a-zA-Z:-]+)\}/g, (_match, name: string) => {
        const value = values.get(name);
        if (value === undefined)
            throw new Error(`an add-on refers to "${name}"; known values: ${[...values.keys()].join(", ")}`);
        return value;
    });

async function waitForAddOns(spec: ClusterSpec, toolchain: Toolchain): Promise<void> {
    await retry(60, () =>
        kubectl(spec, toolchain, ["wait", "--for=condition=Ready", "node", "--all", "--timeout=60s"]),
    );
    await kubectl(spec, toolchain, [
        "wait",
        "--for=condition=Available",
        "deployment",
        "--all",
        "--all-namespaces",
        "-l",
        "app.kubernetes.io/part-of=orcheo-local",
        "--timeout=120s",
    ]);
}

/** Retries once a second while things start up; on timeout, throws the last error. */
export async function retry<T>(seconds: number, work: () => Promise<T>): Promise<T> {
    for (const end = Date.now() + seconds * 1000; ;) {
        try {
            return await work();
        } catch (error) {
            if (Date.now() > end) throw error;
            await sleep(1000);
        }
    }
}
