/** The results, for people. */
import { type Measurement, median } from "./measure.ts";

/** Medians of each contestant, and how many times as much the first one takes as each other. */
export function printResults(title: string, results: ReadonlyMap<string, readonly Measurement[]>): void {
  const rows = [...results].map(([name, runs]) => ({
    name,
    wall: median(runs.map(({ wall }) => wall)),
    range: `${seconds(Math.min(...runs.map(({ wall }) => wall)))}–${seconds(Math.max(...runs.map(({ wall }) => wall)))}`,
    processor: medianKnown(runs.map(({ processor }) => processor)),
    memory: medianKnown(runs.map(({ memory }) => memory)),
  }));
  const [ours, ...peers] = rows;
  console.log(`\n${title}\n`);
  console.log("|  | wall | fastest–slowest | processor | peak memory |\n|---|--:|--:|--:|--:|");
  for (const row of rows) {
    const memory = row.memory === undefined ? "–" : `${row.memory.toFixed(0)} MiB`;
    console.log(`| ${row.name} | ${seconds(row.wall)} s | ${row.range} s | ${seconds(row.processor)} s | ${memory} |`);
  }
  for (const peer of peers) {
    const shares = [
      ratio(ours?.wall, peer.wall),
      "",
      ratio(ours?.processor, peer.processor),
      ratio(ours?.memory, peer.memory),
    ];
    console.log(`| **${ours?.name} ÷ ${peer.name}** | ${shares.join(" | ")} |`);
  }
}

function medianKnown(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined);
  return known.length === 0 ? undefined : median(known);
}

function seconds(value: number | undefined): string {
  return value === undefined ? "–" : value.toFixed(2);
}

function ratio(one: number | undefined, other: number | undefined): string {
  return one === undefined || other === undefined || other === 0 ? "–" : `**${(one / other).toFixed(2)}**`;
}
