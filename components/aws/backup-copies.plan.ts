/** Where AWS Backup copies recovery points to. */
import type { Aws } from "../config/schema.aws";

type Copy = Aws["backupPlan"]["copies"][number];

export interface VaultId {
    readonly region: string;
    readonly account: string;
    readonly name: string;
}

/** @param arn  such as arn:aws:backup:eu-central-1:444455556666:backup-vault:orcheo */
export function vaultId(arn: string): VaultId {
    const [, , , region = "", account = "", , name = ""] = arn.split(":");
    return { region, account, name };
}

/** The vault that a copy ends in. The stack's own bear its name in every region. */
export function destinationOf(copy: Copy, { accountId, name }: Pick<Aws, "accountId" | "name">): VaultId {
    return copy.kind === "region" ? { region: copy.region, account: accountId, name } : vaultId(copy.arn);
}

/** Accounts other than the stack's own that recovery points are copied to, each once. */
export function otherAccounts(settings: Pick<Aws, "accountId" | "backupPlan" | "name">): readonly string[] {
    const accounts = settings.backupPlan.copies.map((copy) => destinationOf(copy, settings).account);
    return [...new Set(accounts)].filter((account) => account !== settings.accountId).sort();
}
