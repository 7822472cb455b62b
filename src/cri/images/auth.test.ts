import { expect, test } from "vitest";
import { parseImageName } from "../../image/index.ts";
import type { PullRecords } from "../../pull/index.ts";
import { Login } from "../../support/login.ts";
import { callerRecords } from "./auth.ts";

function recording() {
  const kept: (string | undefined)[] = [];
  const records: PullRecords = {
    begin: async () => undefined,
    fail: async () => undefined,
    recover: async () => undefined,
    prune: async () => undefined,
    access: async () => "mustAuthenticate",
    succeed: async (_image, _reference, used) => {
      kept.push(used?.origin?.kind);
    },
  };
  return { kept, records: callerRecords(records) };
}

function login(password: string): Login {
  const origin = { kind: "secret", uid: password, namespace: "", name: "cri" } as const;
  return new Login("the caller's credentials", { kind: "password", username: "token", password }, origin);
}

test("of credentials that change again and again, only the first hundred are written down", async () => {
  const { kept, records } = recording();
  for (let hour = 0; hour < 150; hour += 1) await records.succeed(parseImageName("a"), "sha256:1", login(String(hour)));
  expect(kept.filter((kind) => kind === "secret").length).toBe(100);
  await records.succeed(parseImageName("a"), "sha256:1", login("7"));
  await records.succeed(parseImageName("a"), "sha256:2", login("140"));
  await records.succeed(parseImageName("a"), "sha256:1", undefined);
  expect(kept.slice(-3)).toEqual(["secret", "secret", undefined]);
});
