/** How registries are asked about many images at once: at their pace, with lists of tags that are kept. */
import { join } from "node:path";
import { openTagPages, type RegistryClient } from "../registry/index.ts";
import { humanDuration } from "../support/format.ts";
import { homeFolder } from "../support/home.ts";
import type { OutdatedCall } from "../versions/index.ts";
import type { Io } from "./io.ts";
import type { RegistryFlags } from "./options.ts";
import { printOver } from "./printing.ts";
import { registryClient } from "./registry.ts";

export interface Judging extends Pick<OutdatedCall, "pages" | "onProgress"> {
  /** To be closed. */
  readonly registry: RegistryClient;
}

/** Of one registry: few enough for those that count, enough for those that are far away. */
const requestsAtOnce = 6;
/** Milliseconds: a registry that asks for a longer wait has a quota for hours, and its images cannot be told. */
const longestWait = 5 * 60_000;

/** Milliseconds: nobody waits for a registry that is down once for each image. */
const rememberDownFor = 60_000;

export function openJudging(flags: RegistryFlags, io: Io): Judging {
  const progress = judgingProgress(io);
  const { waiting: onWait, judged: onProgress } = progress;
  const registry = registryClient(flags, { pace: requestsAtOnce, longestWait, rememberDownFor, onWait });
  return { registry, pages: openTagPages(join(cacheFolder(io), "tags")), onProgress };
}

/** A line on a terminal that says how far the command is, and for whom it waits. */
function judgingProgress(io: Io) {
  let text = "";
  return {
    judged: (done: number, total: number) => {
      text = done < total ? `${done} of ${total} images` : "";
      printOver(text, io);
    },
    waiting: (registry: string, milliseconds: number) => {
      printOver(`${text}; ${registry} asks to wait ${humanDuration(milliseconds)}`.replace(/^; /, ""), io);
    },
  };
}

/** Where lists of tags are kept, with what registries need to say that they still hold (XDG Base Directory). */
function cacheFolder({ environment }: Io): string {
  const cache = environment["XDG_CACHE_HOME"];
  return join(cache === undefined || cache === "" ? join(homeFolder(), ".cache") : cache, "pulley");
}
