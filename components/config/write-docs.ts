/** `npm run docs`. */
import { writeFileSync } from "node:fs";
import { configDocs } from "./docs";

writeFileSync("docs/config.md", configDocs());
