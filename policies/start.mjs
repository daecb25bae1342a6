// Pulumi requires this file. An ES module is loaded by Node itself, which strips the types of the .ts files behind it:
// the pack starts without ts-node's type check, which would cost seconds on every preview (tsc checks it in CI).
import "./index.ts";
