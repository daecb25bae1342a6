/** A pod of others, which may call everybody: who answers it has let it in. */
import { apply, kube } from "./harness.ts";

const name = "stranger";

/** In a namespace as strict as the stack's. */
export async function startStranger(namespace: string): Promise<void> {
    const labels = { "app.kubernetes.io/name": name };
    const image = await kube(
        ...["get", "deployment", "worker", "-o", "jsonpath={.spec.template.spec.containers[0].image}"],
    );
    const metadata = { name, namespace, labels };
    const securityContext = {
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ["ALL"] },
    };
    await apply([
        {
            apiVersion: "networking.k8s.io/v1",
            kind: "NetworkPolicy",
            metadata,
            spec: { podSelector: { matchLabels: labels }, policyTypes: ["Egress"], egress: [{}] },
        },
        {
            apiVersion: "v1",
            kind: "Pod",
            metadata,
            spec: {
                automountServiceAccountToken: false,
                terminationGracePeriodSeconds: 1,
                securityContext: { runAsNonRoot: true, runAsUser: 65_532, seccompProfile: { type: "RuntimeDefault" } },
                containers: [{ name, image, command: ["sleep", "infinity"], securityContext }],
            },
        },
    ]);
    await kube("wait", `--namespace=${namespace}`, `pod/${name}`, "--for=condition=Ready", "--timeout=120s");
}

export const stopStranger = (namespace: string): Promise<string> =>
    kube("delete", `--namespace=${namespace}`, `pod/${name}`, `networkpolicy/${name}`);

/** A Python program that says what a connection comes to. */
const connection = (address: string, port: number): string => `import socket
try:
    socket.create_connection(("${address}", ${port}), timeout=5)
    print("open")
except OSError as error:
    print(type(error).__name__)`;

/** What a connection from the stranger of a namespace comes to. */
export async function reaches(from: string, namespace: string, label: string, port: number): Promise<string> {
    const code = connection(await addressOf(namespace, label), port);
    return (await kube("exec", `--namespace=${from}`, name, "--", "python3", "-c", code)).trim();
}

/** The same from a process of the stack. */
export async function reachesFrom(role: string, address: string, port: number): Promise<string> {
    const process = [`deployment/${role}`, `--container=${role}`];
    return (await kube("exec", ...process, "--", "python3", "-c", connection(address, port))).trim();
}

/** Of the first pod with the label. */
export const addressOf = (namespace: string, label: string): Promise<string> =>
    kube("get", "pods", `--namespace=${namespace}`, "-l", label, "-o", "jsonpath={.items[0].status.podIP}");

/** What a connection comes to that nobody takes. */
export const refused = /^(TimeoutError|ConnectionRefusedError)$/;
