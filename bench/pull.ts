/** An image like many: eight layers, 300 MiB to download. */
import { startDockerRegistry } from "../test/docker-registry.ts";
import { skopeoCopy } from "../test/skopeo.ts";
import { cache, pulley, skopeo } from "./support/contest.ts";
import { builtImage } from "./support/image.ts";
import { interleaved } from "./support/measure.ts";
import { printResults } from "./support/table.ts";

const runs = 9;

const image = await builtImage(cache, { name: "medium", layers: [80, 120, 60, 90, 30, 40, 20, 10] });
const registry = await startDockerRegistry({ network: "direct" });
try {
  const name = `${registry.host}/bench/medium:1`;
  await skopeoCopy(image.source, `docker://${name}`);
  const results = await interleaved([pulley(name, image), skopeo(name, image)], runs);
  printResults("Pulling eight layers, 300 MiB, from a registry on this machine into an empty store", results);
} finally {
  await registry.stop();
}
