/** What the provider has to remember (grants, codes, refresh tokens, sessions): one SQLite file, so that a restart ends nothing. */
import { DatabaseSync } from "node:sqlite";
import type { Adapter, AdapterPayload } from "oidc-provider";

export class Store {
    readonly #database: DatabaseSync;

    /** @param file  path, or ":memory:" */
    constructor(file: string) {
        this.#database = new DatabaseSync(file);
        this.#database.exec(`
            PRAGMA journal_mode = WAL;
            CREATE TABLE IF NOT EXISTS entries (
                model TEXT NOT NULL, id TEXT NOT NULL, payload TEXT NOT NULL, expires INTEGER,
                grant_id TEXT, uid TEXT, PRIMARY KEY (model, id)) STRICT;
            CREATE INDEX IF NOT EXISTS by_grant ON entries (grant_id);
            CREATE INDEX IF NOT EXISTS by_expiry ON entries (expires);
        `);
    }

    /** The adapter of one of the provider's models. */
    adapter(model: string, now = (): number => Math.floor(Date.now() / 1000)): Adapter {
        const database = this.#database;
        const one = (column: "id" | "uid", value: string): AdapterPayload | undefined => {
            const row = database
                .prepare(
                    `SELECT payload FROM entries WHERE model = ? AND ${column} = ? AND (expires IS NULL OR expires > ?)`,
                )
                .get(model, value, now());
            return row === undefined ? undefined : (JSON.parse(String(row.payload)) as AdapterPayload);
        };
        return {
            upsert: (id, payload, expiresIn) => {
                const expires = expiresIn === undefined || expiresIn <= 0 ? null : now() + expiresIn;
                database.prepare("DELETE FROM entries WHERE expires <= ?").run(now());
                database
                    .prepare("INSERT OR REPLACE INTO entries VALUES (?, ?, ?, ?, ?, ?)")
                    .run(model, id, JSON.stringify(payload), expires, payload.grantId ?? null, payload.uid ?? null);
                return Promise.resolve();
            },
            find: (id) => Promise.resolve(one("id", id)),
            findByUid: (uid) => Promise.resolve(one("uid", uid)),
            // The device flow, which is off.
            findByUserCode: () => Promise.resolve(undefined),
            consume: (id) => {
                database
                    .prepare(
                        "UPDATE entries SET payload = json_set(payload, '$.consumed', ?) WHERE model = ? AND id = ?",
                    )
                    .run(now(), model, id);
                return Promise.resolve();
            },
            destroy: (id) => {
                database.prepare("DELETE FROM entries WHERE model = ? AND id = ?").run(model, id);
                return Promise.resolve();
            },
            revokeByGrantId: (grantId) => {
                database.prepare("DELETE FROM entries WHERE grant_id = ?").run(grantId);
                return Promise.resolve();
            },
        };
    }

    close(): void {
        this.#database.close();
    }
}
