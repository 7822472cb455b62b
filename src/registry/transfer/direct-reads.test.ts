import { mkdirSync, readFileSync } from "node:fs";
import { copyFile } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { describeWith, makeCertificates } from "../../../test/tools.ts";
import { temporaryFolder } from "../../support/testing.ts";
import { client, describeBytes, type Handler, serve, serveWith, someBytes, type TestServer } from "../testing.ts";
import type { RegistryOptions } from "../types.ts";

/** Long enough to be read past the parser, and of a length that no buffer divides. */
const content = someBytes(9 * 1024 * 1024 + 4321, "direct");
const descriptor = describeBytes(content);

function startOf(request: IncomingMessage): number {
  return Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "bytes=0-")?.[1]);
}

function answerHead(request: IncomingMessage, response: ServerResponse): Buffer {
  const start = startOf(request);
  const rest = content.subarray(start);
  const range = { "content-range": `bytes ${start}-${content.length - 1}/${content.length}` };
  response.writeHead(start === 0 ? 200 : 206, { "content-length": rest.length, ...(start > 0 && range) });
  return rest;
}

function good(request: IncomingMessage, response: ServerResponse): void {
  response.end(answerHead(request, response));
}

/** Writes what a server that speaks no proper HTTP might. */
function raw(response: ServerResponse, ...pieces: (string | Buffer)[]): void {
  for (const piece of pieces) response.socket?.write(piece);
}

async function download(server: TestServer, options: RegistryOptions = {}, signal?: AbortSignal) {
  const path = join(temporaryFolder(), "blob");
  const asking = client(options);
  await asking.download(server.repository, { descriptor, path }, { signal });
  return readFileSync(path).equals(content);
}

/** One handler for each request in turn; the last serves all further ones. */
async function serveInTurn(...handlers: Handler[]): Promise<TestServer> {
  const server = await serve((request, response, body) => {
    handlers[Math.min(server.asked.length, handlers.length) - 1]?.(request, response, body);
  });
  return server;
}

describe("a long body", () => {
  it("arrives whole, whatever comes together with its head", async () => {
    for (const first of [0, 1, 65_536, 700_000]) {
      const server = await serveInTurn((_request, response) => {
        const head = `HTTP/1.1 200 OK\r\nContent-Length: ${content.length}\r\n\r\n`;
        raw(response, Buffer.concat([Buffer.from(head), content.subarray(0, first)]), content.subarray(first));
      });
      expect(await download(server)).toBe(true);
    }
  });

  it("arrives whole in chunks, too, which the parser has to read", async () => {
    const server = await serveInTurn((_request, response) => {
      response.writeHead(200);
      response.write(content.subarray(0, 100_000));
      response.end(content.subarray(100_000));
    });
    expect(await download(server)).toBe(true);
  });

  it("goes on where the connection broke off", async () => {
    const breakOff: Handler = (request, response) => {
      const rest = answerHead(request, response);
      response.write(rest.subarray(0, 5_000_000), () => setImmediate(() => response.destroy()));
    };
    const server = await serveInTurn(breakOff, good);
    expect(await download(server)).toBe(true);
    expect(server.asked).toHaveLength(2);
    expect(startOf({ headers: server.asked[1]?.headers } as IncomingMessage)).toBeGreaterThan(0);
  });

  it("ends where it was announced to end, even if the server goes on", async () => {
    const server = await serveInTurn((_request, response) => {
      const head = `HTTP/1.1 200 OK\r\nContent-Length: ${content.length}\r\n\r\n`;
      raw(response, head, content, "and more");
    });
    expect(await download(server)).toBe(true);
  });

  it("counts as stalled when nothing comes for too long", async () => {
    const server = await serveInTurn((request, response) => {
      response.write(answerHead(request, response).subarray(0, 2_000_000));
    }, good);
    expect(await download(server, { stallTimeout: 50 })).toBe(true);
    expect(server.asked.length).toBeGreaterThan(1);
  });

  it("is given up with the caller", async () => {
    const leaving = new AbortController();
    const server = await serveInTurn((request, response) => {
      response.write(answerHead(request, response).subarray(0, 2_000_000), () => setImmediate(() => leaving.abort()));
    });
    await expect(download(server, {}, leaving.signal)).rejects.toMatchObject({ code: "CANCELLED" });
  });

  it("is refused if it is not what the digest says", async () => {
    const server = await serveInTurn((_request, response) => {
      const wrong = Buffer.from(content);
      wrong[8_000_000] = 1 ^ (wrong[8_000_000] ?? 0);
      response.writeHead(200, { "content-length": wrong.length }).end(wrong);
    });
    await expect(download(server)).rejects.toMatchObject({ code: "DIGEST_MISMATCH" });
  });
});

describeWith(["openssl"], "a long body over TLS", () => {
  it("arrives whole", async () => {
    const folder = temporaryFolder();
    const { authority, server } = await makeCertificates(folder);
    const options = { cert: readFileSync(server.certificate), key: readFileSync(server.key) };
    const secure = await serveWith(createTlsServer(options), "https", good);
    mkdirSync(join(folder, "certs.d", secure.host), { recursive: true });
    await copyFile(authority, join(folder, "certs.d", secure.host, "ca.crt"));
    expect(await download(secure, { certDirs: [join(folder, "certs.d")] })).toBe(true);
  });
});
