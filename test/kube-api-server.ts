/** A real API server of Kubernetes of its own, with its etcd: both on ports of this machine, both ended with the test. */
import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { Agent, request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as delay } from "node:timers/promises";
import { type KeyPair, makeCertificates } from "./certificates.ts";
import { freePort } from "./free-port.ts";
import { requiredTool, run } from "./programs.ts";

/** What tests name in `describeWith` before they start one. */
export const apiServerTools = ["kube-apiserver", "etcd", "openssl"] as const;

export interface KubeApiServer {
  /** `https://127.0.0.1:…`. */
  readonly url: string;
  /** Path of the certificate of its authority. */
  readonly authority: string;
  /** Paths of a certificate of a user `client`, who has no rights, and of its key. */
  readonly client: KeyPair;
  /** A token of `system:masters`. */
  readonly token: string;
  /** Sends an object as JSON; answers with what came back. @throws Error with the server's words */
  send(method: string, path: string, body?: object): Promise<unknown>;
  /**
   * Writes objects into etcd past the API server, which takes a minute for some thousands.
   * @param resource its plural, of the core group or `GROUP/PLURAL`
   */
  plant(resource: string, objects: readonly PlantedObject[]): Promise<void>;
  /** Ends the API server and starts it again at the same address, with the same etcd. */
  restart(): Promise<void>;
  /** Has etcd forget everything but the newest versions, as it does by itself every five minutes. */
  compact(): Promise<void>;
  stop(): Promise<void>;
}

/** As its version is stored. */
export interface PlantedObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly namespace?: string; readonly name: string };
}

const token = "masters-token";
/** A user without any right. */
export const powerlessToken = "powerless-token";

/** Between the choice of its ports and its start somebody else may take one: then it is started again with others. */
export async function startApiServer(attempts = 3): Promise<KubeApiServer> {
  try {
    return await startOnce();
  } catch (error) {
    if (attempts < 2 || !String(error).includes("address already in use")) throw error;
    return startApiServer(attempts - 1);
  }
}

