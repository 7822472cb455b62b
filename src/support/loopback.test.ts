import { describe, expect, it } from "vitest";
import { isLoopback } from "./loopback.ts";

describe("a registry on this machine", () => {
  it.each([
    "localhost",
    "localhost:5000",
    "LOCALHOST",
    "app.localhost:80",
    "127.0.0.1",
    "127.8.9.10:5000",
    "[::1]",
    "[::1]:5000",
    "[0:0:0:0:0:0:0:1]",
  ])("is %s", (registry) => expect(isLoopback(registry)).toBe(true));
  it.each([
    "docker.io",
    "localhost.example.com",
    "mylocalhost",
    "127.0.0.1.example.com",
    "128.0.0.1",
    "10.0.0.1",
    "[::2]",
    "[fe80::1]",
    "[1::1]",
    "0.0.0.0",
  ])("is not %s", (registry) => expect(isLoopback(registry)).toBe(false));
});
