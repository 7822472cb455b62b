import { spawnSync } from "node:child_process";
import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough, Readable } from "node:stream";
import type { Command } from "commander";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { buildImage } from "../../examples/world/image-builder.ts";
import { type Registry, startRegistry } from "../../examples/world/registry.ts";
import { commands } from "./commands.ts";
import { startCall } from "./io.ts";
import { createProgram, withoutPrefix } from "./program.ts";
import { callPulley } from "./testing/call.ts";

const silent = { stdin: Readable.from([]), stdout: new PassThrough(), stderr: new PassThrough(), environment: {} };
const program = await createProgram(startCall(silent).io, () => true);
const escape = "\u001b";
let registry: Registry;
let folder: string;

beforeAll(async () => {
  registry = await startRegistry();
  registry.addImage("team/app:1", await buildImage({ layers: [{ filler: 1000 }] }));
  folder = await mkdtemp(join(tmpdir(), "pulley-program-"));
});
afterAll(() => registry.close());

function withSubcommands(command: Command): Command[] {
  return [command, ...command.commands.flatMap(withSubcommands)];
}

/** What --help prints, with the examples. */
function printedHelp(command: Command): string {
  let printed = "";
  const writeOut = (text: string) => {
    printed += text;
  };
  command.configureOutput({ getOutHelpWidth: () => 80, writeOut }).outputHelp();
  return printed;
}

function helpOf(command: Command, width: number): string {
  return command.configureOutput({ getOutHelpWidth: () => width }).helpInformation();
}

describe("the help of every command", () => {
  const all = withSubcommands(program).filter((command) => command.name() !== "help");

  it.each(all.map((command) => [command.name(), command] as const))(
    "of %s fits a terminal, and has the rare options below the common ones",
    (_name, command) => {
      for (const width of [60, 80, 120]) {
        const help = helpOf(command, width);
        for (const line of help.split("\n")) expect(line.length, line).toBeLessThanOrEqual(width);
        const titles = [...help.matchAll(/^(\S[^\n]*):$/gm)].map(([, title]) => title);
        expect(titles.indexOf("Options")).toBeLessThan(titles.indexOf("Global options"));
        for (const rare of ["Logins", "Registry connections", "Advanced"]) {
          if (titles.includes(rare)) expect(titles.indexOf(rare)).toBeGreaterThan(titles.indexOf("Options"));
        }
      }
    },
  );

  it.each(all.map((command) => [command.name(), command] as const))("of %s fits 80 columns", (_name, command) => {
    for (const line of printedHelp(command).split("\n")) expect(line.length, line).toBeLessThanOrEqual(80);
  });

  it.each(all.map((command) => [command.name(), command] as const))(
    "of %s knows -v, --quiet and --color",
    (_name, command) => {
      const names = command.options.flatMap(({ long, short }) => [long, short]);
      expect(names).toEqual(expect.arrayContaining(["-v", "--verbose", "--quiet", "--color"]));
    },
  );
});

describe("what is said, and in which colours", () => {
  const pull = (...words: string[]) =>
    callPulley(["pull", "--root", join(folder, "store"), `${registry.host}/team/app:1`, ...words]);

  it("is coloured as --color says, whatever the environment says", async () => {
    const explain = (color: string, environment: NodeJS.ProcessEnv) =>
      callPulley(["explain", "nginx", "--root", folder, "--color", color], environment);
    expect((await explain("always", { NO_COLOR: "1" })).stdout).toContain(escape);
    expect((await explain("never", { FORCE_COLOR: "1" })).stdout).not.toContain(escape);
    expect((await explain("auto", {})).stdout).not.toContain(escape);
  });

  it("is each request with -v, without what may be a login", async () => {
    const { stderr } = await pull("--creds", "user:secret", "-v");
    expect(stderr).toMatch(new RegExp(`^(GET|HEAD) http://${registry.host}/v2/team/app/manifests/1 200$`, "m"));
    expect(stderr).not.toContain("secret");
  });

  it("is nothing but errors with --quiet", async () => {
    expect(await pull("--quiet")).toMatchObject({ status: 0, stderr: "" });
    const missing = await callPulley([
      "pull",
      "--root",
      join(folder, "store"),
      `${registry.host}/team/none:1`,
      "--quiet",
    ]);
    expect(missing.status, missing.stderr).toBe(1);
    expect(missing.stderr).toContain("error:");
    const broken = join(folder, "broken.yaml");
    await writeFile(broken, "{ a: [\n");
    expect((await callPulley(["explain", "--quiet", broken])).stderr).toContain("broken.yaml:");
  });
});

