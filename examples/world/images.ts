/** The images of the example pods: a small shop. */
import { type BuiltImage, buildImage } from "./image-builder.ts";

const MB = 1000 * 1000;

/** Images by the name that the pods give them, without the registry's host. */
export async function shopImages(): Promise<ReadonlyMap<string, BuiltImage>> {
  const entries = await Promise.all(
    Object.entries({
      // Large enough that its layers are seen coming in.
      "shop/web:1.4": buildImage({
        seed: "web",
        platforms: ["linux/amd64", "linux/arm64"],
        layers: [
          { filler: 18 * MB },
          { filler: 12 * MB },
          { filler: 8 * MB },
          { files: { "srv/index.html": "<h1>The shop is open.</h1>\n" } },
        ],
        config: { Cmd: ["/srv/web"], ExposedPorts: { "8080/tcp": {} } },
      }),
      "shop/prices:stable": buildImage({
        seed: "prices",
        layers: [{ filler: 2 * MB }, { files: { "srv/prices.csv": "apple,1\npear,2\n" } }],
        config: { Cmd: ["/srv/prices"] },
      }),
      // Without compression, so that its digest is the same with every version of zlib: a pod names it.
      "shop/ledger:7": buildImage({
        seed: "ledger",
        compression: "none",
        layers: [{ filler: MB }, { files: { "srv/ledger.db": "" } }],
        config: { Cmd: ["/srv/ledger"] },
      }),
      // Nobody may pull it for its pod; a person may, with `pulley pull`.
      "shop/kiosk:2": buildImage({ seed: "kiosk", layers: [{ filler: MB }], config: { Cmd: ["/srv/kiosk"] } }),
      "shop/migrate:1.4": buildImage({
        format: "docker",
        layers: [{ files: { "srv/001.sql": "create table orders (id int);\n" } }],
        config: { Cmd: ["/srv/migrate"] },
      }),
      "shop/model:2": buildImage({ seed: "model", layers: [{ filler: 4 * MB }] }),
      "backoffice/payroll:3": buildImage({
        seed: "payroll",
        layers: [{ filler: MB }],
        config: { Cmd: ["/srv/payroll"] },
      }),
    }).map(async ([name, building]) => [name, await building] as const),
  );
  return new Map(entries);
}
