/**
 * Host names of AWS' that are no endpoints of an API, ECR's registry and RDS' trust store, on this machine: tests/aws/hosts.py answers
 * at a loopback address, with a certificate of the tests' own CA. Only commands that with-hosts runs know the names so.
 */
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { randomInt, X509Certificate } from "node:crypto";
import { existsSync, mkdirSync, openSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { rootCertificates } from "node:tls";

import { buildxInstance, registry } from "../../../local/cluster/configs.ts";
import { logFile } from "../../../local/paths.ts";
import type { Toolchain } from "../../../local/toolchain/build.ts";
import { freePort } from "../../local/free-port.ts";

declare module "vitest" {
    interface ProvidedContext {
        /** Variables for commands that need the names. */
        awsHosts: Readonly<Record<string, string>>;
        /** Address of the registry behind ECR's name. */
        awsRegistry: string;
    }
}

/** Such as what AWS has for a region: several CAs. All are valid for another year at least. */
const authorities = rootCertificates
    .filter((pem) => Date.parse(new X509Certificate(pem).validTo) > Date.now() + 365 * 86_400_000)
    .slice(0, 3);

export interface Hosts {
    /** Variables for tests/aws/server.py. */
    readonly server: Readonly<Record<string, string>>;
    /** Variables for its clients. */
    readonly clients: Readonly<Record<string, string>>;
    readonly registry: string;
    readonly started: readonly ChildProcess[];
}

/** Starts the registry, and a builder that knows ECR's name. */
export async function startHosts(
    folder: string,
    toolchain: Toolchain,
    account: string,
    region: string,
): Promise<Hosts> {
    const file = (name: string): string => join(folder, name);
    const address = `127.${randomInt(16, 255)}.${randomInt(0, 255)}.${randomInt(1, 255)}`;
    const names = [`${account}.dkr.ecr.${region}.amazonaws.com`, "truststore.pki.rds.amazonaws.com"];
    const openssl = (...words: readonly string[]): void => {
        const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc"];
        execFileSync("openssl", ["req", "-x509", ...key, "-days", "2", ...words], { stdio: "ignore" });
    };
    openssl("-subj", "/CN=CA of the tests", "-keyout", file("ca.key"), "-out", file("ca.pem"));
    openssl(
        ...[
            "-CA",
            file("ca.pem"),
            "-CAkey",
            file("ca.key"),
            "-subj",
            "/CN=AWS",
            "-addext",
            "basicConstraints=CA:FALSE",
        ],
        ...["-addext", `subjectAltName=${names.map((name) => `DNS:${name}`).join()}`],
        // Both in one file, as Python takes it.
        ...["-keyout", file("served.key"), "-out", file("served.crt")],
    );
    execFileSync("sh", ["-c", "cat served.key served.crt > served.pem"], { cwd: folder });
    writeFileSync(file("rds.pem"), authorities.map((pem) => `${pem}\n`).join(""));
    writeFileSync(file("hosts"), `127.0.0.1 localhost\n${names.map((name) => `${address} ${name}\n`).join("")}`);

    const behind = `127.0.0.1:${await freePort()}`;
    writeFileSync(file("registry.yaml"), registry(file("registry"), behind));
    const socket = file("buildkit.sock");
    mkdirSync(file("docker/buildx/instances"), { recursive: true });
    writeFileSync(file("docker/buildx/instances/orcheo"), buildxInstance("orcheo", socket));
    const clients = {
        HOSTS_FILE: file("hosts"),
        SSL_CERT_FILE: file("ca.pem"),
        CURL_CA_BUNDLE: file("ca.pem"),
        NODE_EXTRA_CA_CERTS: file("ca.pem"),
        DOCKER_CONFIG: file("docker"),
    };
    const log = openSync(logFile("aws-builder"), "w");
    const start = (command: string, ...words: readonly string[]): ChildProcess =>
        spawn(command, words, {
            env: { ...process.env, ...clients, OTEL_TRACES_EXPORTER: "none" },
            stdio: ["ignore", log, log],
        });
    const builder = [
        ...[toolchain.bin("buildkitd"), "--root", file("buildkit"), "--addr", `unix://${socket}`],
        ...["--containerd-worker=false", "--oci-worker-snapshotter=native"],
        `--oci-worker-binary=${toolchain.bin("runc")}`,
    ];
    const started = [
        start(toolchain.bin("registry"), "serve", file("registry.yaml")),
        start(join(import.meta.dirname, "with-hosts"), ...builder),
    ];
    const end = Date.now() + 60_000;
    const answers = (): Promise<boolean> =>
        fetch(`http://${behind}/v2/`).then(
            ({ ok }) => ok && existsSync(socket),
            () => false,
        );
    while (!(await answers())) {
        if (Date.now() > end) throw new Error(`registry or builder do not start; their log: ${logFile("aws-builder")}`);
        await sleep(200);
    }
    const server = {
        HOSTS_ADDRESS: address,
        HOSTS_CERTIFICATE: file("served.pem"),
        ECR_REGISTRY: behind,
        RDS_BUNDLE: file("rds.pem"),
    };
    return { server, clients, registry: behind, started };
}
