/** A PostgreSQL server of one's own, on a free loopback port. */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { chownSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import pg from "pg";
import { freePort } from "./free-port.ts";
import { requiredTool } from "./programs.ts";

export const postgresTools = ["initdb", "postgres"] as const;

export interface Postgres {
  readonly port: number;
  /** A place without tables: a schema of the one database, for another database takes a second to make. */
  database(): Promise<string>;
  /** Ends the server and removes what it wrote. */
  stop(): Promise<void>;
}

/** Whoever reaches it may log in as `pulley`, without a password. */
export async function startPostgres(): Promise<Postgres> {
  const folder = mkdtempSync(join(tmpdir(), "pulley-postgres-"));
  const user = unprivileged();
  if (user.uid !== undefined) chownSync(folder, user.uid, user.gid ?? user.uid);
  const data = join(folder, "data");
  const init = ["--pgdata", data, "--username", "pulley", "--auth", "trust", "--no-sync", "--encoding", "UTF8"];
  await promisify(execFile)(requiredTool("initdb"), [...init, "--locale", "C"], { ...user, cwd: folder });
  const port = await freePort();
  const settings = { listen_addresses: "127.0.0.1", port, unix_socket_directories: folder, fsync: "off" };
  const words = Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  const child = spawn(requiredTool("postgres"), ["-D", data, ...words], { ...user, cwd: folder, stdio: "ignore" });
  const killAtExit = () => child.kill("SIGKILL");
  process.once("exit", killAtExit);
  await listening(child, join(data, "postmaster.pid"));
  let count = 0;
  return {
    port,
    async database() {
      count += 1;
      const client = new pg.Client({ host: "127.0.0.1", port, user: "pulley", database: "postgres" });
      await client.connect();
      await client.query(`create schema test${count}`);
      await client.end();
      return `postgres://pulley@127.0.0.1:${port}/postgres?options=-csearch_path%3Dtest${count}`;
    },
    async stop() {
      process.off("exit", killAtExit);
      const ended = once(child, "exit");
      // At once, whoever is connected.
      child.kill("SIGQUIT");
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** PostgreSQL refuses to run as root: then it runs as `nobody`. */
function unprivileged(): { readonly uid?: number; readonly gid?: number } {
  if (process.getuid?.() !== 0) return {};
  const [, uid, gid] = /^nobody:[^:]*:(\d+):(\d+):/m.exec(readFileSync("/etc/passwd", "utf8")) ?? [];
  return { uid: Number(uid), gid: Number(gid) };
}

/** Its file says `ready` in the eighth line. */
async function listening(child: ChildProcess, file: string): Promise<void> {
  for (let attempt = 0; attempt < 6000; attempt += 1) {
    if (child.exitCode !== null) throw new Error(`postgres ended with status ${child.exitCode}`);
    if (statusIn(file) === "ready") return;
    await delay(20);
  }
  throw new Error("postgres did not begin to listen within two minutes");
}

function statusIn(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8").split("\n")[7]?.trim();
  } catch {
    return undefined;
  }
}
