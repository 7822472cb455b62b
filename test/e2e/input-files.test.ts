/** What is no file is refused as one and waited for by nobody; what goes out goes through no link of a checkout. */
import { execFile, execFileSync } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { parse } from "yaml";
import { program, pulley, runProgram } from "./pulley.ts";

vi.setConfig({ testTimeout: 60_000 });

const pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [{name: c, image: nginx}]}\n";

let folder: string;
const server = createServer();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "pulley-e2e-inputs-"));
  for (const name of ["fifo", "manifests/fifo.yaml", "policies/fifo.yaml", "hosts/docker.io/hosts.toml"]) {
    await mkdir(join(folder, name, ".."), { recursive: true });
    execFileSync("mkfifo", [join(folder, name)]);
  }
  await writeFile(join(folder, "manifests", "pod.yaml"), pod);
  await writeFile(join(folder, "pod.yaml"), pod);
  await new Promise<void>((resolve) => server.listen(join(folder, "socket"), resolve));
});
afterAll(async () => {
  server.close();
  await rm(folder, { recursive: true, force: true });
});

const readers = (path: string): readonly (readonly string[])[] => [
  ["explain", "--", `./${path}`],
  ["audit", "--", path],
  ["audit", "--policy", path, "pod.yaml"],
  ["audit", "--baseline", path, "pod.yaml"],
  ["explain", "--policy", path, "pod.yaml"],
  ["run", "--once", "--root", "store", `./${path}`],
  ["run", "--once", "--root", "store", "--kubelet-config", path, "pod.yaml"],
  ["policy", "check", path],
  ["simulate", "--policy", path, "pod.yaml"],
  ["simulate", "--policy", "/dev/null", "--record", path],
  ["hosts", "import", path, "--into", "made"],
  ["load", "--root", "store", path],
];

