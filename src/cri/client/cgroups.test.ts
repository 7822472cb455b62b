import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { openChannel } from "../../support/grpc/client.ts";
import { manualClock } from "../../support/manual-clock.ts";
import { CgroupDriver, RuntimeService } from "../api/runtime/v1/api_pb.js";
import { type Methods, unary } from "../grpc/methods.ts";
import { createGrpcServer, refuse } from "../grpc/server.ts";
import { CallFailure } from "../grpc/status.ts";
import { cgroupParentOf } from "./runtime.ts";

const { method } = RuntimeService;

/** What is told of a runtime that answers like this. */
async function parentFor(methods: Methods): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "pulley-cgroups-"));
  const server = createGrpcServer({
    methods,
    otherwise: (stream, headers) => refuse(stream, headers, "unknown"),
    failureOf: () => new CallFailure("INTERNAL", "broken"),
    clock: manualClock(),
  });
  const socket = join(folder, "runtime.sock");
  server.listener.listen(socket);
  await once(server.listener, "listening");
  const channel = openChannel(socket);
  onTestFinished(async () => {
    channel.close();
    await server.close(0);
    rmSync(folder, { recursive: true, force: true });
  });
  return cgroupParentOf(channel);
}

function told(driver: CgroupDriver): Methods {
  const answer = unary(method.runtimeConfig, async () => ({ linux: { cgroupDriver: driver } }));
  return new Map([["/runtime.v1.RuntimeService/RuntimeConfig", answer]]);
}

function configured(config: string): Methods {
  return new Map([["/runtime.v1.RuntimeService/Status", unary(method.status, async () => ({ info: { config } }))]]);
}

const runc = (options: object | null) =>
  JSON.stringify({ containerd: { defaultRuntimeName: "runc", runtimes: { runc: { options }, kata: {} } } });

test("a runtime that says which driver it has is believed", async () => {
  expect(await parentFor(told(CgroupDriver.SYSTEMD))).toBe("pulley.slice");
  expect(await parentFor(told(CgroupDriver.CGROUPFS))).toBe("");
});

test.each([
  ["systemd", runc({ SystemdCgroup: true }), "pulley.slice"],
  ["not systemd", runc({ SystemdCgroup: false }), ""],
  ["nothing", runc(null), ""],
  ["something else", '{"crio": true}', ""],
  ["what is no JSON", "{", ""],
])("the configuration of an older one says %s", async (_, config, parent) => {
  expect(await parentFor(configured(config))).toBe(parent);
});

test("a runtime that fails has not said anything", async () => {
  const failing = unary(method.runtimeConfig, async () => {
    throw new Error("away");
  });
  const methods = new Map([["/runtime.v1.RuntimeService/RuntimeConfig", failing]]);
  await expect(parentFor(methods)).rejects.toMatchObject({ code: "RUNTIME_FAILED" });
});
