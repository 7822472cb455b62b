// `npm start`: the example pods, taken through image pulling on this machine by the program itself.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import { runCommandLine } from "../src/cli/program.ts";
import { hanging } from "../src/support/terminal.ts";
import { createWorld } from "./world/world.ts";

const surroundings = { stdin: process.stdin, stdout: process.stdout, stderr: process.stderr, environment: process.env };
const world = await createWorld();
const folder = await mkdtemp(join(tmpdir(), "pulley-example-"));
try {
  const root = join(folder, "store");
  const pods = await Promise.all(
    world.manifests.map(async ({ file, text: manifest }) => {
      const path = join(folder, file.replaceAll("/", "-"));
      await writeFile(path, manifest);
      return path;
    }),
  );
  say(
    "Eight pods pull their images from a registry that runs on this machine.",
    "Each is in another situation: examples/pods says in which.",
    `Three fail on purpose: ${world.held.join(", ")}.`,
    "The table shows what a kubelet would do, and the lines above it why.",
    "Nothing is started, and nothing stays behind. Ctrl-C ends it.",
    "",
  );
  // One pod is to find its image here.
  const unseen = new PassThrough().resume();
  await runCommandLine(["pull", "--root", root, ...world.preload], { ...surroundings, stdout: unseen, stderr: unseen });
  world.slowDown();
  // What people look at goes to standard error; the answer for programs tells whether all went as it is meant to.
  const stdout = new PassThrough();
  const words = ["run", "--root", root, ...process.argv.slice(2), "--output", "json", ...pods];
  const status = await runCommandLine(words, { ...surroundings, stdout, leavesNothing: true });
  const held = heldPods(await text(stdout.end()));
  say(
    "",
    "The example's registry and files are gone now. Three commands that work as they stand:",
    "",
    "  # what a kubelet would do, and why",
    "  npx pulley explain examples/web.yaml",
    "  # what is wrong with a manifest",
    "  npx pulley audit examples/web.yaml",
    "  # how it would be fixed",
    "  npx pulley audit --diff examples/web.yaml",
  );
  process.exitCode = held.join() === world.held.join() ? 0 : status || 1;
} finally {
  await world.close();
  await rm(folder, { recursive: true, force: true });
}

/** Breaks between words what is too long for a narrow terminal. */
function say(...lines: readonly string[]): void {
  const width = process.stderr.isTTY ? process.stderr.columns : Number.POSITIVE_INFINITY;
  process.stderr.write(
    `${lines.flatMap((line) => (line.startsWith(" ") ? line : hanging("", line, width))).join("\n")}\n`,
  );
}

/** The pods that do not have their images, in the order of their names. An answer that is not there names none. */
function heldPods(answer: string): readonly string[] {
  const { pods } = JSON.parse(answer || '{"pods":[]}') as { pods: readonly PodAnswer[] };
  return pods
    .filter(({ containers }) => containers.some(({ state }) => state.kind === "waiting"))
    .map(({ namespace, name }) => `${namespace}/${name}`)
    .sort();
}

interface PodAnswer {
  readonly namespace: string;
  readonly name: string;
  readonly containers: readonly { readonly state: { readonly kind: string } }[];
}
