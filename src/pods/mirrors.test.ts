import { describe, expect, it, onTestFinished } from "vitest";
import { type BuiltImage, buildImage } from "../../examples/world/image-builder.ts";
import { type Registry, type RegistryOptions, startRegistry } from "../../examples/world/registry.ts";
import { podOf } from "../pull/testing/pods.ts";
import { policyOf } from "../pull/testing/policies.ts";
import { type Handler, serve } from "../registry/testing.ts";
import { Login } from "../support/login.ts";
import { type RealNodeGiven, realNode } from "./testing/real-node.ts";

async function registryWith(image: BuiltImage | undefined, options: RegistryOptions = {}): Promise<Registry> {
  const registry = await startRegistry(options);
  onTestFinished(() => registry.close());
  if (image !== undefined) registry.addImage("team/app:1", image);
  return registry;
}

const app = () => buildImage({ layers: [{ files: { "etc/app": "app\n" } }, { files: { "etc/more": "more\n" } }] });

/** A node whose images come from these mirrors; a text that begins with no scheme stands for a registry on loopback. */
function nodeFrom(mirrors: readonly string[], given: RealNodeGiven & { readonly origin?: "Never" } = {}) {
  const { origin = "Fallback", ...rest } = given;
  const addresses = mirrors.map((mirror) => JSON.stringify(mirror)).join(", ");
  return realNode({
    policy: policyOf(`{ name: near, from: { mirrors: [${addresses}], origin: ${origin} } }`),
    ...rest,
  });
}

function podFor({ host }: { readonly host: string }) {
  return podOf({ containers: [{ image: `${host}/team/app:1` }] });
}

function loginFor(who: string): Login {
  const origin = { kind: "secret", uid: `uid-${who}`, namespace: "default", name: who } as const;
  return new Login(`secret default/${who}`, { kind: "password", username: who, password: `secret-of-${who}` }, origin);
}

function nodesLogin(who: string): Login {
  return new Login(
    `the node's ${who}`,
    { kind: "password", username: who, password: `secret-of-${who}` },
    { kind: "node" },
  );
}

