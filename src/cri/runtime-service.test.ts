import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import type { Channel } from "../support/grpc/client.ts";
import { StatusResponseSchema } from "./api/runtime/v1/api_pb.js";
import { handlersOf, noHandlers } from "./server.ts";

const call = { signal: new AbortController().signal };

/** A runtime that lists handlers; each time that it is asked, those of the next list. */
function runtime(...lists: readonly (readonly string[])[]) {
  let asked = 0;
  const unary = async () => {
    const names = lists[Math.min(asked, lists.length - 1)] ?? [];
    asked += 1;
    return create(StatusResponseSchema, { runtimeHandlers: names.map((name) => ({ name })) });
  };
  return { check: handlersOf({ unary: unary as unknown as Channel["unary"] }), asked: () => asked };
}

test("there are none without a runtime", async () => {
  await expect(noHandlers("runc", call)).rejects.toThrow('the runtime handler "runc" is not known here');
});

test("those that the runtime lists are known, and asked for once", async () => {
  const { check, asked } = runtime(["", "runc", "kata"]);
  await check("kata", call);
  await check("runc", call);
  expect(asked()).toBe(1);
  await expect(check("gvisor", call)).rejects.toThrow('"gvisor" is not known here');
});

test("one that was added meanwhile is found", async () => {
  const { check } = runtime(["runc"], ["runc", "kata"]);
  await check("runc", call);
  await check("kata", call);
  expect(await check("kata", call)).toBeUndefined();
});

test("a runtime that lists none may have any", async () => {
  const { check } = runtime([]);
  expect(await check("kata", call)).toBeUndefined();
});
