import { readFileSync } from "node:fs";
import { createServer as createTlsServer } from "node:https";
import { createServer as createTcpServer } from "node:net";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { buildImage } from "../../examples/world/image-builder.ts";
import { startRegistry } from "../../examples/world/registry.ts";
import { makeCertificates } from "../../test/certificates.ts";
import { tool } from "../../test/programs.ts";
import { loginOf } from "../pull/testing/logins.ts";
import { podOf } from "../pull/testing/pods.ts";
import { policyOf } from "../pull/testing/policies.ts";
import { type Handler, serve, serveWith } from "../registry/testing.ts";
import type { Login } from "../support/login.ts";
import { temporaryFolder } from "../support/testing.ts";
import { type RealNodeGiven, realNode } from "./testing/real-node.ts";

/** What stands where the registry was: its address. */
type Trouble = () => Promise<string>;

function answering(handler: Handler): Trouble {
  return async () => (await serve(handler)).origin;
}

const status = (code: number) => answering((_request, response) => response.writeHead(code).end());

/** Accepts connections and says nothing. */
const silence: Trouble = async () => {
  const sockets = new Set<{ destroy(): void }>();
  const server = createTcpServer((socket) => sockets.add(socket.on("error", () => undefined)));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  return `https://127.0.0.1:${typeof address === "object" ? address?.port : ""}`;
};

const foreignCertificate: Trouble = async () => {
  const { server: pair } = await makeCertificates(join(temporaryFolder(), "certificates"));
  const { certificate, key } = pair;
  const server = createTlsServer({ cert: readFileSync(certificate), key: readFileSync(key) });
  return (await serveWith(server, "https", (_request, response) => response.end())).origin;
};

const stalls = answering(({ method }, response) => {
  if (method === "HEAD") response.writeHead(200).end();
  else response.writeHead(200, { "content-length": 1000 }).write("{");
});

const wrongDigest = answering(({ method }, response) => {
  const headers = { "content-type": "application/vnd.oci.image.manifest.v1+json", "content-length": 2 };
  const digest = method === "HEAD" ? {} : { "docker-content-digest": `sha256:${"a".repeat(64)}` };
  response.writeHead(200, { ...headers, ...digest }).end(method === "HEAD" ? undefined : "{}");
});

interface Row {
  readonly name: string;
  readonly trouble: Trouble;
  /** Whether it means no more than that nobody could be asked. */
  readonly unreachable: boolean;
  readonly told?: RegExp;
}

const rows: readonly Row[] = [
  { name: "a name that does not resolve", trouble: async () => "https://mirror.invalid", unreachable: true },
  {
    name: "a refused connection",
    trouble: async () => "https://127.0.0.1:1",
    unreachable: true,
    told: /connect: connection refused/,
  },
  { name: "a handshake that never ends", trouble: silence, unreachable: true, told: /no connection within/ },
  { name: "a lost connection", trouble: answering(({ socket }) => socket.destroy()), unreachable: true },
  { name: "500", trouble: status(500), unreachable: true, told: /500/ },
  { name: "502", trouble: status(502), unreachable: true, told: /502/ },
  { name: "503", trouble: status(503), unreachable: true, told: /503/ },
  { name: "429", trouble: status(429), unreachable: true, told: /429/ },
  { name: "an answer that stops", trouble: stalls, unreachable: true, told: /no byte/ },
  { name: "401", trouble: status(401), unreachable: false, told: /401/ },
  { name: "403", trouble: status(403), unreachable: false, told: /403/ },
  { name: "404", trouble: status(404), unreachable: false, told: /404/ },
  { name: "wrong bytes", trouble: wrongDigest, unreachable: false, told: /expected sha256/ },
  { name: "a certificate that does not verify", trouble: foreignCertificate, unreachable: false, told: /certificate/ },
  {
    name: "a web page",
    trouble: answering((_request, response) => response.writeHead(200, { "content-type": "text/html" }).end("<p>")),
    unreachable: false,
    told: /web page/,
  },
];

const hour = 3_600_000;

