/** Building blocks of the schema that only AWS has. */
import { z } from "zod";
import { text, words } from "./fields";

export const serviceArn = (service: string, example: string) =>
    text(new RegExp(`^arn:aws[a-z-]*:${service}:[a-z0-9-]*:\\d{12}:\\S+$`), `an ARN such as ${example}`);
export const roleArn = () => serviceArn("iam", "arn:aws:iam::111122223333:role/deploy");
export const keyArn = () => serviceArn("kms", "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-…");
export const vaultArn = () =>
    text(
        /^arn:aws:backup:[a-z0-9-]+:\d{12}:backup-vault:[A-Za-z0-9_-]{2,50}$/,
        "an ARN such as arn:aws:backup:eu-central-1:444455556666:backup-vault:orcheo",
    );
export const regionName = () =>
    text(/^(?!cn-|us-gov-)[a-z]{2}(-[a-z]+)+-\d$/, "a region such as eu-central-1, not of China or GovCloud");
export const minorVersion = () => text(/^1\.\d{2}$/, "a Kubernetes minor such as 1.37");
export const resourceId = (prefix: string) =>
    text(new RegExp(`^${prefix}-[0-9a-f]{8,17}$`), `an id such as ${prefix}-0a1b2c3d`);
export const stackName = () => words("a stack such as organization/network/prod");
export const outputName = (fallback: string) => words("the name of an output").default(fallback);

const day = "(mon|tue|wed|thu|fri|sat|sun)";
const time = "([01]\\d|2[0-3]):[0-5]\\d";
export const weekly = () =>
    text(new RegExp(`^${day}:${time}-${day}:${time}$`), "a weekly window in UTC such as sun:04:00-sun:05:00");
export const daily = () => text(new RegExp(`^${time}-${time}$`), "a daily window in UTC such as 02:00-03:00");

/** The retentions that CloudWatch accepts, within the policy pack's bounds. */
export function logRetention() {
    const days = [30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653];
    const accepted = `one of ${days.join(", ")}`;
    return z
        .int({ error: accepted })
        .refine((value) => days.includes(value), { error: accepted })
        .meta({ accepted });
}
