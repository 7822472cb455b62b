/** One layer of 1 GiB: how much memory a large layer takes. */
import { startDockerRegistry } from "../test/docker-registry.ts";
import { skopeoCopy } from "../test/skopeo.ts";
import { cache, pulley, skopeo } from "./support/contest.ts";
import { builtImage } from "./support/image.ts";
import { interleaved, median } from "./support/measure.ts";
import { printResults } from "./support/table.ts";

const runs = 3;

/** What we promise, in MiB, whatever the size of a layer. */
const promisedMemory = 150;

const image = await builtImage(cache, { name: "large-layer", layers: [1500] });
const registry = await startDockerRegistry({ network: "direct" });
try {
  const name = `${registry.host}/bench/large-layer:1`;
  await skopeoCopy(image.source, `docker://${name}`);
  const results = await interleaved([pulley(name, image), skopeo(name, image)], runs);
  printResults("Pulling one layer of 1 GiB from a registry on this machine into an empty store", results);

  const memory = (results.get("pulley") ?? []).map((run) => run.memory).filter((known) => known !== undefined);
  const kept = memory.length > 0 && median(memory) < promisedMemory;
  console.log(
    `\nPeak memory stays below ${promisedMemory} MiB: ${memory.length === 0 ? "unknown" : kept ? "yes" : "NO"}`,
  );
  if (memory.length > 0 && !kept) process.exitCode = 1;
} finally {
  await registry.stop();
}
