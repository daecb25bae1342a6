/**
 * The stack's config and the pack's settings, from the engine itself: whichever file, environment or command line they were
 * given in.
 *
 * The engine sends both to every pack before it asks anything (ConfigureStack, Configure). The policy SDK for Node (1.21) keeps
 * only the stack's tags of the first, and takes settings of rules that do not exist without a word.
 */
import { analyzerProtocol } from "./pulumi-internals.ts";
import { fields } from "./values.ts";

/** The text of a key of the stack's config, `project:key`; undefined before the engine has sent it, and where it is not set. */
export type StackConfig = (key: string) => string | undefined;

interface ConfigMessage {
    getConfigMap(): { get(key: string): string | undefined };
}

interface SettingsMessage {
    getPolicyconfigMap(): { forEach(visit: (policy: PolicySettings, name: string) => void): void };
}

interface PolicySettings {
    getProperties(): { toJavaScript(): unknown } | undefined;
}

function has(value: unknown, method: string): value is object {
    return typeof value === "object" && value !== null && typeof Reflect.get(value, method) === "function";
}

const isConfig = (message: unknown): message is ConfigMessage => has(message, "getConfigMap");
const isSettings = (message: unknown): message is SettingsMessage => has(message, "getPolicyconfigMap");

/** Throws when it is read: only then does the SDK's server report the reason. */
function refused(error: unknown): object {
    // The SDK reports an error's stack trace, which does not help a user who misspelt a setting.
    if (error instanceof Error) error.stack = error.message;
    return new Proxy(
        {},
        {
            get: () => (): never => {
                throw error;
            },
        },
    );
}

/**
 * Has `hear` read each message of a method of the engine's. What `hear` throws refuses the message, and so the update.
 *
 * @throws when the SDK reads such messages in another way: without its exceptions a stack would be evaluated wrongly
 */
function hearing(call: string, hear: (message: unknown) => void): void {
    const protocol = analyzerProtocol();
    const method: unknown = Reflect.get(Object(Reflect.get(Object(protocol), "AnalyzerService")), call);
    const read: unknown = Reflect.get(Object(method), "requestDeserialize");
    if (typeof method !== "object" || method === null || typeof read !== "function") {
        throw new Error(
            "this version of @pulumi/policy does not receive the stack's config; install the one of package.json",
        );
    }
    Reflect.set(method, "requestDeserialize", (bytes: Uint8Array): unknown => {
        const message: unknown = Reflect.apply(read, undefined, [bytes]);
        try {
            hear(message);
        } catch (error) {
            return refused(error);
        }
        return message;
    });
}

/**
 * Listens for the stack's config. To be called before the pack is served.
 *
 * @param check  throws what is wrong with it
 */
export function hearStackConfig(check: (config: StackConfig) => void = () => undefined): StackConfig {
    let heard: ConfigMessage | undefined;
    const config: StackConfig = (key) => heard?.getConfigMap().get(key);
    hearing("configureStack", (message) => {
        if (!isConfig(message)) return;
        heard = message;
        check(config);
    });
    return config;
}

/**
 * Checks the pack's settings as they arrive. Levels are the engine's to check.
 *
 * @param check  throws what is wrong with them
 */
export function checkSettings(check: (settings: unknown) => void): void {
    hearing("configure", (message) => {
        if (!isSettings(message)) return;
        const settings: [string, unknown][] = [];
        message.getPolicyconfigMap().forEach((policy, name) => {
            settings.push([name, fields(policy.getProperties()?.toJavaScript())]);
        });
        check(Object.fromEntries(settings));
    });
}
