// What npm packs: dist built anew, and beside it the types of what other programs may import.
import "./build.mjs";
import { join } from "node:path";
import { writeDeclarations } from "./support/declarations.mjs";
import { root } from "./support/run.mjs";
import { fail, step } from "./support/say.mjs";

await step("Writing types", () => writeDeclarations(join(root, "dist", "types"))).catch(fail);