/** Those who are silent are given up soon, and nobody else: on a busy machine a sound registry may be silent for a while. */
function patienceWith(trouble: Trouble): RealNodeGiven["patience"] {
  return trouble === silence || trouble === stalls ? { connectTimeout: 300, stallTimeout: 100 } : undefined;
}

/** A node that has the image from an hour ago, and then is told to ask `sources` for it. */
async function nodeWithCopy(
  pull: string,
  sources: readonly string[],
  [before, after]: readonly string[] = [],
  patience?: RealNodeGiven["patience"],
  last: "Never" | "Fallback" = "Never",
) {
  const registry = await startRegistry({
    access: { users: { ann: "s3cret" }, repositories: before === undefined ? {} : { app: [before] } },
  });
  onTestFinished(() => registry.close());
  registry.addImage("app:1", await buildImage({ layers: [{ files: { "etc/app": "app\n" } }] }));
  const logins: Record<string, readonly Login[]> = {};
  if (before !== undefined) logins[registry.host] = [loginOf(before, before)];
  const real = await realNode({ logins, ...(patience && { patience }) });
  const image = `${registry.host}/app:1`;
  await real.settle(podOf({ name: "before", containers: [{ image, pullPolicy: "Always" }] }));
  if (after !== undefined) logins[registry.host] = [loginOf(after, after)];
  await real.clock.sleep(hour);
  const mirrors = sources.map((source) => JSON.stringify(source)).join(", ");
  const from = `{ mirrors: [${mirrors}], origin: ${last}, plainHttp: true }`;
  real.node.setPolicy(policyOf(`{ name: r, pull: { policy: Always, ${pull} }, from: ${from} }`));
  const settle = (name = "after") => real.settle(podOf({ name, containers: [{ image, pullPolicy: "Always" }] }));
  const status = (name = "after") => real.node.pods().find(({ pod }) => pod.name === name)?.containers[0];
  return { ...real, registry, image, settle, status, sources: `from: ${from}` };
}

