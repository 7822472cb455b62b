/** Servers that fail in one way each, on loopback. */
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { createServer as createPlainServer, type RequestListener } from "node:http";
import { createServer as createSecureServer } from "node:https";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { requiredTool, run } from "../programs.ts";

export interface Running {
  /** `127.0.0.1:40123` */
  readonly host: string;
  readonly port: number;
  stop(): Promise<void>;
}

/** Accepts connections, and never says a word. */
export function silentServer(): Promise<Running> {
  return running(createServer(() => undefined));
}

/** Sends everybody away at once. */
export function closingServer(): Promise<Running> {
  return running(createServer((socket) => socket.destroy()));
}

/** A proxy that refuses to connect anybody. */
export function refusingProxy(status: string): Promise<Running> {
  const server = createPlainServer();
  server.on("connect", (_request, socket) => socket.end(`HTTP/1.1 ${status}\r\ncontent-length: 0\r\n\r\n`));
  return running(server);
}

export function plainServer(listener: RequestListener): Promise<Running> {
  return running(createPlainServer(listener));
}

export function secureServer(pair: { readonly certificate: string; readonly key: string }, listener: RequestListener) {
  return running(createSecureServer({ cert: readFileSync(pair.certificate), key: readFileSync(pair.key) }, listener));
}

async function running(server: Server): Promise<Running> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    socket.on("close", () => sockets.delete(socket));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const stop = async (): Promise<void> => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, "close");
  };
  return { host: `127.0.0.1:${port}`, port, stop };
}

export interface SignedFor {
  /** `DNS:localhost,IP:127.0.0.1` */
  readonly names: string;
  /** As openssl's x509 takes them: `20200101000000Z`. */
  readonly from: string;
  readonly to: string;
}

/** A server certificate for other names, or another time, than its server's. */
export async function oddCertificate(
  folder: string,
  authority: { readonly certificate: string; readonly key: string },
  { names, from, to }: SignedFor,
): Promise<{ certificate: string; key: string }> {
  const openssl = requiredTool("openssl");
  const name = `odd-${names.replace(/\W/g, "")}-${from}`;
  const pair = { certificate: join(folder, `${name}.pem`), key: join(folder, `${name}.key`) };
  const request = join(folder, `${name}.csr`);
  const config = join(folder, `${name}.cnf`);
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", pair.key];
  await run(openssl, ["req", ...key, "-out", request, "-subj", "/CN=registry"]);
  // Only `ca` can set when a certificate begins, in the openssl of Debian 12.
  await writeFile(join(folder, "index.txt"), "");
  await writeFile(
    config,
    [
      "[ca]\ndefault_ca=own\n[own]",
      `database=${join(folder, "index.txt")}`,
      `new_certs_dir=${folder}`,
      `certificate=${authority.certificate}`,
      `private_key=${authority.key}`,
      "rand_serial=yes\ndefault_md=sha256\npolicy=any\nunique_subject=no\nx509_extensions=leaf",
      `[any]\ncommonName=supplied\n[leaf]\nsubjectAltName=${names}\nextendedKeyUsage=serverAuth\n`,
    ].join("\n"),
  );
  const times = ["-startdate", from, "-enddate", to];
  await run(openssl, [
    "ca",
    "-batch",
    "-config",
    config,
    "-in",
    request,
    "-out",
    pair.certificate,
    "-notext",
    ...times,
  ]);
  return pair;
}
