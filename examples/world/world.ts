/** The world in which the example pods live: a registry with their images, and their manifests. */
import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { shopImages } from "./images.ts";
import { type RequestRecord, startRegistry } from "./registry.ts";

export interface World {
  /** The registry, `127.0.0.1:5000`. */
  readonly host: string;
  /** The example pods in reading order, with the registry's host where they name one. */
  readonly manifests: readonly { readonly file: string; readonly text: string }[];
  /** Images that are to be in the store before the pods come. */
  readonly preload: readonly string[];
  /** The pods that are meant not to get their images, in the order of their names. */
  readonly held: readonly string[];
  /** What the registry was asked for. */
  readonly log: readonly RequestRecord[];
  /** From now on the registry answers slowly enough for people to watch. */
  slowDown(): void;
  close(): Promise<void>;
}

/** The host that the manifests are written with. If its port is taken, the registry has another, and so have they. */
const writtenHost = "127.0.0.1:5000";

/** Those who may pull `backoffice/payroll`; `examples/pods` has the logins in Secrets. */
const users = { ann: "pears-and-plums" };

/** The large image takes about three seconds. */
const watchable = { bytesPerSecond: 14_000_000, latency: 40 };

export async function createWorld(): Promise<World> {
  const [images, written] = await Promise.all([shopImages(), readPods()]);
  const registry = await startRegistry({
    port: 5000,
    // People watch it: it is slow at a pace of its own.
    network: "direct",
    access: { users, repositories: { "backoffice/payroll": ["ann"] } },
  });
  for (const [name, image] of images) registry.addImage(name, image);
  const { host, log, close } = registry;
  return {
    host,
    manifests: written.map(({ file, text }) => ({ file, text: text.replaceAll(writtenHost, host) })),
    preload: [`${host}/shop/prices:stable`],
    held: ["backoffice/payroll-copy", "shop/kiosk", "shop/web-typo"],
    log,
    slowDown: () => registry.setPace(watchable),
    close,
  };
}

async function readPods(): Promise<{ file: string; text: string }[]> {
  const folder = podsFolder(import.meta.dirname);
  const names = (await readdir(folder)).filter((name) => name.endsWith(".yaml")).sort();
  return Promise.all(
    names.map(async (name) => {
      const path = join(folder, name);
      return { file: relative(process.cwd(), path), text: await readFile(path, "utf8") };
    }),
  );
}

/** `examples/pods`, seen from here: the same from the source and from the bundle. */
function podsFolder(from: string): string {
  const folder = join(from, "examples", "pods");
  if (existsSync(folder)) return folder;
  if (dirname(from) === from) throw new Error("There is no folder examples/pods.");
  return podsFolder(dirname(from));
}
