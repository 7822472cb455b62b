/** Hosts of a `hosts.toml`, asked by the client: on the calling thread, and in the threads that download. */
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer as createTlsServer } from "node:https";
import { createServer as createTcpServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { rolldown } from "rolldown";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { type Certificates, describeWith, makeCertificates } from "../../test/tools.ts";
import { openHostsDirectory } from "../hosts/index.ts";
import { parseReference, parseTag } from "../image/index.ts";
import { Login } from "../support/login.ts";
import { temporaryFolder } from "../support/testing.ts";
import type { RegistryDeps } from "./client.ts";
import { client, describeBytes, type Handler, sampleManifest, serve, serveWith, someBytes } from "./testing.ts";

const { headers, descriptor, bytes: manifest } = sampleManifest();
const layer = someBytes(1_200_000);
const nginx = parseReference("docker.io/library/nginx").repository;
const at = { repository: nginx, version: parseTag("1.27") };

const asRegistry: Handler = ({ url = "", method }, response) => {
  if (url.includes("/manifests/")) response.writeHead(200, headers).end(method === "HEAD" ? undefined : manifest);
  else response.writeHead(200, { "content-length": layer.length }).end(layer);
};

/** A client of a machine where this is the `hosts.toml` of a registry. */
function asking(text: string, registry = "docker.io", deps: Partial<RegistryDeps> = {}) {
  const root = temporaryFolder();
  mkdirSync(join(root, registry));
  const file = join(root, registry, "hosts.toml");
  writeFileSync(file, text);
  const hosts = openHostsDirectory([root]);
  return { root, file, hosts, registry: client({ hosts, parallelDownloads: 2 }, deps) };
}

let bundle = "";
let workerScript: URL;

beforeAll(async () => {
  bundle = await mkdtemp(join(tmpdir(), "pulley-worker-"));
  const input = fileURLToPath(new URL("./transfer/download-worker.ts", import.meta.url));
  const build = await rolldown({ input, platform: "node" });
  await build.write({ dir: bundle, entryFileNames: "[name].mjs", chunkFileNames: "[name]-[hash].mjs" });
  await build.close();
  workerScript = pathToFileURL(join(bundle, "download-worker.mjs"));
});

afterAll(() => rm(bundle, { recursive: true, force: true }));

async function download(registry: ReturnType<typeof client>, mirror: string | undefined, repository = nginx) {
  const target = { descriptor: describeBytes(layer), path: join(temporaryFolder(), "layer") };
  await registry.download(repository, target, { mirror });
  expect(readFileSync(target.path).equals(layer)).toBe(true);
}

describe("the path of a host", () => {
  it.each([
    ["", "", "/v2/library/nginx/manifests/1.27?ns=docker.io"],
    ["/hub", "", "/hub/v2/library/nginx/manifests/1.27?ns=docker.io"],
    ["/v2/hub", "override_path = true", "/v2/hub/library/nginx/manifests/1.27?ns=docker.io"],
    ["", "override_path = true", "/library/nginx/manifests/1.27?ns=docker.io"],
  ])("%j with %j is asked as %s", async (path, line, expected) => {
    const { origin, asked } = await serve(asRegistry);
    const { hosts, registry } = asking(`[host."${origin}${path}"]\n${line}`);
    const mirror = hosts.hostsOf("docker.io")?.hosts[0]?.address;
    expect(await registry.resolve(at, { mirror })).toEqual(descriptor);
    await registry.ping(nginx, { mirror });
    expect(asked[0]?.line).toBe(`HEAD ${expected}`);
    expect(asked[1]?.line).toBe(`GET ${expected.slice(0, expected.indexOf("library"))}`);
  });

  it("of the upstream is the server's, and who is the registry is not told so", async () => {
    const server = await serve(asRegistry);
    const own = parseReference(`${server.host}/app:1`);
    const { registry } = asking(`server = "${server.origin}"\n[header]\nx-team = "blue"`, server.host);
    await registry.resolve({ repository: own.repository, version: parseTag("1") }, {});
    expect(server.asked.map(({ line, headers: sent }) => [line, sent["x-team"]])).toEqual([
      ["HEAD /v2/app/manifests/1", "blue"],
    ]);
  });

  it("that is no longer in the file is asked as any mirror", async () => {
    const { origin, asked } = await serve(asRegistry);
    const { file, registry } = asking(`[host."${origin}"]\n[host."${origin}".header]\nx-team = "blue"`);
    await registry.resolve(at, { mirror: origin });
    writeFileSync(file, `# ${"nothing any more ".repeat(4)}`);
    await registry.resolve(at, { mirror: origin });
    expect(asked.map(({ headers: sent }) => sent["x-team"])).toEqual(["blue", undefined]);
  });
});

describe("the headers of a host", () => {
  it("go to it, from every thread, and to nobody that it sends us to", async () => {
    const storage = await serve(asRegistry);
    const server = await serve((request, response, body) => {
      if (!request.url?.includes("/blobs/")) return asRegistry(request, response, body);
      return response.writeHead(307, { location: `${storage.origin}/layer` }).end();
    });
    const text = `[host."${server.origin}".header]\nX-Team = ["blue", "green"]\naccept = "text/plain"`;
    const { registry } = asking(text, "docker.io", { workerScript });
    await registry.resolve(at, { mirror: server.origin });
    await download(registry, server.origin);
    expect(server.asked.map(({ headers: sent }) => sent["x-team"])).toEqual(["blue, green", "blue, green"]);
    expect(server.asked[0]?.headers.accept).toContain("application/vnd.oci.image.manifest.v1+json");
    expect(storage.asked.map(({ headers: sent }) => sent["x-team"])).toEqual([undefined]);
  });

  it("may be a login, which a login of our own replaces, and the token service elsewhere never sees", async () => {
    const tokens = await serve((_request, response) => response.end(JSON.stringify({ token: "granted" })));
    const server = await serve(({ headers: sent }, response) => {
      if (sent.authorization === "Bearer granted") return response.writeHead(200, headers).end();
      const challenge = `Bearer realm="${tokens.origin}/token",service="mirror"`;
      return response.writeHead(401, { "www-authenticate": challenge }).end();
    });
    const { registry } = asking(`[host."${server.origin}".header]\nAuthorization = "Basic c2VjcmV0"`);
    await registry.resolve(at, { mirror: server.origin });
    expect(server.asked.map(({ headers: sent }) => sent.authorization)).toEqual(["Basic c2VjcmV0", "Bearer granted"]);
    expect(tokens.asked.map(({ headers: sent }) => sent.authorization)).toEqual([undefined]);
    const login = new Login("a file", { kind: "registryToken", token: "mine" });
    await registry.resolve(at, { mirror: server.origin, login }).catch(() => undefined);
    expect(server.asked.at(-1)?.headers.authorization).toBe("Bearer mine");
  });

  it.each(["x-team = 'a\\u0000b'", "'x team' = 'blue'", "host = 'other.io'", 'x = "a\\r\\nb: c"'])(
    "%s are refused, and not shown",
    async (line) => {
      const { origin, asked } = await serve(asRegistry);
      const { registry } = asking(`[host."${origin}".header]\n${line.replaceAll("'a\\u0000b'", '"a\\u0000b"')}`);
      const error: unknown = await registry.resolve(at, { mirror: origin }).catch((failure: unknown) => failure);
      expect(error).toMatchObject({ code: "SOURCE_INVALID" });
      expect(String(error)).not.toContain("blue");
      expect(asked).toEqual([]);
    },
  );
});

describe("the time to reach a host", () => {
  it("is for the connection alone, where it is its own", async () => {
    const silent = createTcpServer((socket) => onTestFinished(() => void socket.destroy()));
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void silent.close());
    const address = silent.address();
    const port = typeof address === "object" ? address?.port : undefined;
    const { hosts } = asking(`[host."https://127.0.0.1:${port}"]\ndial_timeout = "20s"`);
    const registry = client({ hosts, connectTimeout: 60 });
    // The connection is there at once, so that what is over is the time that TLS has for itself.
    await expect(registry.resolve(at, { mirror: `https://127.0.0.1:${port}` })).rejects.toMatchObject({
      code: "REGISTRY_UNREACHABLE",
      message: expect.stringMatching(/no TLS within 0\.06 s/),
    });
  });
});

