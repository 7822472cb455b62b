/** Debian's docker-registry (CNCF distribution) on a free loopback port: the registry that tests measure us against. */
import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { get as getInTheClear, type IncomingMessage } from "node:http";
import { get as getWithTls } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as delay } from "node:timers/promises";
import { stringify } from "yaml";
import { type NetworkChoice, openNetwork } from "../examples/world/network.ts";
import type { KeyPair } from "./certificates.ts";
import { requiredTool, run } from "./programs.ts";

/** What tells requests that are only made to look at the log. */
const marker = "until-now=";

export interface DockerRegistryOptions {
  /** Folder of the content; a temporary one by default. Give it to keep content from one registry to the next. */
  readonly storage?: string;
  /** The one login that the registry accepts; without it, everybody may pull and push. */
  readonly htpasswd?: { readonly username: string; readonly password: string };
  readonly tls?: KeyPair & {
    /** Path of the authority whose client certificates are demanded. */
    readonly clientAuthority?: string;
  };
  /** What lies between it and its clients. Default: a rough network. */
  readonly network?: NetworkChoice;
}

export interface DockerRegistry {
  /** `127.0.0.1:40123`: where the network begins, if there is one */
  readonly host: string;
  readonly port: number;
  /** `http://127.0.0.1:40123` */
  readonly url: string;
  /** Path of the file that the registry writes its log to: one line a request, and its own messages. */
  readonly logFile: string;
  /** The requests that were answered so far, each as `GET /v2/library/nginx/manifests/latest 200`. Not where a client certificate is demanded. */
  requests(): Promise<readonly string[]>;
  /** Ends the registry and removes what it wrote, but not a storage folder that was given. Safe to call again. */
  stop(): Promise<void>;
}

/** Starts a registry and waits until it listens. Call {@link DockerRegistry.stop} in `afterAll`. */
export async function startDockerRegistry(options: DockerRegistryOptions = {}): Promise<DockerRegistry> {
  const program = requiredTool("docker-registry");
  const folder = await mkdtemp(join(tmpdir(), "pulley-registry-"));
  const configFile = join(folder, "config.yml");
  const logFile = join(folder, "registry.log");
  await mkdir(options.storage ?? join(folder, "storage"), { recursive: true });
  await writeFile(configFile, stringify(await configuration(options, folder)));

  const child = spawnLogged(program, ["serve", configFile], logFile);
  const killAtExit = (): boolean => child.kill("SIGKILL");
  process.once("exit", killAtExit);
  const stop = async (): Promise<void> => {
    process.off("exit", killAtExit);
    await end(child);
    await rm(folder, { recursive: true, force: true });
  };

  try {
    const own = await listeningPort(child, logFile);
    const { network: choice = {} } = options;
    const network = choice === "direct" ? undefined : await openNetwork(own, choice);
    const scheme = options.tls === undefined ? "http" : "https";
    const port = network?.port ?? own;
    const host = `127.0.0.1:${port}`;
    return {
      host,
      port,
      url: `${scheme}://${host}`,
      logFile,
      stop: async () => {
        await Promise.all([network?.close(), stop()]);
      },
      requests: () => requestsUntilNow(`${scheme}://127.0.0.1:${own}`, logFile),
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function configuration(options: DockerRegistryOptions, folder: string): Promise<unknown> {
  return {
    version: "0.1",
    log: { level: "info", accesslog: { disabled: false } },
    storage: {
      filesystem: { rootdirectory: options.storage ?? join(folder, "storage") },
      delete: { enabled: true },
      maintenance: { uploadpurging: { enabled: false } },
    },
    http: {
      addr: "127.0.0.1:0",
      secret: "for tests only",
      ...(options.tls === undefined ? {} : { tls: tlsSection(options.tls) }),
    },
    ...(options.htpasswd === undefined ? {} : { auth: { htpasswd: await htpasswdSection(options.htpasswd, folder) } }),
  };
}

function tlsSection(tls: NonNullable<DockerRegistryOptions["tls"]>): unknown {
  const clients = tls.clientAuthority === undefined ? {} : { clientcas: [tls.clientAuthority] };
  return { certificate: tls.certificate, key: tls.key, ...clients };
}

async function htpasswdSection(login: { username: string; password: string }, folder: string): Promise<unknown> {
  const path = join(folder, "htpasswd");
  await writeFile(path, `${login.username}:${await bcrypt(login.password)}\n`);
  return { realm: "test", path };
}

/** The registry accepts bcrypt only; the system's crypt(3), which Perl speaks to, knows it everywhere that Debian is. */
async function bcrypt(password: string): Promise<string> {
  const script = 'print crypt($ENV{"PASSWORD"}, q($2y$05$abcdefghijklmnopqrstuu))';
  const hash = await run(requiredTool("perl"), ["-e", script], { PASSWORD: password });
  if (!hash.startsWith("$2y$")) throw new Error("this system's crypt(3) does not know bcrypt");
  return hash;
}

function spawnLogged(program: string, args: readonly string[], logFile: string): ChildProcess {
  const log = openSync(logFile, "a");
  try {
    return spawn(program, args, { stdio: ["ignore", log, log] });
  } finally {
    closeSync(log);
  }
}

/** The registry picks the port itself and says it in its log, so that two tests can never want the same one. */
async function listeningPort(child: ChildProcess, logFile: string): Promise<number> {
  for (let attempt = 0; attempt < 6000; attempt += 1) {
    // Looked at before the log is read: what it has written by its end is in there then.
    const status = child.exitCode;
    const log = await readFile(logFile, "utf8");
    const port = /listening on (?:\[::\]|127\.0\.0\.1):(\d+)/.exec(log)?.[1];
    if (port !== undefined) return Number(port);
    if (status !== null) throw new Error(`docker-registry ended with status ${status}:\n${log}`);
    await delay(20);
  }
  throw new Error("docker-registry did not begin to listen within two minutes");
}

/** The registry writes its log after it has answered: so one more is asked, and waited for until it is in the log. */
async function requestsUntilNow(url: string, logFile: string): Promise<readonly string[]> {
  const last = `/v2/?${marker}${randomUUID()}`;
  await ask(`${url}${last}`);
  for (let attempt = 0; attempt < 12_000; attempt += 1) {
    const requests = await readRequests(logFile);
    if (requests.some((request) => request.includes(last))) {
      return requests.filter((request) => !request.includes(marker));
    }
    await delay(10);
  }
  throw new Error(`the registry does not write down its requests in ${logFile}`);
}

async function ask(url: string): Promise<void> {
  const get = url.startsWith("https:") ? getWithTls : getInTheClear;
  const question = get(url, { agent: false, rejectUnauthorized: false });
  const [answer] = (await once(question, "response")) as [IncomingMessage];
  await text(answer);
}

/** A line of the access log is in the combined format: `127.0.0.1 - - [date] "GET /v2/ HTTP/1.1" 200 2 "" "agent"`. */
async function readRequests(logFile: string): Promise<readonly string[]> {
  const log = await readFile(logFile, "utf8");
  return [...log.matchAll(/"([A-Z]+ \S+) HTTP\/[\d.]+" (\d{3}) /g)].map(
    ([, request, status]) => `${request} ${status}`,
  );
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  child.kill("SIGKILL");
  await ended;
}
