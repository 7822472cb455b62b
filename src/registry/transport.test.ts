import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { copyFile } from "node:fs/promises";
import { createServer, type IncomingMessage } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { connect, createServer as createTcpServer, type Socket } from "node:net";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { describeWith, makeCertificates } from "../../test/tools.ts";
import { parseReference, parseTag } from "../image/index.ts";
import { Login } from "../support/login.ts";
import { temporaryFolder } from "../support/testing.ts";
import { client, type Handler, sampleManifest, serve, serveWith } from "./testing.ts";

const { bytes, descriptor, headers } = sampleManifest();
const tag = parseTag("1");
const login = new Login("test", { kind: "password", username: "ann", password: "s3cret" });

/** A proxy that answers CONNECT as told; returns its address and what was asked of it. */
async function serveProxy(onConnect: (socket: Socket, request: IncomingMessage) => void) {
  const connects: string[] = [];
  const server = createServer().on("connect", (request, socket) => {
    connects.push(request.url ?? "");
    onTestFinished(() => void socket.destroy());
    socket.on("error", () => undefined);
    onConnect(socket as Socket, request);
  });
  const { origin } = await serveWith(server, "http", () => undefined);
  return { origin, connects };
}

describe("connections", () => {
  it("are kept for the next request", async () => {
    const server = await serve((request, response) => {
      response.writeHead(200, headers).end(request.method === "HEAD" ? undefined : bytes);
    });
    const asking = client();
    const location = { repository: server.repository, version: tag };
    await asking.resolve(location, {});
    await asking.manifest(location, {});
    expect(new Set(server.asked.map(({ port }) => port)).size).toBe(1);
  });

  it("that the server closed meanwhile are opened anew, without a word", async () => {
    const server = await serve((request, response) => {
      if (server.asked.length === 2) response.destroy();
      else response.writeHead(200, headers).end(request.method === "HEAD" ? undefined : bytes);
    });
    const asking = client();
    const location = { repository: server.repository, version: tag };
    await asking.resolve(location, {});
    expect(await asking.resolve(location, {})).toEqual(descriptor);
    expect(asking.waits).toEqual([]);
  });

  it("whose handshake never ends are given up", async () => {
    const silent = createTcpServer((socket) => onTestFinished(() => void socket.destroy()));
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void silent.close());
    const address = silent.address();
    const port = typeof address === "object" ? address?.port : undefined;
    const certDir = temporaryFolder();
    mkdirSync(join(certDir, `127.0.0.1:${port}`));
    writeFileSync(join(certDir, `127.0.0.1:${port}`, "ca.crt"), "");
    const { repository } = parseReference(`127.0.0.1:${port}/app`);
    const outcome = client({ connectTimeout: 50, certDirs: [certDir] }).resolve({ repository, version: tag }, {});
    await expect(outcome).rejects.toMatchObject({
      code: "REGISTRY_UNREACHABLE",
      message: expect.stringContaining("no connection within 0.05 s"),
    });
  });

  it("to what is no HTTP server fail as such", async () => {
    const odd = createTcpServer((socket) => socket.end("SSH-2.0-OpenSSH_9.9\r\n"));
    await new Promise<void>((resolve) => odd.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void odd.close());
    const address = odd.address();
    const port = typeof address === "object" ? address?.port : undefined;
    const { repository } = parseReference(`127.0.0.1:${port}/app`);
    await expect(client().resolve({ repository, version: tag }, {})).rejects.toMatchObject({
      code: "REGISTRY_PROTOCOL",
    });
  });
});

describe("a proxy", () => {
  const { repository } = parseReference("registry.test/app");
  const location = { repository, version: tag };

  it("that refuses is not mistaken for the registry, and gets no login sent anywhere", async () => {
    const thief = await serve((_, response) => response.end('{"token":"t"}'));
    const challenge = `HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Bearer realm="${thief.origin}/token"\r\nContent-Length: 0\r\n\r\n`;
    const proxy = await serveProxy((socket) => socket.end(challenge));
    const asking = client({}, { environment: { HTTPS_PROXY: proxy.origin } });
    await expect(asking.resolve(location, { login })).rejects.toMatchObject({
      code: "REGISTRY_UNREACHABLE",
      message: expect.stringContaining("proxy answers 401"),
    });
    expect(proxy.connects).toEqual(["registry.test:443"]);
    expect(thief.asked).toEqual([]);
  });

  it("is not asked for what NO_PROXY names", async () => {
    const proxy = await serveProxy((socket) => socket.end());
    const asking = client({}, { environment: { HTTPS_PROXY: proxy.origin, NO_PROXY: ".test" } });
    await expect(asking.resolve(location, {})).rejects.toMatchObject({ code: "REGISTRY_UNREACHABLE" });
    expect(proxy.connects).toEqual([]);
  });
});