describe("a command within this process", () => {
  const listeners = () => {
    const emitters = [process, process.stdin, process.stdout, process.stderr];
    return emitters.map((emitter) =>
      Object.fromEntries(emitter.eventNames().map((event) => [String(event), emitter.listenerCount(event)])),
    );
  };

  it("leaves no listener and no exit status in it, however it ends", async () => {
    const image = `${registry.host}/team/app:1`;
    const root = ["--root", join(folder, "listeners")];
    const broken = join(folder, "broken-pod.yaml");
    await writeFile(broken, "{ a: [\n");
    // Node's own listeners on standard streams and signals come with their first use.
    await callPulley(["version"]);
    const before = listeners();
    const statuses = [];
    for (const words of [
      ["pull", ...root, image],
      ["pull", ...root, `${registry.host}/team/none:1`],
      ["run", "--once", ...root, image],
      ["run", "--once", ...root, broken],
      ["doctor", ...root, image],
      ["doctor", ...root, `${registry.host}/team/none:1`],
      ["verify", ...root],
      ["gc", "--dry-run", "--even-if-lost", ...root],
      ["get", "pods", "--socket", join(folder, "none.sock")],
      ["explain", ...root, broken],
      ["images", "--no-such-flag"],
      ["images", "--help"],
    ]) {
      statuses.push((await callPulley(words)).status);
      expect(listeners(), words.join(" ")).toEqual(before);
    }
    expect(statuses).toEqual([0, 1, 0, 2, 0, 1, 0, 0, 3, 2, 2, 0]);
    expect(process.exitCode).toBeUndefined();
  });

  it("has its signals only until it ends", async () => {
    const call = startCall(silent);
    const before = process.listenerCount("SIGTERM");
    const signal = call.io.interruption();
    expect(process.listenerCount("SIGTERM")).toBe(before + 1);
    await call.io.withStatus(() => 3)();
    call.end();
    expect(process.listenerCount("SIGTERM")).toBe(before);
    expect({ status: call.status(), aborted: signal.aborted }).toEqual({ status: 3, aborted: false });
  });
});

describe("pulley version", () => {
  it("names the version, the commit and Node's version", async () => {
    const { stdout } = await callPulley(["version", "-o", "json"]);
    expect(JSON.parse(stdout)).toEqual({
      version: expect.stringMatching(/^\d+\.\d+\.\d+/),
      commit: null,
      node: process.version,
      platform: expect.stringContaining("/"),
    });
    expect((await callPulley(["version"])).stdout).toContain(process.version);
  });
});

describe("pulley completion", () => {
  it("has every command and every option, for each shell", async () => {
    for (const shell of ["bash", "zsh", "fish"]) {
      const { status, stdout } = await callPulley(["completion", shell]);
      expect(status).toBe(0);
      for (const { name } of commands) expect(stdout, shell).toContain(name);
      for (const word of ["moving-tag", "mirror-registries", "setup", "recommended"]) {
        expect(stdout, shell).toContain(word);
      }
    }
    expect((await callPulley(["completion", "tcsh"])).status).toBe(2);
  });

  it("completes commands, options and their values in bash", async () => {
    const { stdout } = await callPulley(["completion", "bash"]);
    const typed = (...words: string[]) => {
      const array = words.map((word) => `'${word}'`).join(" ");
      const call = `${stdout}\nCOMP_WORDS=(pulley ${array}); COMP_CWORD=${words.length}; _pulley; printf '%s\\n' "\${COMPREPLY[@]}"`;
      return spawnSync("bash", ["-c", call], { encoding: "utf8" }).stdout.trim().split("\n");
    };
    expect(typed("do")).toEqual(["doctor"]);
    expect(typed("policy", "")).toEqual(["check", "init"]);
    expect(typed("audit", "--moving")).toEqual(["--moving-tag"]);
    expect(typed("audit", "--profile", "off")).toEqual(["offline"]);
    expect(typed("completion", "")).toEqual(["bash", "zsh", "fish"]);
    expect(typed("audit", "-f", "")).toEqual([""]);
  });
});

describe("an image with something in front of its name", () => {
  it.each([
    ["https://ghcr.io/team/app:1", "ghcr.io/team/app:1"],
    ["docker://nginx", "nginx"],
    ["oci://registry.example.com/chart:1", "registry.example.com/chart:1"],
    ["HTTP://127.0.0.1:5000/a/", "127.0.0.1:5000/a"],
    ["https://hub.docker.com/_/nginx", "docker.io/library/nginx"],
    ["https://hub.docker.com/r/grafana/grafana/tags", "docker.io/grafana/grafana"],
    ["https://example.com/pod.yaml", undefined],
    ["nginx:1", undefined],
    ["docker-archive:a.tar", undefined],
  ])("%s is %s", (word, image) => expect(withoutPrefix(word)?.image).toBe(image));

  it.each(["explain", "pull", "inspect", "doctor", "run", "tag"])("is taken by %s, with a hint", async (name) => {
    const last = name === "tag" ? ["docker://b:2"] : name === "run" ? ["--once"] : [];
    const { stderr } = await callPulley([
      name,
      "--root",
      join(folder, "other"),
      `docker://${registry.host}/a:1`,
      ...last,
    ]);
    expect(stderr).toContain("warning: an image name has no docker:// prefix");
    expect(stderr).not.toContain("invalid reference format");
  });
});
