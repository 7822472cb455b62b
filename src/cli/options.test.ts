import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough, Readable } from "node:stream";
import type { Command } from "commander";
import { describe, expect, it } from "vitest";
import { startCall } from "./io.ts";
import { createProgram } from "./program.ts";
import { callPulley } from "./testing/call.ts";

const silent = { stdin: Readable.from([]), stdout: new PassThrough(), stderr: new PassThrough(), environment: {} };
const program = await createProgram(startCall(silent).io, () => true);

function withSubcommands(command: Command): Command[] {
  return [command, ...command.commands.flatMap(withSubcommands)];
}

async function folderWith(files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "pulley-options-"));
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  return folder;
}

function pod(name: string, image: string): string {
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name },
    spec: { containers: [{ name: "c", image }] },
  });
}

describe("the options of every command", () => {
  it.each(withSubcommands(program).map((command) => [command.name(), command] as const))(
    "of %s take one value each, so that none swallows an argument",
    (_name, command) => {
      const greedy = command.options.filter(({ variadic, optional }) => variadic || optional);
      expect(greedy.map(({ flags }) => flags)).toEqual([]);
    },
  );
});

describe("an option that may be repeated", () => {
  it("leaves the argument behind it alone, wherever the option stands", async () => {
    const folder = await folderWith({ "a.json": pod("a", "a.example/a:1"), "b.json": pod("b", "b.example/b:1") });
    const [a, b] = [join(folder, "a.json"), join(folder, "b.json")];
    const root = ["--root", join(folder, "store"), "-o", "json"];
    const imagesOf = ({ stdout }: { stdout: string }) =>
      JSON.parse(stdout).containers.map((each: { image: { given: string } }) => each.image.given);
    const both = ["a.example/a:1", "b.example/b:1"];
    expect(imagesOf(await callPulley(["explain", "--cert-dir", folder, a, b, ...root]))).toEqual(both);
    expect(imagesOf(await callPulley(["explain", "-f", b, a, ...root]))).toEqual(both);
    expect(imagesOf(await callPulley(["explain", "-f", a, "-f", b, ...root]))).toEqual(both);
    expect(await callPulley(["explain", ...root])).toMatchObject({
      status: 2,
      stderr: expect.stringContaining("there is no file and no image to read"),
    });
  });

  it("adds to what was given before, and takes the place of what is usual", async () => {
    const command = program.commands.find((each) => each.name() === "gc");
    const option = (flag: string) => command?.options.find(({ long }) => long === flag);
    const values = (flag: string, ...given: readonly string[]) =>
      given.reduce<unknown>((before, value) => option(flag)?.parseArg?.(value, before), option(flag)?.defaultValue);
    expect(values("--pin", "a", "b")).toEqual(["a", "b"]);
    expect(values("--cert-dir")).toEqual(["/etc/docker/certs.d", "/etc/containers/certs.d"]);
    expect(values("--cert-dir", "a", "b")).toEqual(["a", "b"]);
  });

  it("is -f of audit, in kubectl's word order", async () => {
    const folder = await folderWith({
      "a.json": pod("a", "a.example/a:latest"),
      "b.json": pod("b", "b.example/b:latest"),
    });
    const [a, b] = [join(folder, "a.json"), join(folder, "b.json")];
    const { stdout } = await callPulley([
      "audit",
      "-f",
      a,
      "--moving-tag",
      "blue",
      "--rule",
      "tag-moving=error",
      b,
      "-o",
      "json",
    ]);
    expect(stdout).toContain(a);
    expect(stdout).toContain(b);
  });
});

describe("a host that is allowed", () => {
  it.each(["", "*", "a.io,b.io", "a.io/", "http://a.io", "me@a.io", "a.io?x"])(
    "is refused where it is none: %j",
    async (host) => {
      for (const option of ["--allow-redirect", "--allow-foreign-layers"]) {
        const { status, stderr } = await callPulley(["pull", option, host, "a.io/b:1"]);
        expect(status).toBe(2);
        expect(stderr).toContain("it must be a host, HOST or HOST:PORT");
      }
    },
  );
});
