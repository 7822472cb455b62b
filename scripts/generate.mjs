// `npm run generate`: writes the messages and services of gRPC interfaces anew, from the folder proto.
import "./prepare.mjs";
import { generated } from "./support/generate.mjs";
import { root } from "./support/run.mjs";
import { fail } from "./support/say.mjs";

await generated(root).catch(fail);
