import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { expiry, formatOwner, isLeftBehind, type Owner, ownerState, parseOwner, thisOwner } from "./owner.ts";

const boot = "0123456789abcdef0123456789abcdef";
const self: Owner = { pid: 100, started: "5000", namespace: "4026531836", boot };

describe("an owner as text", () => {
  test.each<[Owner, string]>([
    [self, `100-5000-4026531836-${boot}`],
    [{ pid: 1, started: "x", namespace: "x", boot: "x" }, "1-x-x-x"],
  ])("%j is %s", (owner, text) => {
    expect(formatOwner(owner)).toBe(text);
    expect(parseOwner(text)).toEqual(owner);
  });

  test.each(["", "kept", "0-1-2-x", "1-1-1", "1-1-1-abc", "../1-x-x-x", "1-x-x-x\n", `99999999999-1-1-${boot}`])(
    "%j is none",
    (text) => {
      expect(parseOwner(text)).toBeUndefined();
    },
  );

  test("this process reads back as itself", () => {
    expect(parseOwner(formatOwner(thisOwner()))).toEqual(thisOwner());
  });
});

describe("an owner's state", () => {
  test("this process is alive, and so is another one that runs", async () => {
    expect(ownerState(thisOwner(), thisOwner())).toBe("alive");
    expect(ownerState({ ...self, pid: 1 }, self)).not.toBe("alive");
  });

  test("a process of an earlier boot is dead", () => {
    expect(ownerState({ ...self, boot: "f".repeat(32) }, self)).toBe("dead");
  });

  test.each([{ namespace: "4026531999" }, { namespace: "x" }, { boot: "x" }])(
    "nothing is known of a process with %j",
    (part) => {
      expect(ownerState({ ...self, ...part }, self)).toBe("unknown");
    },
  );

  test("a process that has ended is dead", async () => {
    const child = spawn(process.execPath, ["--version"], { stdio: "ignore" });
    const owner = { ...thisOwner(), pid: child.pid ?? expect.unreachable(), started: "1" };
    await once(child, "close");
    expect(ownerState(owner, thisOwner())).toBe("dead");
    expect(ownerState({ ...owner, namespace: "x", boot: "x" }, { ...thisOwner(), namespace: "x", boot: "x" })).toBe(
      "dead",
    );
  });

  test.runIf(existsSync("/proc/self/stat"))("another process that has the number now is not the owner", () => {
    const parent = { ...thisOwner(), pid: process.ppid };
    expect(ownerState({ ...parent, started: "1" }, thisOwner())).toBe("dead");
  });

  test("without /proc, that the number is taken says nothing", () => {
    const bare = { ...self, started: "x", namespace: "x", boot: "x" };
    expect(ownerState({ ...bare, pid: process.ppid }, bare)).toBe("unknown");
  });
});

test("the age decides where nothing is known", () => {
  const other = { ...self, namespace: "1" };
  const now = 1_700_000_000_000;
  expect(isLeftBehind(other, now - expiry, self, now)).toBe(false);
  expect(isLeftBehind(other, now - expiry - 1, self, now)).toBe(true);
  expect(isLeftBehind(self, 0, self, now)).toBe(false);
  expect(isLeftBehind({ ...self, boot: "f".repeat(32) }, now, self, now)).toBe(true);
});
