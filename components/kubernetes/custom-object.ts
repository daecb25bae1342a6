import type { Input } from "@pulumi/pulumi";

/** An object of a kind that only its controller knows. */
export interface CustomObject {
    readonly apiVersion: string;
    readonly kind: string;
    readonly metadata: {
        readonly name: string;
        readonly namespace?: Input<string>;
        readonly annotations?: Readonly<Record<string, string>>;
    };
    readonly spec: object;
}
