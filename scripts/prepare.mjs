// Everything that must be there before the programs or their tests can run: packages installed, programs built.
import "./support/node-version.mjs";
import { build, isBuilt } from "./support/bundle.mjs";
import { install } from "./support/install.mjs";
import { fail, step } from "./support/say.mjs";

await install().catch(fail);
if (!(await isBuilt())) await step("Building", build).catch(fail);
