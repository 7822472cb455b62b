import { expect, it } from "vitest";
import { manualClock } from "../support/manual-clock.ts";
import type { Method } from "./grpc/methods.ts";
import type { RuntimeOperation } from "./operations.ts";
import { observedMethod } from "./operations.ts";

const call = { signal: new AbortController().signal };

function hear() {
  const clock = manualClock();
  const told: RuntimeOperation[] = [];
  return { clock, told, onOperation: (operation: RuntimeOperation) => told.push(operation) };
}

it("calls are told of when they have ended, well or not", async () => {
  const { clock, told, onOperation } = hear();
  const answer = async (request: Uint8Array) => {
    await clock.advance(25);
    if (request.length === 0) throw new Error("empty");
    return request;
  };
  const method = observedMethod("PullImage", { kind: "unary", answer }, { onOperation, clock });
  if (method.kind !== "unary") throw new Error("another kind");
  expect(await method.answer(new Uint8Array([1]), call)).toEqual(new Uint8Array([1]));
  await expect(method.answer(new Uint8Array(), call)).rejects.toThrow("empty");
  expect(told).toEqual([
    { operation: "PullImage", milliseconds: 25, ok: true },
    { operation: "PullImage", milliseconds: 25, ok: false },
  ]);
});

it("streams are told of at their end, be it that the caller leaves before", async () => {
  const { clock, told, onOperation } = hear();
  const answers = async function* () {
    yield new Uint8Array([1]);
    await clock.advance(10);
    yield new Uint8Array([2]);
  };
  const method = observedMethod("StreamImages", { kind: "serverStream", answers }, { onOperation, clock });
  if (method.kind !== "serverStream") throw new Error("another kind");
  const all: Uint8Array[] = [];
  for await (const answer of method.answers(new Uint8Array(), call)) all.push(answer);
  for await (const _ of method.answers(new Uint8Array(), call)) break;
  expect(all).toHaveLength(2);
  expect(told).toEqual([
    { operation: "StreamImages", milliseconds: 10, ok: true },
    { operation: "StreamImages", milliseconds: 0, ok: false },
  ]);
});

it("where nobody listens, nothing is in between", () => {
  const method: Method = { kind: "unary", answer: async (request) => request };
  expect(observedMethod("ListImages", method, { onOperation: undefined })).toBe(method);
});
