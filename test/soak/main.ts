/**
 * `npm run soak`: everything that moves bytes, again and again over a wild network, for as long as is asked for; every
 * byte that comes of it is read again. What goes wrong is printed with the seed that shows it again.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type Dice, diceFrom } from "../../examples/world/dice.ts";
import { type BuiltImage, buildImage } from "../../examples/world/image-builder.ts";
import { networkSeed } from "../../examples/world/network.ts";
import { startRegistry } from "../../examples/world/registry.ts";
import { type Containerd, containerdTools, startContainerd } from "../containerd.ts";
import { tool } from "../programs.ts";
import { type Errand, wild } from "./errand.ts";
import { nodeErrand } from "./node-errands.ts";
import { archive, killedPull, pull } from "./store-errands.ts";

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "10" },
    seed: { type: "string", default: networkSeed },
    first: { type: "string", default: "0" },
    only: { type: "string" },
  },
});
const end = Date.now() + Number(values.minutes) * 60_000;
const counts = { errands: 0, failed: 0 };
const byName = new Map<string, number>();

const hasContainerd = process.getuid?.() === 0 && containerdTools.every((name) => tool(name) !== undefined);
const containerd: Containerd | undefined = hasContainerd ? await startContainerd() : undefined;
const all: [string, Errand][] = [
  ["pull", pull],
  ["killed", killedPull],
  ["archive", archive],
  ["node", nodeErrand()],
];
if (containerd !== undefined) all.push(["containerd", nodeErrand(containerd)]);
const errands = all.filter(([name]) => values.only === undefined || values.only.split(",").includes(name));

say(`seed ${values.seed}, ${values.minutes} minutes: ${errands.map(([name]) => name).join(", ")}`);
if (containerd === undefined) say("without containerd, which needs root and its programs");
let printed = Date.now();
try {
  for (let number = Number(values.first); Date.now() < end || counts.errands === 0; number += 1) {
    const [name, errand] = errands[number % errands.length] ?? ["pull", pull];
    await carryOut(name, errand, number);
    if (Date.now() - printed > 30_000) printProgress();
  }
} finally {
  await containerd?.stop();
}
printProgress();
process.exitCode = counts.failed > 0 ? 1 : 0;

async function carryOut(name: string, errand: Errand, number: number): Promise<void> {
  const seed = `${values.seed} ${number}`;
  const dice = diceFrom(seed);
  const registry = await startRegistry({ network: { profile: wild, seed } });
  const folder = await mkdtemp(join(tmpdir(), "pulley-soak-"));
  try {
    const images = new Map<string, BuiltImage>();
    for (let at = 0; at < 3; at += 1) {
      const image = await randomImage(dice, `${seed} ${at}`);
      registry.addImage(`soak/app-${at}:1`, image);
      images.set(`${registry.host}/soak/app-${at}:1`, image);
    }
    await errand({ dice, registry, images, folder });
  } catch (error) {
    counts.failed += 1;
    const text = error instanceof Error ? error.message : String(error);
    say(`FAILED ${name}: ${text}\n  again: npm run soak -- --seed ${values.seed} --first ${number} --minutes 0`);
  } finally {
    counts.errands += 1;
    byName.set(name, (byName.get(name) ?? 0) + 1);
    await registry.close();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Layers around the lengths where programs change how they read and write, and some large ones. */
function randomImage(dice: Dice, seed: string): Promise<BuiltImage> {
  const lengths = [1000, 60_000, 130_000, 262_144, 300_000, 900_000, 3_000_000, 9_000_000, 20_000_000] as const;
  const layers = Array.from({ length: 1 + dice.below(5) }, () => ({ filler: dice.pick(lengths) + dice.below(5000) }));
  return buildImage({ layers, seed, compression: dice.pick(["gzip", "none"]) });
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function printProgress(): void {
  printed = Date.now();
  const parts = [...byName].map(([name, count]) => `${count} ${name}`).join(", ");
  say(`${counts.errands} errands (${parts}): ${counts.failed} failed (seed ${values.seed})`);
}
