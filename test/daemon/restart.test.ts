/** Another process in the place of the one before, while a kubelet goes on asking. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { RuntimeService } from "../../src/cri/api/runtime/v1/api_pb.js";
import { errorText } from "../../src/support/errors.ts";
import { openChannel } from "../../src/support/grpc/client.ts";
import { temporaryFolder } from "../../src/support/testing.ts";
import { program } from "../e2e/pulley.ts";
import { startNode } from "./daemon.ts";

/** Asks for the version, again and again, as a kubelet does that looks whether its runtime is well. */
function askOnAndOn(socket: string) {
  const channel = openChannel(socket);
  onTestFinished(() => channel.close());
  const failures: string[] = [];
  let answers = 0;
  const over = new AbortController();
  const asking = (async () => {
    while (!over.signal.aborted) {
      // The kubelet has two minutes for each call.
      await channel.unary(RuntimeService.method.version, {}, { timeout: 120_000 }).then(
        () => {
          answers += 1;
        },
        (error: unknown) => failures.push(errorText(error)),
      );
    }
  })();
  const end = async () => {
    over.abort();
    await asking;
  };
  return { failures, answers: () => answers, end };
}

test("a process that takes another's place is asked from then on, and no call fails", async () => {
  const folder = temporaryFolder();
  const root = join(folder, "root");
  const metrics = ["--metrics", "127.0.0.1:0"];
  const first = await startNode(folder, "--root", root, ...metrics);
  const kubelet = askOnAndOn(first.sockets.cri);
  await expect.poll(kubelet.answers).toBeGreaterThan(10);
  const ended = once(first.child, "exit");
  const second = await startNode(folder, "--root", root, ...metrics, "--take-over");
  expect(await ended).toEqual([0, null]);
  expect(first.said()).toContain("another process has taken this one's place");
  const before = kubelet.answers();
  await expect.poll(kubelet.answers).toBeGreaterThan(before + 10);
  await kubelet.end();
  expect(kubelet.failures).toEqual([]);
  expect((await second.ask("get", "images")).status).toBe(0);
  expect(await second.end()).toBe(0);
});

/**
 * Holds a socket as systemd does, and starts a program on it twice, one after the other. It never takes a connection
 * itself, for it does nothing but wait for the program.
 */
const holder = `
  const [path, ...command] = process.argv.slice(1);
  const server = require("node:net").createServer().listen(path, () => {
    for (let round = 0; round < 2; round += 1)
      require("node:child_process").spawnSync(
        "sh",
        ["-c", 'echo "begins as $$ ." >&2; LISTEN_PID=$$ LISTEN_FDS=1 exec "$@"', "sh", ...command],
        { stdio: ["ignore", "inherit", "inherit", server._handle.fd] },
      );
    process.exit();
  });`;

test("a socket that systemd holds can be asked while nobody is there, and the next process answers", async () => {
  const folder = temporaryFolder();
  const [cri, api] = [join(folder, "cri.sock"), join(folder, "node.sock")];
  const own = ["--cri-socket", cri, "--socket", api, "--hosts-dir", "", "--root", join(folder, "root")];
  const child = spawn(process.execPath, ["-e", holder, cri, process.execPath, program, "node", ...own], {
    env: { PATH: process.env["PATH"], HOME: "/nonexistent" },
    stdio: ["ignore", "inherit", "pipe"],
  });
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  const ended = once(child, "exit");
  const begun = () => [...said.matchAll(/begins as ([0-9]+) \./g)].map(([, pid]) => Number(pid));
  const end = (pid = 0) => void (pid > 1 && process.kill(pid, "SIGTERM"));
  onTestFinished(() => void child.kill("SIGKILL"));
  await expect.poll(() => begun().length).toBe(1);
  const kubelet = askOnAndOn(cri);
  await expect.poll(kubelet.answers).toBeGreaterThan(10);
  end(begun()[0]);
  await expect.poll(() => begun().length).toBe(2);
  const before = kubelet.answers();
  await expect.poll(kubelet.answers).toBeGreaterThan(before + 10);
  await kubelet.end();
  expect(kubelet.failures).toEqual([]);
  expect(said.match(/stopping/g)).toHaveLength(1);
  end(begun()[1]);
  expect(await ended).toEqual([0, null]);
  // It is whose unit it is: only he takes it away.
  expect(existsSync(cri)).toBe(true);
});
