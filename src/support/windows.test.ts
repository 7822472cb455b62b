import { expect, test } from "vitest";
import { refuseWindows } from "./windows.ts";

test("what needs a Unix is refused on Windows, with what works there", () => {
  expect(() => refuseWindows("pulley node", "win32")).toThrow(
    expect.objectContaining({
      code: "USAGE",
      message: "pulley node does not work on Windows",
      advice: expect.stringContaining("audit"),
    }),
  );
});

test.each(["linux", "darwin"] as const)("nothing is refused on %s", (platform) => {
  expect(() => refuseWindows("pulley node", platform)).not.toThrow();
});
