/** A container runtime that makes nothing, and writes down what it is asked for, byte for byte. */
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type ServerHttp2Session } from "node:http2";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { onTestFinished } from "vitest";
import { CreateContainerResponseSchema, PodSandboxStatusResponseSchema } from "../../src/cri/api/runtime/v1/api_pb.js";
import { frame } from "../../src/cri/grpc/framing.ts";

export interface RecordingRuntime {
  readonly socket: string;
  /** What came, `CreateContainer` and the whole body of it. */
  readonly asked: { readonly call: string; readonly body: Buffer }[];
}

/** @param status what it says of each sandbox */
export async function startRuntime(
  status: MessageInitShape<typeof PodSandboxStatusResponseSchema> = {},
): Promise<RecordingRuntime> {
  const folder = mkdtempSync(join(tmpdir(), "pulley-runtime-"));
  const socket = join(folder, "runtime.sock");
  const asked: { call: string; body: Buffer }[] = [];
  const sessions = new Set<ServerHttp2Session>();
  const created = frame(
    toBinary(CreateContainerResponseSchema, create(CreateContainerResponseSchema, { containerId: "made" })),
  );
  const sandbox = frame(toBinary(PodSandboxStatusResponseSchema, create(PodSandboxStatusResponseSchema, status)));
  const server = createServer();
  server.on("session", (session) => sessions.add(session));
  server.on("stream", (stream, headers) => {
    const pieces: Buffer[] = [];
    stream.on("error", () => undefined);
    stream.on("data", (piece: Buffer) => pieces.push(piece));
    stream.on("end", () => {
      const call = (headers[":path"] ?? "").split("/").at(-1) ?? "";
      asked.push({ call, body: Buffer.concat(pieces) });
      stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
      stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
      stream.end(call === "PodSandboxStatus" ? sandbox : created);
    });
  });
  server.listen(socket);
  await once(server, "listening");
  onTestFinished(async () => {
    for (const session of sessions) session.destroy();
    await new Promise((resolve) => server.close(resolve));
    rmSync(folder, { recursive: true, force: true });
  });
  return { socket, asked };
}
