// `npm run docs`: writes the reference pages anew.
import "./prepare.mjs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pages } from "./support/docs.mjs";
import { root } from "./support/run.mjs";
import { fail } from "./support/say.mjs";

const written = await pages().catch(fail);
for (const [path, text] of Object.entries(written)) await writeFile(join(root, path), text);