describeWith(["openssl"], "a host with TLS", () => {
  let folder = "";
  let certificates: Certificates;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "pulley-hosts-client-"));
    certificates = await makeCertificates(join(folder, "certificates"));
  });

  afterAll(() => rm(folder, { recursive: true, force: true }));

  function serveTls(clientsOf?: string, handler = asRegistry) {
    const { certificate, key } = certificates.server;
    const asksClients = clientsOf === undefined ? {} : { ca: readFileSync(clientsOf), requestCert: true };
    const server = createTlsServer({ cert: readFileSync(certificate), key: readFileSync(key), ...asksClients });
    return serveWith(server, "https", handler);
  }

  it("is trusted by its own authority, in every thread, and not without", async () => {
    const { origin, asked } = await serveTls();
    const text = `[host."${origin}"]\nca = ${JSON.stringify(certificates.authority)}`;
    const { registry } = asking(text, "docker.io", { workerScript });
    await registry.resolve(at, { mirror: origin });
    await download(registry, origin);
    expect(asked).toHaveLength(2);
    const { registry: distrustful } = asking(`[host."${origin}"]`);
    await expect(distrustful.resolve(at, { mirror: origin })).rejects.toMatchObject({ code: "REGISTRY_TLS" });
  });

  it("that asks for a certificate gets it, in every thread, from a path beside the file", async () => {
    const { origin, asked } = await serveTls(certificates.authority);
    const text = `[host."${origin}"]\nca = ${JSON.stringify(certificates.authority)}\nclient = [["me.cert", "me.key"]]`;
    const { root, registry } = asking(text, "docker.io", { workerScript });
    await expect(registry.resolve(at, { mirror: origin })).rejects.toMatchObject({ code: "REGISTRY_TLS" });
    copyFileSync(certificates.client.certificate, join(root, "docker.io/me.cert"));
    copyFileSync(certificates.client.key, join(root, "docker.io/me.key"));
    await registry.resolve(at, { mirror: origin });
    await download(registry, origin);
    expect(asked).toHaveLength(2);
  });

  it("may have one file for certificate and key", async () => {
    const { origin } = await serveTls(certificates.authority);
    const both = join(folder, "both.pem");
    const { certificate, key } = certificates.client;
    writeFileSync(both, readFileSync(certificate, "utf8") + readFileSync(key, "utf8"));
    const { registry } = asking(
      `[host."${origin}"]\nca = ${JSON.stringify(certificates.authority)}\nclient = "${both}"`,
    );
    expect(await registry.resolve(at, { mirror: origin })).toEqual(descriptor);
  });

  it("is believed without being verified where that is said, and whom it sends us to is not", async () => {
    const storage = await serveTls();
    const { origin } = await serveTls(undefined, (request, response, body) => {
      if (!request.url?.includes("/blobs/")) return asRegistry(request, response, body);
      return response.writeHead(307, { location: `${storage.origin}/layer` }).end();
    });
    const { registry } = asking(`[host."${origin}"]\nskip_verify = true`);
    expect(await registry.resolve(at, { mirror: origin })).toEqual(descriptor);
    await expect(download(registry, origin)).rejects.toMatchObject({ code: "REGISTRY_TLS" });
    expect(storage.asked).toEqual([]);
  });

  it("sees a certificate that was exchanged on the disk from the next request on", async () => {
    const { origin } = await serveTls();
    const wrong = await makeCertificates(join(folder, "wrong"));
    const { root, registry } = asking(`[host."${origin}"]\nca = "ca.crt"`);
    copyFileSync(wrong.authority, join(root, "docker.io/ca.crt"));
    await expect(registry.resolve(at, { mirror: origin })).rejects.toMatchObject({ code: "REGISTRY_TLS" });
    copyFileSync(certificates.authority, join(root, "docker.io/ca.crt"));
    expect(await registry.resolve(at, { mirror: origin })).toEqual(descriptor);
  });

  it("that is written with http is asked by https first, and by http where it does not speak TLS", async () => {
    const secure = await serveTls();
    const plain = await serve(asRegistry);
    const ca = `ca = ${JSON.stringify(certificates.authority)}`;
    const written = `http://${secure.host}`;
    const { registry } = asking(`[host."${written}"]\n${ca}\n[host."${plain.origin}"]\n${ca}`);
    await registry.resolve(at, { mirror: written });
    await registry.resolve(at, { mirror: plain.origin });
    await registry.resolve(at, { mirror: plain.origin });
    const manifestLine = "HEAD /v2/library/nginx/manifests/1.27?ns=docker.io";
    expect(secure.asked.map(({ line }) => line)).toEqual(["GET /v2/", manifestLine]);
    expect(plain.asked.map(({ line }) => line)).toEqual([manifestLine, manifestLine]);
  });

  it("speaks TLS for the registry itself where there are certificates for it, as in docker's folders", async () => {
    const server = await serveTls(certificates.authority);
    const root = temporaryFolder();
    mkdirSync(join(root, server.host));
    copyFileSync(certificates.authority, join(root, server.host, "ca.crt"));
    copyFileSync(certificates.client.certificate, join(root, server.host, "me.cert"));
    copyFileSync(certificates.client.key, join(root, server.host, "me.key"));
    const registry = client({ hosts: openHostsDirectory([root]) });
    await registry.resolve({ repository: server.repository, version: parseTag("1") }, {});
    expect(server.asked.map(({ line }) => line)).toEqual(["GET /v2/", "HEAD /v2/app/manifests/1"]);
  });
});