async function startOnce(): Promise<KubeApiServer> {
  const folder = await mkdtemp(join(tmpdir(), "pulley-api-server-"));
  const certificates = await makeCertificates(join(folder, "pki"));
  await writeFile(
    join(folder, "tokens.csv"),
    `${token},admin,admin,"system:masters"\n${powerlessToken},nobody,nobody\n`,
  );
  const [port, etcdPort, peerPort] = [await freePort(), await freePort(), await freePort()];
  const etcdUrl = `http://127.0.0.1:${etcdPort}`;
  const etcd = start("etcd", join(folder, "etcd.log"), {
    "data-dir": join(folder, "etcd"),
    "listen-client-urls": etcdUrl,
    "advertise-client-urls": etcdUrl,
    "listen-peer-urls": `http://127.0.0.1:${peerPort}`,
    "initial-advertise-peer-urls": `http://127.0.0.1:${peerPort}`,
    "max-txn-ops": plantedAtOnce,
    "max-request-bytes": 64 * 1024 * 1024,
    "initial-cluster": `default=http://127.0.0.1:${peerPort}`,
  });
  const url = `https://127.0.0.1:${port}`;
  const agent = new Agent({ keepAlive: true, ca: await readFile(certificates.authority) });
  const { certificate, key } = certificates.server;
  const accountKey = join(folder, "accounts.key");
  await run(requiredTool("openssl"), ["ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", accountKey]);
  const logFile = join(folder, "kube-apiserver.log");
  const startServer = () =>
    start("kube-apiserver", logFile, {
      "etcd-servers": etcdUrl,
      "secure-port": port,
      "bind-address": "127.0.0.1",
      "advertise-address": "127.0.0.1",
      "endpoint-reconciler-type": "none",
      "tls-cert-file": certificate,
      "tls-private-key-file": key,
      "client-ca-file": certificates.authority,
      "cert-dir": join(folder, "made"),
      "token-auth-file": join(folder, "tokens.csv"),
      "authorization-mode": "RBAC",
      "service-cluster-ip-range": "10.96.0.0/16",
      "disable-admission-plugins": "ServiceAccount",
      "service-account-issuer": "https://kubernetes",
      "service-account-key-file": accountKey,
      "service-account-signing-key-file": accountKey,
      "etcd-compaction-interval": "0",
      // So that a continuation expires with what etcd forgets, and not some minutes later.
      "feature-gates": "ListFromCacheSnapshot=false",
    });

  const send = async (method: string, path: string, body?: object): Promise<unknown> => {
    const headers = { authorization: `Bearer ${token}`, "content-type": contentType(method) };
    const sent = request(`${url}${path}`, { method, agent, headers }).end(body && JSON.stringify(body));
    const [response] = await once(sent, "response");
    const answer = await text(response);
    if (response.statusCode >= 300) throw new Error(`${method} ${path}: ${response.statusCode} ${answer}`);
    return answer.startsWith("{") ? JSON.parse(answer) : answer;
  };

  let server = startServer();
  const untilReady = async () => {
    for (let attempt = 0; attempt < 1_200 && server.exitCode === null; attempt += 1) {
      const ready = await send("GET", "/readyz").then(
        () => true,
        () => false,
      );
      if (ready) return;
      await delay(100);
    }
    throw new Error(`the API server does not answer:\n${(await readFile(logFile, "utf8")).slice(-4000)}`);
  };
  const stop = async () => {
    await end(server);
    await end(etcd);
    await rm(folder, { recursive: true, force: true });
  };
  await untilReady().catch(async (error: unknown) => {
    await stop();
    throw error;
  });
  return {
    url,
    authority: certificates.authority,
    client: certificates.client,
    token,
    send,
    plant: async (resource, objects) => {
      for (let from = 0; from < objects.length; from += plantedAtOnce) {
        const puts = objects.slice(from, from + plantedAtOnce).map((object) => putOf(resource, object));
        await post(`${etcdUrl}/v3/kv/txn`, { success: puts });
      }
    },
    restart: async () => {
      await end(server);
      server = startServer();
      await untilReady();
    },
    compact: async () => {
      const status = await post(`${etcdUrl}/v3/kv/range`, { key: base64("a") });
      await post(`${etcdUrl}/v3/kv/compaction`, { revision: status.header.revision, physical: true });
    },
    stop,
  };
}

const plantedAtOnce = 1_000;

function putOf(resource: string, object: PlantedObject): object {
  const { namespace, name } = object.metadata;
  const key = ["", "registry", resource, ...(namespace === undefined ? [] : [namespace]), name].join("/");
  const metadata = { ...object.metadata, uid: randomUUID(), creationTimestamp: "2026-01-01T00:00:00Z" };
  return { request_put: { key: base64(key), value: base64(JSON.stringify({ ...object, metadata })) } };
}

function base64(text: string): string {
  return Buffer.from(text).toString("base64");
}

function contentType(method: string): string {
  return method === "PATCH" ? "application/merge-patch+json" : "application/json";
}

async function post(url: string, body: object): Promise<{ readonly header: { readonly revision: string } }> {
  const answer = await fetch(url, { method: "POST", body: JSON.stringify(body) });
  const said = await answer.text();
  if (!answer.ok) throw new Error(`${url}: ${answer.status} ${said}`);
  return JSON.parse(said);
}

function start(program: string, logFile: string, flags: Readonly<Record<string, string | number>>): ChildProcess {
  const args = Object.entries(flags).map(([name, value]) => `--${name}=${value}`);
  const log = openSync(logFile, "a");
  try {
    const child = spawn(requiredTool(program), args, { stdio: ["ignore", log, log] });
    process.once("exit", () => child.kill("SIGKILL"));
    return child;
  } finally {
    closeSync(log);
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  child.kill("SIGKILL");
  await ended;
}