describeWith(["openssl"], "TLS", () => {
  const serveManifest: Handler = (request, response) => {
    response.writeHead(200, headers).end(request.method === "HEAD" ? undefined : bytes);
  };

  async function secureServer(handler = serveManifest) {
    const folder = temporaryFolder();
    const { authority, server } = await makeCertificates(folder);
    const options = { cert: readFileSync(server.certificate), key: readFileSync(server.key) };
    const secure = await serveWith(createTlsServer(options), "https", handler);
    const trust = async (registry: string) => {
      const own = join(folder, "certs.d", registry);
      mkdirSync(own, { recursive: true });
      await copyFile(authority, join(own, "ca.crt"));
      return [join(folder, "certs.d")];
    };
    return { secure, authority, trust };
  }

  it("goes through a proxy, and is verified for the registry's own name", async () => {
    const { secure, trust } = await secureServer();
    const proxy = await serveProxy((socket) => {
      socket.write("HTTP/1.1 200 Connected\r\n\r\n");
      const through = connect(Number(secure.host.split(":")[1]), "127.0.0.1");
      through.on("error", () => undefined);
      socket.on("close", () => through.destroy());
      socket.pipe(through).pipe(socket);
    });
    const certDirs = await trust("registry.test");
    const asking = client({ certDirs }, { environment: { HTTPS_PROXY: proxy.origin } });
    const { repository } = parseReference("registry.test/app");
    await expect(asking.resolve({ repository, version: tag }, {})).rejects.toMatchObject({
      code: "REGISTRY_TLS",
      message: expect.stringContaining("x509: certificate is valid for"),
    });
    expect(proxy.connects).toEqual(["registry.test:443"]);
    expect(secure.asked).toEqual([]);
  });

  it("trusts what SSL_CERT_FILE and NODE_EXTRA_CA_CERTS name, beside the registry's own authority", async () => {
    const { secure, authority, trust } = await secureServer();
    const location = { repository: secure.repository, version: tag };
    const certDirs = await trust(secure.host);
    expect(await client({ certDirs }).resolve(location, {})).toEqual(descriptor);
    for (const name of ["SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS"]) {
      const redirecting = await serve((_, response) =>
        response.writeHead(307, { location: `${secure.origin}/x` }).end(),
      );
      const elsewhere = { repository: redirecting.repository, version: tag };
      await expect(client().resolve(elsewhere, {})).rejects.toMatchObject({ code: "REGISTRY_TLS" });
      expect(await client({}, { environment: { [name]: authority } }).resolve(elsewhere, {})).toEqual(descriptor);
    }
  });

  it("is demanded of every redirect that it began with", async () => {
    const plain = await serve((_, response) => response.writeHead(200, headers).end(bytes));
    const { secure, trust } = await secureServer((_, response) =>
      response.writeHead(307, { location: `${plain.origin}/x` }).end(),
    );
    const certDirs = await trust(secure.host);
    const location = { repository: secure.repository, version: tag };
    await expect(client({ certDirs }).manifest(location, {})).rejects.toMatchObject({ code: "REDIRECT_REFUSED" });
    expect(plain.asked).toEqual([]);
  });

  it("names a certificate file that cannot be read", async () => {
    const { secure } = await secureServer();
    const missing = join(temporaryFolder(), "missing.pem");
    const redirecting = await serve((_, response) => response.writeHead(307, { location: `${secure.origin}/x` }).end());
    const asking = client({}, { environment: { SSL_CERT_FILE: missing } });
    const outcome = asking.resolve({ repository: redirecting.repository, version: tag }, {});
    await expect(outcome).rejects.toMatchObject({ code: "REGISTRY_TLS", message: expect.stringContaining(missing) });
  });
});
