/** What a node asks, and whom, where a `hosts.toml` says it. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { type BuiltImage, buildImage } from "../../examples/world/image-builder.ts";
import { type Registry, type RegistryOptions, startRegistry } from "../../examples/world/registry.ts";
import { openHostsDirectory } from "../hosts/index.ts";
import { parseReference } from "../image/index.ts";
import { decodeRecord, encodeRecord } from "../pull/decision-log/format.ts";
import { configuredHosts } from "../pull/index.ts";
import { podOf } from "../pull/testing/pods.ts";
import { policyOf } from "../pull/testing/policies.ts";
import { type Handler, serve } from "../registry/testing.ts";
import { Login } from "../support/login.ts";
import { temporaryFolder } from "../support/testing.ts";
import { type RealNodeGiven, realNode } from "./testing/real-node.ts";

const app = () => buildImage({ layers: [{ files: { "etc/app": "app\n" } }] });

async function registryWith(image: BuiltImage | undefined, options: RegistryOptions = {}): Promise<Registry> {
  const registry = await startRegistry(options);
  onTestFinished(() => registry.close());
  if (image !== undefined) registry.addImage("team/app:1", image);
  return registry;
}

function write(registry: { readonly host: string }, text: string, root = temporaryFolder()): string {
  mkdirSync(join(root, registry.host));
  writeFileSync(join(root, registry.host, "hosts.toml"), text);
  return root;
}

function nodeWith(registry: { readonly host: string }, text: string, given: RealNodeGiven = {}) {
  return realNode({ hostsDir: write(registry, text), ...given });
}

function podFor({ host }: { readonly host: string }, version = ":1") {
  return podOf({ containers: [{ image: `${host}/team/app${version}` }] });
}

const host = ({ host: name }: Pick<Registry, "host">, line = "") => `[host."http://${name}"]\n${line}\n`;

describe("hosts of a hosts.toml", () => {
  it("are asked first, and the registry itself not at all where one of them has the image", async () => {
    const image = await app();
    const [origin, mirror] = [await registryWith(image), await registryWith(image)];
    const { settle, records } = await nodeWith(origin, host(mirror));
    expect(await settle(podFor(origin))).toEqual(["prepared"]);
    expect(origin.log).toEqual([]);
    expect(mirror.log.every(({ path }) => path.endsWith(`?ns=${encodeURIComponent(origin.host)}`))).toBe(true);
    expect(records[0]?.outcome).toMatchObject({ kind: "pulled", source: `http://${mirror.host}` });
    const [record] = records;
    expect(record?.facts.hosts).toMatchObject({ sources: [`http://${mirror.host}`, `http://${origin.host}`] });
    expect(record && decodeRecord(Buffer.from(encodeRecord(record)))).toEqual(record);
  });

  it.each<{ name: string; answer: Handler }>([
    { name: "500", answer: (_request, response) => response.writeHead(500).end() },
    { name: "429", answer: (_request, response) => response.writeHead(429).end() },
    { name: "401", answer: (_request, response) => response.writeHead(401).end() },
    { name: "403", answer: (_request, response) => response.writeHead(403).end() },
    { name: "404", answer: (_request, response) => response.writeHead(404).end() },
    { name: "400", answer: (_request, response) => response.writeHead(400).end() },
    { name: "a lost connection", answer: (request) => request.socket.destroy() },
  ])("that answer with $name are passed over, in the file's order, each asked once", async ({ answer }) => {
    const [origin, first, last] = [await registryWith(await app()), await serve(answer), await serve(answer)];
    const { settle, records } = await nodeWith(origin, `${host(last)}${host(first)}[host."http://127.0.0.1:1"]`);
    expect(await settle(podFor(origin))).toEqual(["prepared"]);
    expect(first.asked.map(({ line }) => line.split(" ")[0])).toEqual([
      "HEAD",
      ...first.asked.slice(1).map(() => "GET"),
    ]);
    const passedOver = records[0]?.outcome.passedOver?.map(({ source }) => source);
    expect(passedOver).toEqual([`http://${last.host}`, `http://${first.host}`, "http://127.0.0.1:1"]);
  });

  it("say what a tag stands for only where they may, and send what has a digest all the same", async () => {
    const image = await app();
    const [origin, mirror] = [await registryWith(image), await registryWith(image)];
    const byDigest = `@${image.target.digest}`;
    const text = host(mirror, 'capabilities = ["pull"]');
    const tagged = await nodeWith(origin, text);
    expect(await tagged.settle(podFor(origin))).toEqual(["prepared"]);
    expect(origin.log.map(({ method }) => method)).toEqual(["HEAD"]);
    expect(new Set(mirror.log.map(({ method }) => method))).toEqual(new Set(["GET"]));
    const pinned = await nodeWith(origin, text);
    expect(await pinned.settle(podFor(origin, byDigest))).toEqual(["prepared"]);
    expect(origin.log).toHaveLength(1);
  });

  it.each<{ name: string; answer: Handler }>([
    { name: "404", answer: (_request, response) => response.writeHead(404).end() },
    { name: "401", answer: (_request, response) => response.writeHead(401).end() },
    { name: "500", answer: (_request, response) => response.writeHead(500).end() },
    { name: "a lost connection", answer: (request) => request.socket.destroy() },
    { name: "other content", answer: (_request, response) => response.writeHead(200).end("{}") },
  ])(
    "that answer with $name instead of content leave it to the one who said what the tag stands for",
    async ({ answer }) => {
      const [origin, mirror] = [await registryWith(await app()), await serve(answer)];
      const { settle } = await nodeWith(origin, host(mirror, 'capabilities = ["pull"]'));
      expect(await settle(podFor(origin))).toEqual(["prepared"]);
      expect(mirror.asked).toHaveLength(1);
      expect(origin.log.length).toBeGreaterThan(1);
    },
  );

  it("that may do neither are nobody to ask, and then nothing is pulled", async () => {
    const origin = await registryWith(await app());
    const text = `server = "http://${origin.host}"\ncapabilities = ["push"]\n`;
    const { settle, told } = await nodeWith(origin, text);
    expect(await settle(podFor(origin))).toEqual(["ImagePullBackOff"]);
    expect(told("Failed")[0]).toContain("there is no source that may be asked");
    expect(origin.log).toEqual([]);
  });

  it("replace the registry where one of them is its server", async () => {
    const image = await app();
    const [origin, mirror] = [await registryWith(image), await registryWith(undefined)];
    const { settle } = await nodeWith(origin, `server = "http://${mirror.host}"`);
    expect(await settle(podFor(origin))).toEqual(["ImagePullBackOff"]);
    expect(origin.log).toEqual([]);
    expect(mirror.log.map(({ status }) => status)).toContain(404);
  });

  it("are not asked where a rule says from where", async () => {
    const image = await app();
    const [origin, mirror, near] = [await registryWith(image), await registryWith(image), await registryWith(image)];
    const policy = policyOf(`{ name: near, from: { mirrors: ["http://${near.host}"] } }`);
    const { settle } = await nodeWith(origin, host(mirror), { policy });
    expect(await settle(podFor(origin))).toEqual(["prepared"]);
    expect([origin.log, mirror.log]).toEqual([[], []]);
  });

  it("get the logins for themselves, and the registry its own", async () => {
    const image = await app();
    const login = (who: string) =>
      new Login(`the node's ${who}`, { kind: "password", username: who, password: `of-${who}` }, { kind: "node" });
    const guarded = (who: string) => ({ users: { [who]: `of-${who}` }, repositories: { "team/app": [who] } });
    const origin = await registryWith(image, { access: guarded("ann"), authentication: "basic" });
    const mirror = await registryWith(undefined, { access: guarded("mia"), authentication: "basic" });
    const logins = { [origin.host]: [login("ann")], [mirror.host]: [login("mia")] };
    const { settle } = await nodeWith(origin, host(mirror), { logins });
    expect(await settle(podFor(origin))).toEqual(["prepared"]);
    const users = ({ log }: Registry) => [
      ...new Set(log.map(({ user }) => user).filter((user) => user !== undefined && user !== "anonymous")),
    ];
    expect([users(mirror), users(origin)]).toEqual([["mia"], ["ann"]]);
  });

  it("of a file that does not count are not asked", async () => {
    const image = await app();
    const [origin, mirror] = [await registryWith(image), await registryWith(image)];
    const { settle } = await nodeWith(origin, host(mirror, 'capabilities = ["pull", "resolv"]'));
    expect(await settle(podFor(origin))).toEqual(["prepared"]);
    expect(mirror.log).toEqual([]);
  });
});

describe("what the decision is told", () => {
  const told = (text: string | undefined, image = "reg.io/team/app:1") => {
    const root = text === undefined ? temporaryFolder() : write({ host: "reg.io" }, text);
    const found = configuredHosts(openHostsDirectory([root]))(parseReference(image));
    return found && { ...found, because: found.because.replaceAll(root, "…") };
  };
  const file = "…/reg.io/hosts.toml";

  it.each([
    [undefined, undefined],
    ["", undefined],
    ['[host."https://a.io"]', { sources: ["https://a.io", "https://reg.io"], because: `by hosts.toml ${file}` }],
    [
      '[host."https://a.io"]\ncapabilities = ["pull"]',
      {
        sources: ["https://reg.io"],
        contentBefore: { "https://reg.io": ["https://a.io"] },
        because: `by hosts.toml ${file}; https://a.io may send content, but not say what a tag stands for`,
      },
    ],
    [
      "[host.x]\nca = 1",
      {
        sources: ["https://reg.io"],
        because: `for hosts.toml ${file} does not count: ca is neither a path nor a list of paths`,
      },
    ],
  ])("of %j", (text, expected) => {
    expect(told(text)).toEqual(expected);
  });
});
