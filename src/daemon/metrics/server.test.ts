import { request } from "node:http";
import { describe, expect, it, onTestFinished } from "vitest";
import { type Log, silentLog } from "../../support/log.ts";
import { manualClock } from "../../support/manual-clock.ts";
import { createHealth, type HealthCheck } from "../../support/monitoring/health.ts";
import { serveMetrics } from "../../support/monitoring/server.ts";
import { readExposition } from "../../support/monitoring/testing/exposition.ts";
import { createMetrics } from "./index.ts";

async function served(ready: readonly HealthCheck[] = [], address = "127.0.0.1:0", log: Log = silentLog) {
  const clock = manualClock();
  const changes: string[] = [];
  const onChange = (name: string, failure: string | undefined) => changes.push(`${name}: ${failure ?? "ok"}`);
  const health = createHealth({ ready, clock, onChange });
  const metrics = createMetrics({ version: "1.2.3", clock });
  const server = await serveMetrics(address, { metrics, health, log });
  onTestFinished(server.close);
  return {
    server,
    clock,
    changes,
    get: (path: string, init?: RequestInit) => fetch(`http://${server.address}${path}`, init),
  };
}

describe("the metrics' address", () => {
  it("answers with metrics and health, and only that", async () => {
    const { get } = await served();
    const answer = await get("/metrics");
    expect(answer.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
    expect(readExposition(await answer.text()).size).toBeGreaterThan(20);
    expect(await (await get("/healthz")).text()).toBe("ok\n");
    expect(await (await get("/readyz")).text()).toBe("ok\n");
    expect((await get("/v1alpha1/pods")).status).toBe(404);
    expect((await get("/metrics", { method: "POST", body: "x" })).status).toBe(405);
    expect((await get(`/${"x".repeat(5000)}`)).status).toBe(414);
  });

  it("says what is not ready, not why, and forgets it when it is", async () => {
    let failure: Error | undefined = new Error("no runtime");
    const check = () => {
      if (failure !== undefined) throw failure;
    };
    const { get, changes } = await served([{ name: "runtime", check }]);
    for (const _ of [1, 2]) {
      const answer = await get("/readyz");
      expect(answer.status).toBe(503);
      expect(await answer.text()).toBe("[+]ping ok\n[-]runtime failed\nreadyz check failed\n");
    }
    expect((await get("/healthz")).status).toBe(200);
    failure = undefined;
    expect((await get("/readyz")).status).toBe(200);
    expect(changes).toEqual(["runtime: no runtime", "runtime: ok"]);
  });

  it("does not wait for a check for ever", async () => {
    const { get, clock, changes } = await served([{ name: "runtime", check: () => new Promise(() => undefined) }]);
    const answer = get("/readyz");
    await expect.poll(() => clock.sleepers).toBe(1);
    await clock.advance(2000);
    expect((await answer).status).toBe(503);
    expect(changes).toEqual(["runtime: no answer within 2000 ms"]);
  });

  it.each(["localhost", "127.0.0.1:", "127.0.0.1:99999", "http://127.0.0.1:9", "::1:9"])(
    "is not %j",
    async (address) => {
      await expect(served([], address)).rejects.toMatchObject({ code: "USAGE" });
    },
  );

  it("is on loopback where only a port is given, and nobody else's", async () => {
    const { server } = await served([], "0");
    expect(server.address).toMatch(/^127\.0\.0\.1:\d+$/);
    await expect(served([], server.address)).rejects.toThrow(/--metrics 127.0.0.1:\d+: .*address already in use/);
  });

  it.each([
    ["localhost:9419", 200],
    ["127.0.0.1", 200],
    ["evil.example", 421],
    ["evil.example:9419", 421],
  ])("asked for %s, it answers with status %i", async (host, status) => {
    const { server } = await served();
    for (const path of ["/metrics", "/healthz", "/readyz"])
      expect(await statusFor(server.address, path, host)).toBe(status);
  });

  it.each([
    ["0.0.0.0:0", 1],
    ["[::]:0", 1],
    ["127.0.0.1:0", 0],
  ])("says of %s whether everybody can ask", async (address, warnings) => {
    const said: unknown[] = [];
    await served([], address, { ...silentLog, warn: (message, fields) => void said.push([message, fields]) });
    expect(said).toHaveLength(warnings);
    if (warnings > 0) expect(said).toEqual([[expect.stringMatching(/to everybody/), { address }]]);
  });
});

function statusFor(address: string, path: string, host: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const asked = request(`http://${address}${path}`, { headers: { host } }, (answer) => {
      answer.resume();
      resolve(answer.statusCode);
    });
    asked.on("error", reject).end();
  });
}
