/** Pulley, out in the weather: the registry client, the store and the image service, as a node puts them together. */

import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { expect } from "vitest";
import { digestOf } from "../../examples/world/image-builder.ts";
import type { Digest } from "../../src/image/index.ts";
import { parseImageName } from "../../src/image/index.ts";
import type { PullCall, PulledImage } from "../../src/pull/image-service.ts";
import { openPulls } from "../../src/pull/index.ts";
import { createRegistryClient, type RegistryClient, type RegistryOptions } from "../../src/registry/index.ts";
import type { LoadedImage } from "../../src/store/archive/index.ts";
import { type ImageStore, loadArchive, openEmbeddedStore } from "../../src/store/index.ts";
import type { Clock } from "../../src/support/clock.ts";
import { type ErrorCode, isPulleyError, type PulleyError } from "../../src/support/errors.ts";
import { Login } from "../../src/support/login.ts";
import { type Storm, type StormOptions, startStorm } from "./storm.ts";

/** What no message, log or stranger may ever see. */
export const canary = "canary-c0ffee-of-the-login";

export const login = new Login("secret default/regcred", { kind: "password", username: "ann", password: canary });

export interface Victim {
  readonly registry: RegistryClient;
  readonly store: ImageStore;
  /** The store's folder. */
  readonly root: string;
  pull(image: string, login?: Login, call?: PullCall): Promise<Digest>;
  /** The same with all that a pull tells. */
  pulled(image: string): Promise<PulledImage>;
  /** The failure of a pull that has to fail. */
  failure(image: string, login?: Login, call?: PullCall): Promise<PulleyError>;
  /** Loads an archive. */
  load(path: string): Promise<readonly LoadedImage[]>;
  loadFailure(path: string): Promise<PulleyError>;
  close(): Promise<void>;
}

export interface VictimOptions extends RegistryOptions {
  readonly environment?: NodeJS.ProcessEnv;
  readonly clock?: Clock;
  /** The script of the download threads; without it, there are none. */
  readonly workerScript?: URL;
}

const platform = { os: "linux", architecture: "amd64", variant: "" };

const noThreads = new URL("no-such-script.mjs", import.meta.url);

export async function openVictim({
  environment = {},
  clock = hurriedClock(),
  workerScript = noThreads,
  ...options
}: VictimOptions = {}): Promise<Victim> {
  const root = await mkdtemp(join(tmpdir(), "pulley-weather-"));
  const store = await openEmbeddedStore(root);
  const surroundings = { clock, random: () => 0.5, environment, workerScript };
  const registry = createRegistryClient(options, surroundings);
  const images = openPulls({ store, registry, platform, clock }).images;
  const pull: Victim["pull"] = async (image, who, call) => (await images.pull(parseImageName(image), who, call)).id;
  const load: Victim["load"] = (path) => loadArchive(store, path, { platform });
  const victim: Victim = {
    registry,
    store,
    root,
    pull,
    pulled: (image) => images.pull(parseImageName(image), undefined),
    failure: (...call) => failureOf(pull(...call)),
    load,
    loadFailure: (path) => failureOf(load(path)),
    close: async () => {
      await registry.close();
      await store.close();
      await rm(root, { recursive: true, force: true });
    },
  };
  return victim;
}

/**
 * In the place of a victim, one that gives a silent source up after a tenth of a second. Only for sources that are silent
 * on purpose: on a busy machine a sound one may be, too.
 */
export async function impatient(victim: Victim): Promise<Victim> {
  await victim.close();
  return openVictim({ stallTimeout: 100 });
}

async function failureOf(work: Promise<unknown>): Promise<PulleyError> {
  const outcome = await work.then(
    () => "it succeeded",
    (error: unknown) => error,
  );
  if (!isPulleyError(outcome)) throw new Error("not a failure of Pulley's own", { cause: outcome });
  return outcome;
}

/** A clock on which every wait is over at once, so that back-off costs no time; it shows the time that has been waited. */
export function hurriedClock(): Clock & { readonly waits: readonly number[] } {
  const waits: number[] = [];
  let skipped = 0;
  return {
    waits,
    now: () => Date.now() + skipped,
    sleep: async (milliseconds, signal) => {
      signal?.throwIfAborted();
      waits.push(milliseconds);
      skipped += milliseconds;
    },
  };
}

/** Storms that are over together. */
export interface Weather {
  storm(options: StormOptions): Promise<Storm>;
  clear(): Promise<void>;
}

export function weather(): Weather {
  const storms: Storm[] = [];
  return {
    async storm(options) {
      const storm = await startStorm(options);
      storms.push(storm);
      return storm;
    },
    clear: async () => {
      await Promise.all(storms.map((storm) => storm.close()));
    },
  };
}

export interface ExpectedFailure {
  readonly code: ErrorCode | readonly ErrorCode[];
  /** What the message has to name: the host or the file that is at fault. */
  readonly side: string | RegExp;
  readonly says?: RegExp;
}

/** A failure has the right code, names its side, says what to do, can be printed, and gives no login away. */
export function expectFailure(error: PulleyError, { code, side, says }: ExpectedFailure): void {
  expect([code].flat(), error.message).toContain(error.code);
  expect(error.message).toMatch(typeof side === "string" ? literally(side) : side);
  if (says !== undefined) expect(error.message).toMatch(says);
  expect(error.advice).not.toBe("");
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
  expect(error.message).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/);
  expect(error.message.length).toBeLessThan(2000);
  expectNoSecret(error);
}

/** Neither the error, nor its causes, nor their stacks have the login in them, in clear or encoded. */
export function expectNoSecret(value: unknown): void {
  const everything = `${inspect(value, { depth: 20, showHidden: true })}\n${isPulleyError(value) ? value.stack : ""}`;
  expect(everything).not.toContain(canary);
  expect(everything).not.toContain(Buffer.from(`ann:${canary}`).toString("base64"));
}

/** Another origin than the registry has not seen a login, a token or a cookie. */
export function expectNoLogin(storm: Storm): void {
  for (const { path, headers, body } of storm.asked) {
    expect(headers.authorization).toBeUndefined();
    expect(headers.cookie).toBeUndefined();
    expect(headers["proxy-authorization"]).toBeUndefined();
    expect(path + body).not.toContain(canary);
  }
}

/** No image has come in, and whatever lies in the store lies under its own digest. */
export async function expectEmpty({ store, root }: Victim): Promise<void> {
  expect(await store.images()).toEqual([]);
  await expectSound(root);
}

/** Every blob of a store is what its name says. */
export async function expectSound(root: string): Promise<void> {
  const folder = join(root, "blobs", "sha256");
  const names = await readdir(folder).catch(() => []);
  for (const name of names) expect(digestOf(await readFile(join(folder, name)))).toBe(`sha256:${name}`);
}

function literally(text: string): RegExp {
  return new RegExp(text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
}
