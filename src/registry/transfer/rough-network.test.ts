/**
 * Blobs of every kind of length through networks of every kind: read past the parser or not, in threads or here, with and
 * without TLS, from servers that send parts and from servers that do not. What is on the disk is read again.
 */
import { mkdirSync, readFileSync } from "node:fs";
import { copyFile, mkdtemp, rm } from "node:fs/promises";
import { createServer as createTlsServer } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { rolldown } from "rolldown";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Dice, diceFrom } from "../../../examples/world/dice.ts";
import { cutting, networkSeed, type Profile, rough } from "../../../examples/world/network.ts";
import { describeWith, makeCertificates } from "../../../test/tools.ts";
import { temporaryFolder } from "../../support/testing.ts";
import {
  client,
  describeBytes,
  downloadAll,
  type Handler,
  serve,
  serveWith,
  someBytes,
  type TestServer,
} from "../testing.ts";
import type { RegistryOptions } from "../types.ts";

const mebibyte = 1024 * 1024;
/** Bytes from which on a body is read past the parser. */
const direct = 8 * mebibyte;

let bundle = "";
let workerScript: URL;

beforeAll(async () => {
  bundle = await mkdtemp(join(tmpdir(), "pulley-rough-"));
  const input = fileURLToPath(new URL("./download-worker.ts", import.meta.url));
  const build = await rolldown({ input, platform: "node" });
  await build.write({ dir: bundle, entryFileNames: "[name].mjs", chunkFileNames: "[name]-[hash].mjs" });
  await build.close();
  workerScript = pathToFileURL(join(bundle, "download-worker.mjs"));
});

afterAll(() => rm(bundle, { recursive: true, force: true }));

/** Lengths at the corners of how bodies are read, gathered and shared out, and some between them. */
function lengthsFrom(dice: Dice): readonly number[] {
  const corners = [
    1,
    65_536,
    131_072,
    262_144,
    262_145,
    mebibyte - 1,
    mebibyte,
    direct - 1,
    direct,
    direct + 1,
  ] as const;
  const some = Array.from({ length: 3 }, () => 1 + dice.below(4 * mebibyte));
  return [...some, dice.pick(corners), dice.pick(corners), direct + dice.below(3 * mebibyte)];
}

/** How a server answers, each kind in its own way correct. */
interface Kind {
  readonly etag: boolean;
  /** Whether it sends the part that is asked for, or the whole whatever is asked. */
  readonly ranges: boolean;
  readonly chunked: boolean;
  /** Whether what it calls the same bytes has another name each time. */
  readonly changing: boolean;
}

function kindFrom(dice: Dice): Kind {
  const half = () => dice.chance(0.5);
  return { etag: half(), ranges: dice.chance(0.8), chunked: dice.chance(0.2), changing: dice.chance(0.2) };
}

function serving(contents: readonly Buffer[], kind: Kind): Handler {
  const blobs = new Map<string, Buffer>(contents.map((bytes) => [describeBytes(bytes).digest, bytes]));
  let answers = 0;
  return (request, response) => {
    answers += 1;
    const bytes = blobs.get(request.url?.split("/").at(-1) ?? "");
    if (bytes === undefined) return response.writeHead(404).end();
    const etag = `"${kind.changing ? answers : "same"}"`;
    const isStill = request.headers["if-range"] === undefined || request.headers["if-range"] === etag;
    const wanted = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1] ?? 0);
    const start = kind.ranges && isStill ? wanted : 0;
    const rest = bytes.subarray(start);
    return response
      .writeHead(start > 0 ? 206 : 200, {
        ...(kind.etag && { etag }),
        ...(start > 0 && { "content-range": `bytes ${start}-${bytes.length - 1}/${bytes.length}` }),
        ...(!kind.chunked && { "content-length": rest.length }),
      })
      .end(rest);
  };
}

async function bring(server: TestServer, contents: readonly Buffer[], options: RegistryOptions, threads: boolean) {
  const folder = temporaryFolder();
  const targets = contents.map((bytes, at) => ({ descriptor: describeBytes(bytes), path: join(folder, String(at)) }));
  const asking = client(options, threads ? { workerScript } : {});
  await downloadAll(asking, server.repository, targets);
  return targets.map(({ descriptor, path }, at) => {
    const found = readFileSync(path);
    return found.equals(contents[at] ?? Buffer.alloc(0)) ? "right" : `${descriptor.size} bytes: wrong`;
  });
}

const profiles: readonly [string, Profile][] = [
  ["a rough network", rough],
  ["a network that breaks off", cutting],
];

describe.each(profiles)("through %s", (_, profile) => {
  it.each(Array.from({ length: 6 }, (_unused, at) => at))("every blob is right on the disk (%i)", async (round) => {
    const seed = `${networkSeed} ${profile.breaks} ${round}`;
    const dice = diceFrom(seed);
    const contents = lengthsFrom(dice).map((length, at) => someBytes(length, `${seed} ${at}`));
    const kind = kindFrom(dice);
    const server = await serve(serving(contents, kind), { profile, seed });
    const found = await bring(server, contents, { parallelDownloads: 2 }, dice.chance(0.5));
    expect(found, `PULLEY_NETWORK_SEED=${networkSeed}`).toEqual(contents.map(() => "right"));
  });
});

describeWith(["openssl"], "with TLS, through a network that breaks off", () => {
  it.each([0, 1])("every blob is right on the disk (%i)", async (round) => {
    const folder = temporaryFolder();
    const { authority, server: pair } = await makeCertificates(folder);
    const options = { cert: readFileSync(pair.certificate), key: readFileSync(pair.key) };
    const seed = `${networkSeed} TLS ${round}`;
    const dice = diceFrom(seed);
    const contents = lengthsFrom(dice).map((length, at) => someBytes(length, `${seed} ${at}`));
    const handler = serving(contents, kindFrom(dice));
    const server = await serveWith(createTlsServer(options), "https", handler, { profile: cutting, seed });
    const certDirs = [join(folder, "certs.d")];
    mkdirSync(join(folder, "certs.d", server.host), { recursive: true });
    await copyFile(authority, join(folder, "certs.d", server.host, "ca.crt"));
    const found = await bring(server, contents, { certDirs }, round === 1);
    expect(found, `PULLEY_NETWORK_SEED=${networkSeed}`).toEqual(contents.map(() => "right"));
  });
});