describe("mirrors", () => {
  it("are asked first, by the name of the registry that they stand for", async () => {
    const image = await app();
    const [origin, mirror] = [await registryWith(image), await registryWith(image)];
    const { settle, records, store } = await nodeFrom([`http://${mirror.host}`]);
    expect(await settle(podFor(origin))).toEqual(["prepared"]);
    expect(origin.log).toEqual([]);
    const ns = `?ns=${encodeURIComponent(origin.host)}`;
    expect(mirror.log).toHaveLength(5);
    expect(mirror.log.every(({ path }) => path.endsWith(ns))).toBe(true);
    expect(records[0]?.outcome).toMatchObject({
      kind: "pulled",
      source: `http://${mirror.host}`,
      fetched: layerBytes(image),
    });
    expect((await store.images())[0]?.repoTags).toEqual([`${origin.host}/team/app:1`]);
  });

  it("that do not have the image leave it to the next, and in the end to the registry", async () => {
    const image = await app();
    const [origin, empty] = [await registryWith(image), await registryWith(undefined)];
    const { settle, records } = await nodeFrom([`http://${empty.host}`, "http://127.0.0.1:1"]);
    expect(await settle(podFor(origin))).toEqual(["prepared"]);
    expect(empty.log.map(({ status }) => status)).toEqual([404, 404]);
    expect(records[0]?.outcome).toMatchObject({ kind: "pulled", source: `http://${origin.host}` });
  });

  it.each<{ name: string; answer: Handler }>([
    { name: "5xx", answer: (_request, response) => response.writeHead(503).end() },
    { name: "429", answer: (_request, response) => response.writeHead(429).end() },
    { name: "401", answer: (_request, response) => response.writeHead(401).end() },
    { name: "403", answer: (_request, response) => response.writeHead(403).end() },
    { name: "404", answer: (_request, response) => response.writeHead(404).end() },
    { name: "a lost connection", answer: (request) => request.socket.destroy() },
    {
      name: "a web page",
      answer: (_request, response) => response.writeHead(200, { "content-type": "text/html" }).end("<html>"),
    },
    { name: "another host", answer: (_request, response) => response.writeHead(302, { location: "ftp://x/" }).end() },
  ])("that answer with $name are passed over", async ({ answer }) => {
    const [origin, mirror] = [await registryWith(await app()), await serve(answer)];
    const { settle, records } = await nodeFrom([mirror.origin]);
    expect(await settle(podFor(origin))).toEqual(["prepared"]);
    expect(mirror.asked.length).toBeGreaterThan(0);
    expect(records.map(({ outcome }) => outcome.source)).toEqual([`http://${origin.host}`]);
  });

  it("that send wrong bytes are passed over, and nothing of theirs stays", async () => {
    const image = await app();
    const [origin, mirror] = [await registryWith(image), await registryWith(image)];
    const { host } = mirror;
    const liar = await serve(async ({ url = "", method = "GET" }, response) => {
      const answer = await fetch(`http://${host}${url}`, { method });
      const bytes = Buffer.from(await answer.arrayBuffer());
      const wrong = url.includes("/blobs/") && bytes.length > 0;
      if (wrong) bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
      response.writeHead(answer.status, Object.fromEntries(answer.headers)).end(bytes);
    });
    const { settle, records, store, told } = await nodeFrom([liar.origin]);
    expect(await settle(podFor(origin))).toEqual(["prepared"]);
    const passedOver = [{ source: liar.origin, code: "DIGEST_MISMATCH" }];
    expect(records[0]?.outcome).toMatchObject({ kind: "pulled", source: `http://${origin.host}`, passedOver });
    expect(told("MirrorSentWrongContent")).toEqual([expect.stringContaining(liar.origin)]);
    for await (const { state } of store.verify()) expect(state).toBe("sound");
  });

  it("that lie alone are named with what was wrong", async () => {
    const image = await app();
    const origin = await registryWith(image);
    const [manifest] = image.manifests;
    const liar = await serve(({ method }, response) => {
      const headers = {
        "content-type": manifest?.descriptor.mediaType,
        "docker-content-digest": manifest?.descriptor.digest,
      };
      response.writeHead(200, { ...headers, "content-length": 2 }).end(method === "HEAD" ? undefined : "{}");
    });
    const { settle, told } = await nodeFrom([liar.origin], { origin: "Never" });
    expect(await settle(podFor(origin))).toEqual(["ImagePullBackOff"]);
    expect(told("Failed")[0]).toMatch(/found|expected/);
    expect(origin.log).toEqual([]);
  });

  it("are all named, with what each said, if nobody has the image", async () => {
    const [origin, empty] = [await registryWith(undefined), await registryWith(undefined)];
    const { settle, told } = await nodeFrom([`http://${empty.host}`, "http://127.0.0.1:1"]);
    expect(await settle(podFor(origin))).toEqual(["ImagePullBackOff"]);
    const [failure = ""] = told("Failed");
    expect(failure).toContain(`mirror http://${empty.host}: GET http://${empty.host}/v2/team/app/manifests/1?…: 404`);
    expect(failure).toContain("mirror http://127.0.0.1:1: HEAD");
    expect(failure).toContain(`registry http://${origin.host}: `);
  });

  it("may be all there is", async () => {
    const [origin, empty] = [await registryWith(await app()), await registryWith(undefined)];
    const { settle } = await nodeFrom([`http://${empty.host}`], { origin: "Never" });
    expect(await settle(podFor(origin))).toEqual(["ImagePullBackOff"]);
    expect(origin.log).toEqual([]);
  });
});

