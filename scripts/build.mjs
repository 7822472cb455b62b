// `npm run build`: builds dist, whether or not anything has changed.
import "./support/node-version.mjs";
import { build } from "./support/bundle.mjs";
import { install } from "./support/install.mjs";
import { fail, step } from "./support/say.mjs";

await install().catch(fail);
await step("Building", build).catch(fail);
