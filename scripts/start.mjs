// `npm start`: the example that shows what Pulley does, on this machine, in a minute.
import "./prepare.mjs";
import { runHere } from "./support/run.mjs";

process.exitCode = await runHere(process.execPath, ["dist/examples/start.mjs", ...process.argv.slice(2)]);
