// What npm calls before it packs, and after it has cloned a dependency from git: builds dist, with the types of the library.
import "./build.mjs";
import { join } from "node:path";
import { writeDeclarations } from "./support/declarations.mjs";
import { root } from "./support/run.mjs";
import { fail, step } from "./support/say.mjs";

await step("Writing types", () => writeDeclarations(join(root, "dist", "types"))).catch(fail);
