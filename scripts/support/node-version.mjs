// Imported first by every script, before anything that an older Node could not even read.
import { readFileSync } from "node:fs";

const { engines } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
const wanted = engines.node.replace(">=", "").split(".").map(Number);
const running = process.versions.node.split(".").map(Number);

if (running[0] < wanted[0] || (running[0] === wanted[0] && running[1] < wanted[1])) {
  console.error(`Pulley needs Node ${wanted.join(".")} or newer, and this is Node ${process.versions.node}.`);
  console.error("Install a current one from https://nodejs.org, then call this again.");
  process.exit(2);
}
