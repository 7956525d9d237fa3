// Usage: node prepare.mjs FILE URL LINK

import { writeFileSync } from "node:fs";
import { prepare } from "./person.mjs";

const [, , file, url, link] = process.argv;
writeFileSync(file, JSON.stringify(await prepare(url, link)), { mode: 0o600 });
