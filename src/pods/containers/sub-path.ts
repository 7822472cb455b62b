/**
 * Places inside volumes, reached step by step without following a link: what runs in a container may swap folders for
 * links at any time (CVE-2017-1002101), and the runtime would follow them on the host. So what was reached is held open
 * and mounted by its handle, as the kubelet does (k8s pkg/volume/util/subpath).
 */
import { execFile } from "node:child_process";
import { constants } from "node:fs";
import { type FileHandle, mkdir, open, readFile, readlink, writeFile } from "node:fs/promises";
import { dirname, isAbsolute, join, normalize } from "node:path";
import { promisify } from "node:util";
import { hasErrno, PulleyError } from "../../support/errors.ts";

const execute = promisify(execFile);

const { O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants;
/** What is opened only to be named, which Node has no word for. */
const O_PATH = 0o10000000;
const mostLinks = 40;

/** Mounts what is at `path` inside `volume` onto `target`; folders that are missing are made. */
export async function mountSubPath(volume: string, path: string, target: string): Promise<void> {
  const handle = await openInside(volume, path);
  try {
    const isFolder = (await handle.stat()).isDirectory();
    await mkdir(isFolder ? target : dirname(target), { recursive: true, mode: 0o700 });
    if (!isFolder) await writeFile(target, "", { flag: "a" });
    await mount(["--no-canonicalize", "--bind", `/proc/${process.pid}/fd/${handle.fd}`, target]);
  } finally {
    await handle.close();
  }
}

/** Opens what is at a path below a folder. Links are followed only as long as they stay inside. */
async function openInside(volume: string, path: string): Promise<FileHandle> {
  let wanted = stepsOf(path);
  for (let links = 0; links <= mostLinks; links += 1) {
    const found = await walk(volume, wanted, path);
    if ("handle" in found) return found.handle;
    wanted = found.instead;
  }
  throw leads(path, "has too many links");
}

type Walked = { readonly handle: FileHandle } | { readonly instead: readonly string[] };

async function walk(volume: string, steps: readonly string[], path: string): Promise<Walked> {
  let at = await open(volume, O_PATH | O_DIRECTORY);
  const { mode } = await at.stat();
  try {
    for (const [index, step] of steps.entries()) {
      const place = `/proc/self/fd/${at.fd}/${step}`;
      const next = await openStep(place, mode & 0o7777);
      const link = (await next.stat()).isSymbolicLink() ? await readlink(place) : undefined;
      await at.close();
      at = next;
      if (link !== undefined) {
        await at.close();
        return { instead: followed(volume, steps, index, link, path) };
      }
    }
  } catch (error) {
    await at.close().catch(() => undefined);
    throw error;
  }
  return { handle: at };
}

/** @param mode of a folder that is made because there is nothing: the volume's own */
async function openStep(place: string, mode: number): Promise<FileHandle> {
  const flags = O_PATH | O_NOFOLLOW | O_NONBLOCK | O_RDONLY;
  try {
    return await open(place, flags);
  } catch (error) {
    if (!hasErrno(error, "ENOENT")) throw error;
    await mkdir(place, { mode: 0o700 });
    const made = await open(place, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    await made.chmod(mode);
    await made.close();
    return open(place, flags);
  }
}

/** The steps when a link's target takes its place. */
function followed(volume: string, steps: readonly string[], index: number, link: string, path: string) {
  const rest = steps.slice(index + 1);
  if (isAbsolute(link)) {
    const inside = normalize(link);
    if (inside !== volume && !inside.startsWith(`${volume}/`)) throw leads(path, "leads out of its volume");
    return stepsOf(join(inside.slice(volume.length + 1), ...rest));
  }
  const joined = normalize(join(...steps.slice(0, index), link, ...rest));
  if (joined === ".." || joined.startsWith("../")) throw leads(path, "leads out of its volume");
  return stepsOf(joined);
}

function stepsOf(path: string): readonly string[] {
  return path.split("/").filter((step) => step !== "" && step !== ".");
}

function leads(path: string, why: string): PulleyError {
  return new PulleyError("RUNTIME_FAILED", `the subPath ${JSON.stringify(path)} ${why}`);
}

export async function mountMemory(target: string, bytes: number | undefined): Promise<void> {
  const size = bytes === undefined ? [] : ["-o", `size=${Math.ceil(bytes)}`];
  await mount(["-t", "tmpfs", ...size, "tmpfs", target]);
}

async function mount(args: readonly string[]): Promise<void> {
  await execute("mount", [...args], { timeout: 30_000 }).catch((cause: unknown) => {
    throw new PulleyError("RUNTIME_FAILED", `mount: ${wordsOf(cause)}`, { cause });
  });
}

function wordsOf(cause: unknown): string {
  if (typeof cause === "object" && cause !== null && "stderr" in cause && typeof cause.stderr === "string") {
    return cause.stderr.trim();
  }
  return String(cause);
}

/** What is mounted at a folder or below it, the last one first. */
export async function mountsIn(folder: string): Promise<readonly string[]> {
  const lines = (await readFile("/proc/self/mountinfo", "utf8")).split("\n");
  const points = lines.map((line) => unescape(line.split(" ")[4] ?? ""));
  return points.filter((point) => point === folder || point.startsWith(`${folder}/`)).toReversed();
}

export async function unmountAll(folder: string): Promise<void> {
  for (const point of await mountsIn(folder)) await execute("umount", ["--lazy", point], { timeout: 30_000 });
}

/** proc_pid_mountinfo(5): spaces and the like are written as octal numbers. */
function unescape(path: string): string {
  return path.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}
