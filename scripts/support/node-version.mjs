// Imported first by every script, before anything that an older Node could not even read.
import { readFileSync } from "node:fs";

const { engines } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
const [wanted = 0, wantedMinor = 0] = engines.node.replace(">=", "").split(".").map(Number);
const [running = 0, runningMinor = 0] = process.versions.node.split(".").map(Number);

if (running < wanted || (running === wanted && runningMinor < wantedMinor)) {
  console.error(`Pulley needs Node ${wanted}.${wantedMinor} or newer, and this is Node ${process.versions.node}.`);
  console.error("Install a current one from https://nodejs.org, then call this again.");
  process.exit(2);
}
