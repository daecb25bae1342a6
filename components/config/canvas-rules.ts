/**
 * The settings that the canvas image accepts (images/canvas/entrypoint.sh): they go into JavaScript strings and response
 * headers. tests/unit/stack/image-rules.test.ts asks both.
 */
import { isUrlHost } from "./addresses";
import { text } from "./fields";

const characters = "[A-Za-z0-9 ._:/@+=,~%?#-]";
const host = "[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::[0-9]{1,5})?";
const rest = "[A-Za-z0-9._:/@+=,~%?#-]";

const onHost = (pattern: string, accepted: string) =>
    text(new RegExp(`^${pattern}$`), accepted).refine((value) => isUrlHost(URL.parse(value)?.hostname ?? ""), {
        error: accepted,
    });

export const canvasText = (what: string) =>
    text(new RegExp(`^(?! )${characters}+(?<! )$`), `${what} of letters, digits, spaces and . _ : / @ + = , ~ % ? # -`);
export const canvasWord = (what: string) => text(/^[A-Za-z0-9._-]+$/, `${what} of letters, digits, . _ -`);
export const canvasUrl = () =>
    onHost(
        `(?:https://${host}|http://(?:localhost|127\\.0\\.0\\.1)(?::[0-9]{1,5})?)(?:/${rest}*)?`,
        "an https:// URL (http:// only for localhost)",
    );
export const canvasOrigin = () =>
    onHost(
        `https://${host}`,
        "an origin such as https://cdn.example.com, without a path, a wildcard or a / at its end",
    );
