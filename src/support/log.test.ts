import { describe, expect, it } from "vitest";
import { type Log, type LogLevel, sayTo, silentLog } from "./log.ts";
import { openLog } from "./log-output.ts";
import { painter } from "./terminal.ts";
import { withoutSecrets } from "./without-secrets.ts";

function logInto(format: "json" | "text", level: LogLevel = "debug"): { log: Log; lines: string[] } {
  const lines: string[] = [];
  const clock = { now: () => Date.UTC(2026, 10, 24, 21, 53, 48, 123) };
  const stream = { write: (line: string) => lines.push(line) };
  return { log: openLog({ format, level, stream, clock, paint: painter(false) }), lines };
}

describe("a log in JSON", () => {
  it("is one object a line, with time, level, message and fields", () => {
    const { log, lines } = logInto("json");
    log.with({ pod: "web" }).warn("it failed\nbadly", { attempts: 3, code: undefined });
    expect(lines).toEqual([
      '{"level":"warn","time":"2026-11-24T21:53:48.123Z","pod":"web","attempts":3,"message":"it failed\\nbadly"}\n',
    ]);
  });

  it("keeps fields apart from what every line has", () => {
    const { log, lines } = logInto("json");
    log.info("right", { message: "wrong", level: "wrong", time: "wrong" });
    const parsed: unknown = JSON.parse(lines[0] ?? "");
    expect(parsed).toMatchObject({ message: "right", level: "info", message_: "wrong", time_: "wrong" });
  });
});

describe("a log in text", () => {
  it("has the same for people", () => {
    const { log, lines } = logInto("text");
    log.info("the store is open", { images: 3, folder: "/var/lib/my store", empty: "" });
    sayTo(log)("a line\u001b[31m");
    expect(lines).toEqual([
      '2026-11-24T21:53:48.123Z info  the store is open  images=3  folder="/var/lib/my store"  empty=""\n',
      "2026-11-24T21:53:48.123Z info  a line\\u001b[31m\n",
    ]);
  });
});

it.each(["json", "text"] as const)("a log in %s says nothing below its level", (format) => {
  const { log, lines } = logInto(format, "warn");
  log.debug("a");
  log.info("b");
  log.warn("c");
  log.error("d");
  silentLog.error("e");
  expect(lines.map((line) => /[cd](?=\s*$|"})/.exec(line)?.[0])).toEqual(["c", "d"]);
});

describe("what is said", () => {
  it.each([
    ["GET https://user:pa55@acme.io/v2/?x=1", "GET https://acme.io/v2/?x=…"],
    [
      "https://acme.io/blob?X-Signature=abc&Expires=9#end is gone",
      "https://acme.io/blob?X-Signature=…&Expires=…#end is gone",
    ],
    ["see https://acme.io/a/b.", "see https://acme.io/a/b."],
    ["Authorization: Bearer abc.def-ghi_jkl", "Authorization: Bearer …"],
    ["authorization=basic YWxpY2U6czNjcmV0", "authorization=basic …"],
    ["a Bearer token is missing", "a Bearer token is missing"],
    ["docker.io/library/nginx@sha256:abc", "docker.io/library/nginx@sha256:abc"],
    ["socks5://u:p@proxy:1080", "socks5://proxy:1080"],
  ])("%s becomes %s", (text, expected) => {
    expect(withoutSecrets(text)).toBe(expected);
  });

  it("loses secrets in messages and in fields, in both forms", () => {
    for (const format of ["json", "text"] as const) {
      const { log, lines } = logInto(format);
      log
        .with({ from: "https://a:canary@acme.io" })
        .error("https://acme.io?token=canary", { header: "Bearer canary-canary" });
      expect(lines).toHaveLength(1);
      expect(lines.join("")).not.toContain("canary");
    }
  });
});
