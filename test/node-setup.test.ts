/** A real containerd by the files that Pulley writes for it, and by those that people write: it asks whom Pulley asks. */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough, Readable } from "node:stream";
import { Command } from "commander";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { buildImage } from "../examples/world/image-builder.ts";
import { type Registry, startRegistry } from "../examples/world/registry.ts";
import { startCall } from "../src/cli/io.ts";
import { define } from "../src/cli/node-setup.ts";
import { ImageService } from "../src/cri/api/runtime/v1/api_pb.js";
import { checkHosts, openHostsDirectory } from "../src/hosts/index.ts";
import { parseReference } from "../src/image/index.ts";
import { configuredHosts } from "../src/pull/index.ts";
import { openChannel } from "../src/support/grpc/client.ts";
import { type Containerd, containerdTools, startContainerd } from "./containerd.ts";
import { describeWith } from "./tools.ts";

describeWith(containerdTools, "containerd", () => {
  let folder: string;
  let containerd: Containerd;
  let origin: Registry;
  let first: Registry;
  let second: Registry;
  let empty: Registry;
  let digest: string;
  let tags = 0;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "pulley-setup-"));
    const image = await buildImage({ layers: [{ files: { "etc/app": "app\n" } }] });
    digest = image.target.digest;
    [origin, first, second, empty] = (await Promise.all([1, 2, 3, 4].map(() => startRegistry()))) as [
      Registry,
      Registry,
      Registry,
      Registry,
    ];
    for (const registry of [origin, first, second]) {
      for (let tag = 0; tag < 30; tag += 1) registry.addImage(`team/app:${tag}`, image);
    }
    containerd = await startContainerd();
  });

  afterAll(async () => {
    await containerd?.stop();
    await Promise.all([origin, first, second, empty].map((registry) => registry?.close()));
    await rm(folder, { recursive: true, force: true });
  });

  beforeEach(async () => {
    await rm(containerd.certsDir, { recursive: true, force: true });
    await mkdir(containerd.certsDir);
  });

  async function write(text: string): Promise<void> {
    await mkdir(join(containerd.certsDir, origin.host), { recursive: true });
    await writeFile(join(containerd.certsDir, origin.host, "hosts.toml"), text);
  }

  const pull = async (version: string): Promise<void> => {
    const channel = openChannel(containerd.socket);
    try {
      const image = { image: `${origin.host}/team/app${version}` };
      await channel.unary(ImageService.method.pullImage, { image }, { timeout: 60_000 });
    } finally {
      channel.close();
    }
  };

  /**
   * Which registries were asked what a name stands for while something was done. Content is another matter: containerd
   * asks every host of the file for it, whatever that is said to be capable of.
   */
  async function askedBy(work: () => Promise<unknown>): Promise<readonly string[]> {
    const registries = { origin, first, second, empty };
    const before = Object.values(registries).map(({ log }) => log.length);
    await work().catch(() => undefined);
    return Object.entries(registries).flatMap(([name, { log }], at) =>
      log.slice(before[at]).some(({ method }) => method === "HEAD") ? [name] : [],
    );
  }

  async function setUp(...words: readonly string[]): Promise<void> {
    const [stdout, stderr] = [new PassThrough().resume(), new PassThrough().resume()];
    const program = new Command().exitOverride();
    const { io } = startCall({ stdin: Readable.from([]), stdout, stderr, environment: {} });
    define(program.command("setup").exitOverride(), io);
    const config = ["--containerd-config", "/nonexistent", "--config-path", containerd.certsDir];
    await program.parseAsync(["setup", "containerd", ...config, ...words], { from: "user" });
  }

  const nextTag = () => {
    tags += 1;
    return `:${tags}`;
  };

  it("pulls from the mirror that it was set up for, and as before when that is taken back", async () => {
    await setUp("--mirror", `http://${first.host}`, "--registries", origin.host);
    expect(await askedBy(() => pull(nextTag()))).toEqual(["first"]);
    expect(first.log.every(({ path }) => path.includes(`ns=${encodeURIComponent(origin.host)}`))).toBe(true);
    await setUp("--undo");
    expect(await askedBy(() => pull(nextTag()))).toEqual(["origin"]);
  });

  it("asks the registry itself where the mirror has nothing, unless it is kept from that", async () => {
    const words = ["--mirror", `http://${empty.host}`, "--registries", origin.host];
    await setUp(...words);
    expect(await askedBy(() => pull(nextTag()))).toEqual(["origin", "empty"]);
    await setUp(...words, "--only-mirror");
    expect(await askedBy(() => pull(nextTag()))).toEqual(["empty"]);
  });

  const host = (registry: Registry, ...lines: readonly string[]) =>
    `[host."http://${registry.host}"]\n${lines.join("\n")}\n`;

  it.each<[string, () => string]>([
    ["hosts in their order", () => host(second) + host(first)],
    ["a host without the image", () => host(empty) + host(second)],
    ["a host that does not say tags", () => host(first, 'capabilities = ["pull"]')],
    ["a host for pushing", () => host(first, 'capabilities = ["push"]') + host(second)],
    ["an unknown capability", () => host(first, 'capabilities = ["pull", "resolv"]')],
    ["a wrong type", () => host(first, 'skip_verify = "no"')],
    ["no TOML", () => `${host(first)}[`],
    ["an unknown key", () => host(first, 'skip-verify = "no"')],
    [
      "a server without the image, after a host",
      () => `server = "http://${empty.host}"\n${host(empty)}${host(second)}`,
    ],
    ["a path that is overridden", () => `[host."http://${first.host}/v2"]\noverride_path = true\n`],
    ["a path that no registry has", () => `[host."http://${first.host}/hub"]\n${host(second)}`],
    ["a host that is the server as well", () => `server = "http://${first.host}"\n${host(first)}`],
    ["an empty file", () => ""],
  ])("goes by %s as Pulley does", async (_, text) => {
    await write(text());
    const directory = openHostsDirectory([containerd.certsDir]);
    for (const version of [nextTag(), `@${digest}`]) {
      const found = configuredHosts(directory)(parseReference(`${origin.host}/team/app${version}`));
      const sources = found?.sources ?? [`http://${origin.host}`];
      const inOrder = sources.map((address) => nameOf(address));
      const served = inOrder.find((name, at) => name !== "empty" && !sources[at]?.includes("/hub"));
      const asked = await askedBy(() => pull(version));
      const expected = inOrder.slice(0, inOrder.indexOf(served) + 1);
      expect(new Set(asked)).toEqual(new Set(expected));
    }
  });

  it("pulls nothing where a certificate is missing that any host of the file names, which hosts check says", async () => {
    await write(host(second) + host(first, 'ca = "missing.crt"'));
    await expect(pull(nextTag())).rejects.toThrow(/missing\.crt/);
    expect(await askedBy(() => pull(nextTag()))).toEqual([]);
    const { findings } = checkHosts([containerd.certsDir], Date.now());
    expect(findings.map(({ rule }) => rule)).toContain("certificate-unreadable");
  });

  function nameOf(address: string): string | undefined {
    const registries = Object.entries({ origin, first, second, empty });
    return registries.find(([, registry]) => new URL(address).host === registry.host)?.[0];
  }
});