/** Where the command runs in this process, whose own folder is another. */
function inFolder(word: string, path: string): string {
  const name = word.replace(/^\.\/(?=\/)|^\.\//, "");
  return ["pod.yaml", "store", "made", path].includes(name) ? resolve(folder, name) : word;
}

const sorts = { fifo: "a pipe (fifo)", socket: "a socket", "/dev/zero": "a device" };

describe("what is no file", () => {
  it.each(
    Object.entries(sorts).flatMap(([path, sort]) =>
      readers(path).map((call) => [call.join(" ").replace("./", ""), call, path, sort] as const),
    ),
  )("is not read: %s", async (_, call, path, sort) => {
    const { status, stdout, stderr } = await pulley(call.map((word) => inFolder(word, path)));
    expect(stderr + stdout).toMatch(
      call.includes("/dev/null") ? /\/dev\/null: it is a device/ : `${path}: it is ${sort}`,
    );
    expect(status).toBe(2);
  });

  it.each([
    ["audit", "manifests"],
    ["explain", "manifests"],
    ["audit", "--policy", "policies", "pod.yaml"],
    ["hosts", "check", "hosts"],
  ])("is waited for by nobody in a folder: %s %s", async (...call) => {
    const { status } = await runProgram(call, { directory: folder });
    expect(status).not.toBeNull();
  });

  it.each([
    ["explain", `explain <(cat pod.yaml)`, "docker.io/library/nginx"],
    ["audit", `audit <(cat pod.yaml)`, "tag-missing"],
    ["audit of what is piped in", `audit - < pod.yaml`, "tag-missing"],
    ["audit of standard input by its name", `audit /dev/stdin < pod.yaml`, "tag-missing"],
    ["a policy", `policy check <("$0" "$1" policy init)`, "sound"],
  ])("may be a pipe where a shell opened it: %s", async (_, call, expected) => {
    const script = `"$0" "$1" ${call} || [ $? = 1 ]`;
    const { stdout } = await promisify(execFile)("bash", ["-c", script, process.execPath, program], { cwd: folder });
    expect(stdout).toContain(expected);
  });
});

describe("what goes out", () => {
  const writers = [
    ["audit", "-o", "sarif", "--report", "PATH", "--fail-on", "never", "pod.yaml"],
    ["audit", "-o", "text", "--report", "PATH", "--fail-on", "never", "pod.yaml"],
    ["audit", "--baseline", "PATH", "--update-baseline", "pod.yaml"],
    ["policy", "init", "PATH"],
  ] as const;

  it.each(writers.map((call) => [call.join(" "), call] as const))("follows no link: %s", async (_, call) => {
    const own = await mkdtemp(join(folder, "checkout-"));
    const outside = await mkdtemp(join(folder, "outside-"));
    await writeFile(join(own, "pod.yaml"), pod);
    await writeFile(join(outside, "secret"), "untouched");
    await symlink(outside, join(own, "folder"));
    await symlink(join(outside, "secret"), join(own, "report"));
    await symlink(join(outside, "new"), join(own, "dangling"));
    for (const path of ["report", "dangling", "folder/report", "folder/below/report"]) {
      const words = call.map((word) => word.replace("PATH", path));
      const { status, stderr } = await runProgram(words, { directory: own });
      expect({ path, status, stderr }).toMatchObject({
        status: 2,
        stderr: expect.stringContaining("is a symbolic link"),
      });
    }
    expect(await readFile(join(outside, "secret"), "utf8")).toBe("untouched");
    const words = call.map((word) => word.replace("PATH", "reports/report"));
    expect(await runProgram(words, { directory: own })).toMatchObject({ status: 0 });
    expect(await readFile(join(own, "reports", "report"), "utf8")).not.toBe("");
  });

  it.each(writers.map((call) => [call.join(" "), call] as const))("takes no device's place: %s", async (_, call) => {
    const own = await mkdtemp(join(folder, "places-"));
    const elsewhere = await mkdtemp(join(folder, "elsewhere-"));
    await writeFile(join(own, "pod.yaml"), pod);
    await promisify(execFile)("mkfifo", [join(own, "fifo"), join(elsewhere, "fifo")]);
    await symlink(join(elsewhere, "fifo"), join(elsewhere, "stdout"));
    for (const path of ["fifo", join(elsewhere, "fifo"), join(elsewhere, "stdout")]) {
      const { status, stderr } = await runProgram(
        call.map((word) => word.replace("PATH", path)),
        { directory: own },
      );
      expect({ path, status, stderr }).toMatchObject({ status: 2, stderr: expect.stringContaining("a pipe (fifo)") });
      expect((await stat(path.startsWith("/") ? path : join(own, path))).isFIFO()).toBe(true);
    }
  });

  it("goes where a path is, as it is read, and not where a link in it would lead", async () => {
    const own = await mkdtemp(join(folder, "checkout-"));
    const outside = await mkdtemp(join(folder, "outside-"));
    await mkdir(join(outside, "below"));
    await writeFile(join(own, "pod.yaml"), pod);
    await symlink(join(outside, "below"), join(own, "link"));
    const words = ["audit", "-o", "sarif", "--report", "link/../report", "--fail-on", "never", "pod.yaml"];
    expect(await runProgram(words, { directory: own })).toMatchObject({ status: 0 });
    expect(await readdir(outside)).toEqual(["below"]);
    expect(await readFile(join(own, "report"), "utf8")).not.toBe("");
  });

  it("is the action's SARIF, too, and its build has what a job for production leaves out", async () => {
    const { runs } = parse(await readFile(new URL("../../action.yml", import.meta.url), "utf8"));
    expect(runs.steps[0].run).toContain("npm ci --include=dev");
    const own = await mkdtemp(join(folder, "action-"));
    await writeFile(join(own, "pod.yaml"), pod);
    await writeFile(join(own, "secret"), "untouched");
    await symlink("secret", join(own, "link.sarif"));
    const act = (sarif: string) =>
      promisify(execFile)("bash", ["-e", "-c", runs.steps[1].run], {
        cwd: own,
        env: {
          PATH: process.env["PATH"],
          PROGRAM: program,
          AUDIT_PATHS: "pod.yaml",
          AUDIT_POLICY: "",
          FAIL_ON: "never",
          SARIF_FILE: sarif,
        },
      });
    await act("out/pulley.sarif");
    expect(JSON.parse(await readFile(join(own, "out", "pulley.sarif"), "utf8"))).toMatchObject({ version: "2.1.0" });
    await expect(act("link.sarif")).rejects.toMatchObject({ code: 2 });
    expect(await readFile(join(own, "secret"), "utf8")).toBe("untouched");
  });
});
