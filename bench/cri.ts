/** The image service of a node: how many ImageStatus calls a core answers, how many pulls a crowd costs, how much it weighs. */
import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { type ClientHttp2Session, connect as connectHttp2 } from "node:http2";
import { connect } from "node:net";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { create, toBinary } from "@bufbuild/protobuf";
import { buildImage } from "../examples/world/image-builder.ts";
import { startRegistry } from "../examples/world/registry.ts";
import { ImageStatusRequestSchema, PullImageRequestSchema } from "../src/cri/api/runtime/v1/api_pb.js";
import { tool } from "../test/programs.ts";
import { cache } from "./support/contest.ts";
import { serveImages } from "./support/cri-server.ts";
import { median } from "./support/measure.ts";

const folder = join(cache, "cri");
const socket = join(folder, "run", "cri.sock");
const rounds = 5;
const statusCalls = 20_000;
const atOnce = 32;
const targets = { callsPerSecond: 10_000, downloads: 10, memory: 120 };

if (process.argv[2] === "serve") await serveImages(folder, socket);
else await measureServer();

async function measureServer(): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const registry = await startRegistry({ pace: { latency: 200 }, network: "direct" });
  const images = Array.from({ length: 10 }, (_, number) => `bench/image-${number}:1`);
  for (const [number, name] of images.entries()) {
    registry.addImage(name, await buildImage({ layers: [{ filler: 100_000 }], seed: String(number) }));
  }
  const server = startServer();
  let failed = false;
  try {
    const session = await connected();
    await delay(1000);
    const idle = memoryOf(server);

    const started = performance.now();
    const names = images.map((name) => `${registry.host}/${name}`);
    const crowd = Array.from({ length: 50 }, (_, number) => pullRequest(names[number % names.length] ?? ""));
    await Promise.all(crowd.map((request) => call(session, "PullImage", request)));
    const took = (performance.now() - started) / 1000;
    const fetched = registry.log.filter(({ path, bytes }) => path.includes("/blobs/") && bytes > 50_000).length;

    const request = framed(
      toBinary(ImageStatusRequestSchema, create(ImageStatusRequestSchema, { image: { image: names[3] ?? "" } })),
    );
    await many(session, request);
    const results = [];
    for (let round = 0; round < rounds; round += 1) results.push(await measured(server, () => many(session, request)));
    const wall = median(results.map(({ seconds }) => statusCalls / seconds));
    const perCore = median(results.map(({ processor }) => statusCalls / processor));
    const after = memoryOf(server);

    console.log("\nThe image service of a node\n");
    console.log("| what | measured | target |\n|---|--:|--:|");
    console.log(
      `| ImageStatus calls a second of the server's processor time | ${perCore.toFixed(0)} | ${targets.callsPerSecond} |`,
    );
    console.log(`| … a second of wall time, ${atOnce} at once | ${wall.toFixed(0)} | |`);
    console.log(
      `| downloads for 50 PullImage calls at once of 10 images, 200 ms from the registry | ${fetched} | ${targets.downloads} |`,
    );
    console.log(`| … seconds | ${took.toFixed(2)} | |`);
    console.log(`| memory, idle | ${idle.toFixed(0)} MiB | < ${targets.memory} MiB |`);
    console.log(`| memory after all of that | ${after.toFixed(0)} MiB | |`);
    failed = perCore < targets.callsPerSecond || fetched !== targets.downloads || idle >= targets.memory;
    session.destroy();
  } finally {
    server.kill("SIGTERM");
    await registry.close();
  }
  if (failed) process.exitCode = 1;
}

/** On one processor, where `taskset` is there to see to it. */
function startServer(): ChildProcess {
  const taskset = tool("taskset");
  const program = [process.execPath, process.argv[1] ?? "", "serve"];
  const [file = "", ...args] = taskset === undefined ? program : [taskset, "--cpu-list", "0", ...program];
  return spawn(file, args, { stdio: ["ignore", "inherit", "inherit"] });
}

async function connected(): Promise<ClientHttp2Session> {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    const session = connectHttp2("http://localhost", { createConnection: () => connect(socket) });
    const ready = await new Promise<boolean>((resolve) => {
      session.once("connect", () => resolve(true)).once("error", () => resolve(false));
    });
    if (ready) return session;
    await delay(50);
  }
  throw new Error("the server did not begin to listen within ten seconds");
}

async function many(session: ClientHttp2Session, request: Buffer): Promise<void> {
  let left = statusCalls;
  const one = async () => {
    while (left > 0) {
      left -= 1;
      await call(session, "ImageStatus", request);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, one));
}

function call(session: ClientHttp2Session, method: string, request: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    const headers = { "content-type": "application/grpc", te: "trailers", "grpc-timeout": "120000m" };
    const stream = session.request({ ":method": "POST", ":path": `/runtime.v1.ImageService/${method}`, ...headers });
    let status: unknown;
    const note = (received: { "grpc-status"?: unknown; "grpc-message"?: unknown }) => {
      if (received["grpc-status"] === undefined) return;
      status = received["grpc-status"];
      if (status !== "0") reject(new Error(`${method}: ${String(received["grpc-message"])}`));
    };
    stream.on("response", note).on("trailers", note).on("error", reject);
    stream.on("close", () => (status === "0" ? resolve() : reject(new Error(`${method}: no status`)))).resume();
    stream.end(request);
  });
}

function pullRequest(image: string): Buffer {
  return framed(toBinary(PullImageRequestSchema, create(PullImageRequestSchema, { image: { image } })));
}

function framed(message: Uint8Array): Buffer {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

/** Seconds of wall time, and of the server's processor time with all of its threads. */
async function measured(
  server: ChildProcess,
  work: () => Promise<void>,
): Promise<{ seconds: number; processor: number }> {
  const [before, started] = [processorOf(server), performance.now()];
  await work();
  return { seconds: (performance.now() - started) / 1000, processor: processorOf(server) - before };
}

/** `man 5 proc`: the kernel counts hundredths of a second. */
function processorOf({ pid }: ChildProcess): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** Resident, in MiB. */
function memoryOf({ pid }: ChildProcess): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024;
}
