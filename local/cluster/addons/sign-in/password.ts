/** Passwords: generated once, and kept by the provider only as an scrypt hash. */
import { randomBytes, scryptSync, timingSafeEqual } from "node:crypto";

const cost = { N: 2 ** 15, r: 8, p: 1, maxmem: 64 * 2 ** 20 };
const keyBytes = 32;

/** 24 characters of 62: 142 bits. */
export function newPassword(): string {
    const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let password = "";
    while (password.length < 24) {
        const [byte = 255] = randomBytes(1);
        // The largest multiple of 62 below 256: no letter is more likely than another.
        if (byte < 248) password += letters.charAt(byte % letters.length);
    }
    return password;
}

/** `scrypt$<salt>$<key>`, both base64url. */
export function hashOf(password: string, salt = randomBytes(16)): string {
    return `scrypt$${salt.toString("base64url")}$${scryptSync(password, salt, keyBytes, cost).toString("base64url")}`;
}

export function matches(password: string, hash: string): boolean {
    const [scheme, salt = "", key = ""] = hash.split("$");
    if (scheme !== "scrypt") throw new Error("the password's hash is not one of scrypt");
    const known = Buffer.from(key, "base64url");
    const given = scryptSync(password, Buffer.from(salt, "base64url"), keyBytes, cost);
    return known.length === given.length && timingSafeEqual(known, given);
}
