// Usage: node fetch-npm.mjs REGISTRY VERSION INTEGRITY > npm.tgz
// Debian's npm pulls 300 packages into the build; npm's own tarball only needs node. Refuses a tarball that does not match the hash.
import { createHash } from "node:crypto";

const [registry, version, integrity] = process.argv.slice(2);
const url = `${registry.replace(/\/$/, "")}/npm/-/npm-${version}.tgz`;
const response = await fetch(url);
if (!response.ok) throw new Error(`${url}: HTTP ${response.status}`);
const tarball = Buffer.from(await response.arrayBuffer());
const actual = `sha512-${createHash("sha512").update(tarball).digest("base64")}`;
if (actual !== integrity) throw new Error(`${url}: hash is ${actual}, expected ${integrity}`);
process.stdout.write(tarball);