describe("logins", () => {
  const access = { users: { ann: "secret-of-ann" }, repositories: { "team/app": ["ann"] } };

  it.each(["basic", "bearer"] as const)("for a mirror are the node's own for its host (%s)", async (authentication) => {
    const image = await app();
    const [origin, mirror] = [await registryWith(image), await registryWith(image, { access, authentication })];
    const logins = { [mirror.host]: [nodesLogin("ann")], [origin.host]: [loginFor("bob")] };
    const { settle, records } = await nodeFrom([`http://${mirror.host}`], { logins });
    expect(await settle(podFor(origin))).toEqual(["prepared"]);
    expect(origin.log).toEqual([]);
    expect(records[0]?.outcome).toMatchObject({ login: "the node's ann", source: `http://${mirror.host}` });
  });

  it("of a pod's Secret are for the registry alone, as a kubelet hands them on", async () => {
    const image = await app();
    const [origin, mirror] = [await registryWith(image, { access }), await registryWith(image, { access })];
    const logins = { [origin.host]: [loginFor("ann")], [mirror.host]: [loginFor("ann")] };
    const { settle, records } = await nodeFrom([`http://${mirror.host}`], { logins });
    expect(await settle(podFor(origin))).toEqual(["prepared"]);
    expect(mirror.log.every(({ user }) => user !== "ann")).toBe(true);
    expect(records[0]?.outcome.source).toBe(`http://${origin.host}`);
  });

  it.each([
    'Basic realm="mirror"',
    'Bearer realm="MIRROR/token",service="mirror"',
    'Bearer realm="ORIGIN/token",service="mirror"',
  ])("for the registry never reach a mirror that asks for them: %s", async (asks) => {
    const origin = await registryWith(await app(), { access });
    const mirror = await serve(({ headers }, response) => {
      const challenge = asks.replace("MIRROR", `http://${headers.host}`).replace("ORIGIN", `http://${origin.host}`);
      response.writeHead(401, { "www-authenticate": challenge }).end();
    });
    const logins = { [origin.host]: [loginFor("ann")] };
    const { settle, records, events } = await nodeFrom([mirror.origin, `${mirror.origin}/hub`], { logins });
    expect(await settle(podFor(origin))).toEqual(["prepared"]);
    expect(mirror.asked.length).toBeGreaterThan(1);
    const canary = [/secret-of-ann/, new RegExp(Buffer.from("ann:secret-of-ann").toString("base64")), /account=ann/];
    const heard = JSON.stringify(mirror.asked);
    for (const text of canary) expect(heard).not.toMatch(text);
    // A token for anybody is all that a mirror can talk us into, even one of the registry's own token service.
    const address = `http://${origin.host}/v2/team/app/manifests/1`;
    for (const { headers } of mirror.asked.filter(({ headers: sent }) => sent.authorization !== undefined)) {
      const { status } = await fetch(address, { headers: { authorization: headers.authorization ?? "" } });
      expect(status).toBe(401);
    }
    for (const text of canary) expect(JSON.stringify([records, events])).not.toMatch(text);
    expect(records[0]?.outcome.login).toBe("secret default/ann");
  });

  it("that somebody typed in for the image are not sent to a mirror either", async () => {
    const image = await app();
    const [origin, mirror] = [await registryWith(image, { access }), await registryWith(image, { access })];
    const typed = new Login("--creds", { kind: "password", username: "ann", password: "secret-of-ann" });
    const logins = { [origin.host]: [typed], [mirror.host]: [typed] };
    const { settle, records } = await nodeFrom([`http://${mirror.host}`], { logins });
    expect(await settle(podFor(origin))).toEqual(["prepared"]);
    expect(mirror.log.every(({ user }) => user !== "ann")).toBe(true);
    expect(records[0]?.outcome.source).toBe(`http://${origin.host}`);
  });

  it("of the registry count for later, though the mirror asked for none", async () => {
    const image = await app();
    const [origin, mirror] = [await registryWith(image, { access }), await registryWith(image)];
    const near = await nodeFrom([`http://${mirror.host}`], { logins: { [origin.host]: [loginFor("ann")] } });
    expect(await near.settle(podFor(origin))).toEqual(["prepared"]);
    expect(await near.settle(podOf({ name: "again", containers: [{ image: `${origin.host}/team/app:1` }] }))).toEqual([
      "prepared",
    ]);
    expect(near.records.map(({ outcome }) => outcome.kind)).toEqual(["pulled", "used"]);
  });
});

function layerBytes({ manifests }: BuiltImage): number {
  return (manifests[0]?.layers ?? []).reduce((sum, { size }) => sum + size, 0);
}