describe("a copy that is here, where the registry answers with trouble", () => {
  it.for(rows)("$name: may be used without an answer: $unreachable", async (row, { skip }) => {
    const { trouble, unreachable, told: text } = row;
    if (trouble === foreignCertificate) skip(tool("openssl") === undefined, "needs openssl");
    const {
      settle,
      told,
      records,
      status: statusOf,
    } = await nodeWithCopy("whenUnreachable: UseCached", [await trouble()], [], patienceWith(trouble));
    expect(await settle()).toEqual([unreachable ? "prepared" : "ImagePullBackOff"]);
    const warnings = told("RegistryUnavailableUsedCached");
    expect(warnings).toHaveLength(unreachable ? 1 : 0);
    if (unreachable) {
      expect(warnings[0]).toMatch(
        /copy on this machine is used \(sha256:[0-9a-f]{64}, last confirmed at .*Z, 1h\S* ago\): /,
      );
      expect(told("Failed")).toEqual([]);
      expect(records.at(-1)).toMatchObject({
        outcome: { kind: "usedCached", fetched: 0 },
        decision: { action: "Check" },
      });
      expect(statusOf()?.imageId).toBeDefined();
    } else {
      expect(records.at(-1)?.outcome).toMatchObject({ kind: "failed", failure: "ErrImagePull" });
    }
    if (text !== undefined) expect([...warnings, ...told("Failed")].join("\n")).toMatch(text);
  });

  it.each(rows.filter(({ unreachable }) => unreachable))(
    "$name: is a failure unless a rule says so",
    async ({ trouble }) => {
      const {
        settle,
        told,
        status: statusOf,
      } = await nodeWithCopy("checkEvery: 1m", [await trouble()], [], patienceWith(trouble));
      expect(await settle()).toEqual(["ImagePullBackOff"]);
      expect(told("RegistryUnavailableUsedCached")).toEqual([]);
      expect(statusOf()?.state).toMatchObject({ message: expect.stringContaining("ErrImagePull") });
    },
  );

  it("is not used if one of several sources said anything else", async () => {
    const sources = ["https://127.0.0.1:1", await status(404)(), await status(503)()];
    const { settle, told } = await nodeWithCopy("whenUnreachable: UseCached", sources);
    expect(await settle()).toEqual(["ImagePullBackOff"]);
    expect(told("RegistryUnavailableUsedCached")).toEqual([]);
  });

  it.each([
    ["Fallback", "prepared"],
    ["Never", "ImagePullBackOff"],
  ] as const)("that a mirror does not have, with the registry down and origin: %s: %s", async (last, expected) => {
    const pull = "whenUnreachable: UseCached";
    const { settle, registry } = await nodeWithCopy(pull, [await status(404)()], [], undefined, last);
    await registry.close();
    expect(await settle()).toEqual([expected]);
  });

  it("is used if none of several sources could be asked", async () => {
    const sources = ["https://127.0.0.1:1", await status(503)()];
    const { settle, told } = await nodeWithCopy("whenUnreachable: UseCached", sources);
    expect(await settle()).toEqual(["prepared"]);
    expect(told("RegistryUnavailableUsedCached")[0]).toMatch(/mirror https:\/\/127.0.0.1:1: .*connection refused.*503/);
  });

  it("is not used if it is too old, and the message says how old", async () => {
    const pull = "whenUnreachable: UseCached, maxStaleness: 30m";
    const { settle, told, events, records } = await nodeWithCopy(pull, [await status(503)()]);
    expect(await settle()).toEqual(["CachedCopyTooOld"]);
    expect(told("RegistryUnavailableUsedCached")).toEqual([]);
    expect(events.map(({ message }) => message)).toContain("Error: CachedCopyTooOld");
    expect(records.at(-1)?.outcome).toMatchObject({ kind: "refused", failure: "CachedCopyTooOld" });
  });

  it("is too old without a word on what to do where nobody can be asked, and goes on being that in its back-off", async () => {
    const { settle, told, clock, status: statusOf } = await nodeWithCopy("maxStaleness: 30m", [await status(503)()]);
    expect(await settle()).toEqual(["CachedCopyTooOld"]);
    const pulls = told("Pulling").length;
    await clock.sleep(5_000);
    expect(statusOf()?.state).toMatchObject({ reason: "CachedCopyTooOld", message: expect.stringContaining("503") });
    expect(told("Pulling")).toHaveLength(pulls);
  });

  it("keeps the reason of a rule that the copy does not meet", async () => {
    const { settle, node, sources } = await nodeWithCopy("whenUnreachable: UseCached", [await status(503)()]);
    node.setPolicy(
      policyOf(
        `{ name: r, pull: { policy: Always, whenUnreachable: UseCached }, require: { maxSize: 1 }, ${sources} }`,
      ),
    );
    expect(await settle()).toEqual(["RequirementNotMet"]);
  });

  it("is not used by a pod that may not have it, which learns nothing of it", async () => {
    const sources = [await status(503)()];
    const { settle, told, records } = await nodeWithCopy("whenUnreachable: UseCached", sources, ["ann", "bob"]);
    expect(await settle()).toEqual(["ImagePullBackOff"]);
    expect(told("RegistryUnavailableUsedCached")).toEqual([]);
    expect(records.at(-1)).toMatchObject({ facts: { access: "mustAuthenticate" }, outcome: { kind: "failed" } });
  });

  it("is not used once somebody said that there is a newer image", async () => {
    const newer = await buildImage({ layers: [{ files: { "etc/app": "newer\n" } }] });
    const { descriptor } = newer.manifests[0] ?? {};
    const moved = await serve(({ method }, response) => {
      const known = { "content-type": descriptor?.mediaType, "docker-content-digest": descriptor?.digest };
      if (method === "HEAD") response.writeHead(200, { ...known, "content-length": descriptor?.size }).end();
      else response.writeHead(503).end();
    });
    const { settle, told } = await nodeWithCopy("whenUnreachable: UseCached", [moved.origin]);
    expect(await settle()).toEqual(["ImagePullBackOff"]);
    expect(told("RegistryUnavailableUsedCached")).toEqual([]);
  });
});
