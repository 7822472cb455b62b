import { userInfo } from "node:os";
import { expect, it } from "vitest";
import { homeFolder } from "./home.ts";

it("is the system's where the environment's is empty", () => {
  expect(homeFolder("")).toBe(userInfo().homedir);
  expect(homeFolder("/home/me")).toBe("/home/me");
});
