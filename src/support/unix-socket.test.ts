import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { listenOnSocket } from "./unix-socket.ts";

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "pulley-socket-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function server() {
  const made = createServer((connection) => connection.on("error", () => undefined).end("hello"));
  onTestFinished(() => void made.close());
  return made;
}

async function greeting(path: string): Promise<string> {
  const [piece] = (await once(connect(path), "data")) as [Buffer];
  return piece.toString();
}

test("listens for the owner and the group, and leaves nothing else behind", async () => {
  const folder = join(temporaryFolder(), "run", "pulley");
  const path = join(folder, "cri.sock");
  const listening = await listenOnSocket(server(), path, 0o660);
  expect(await greeting(path)).toBe("hello");
  expect((lstatSync(path).mode & 0o777).toString(8)).toBe("660");
  expect((lstatSync(folder).mode & 0o777).toString(8)).toBe("700");
  expect(readdirSync(folder)).toEqual(["cri.sock"]);
  await listening.remove();
  expect(existsSync(path)).toBe(false);
  await listening.remove();
});

test("takes the place of a server that was killed", async () => {
  const path = join(temporaryFolder(), "cri.sock");
  const program = `require("node:net").createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, "SIGKILL"))`;
  await once(spawn(process.execPath, ["-e", program]), "exit");
  expect(lstatSync(path).isSocket()).toBe(true);
  await listenOnSocket(server(), path, 0o660);
  expect(await greeting(path)).toBe("hello");
});

test("does not take the place of a server that lives", async () => {
  const path = join(temporaryFolder(), "cri.sock");
  await listenOnSocket(server(), path, 0o660);
  await expect(listenOnSocket(server(), path, 0o660)).rejects.toThrow(`another process listens on ${path}`);
  expect(await greeting(path)).toBe("hello");
});

test("takes the place of a server that lives where it is told to, which hears of it", async () => {
  const path = join(temporaryFolder(), "cri.sock");
  const connections: Socket[] = [];
  const old = createServer((connection) => connections.push(connection)).on("close", () => undefined);
  onTestFinished(() => void old.close());
  const first = await listenOnSocket(old, path, 0o660);
  const second = await listenOnSocket(server(), path, 0o660, { takeOver: true });
  await first.replaced;
  expect(await greeting(path)).toBe("hello");
  let isGone = false;
  const gone = second.predecessorGone.then(() => {
    isGone = true;
  });
  await expect.poll(() => connections.length).toBe(1);
  expect(isGone).toBe(false);
  for (const connection of connections) connection.destroy();
  await gone;
  await first.remove();
  expect(await greeting(path)).toBe("hello");
});

test("does not remove the socket of its successor", async () => {
  const path = join(temporaryFolder(), "cri.sock");
  const first = await listenOnSocket(server(), path, 0o660);
  rmSync(path);
  await listenOnSocket(server(), path, 0o660);
  await first.remove();
  expect(await greeting(path)).toBe("hello");
});

test.each<[string, (folder: string) => string, string]>([
  [
    "a file",
    (folder) => {
      writeFileSync(join(folder, "file"), "precious");
      return "file";
    },
    "exists, and is not a socket",
  ],
  [
    "a link",
    (folder) => {
      symlinkSync("/dev/null", join(folder, "link"));
      return "link";
    },
    "exists, and is not a socket",
  ],
  [
    "a folder that everybody may write to",
    (folder) => {
      mkdirSync(join(folder, "open"));
      chmodSync(join(folder, "open"), 0o777);
      return "open/cri.sock";
    },
    "everybody may write to",
  ],
  [
    "a folder behind a link",
    (folder) => {
      mkdirSync(join(folder, "real"));
      symlinkSync("real", join(folder, "linked"));
      return "linked/cri.sock";
    },
    "is not a folder",
  ],
  ["a path that is too long", () => `${"x".repeat(100)}/cri.sock`, "is too long"],
])("does not listen on %s", async (_title, prepare, message) => {
  const folder = temporaryFolder();
  const path = join(folder, prepare(folder));
  await expect(listenOnSocket(server(), path, 0o660)).rejects.toThrow(message);
});
