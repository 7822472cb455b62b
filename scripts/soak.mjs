// `npm run soak -- --minutes 60`: pulls, kills, archives, mirror and containerd over a wild network; reads every byte again.
import "./prepare.mjs";
import { join } from "node:path";
import { root, runHere } from "./support/run.mjs";

const { build } = await import("rolldown");
const file = join(root, ".cache", "soak", "soak.mjs");
await build({ input: "test/soak/main.ts", cwd: root, platform: "node", output: { file, codeSplitting: false } });
process.exitCode = await runHere(process.execPath, [file, ...process.argv.slice(2)]);
