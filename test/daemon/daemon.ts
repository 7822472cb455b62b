/** The built program as a daemon, and what its other commands say of it. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { type Ended, program, pulley, readStoreAgain } from "../e2e/pulley.ts";

export interface Daemon {
  readonly child: ChildProcess;
  readonly sockets: { readonly cri: string; readonly api: string };
  /** Its log so far. */
  said(): string;
  /** Waits until the log says it. */
  until(text: string | RegExp): Promise<void>;
  /** Runs another command on this daemon's socket. */
  ask(...args: readonly string[]): Promise<Ended>;
  /** Asks until the answer is as it should be. */
  askUntil(isRight: (ended: Ended) => boolean, ...args: readonly string[]): Promise<Ended>;
  /** Ends it with a signal; its exit status. */
  end(signal?: NodeJS.Signals): Promise<number | null>;
}

/** Starts `pulley node` with a folder of its own for sockets, and waits until it serves images. */
export async function startNode(folder: string, ...args: readonly string[]): Promise<Daemon> {
  const sockets = { cri: join(folder, "cri.sock"), api: join(folder, "node.sock") };
  const own = ["--cri-socket", sockets.cri, "--socket", sockets.api, "--hosts-dir", ""];
  readStoreAgain(args);
  const child = spawn(process.execPath, [program, "node", ...own, ...args], {
    env: { PATH: process.env["PATH"], HOME: "/nonexistent" },
    stdio: ["ignore", "inherit", "pipe"],
  });
  const killAtExit = () => child.kill("SIGKILL");
  process.once("exit", killAtExit);
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  // Not "exit", which may come before the last that it has said.
  let isOver = false;
  const exited = once(child, "close").then(() => {
    isOver = true;
  });
  const until = async (text: string | RegExp) => {
    for (let attempt = 0; attempt < 2400; attempt += 1) {
      if (typeof text === "string" ? said.includes(text) : text.test(said)) return;
      if (isOver) throw new Error(`the daemon ended before it said ${text}:\n${said}`);
      await delay(50);
    }
    throw new Error(`the daemon did not say ${text}:\n${said}`);
  };
  const ask = (...words: readonly string[]) => pulley([...words, "--socket", sockets.api]);
  await until("the image service listens");
  await until("own interface listens");
  return {
    child,
    sockets,
    said: () => said,
    until,
    ask,
    askUntil: async (isRight, ...words) => {
      let ended = await ask(...words);
      for (let attempt = 0; attempt < 1200 && !isRight(ended); attempt += 1) {
        await delay(100);
        ended = await ask(...words);
      }
      if (!isRight(ended)) throw new Error(`${words.join(" ")} says ${ended.stdout}${ended.stderr}\n${said}`);
      return ended;
    },
    end: async (signal = "SIGTERM") => {
      process.off("exit", killAtExit);
      child.kill(signal);
      await exited;
      return child.exitCode;
    },
  };
}
