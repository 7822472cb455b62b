/** Errands of the program with a store of its own: pulls, pulls that are killed, archives there and back. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createReadStream, createWriteStream } from "node:fs";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { setTimeout as delay } from "node:timers/promises";
import { createGzip } from "node:zlib";
import { planFrom } from "../../examples/world/cuts.ts";
import { program, runProgram } from "../e2e/pulley.ts";
import { type Errand, requireRight, requireRightBytes, type Surroundings, someNames, wild } from "./errand.ts";

export const pull: Errand = async (given) => {
  const root = join(given.folder, "store");
  await succeed(["pull", "--root", root, ...someNames(given, 2)]);
  await requireRightBytes(root);
};

/** Killed as often as chance will have it; what is left is right, and the next pull makes it whole. */
export const killedPull: Errand = async (given) => {
  const root = join(given.folder, "store");
  const call = ["pull", "--root", root, ...someNames(given, 2)];
  for (let kills = 1 + given.dice.below(3); kills > 0; kills -= 1) {
    const milliseconds = 150 + given.dice.below(2500);
    await runProgram(call, {
      meanwhile: async (child) => {
        await Promise.race([delay(milliseconds), once(child, "exit")]);
        child.kill("SIGKILL");
      },
    });
    await requireRightBytes(root);
  }
  await succeed(call);
  await requireRightBytes(root);
  await succeed(["verify", "--root", root]);
};

export const archive: Errand = async (given) => {
  const { dice, folder } = given;
  const [root, other, file] = [join(folder, "store"), join(folder, "other"), join(folder, "archive.tar")];
  const names = someNames(given, 2);
  await succeed(["pull", "--root", root, ...names]);
  const format = dice.pick(["docker-archive", "oci-archive"]);
  await succeed(["save", "--root", root, "--format", format, "-f", file, ...names]);
  const packed = dice.chance(0.5);
  if (packed) await pipeline(createReadStream(file), createGzip({ level: 1 }), createWriteStream(`${file}.gz`));
  const path = packed ? `${file}.gz` : file;
  if (dice.chance(0.5)) await succeed(["load", "--root", other, path]);
  else await loadInPieces(given, other, path);
  await requireRightBytes(folder);
  const ids = await Promise.all([root, other].map((each) => succeed(["images", "--root", each, "-q", "--no-trunc"])));
  requireRight(sorted(ids[0]) === sorted(ids[1]), `${format}: saved ${ids[0]}, loaded ${ids[1]}`);
};

async function loadInPieces({ dice }: Surroundings, root: string, path: string): Promise<void> {
  const child = spawn(process.execPath, [program, "load", "--root", root], {
    env: { PATH: process.env["PATH"], HOME: "/nonexistent" },
    stdio: ["pipe", "ignore", "pipe"],
  });
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  const ended = once(child, "close");
  const plan = planFrom(dice, wild);
  const pieces = async function* () {
    for await (const block of createReadStream(path, { highWaterMark: 1024 * 1024 })) {
      for (let rest: Buffer = block; rest.length > 0; ) {
        const piece = rest.subarray(0, plan.length());
        rest = rest.subarray(piece.length);
        yield piece;
        await delay(plan.wait(piece.length));
      }
    }
  };
  await pipeline(pieces, child.stdin).catch(() => undefined);
  const [status]: unknown[] = await ended;
  requireRight(status === 0, `load of ${path} from standard input ended with ${status}: ${said}`);
}

async function succeed(args: readonly string[]): Promise<string> {
  const { status, stdout, stderr } = await runProgram(args);
  requireRight(status === 0, `pulley ${args.join(" ")} ended with ${status}: ${stderr}`);
  return stdout;
}

function sorted(lines = ""): string {
  return lines.split("\n").sort().join("\n");
}
