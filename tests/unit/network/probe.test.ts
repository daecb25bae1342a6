/** The pod that tries whether NetworkPolicies are enforced: its script against real sockets, its Job, and what waits for it. */
import { execFile } from "node:child_process";
import { createServer, type AddressInfo, type Server } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { planNetworkPolicies } from "../../../components/network/network.plan";
import { planProbe, probeScript } from "../../../components/network/probe.plan";
import { parseStack } from "../../../components/stack/read";
import { runBoth, settingsOf } from "../../harness";

interface Ended {
    readonly code: number;
    readonly output: string;
}

const servers: Server[] = [];
afterEach(() => {
    for (const server of servers.splice(0)) server.close();
});

/** @returns the port of a server on this machine */
async function listening(server: Server = createServer((socket) => socket.end())): Promise<number> {
    servers.push(server);
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    return (server.address() as AddressInfo).port;
}

const probed = (port: number, name = "localhost", path = process.env.PATH): Promise<Ended> =>
    new Promise((done) => {
        const env = { PATH: path, KUBERNETES_SERVICE_HOST: "127.0.0.1", KUBERNETES_SERVICE_PORT: String(port) };
        execFile("/bin/bash", ["-c", probeScript(name, 5, 0.1)], { env }, (error, output) => {
            done({ code: typeof error?.code === "number" ? error.code : 0, output });
        });
    });

describe("the script", () => {
    it("ends with 78, which ends the update, when the pod connects to the API server", async () => {
        const port = await listening();
        const { code, output } = await probed(port);
        expect(output).toMatch(
            new RegExp(
                `^NetworkPolicies are NOT enforced: this pod, which may reach DNS only, connects to the API server at 127\\.0\\.0\\.1:${port}\\. Nothing else was started\\. Install a network that enforces them, such as .*\\n$`,
            ),
        );
        expect(code).toBe(78);
    });

    it("succeeds when it cannot", async () => {
        const port = await listening();
        servers[0]?.close();
        const { code, output } = await probed(port);
        expect(output).toContain("NetworkPolicies are enforced");
        expect(code).toBe(0);
    });

    it("waits for policies that take effect only after the pod's start", async () => {
        const server = createServer((socket) => {
            socket.end();
            server.close();
        });
        const { code } = await probed(await listening(server));
        expect(code).toBe(0);
    });

    it("does not take one failed connection for a policy", async () => {
        const port = await listening();
        servers[0]?.close();
        const later = createServer((socket) => socket.end());
        servers.push(later);
        setTimeout(() => later.listen(port, "127.0.0.1"), 150);
        expect((await probed(port)).code).toBe(78);
    });

    it("shows nothing when the pod's network does not work: a lookup must succeed first", async () => {
        const { code, output } = await probed(1, "no-such-name.invalid");
        expect(output).toMatch(
            /^DNS does not answer: the lookup of no-such-name\.invalid failed 5 times\. Check .*dnsPort/,
        );
        expect(code).toBe(78);
    });

    it("does not take an image without its programs for a network that refuses", async () => {
        expect(await probed(1, "localhost", "/nowhere")).toEqual({
            code: 70,
            output: "this image has no bash, timeout or getent\n",
        });
    });
});

function stackOf(settings: object) {
    const json = JSON.stringify({ ...settingsOf("dev"), ...settings });
    const { stack, problems } = parseStack({ stack: "dev", keys: [], json, secret: false });
    if (stack === undefined || problems.length > 0) throw new Error(JSON.stringify(problems));
    return stack;
}
const on = { network: { enforcement: "probed" } };
const planned = (settings: object) => {
    const stack = stackOf(settings);
    const inputs = { namespace: "orcheo", image: "i", serviceAccountName: "a" };
    return planProbe(stack, planNetworkPolicies(stack), inputs) as unknown as {
        spec: { template: { metadata: { annotations: object; labels: object }; spec: { nodeSelector?: object } } };
    };
};

describe("the Job", () => {
    it("runs anew for another version and for other policies, and for nothing else", () => {
        const annotations = (settings: object) => planned(settings).spec.template.metadata.annotations;
        const before = annotations(on);
        expect(annotations({ ...on, worker: { replicas: 2 } })).toEqual(before);
        for (const other of [
            { ...on, version: "0.2.0" },
            { network: { ...on.network, privateCidrs: ["10.1.0.0/16"] } },
        ])
            expect(annotations(other)).not.toEqual(before);
    });

    it("runs where all pods may run", () => {
        const pods = { all: { nodeSelector: { pool: "apps" } }, worker: { nodeSelector: { pool: "work" } } };
        expect(planned({ ...on, pods }).spec.template.spec.nodeSelector).toEqual({ pool: "apps" });
    });

    it("is selected by a policy that opens DNS, and by none that opens more", () => {
        const labels = planned(on).spec.template.metadata.labels;
        const policies = planNetworkPolicies(stackOf(on));
        const component = "app.kubernetes.io/component";
        expect(labels).toMatchObject({ [component]: "network-probe" });
        const selecting = Object.entries(policies).filter(([, { podSelector }]) =>
            JSON.stringify(podSelector).includes('"network-probe"'),
        );
        expect(selecting).toEqual([
            [
                "network-probe",
                expect.objectContaining({
                    policyTypes: ["Egress"],
                    egress: [expect.objectContaining({ ports: expect.arrayContaining([]) as unknown })],
                }),
            ],
        ]);
        expect(JSON.stringify(selecting)).toContain('"kube-system"');
    });
});

describe("the program", () => {
    it("starts nothing of Orcheo's before the probe has succeeded", async () => {
        const { resources } = await runBoth({ stack: "dev", settings: { ...settingsOf("dev"), ...on } });
        const job = resources.find(({ name }) => name === "network-probe");
        const starting = ["postgres", "valkey", "backend", "canvas"].map((part) =>
            resources.find(({ type, name }) => type.startsWith("orcheo:index:") && name === part),
        );
        for (const part of starting) expect(part?.options.after).toContain("NetworkPolicies");
        // All policies come first, and the Job is a part of NetworkPolicies.
        expect(job?.options.after.every((each) => each === "NetworkPolicy")).toBe(true);
        expect(job?.options.after.length).toBeGreaterThan(5);
        expect(job?.options.urn).toContain("orcheo:index:NetworkPolicies$");
    });

    it("has no probe unless it is asked for", async () => {
        const { resources } = await runBoth({ stack: "dev" });
        expect(resources.filter(({ name }) => name.includes("network-probe"))).toEqual([]);
    });
});
