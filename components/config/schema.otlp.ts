/** Where traces and metrics go: any server that speaks OTLP over HTTP. */
import { z } from "zod";
import { isUrlHost } from "./addresses";
import { dataKey, kind, name, oneOf, text, whole } from "./fields";
import { authority, reach } from "./schema.data";

const headers = oneOf([
    z.strictObject({ kind: kind("none") }),
    z.strictObject({
        kind: kind("secret"),
        name: name().describe("Secret in the namespace, mounted as a file into API, worker and beat alone."),
        key: dataKey()
            .default("headers")
            .describe("Key of the headers: `name=value,name=value`, values percent-encoded, as in Bearer%20…"),
    }),
])
    .prefault({ kind: "none" })
    .describe("Headers of each request, for servers that ask for credentials.");

const endpointForm = "an https:// URL (http:// to pods of the cluster alone) without credentials or a query";
const endpoint = () =>
    text(/^https?:\/\/[^\s/?#@\\]+(\/[^\s?#]*)?$/, endpointForm).refine(
        (value) => isUrlHost(URL.parse(value)?.hostname ?? ""),
        { error: endpointForm },
    );

/** @param example  of the endpoint, with the path of the signal */
export const otlpTarget = (example: string) => ({
    endpoint: endpoint().describe(`URL for OTLP over HTTP (protobuf), such as ${example}, the path included.`),
    headers,
    authority,
    port: whole(1, 65_535)
        .optional()
        .describe("Port of the server's pods or addresses, which the NetworkPolicy opens; default that of endpoint."),
    reach,
});

/** A server for one signal. */
export type OtlpTarget = z.output<z.ZodObject<ReturnType<typeof otlpTarget>>>;
