import type { IncomingMessage } from "node:http";
import { PassThrough } from "node:stream";
import { describe, expect, it } from "vitest";
import type { Authorization } from "./auth/authorization.ts";
import { openSession } from "./session.ts";
import type { Exchange, Transport } from "./transport.ts";

const anonymous: Authorization = { current: async () => undefined, answer: async () => undefined };

/** A transport that goes nowhere: it redirects from place to place and notes how it was asked. */
function redirecting(locations: readonly string[], peer?: string): { transport: Transport; exchanges: Exchange[] } {
  const exchanges: Exchange[] = [];
  const transport: Transport = {
    close: () => undefined,
    exchange: async (exchange) => {
      const location = locations[exchanges.length];
      exchanges.push(exchange);
      const body = new PassThrough().end() as unknown as IncomingMessage;
      const head =
        location === undefined ? { status: 200, headers: {} } : { status: 307, headers: { location: [location] } };
      return { asked: { method: exchange.method, url: exchange.url }, ...head, body, peer };
    },
  };
  return { transport, exchanges };
}

async function placesFrom(origin: string, ...locations: string[]) {
  const { transport, exchanges } = redirecting(locations);
  const endpoint = { registry: new URL(origin).host, path: "app", origin };
  await openSession(endpoint, anonymous, transport).send({ method: "GET", what: "blobs/x" });
  return exchanges.map(({ url, sentBy, audience }) => [url.origin, audience, sentBy ?? "ourselves"]);
}

describe("who sends us", () => {
  it("is one on the public internet, and remains it", async () => {
    expect(await placesFrom("https://203.0.113.1", "https://10.0.0.1/a", "https://cdn.example/b")).toEqual([
      ["https://203.0.113.1", "registry", "ourselves"],
      ["https://10.0.0.1", "other", "public"],
      ["https://cdn.example", "other", "public"],
    ]);
  });

  it.each([
    ["https://10.0.0.5", "private"],
    ["http://127.0.0.1:5000", "loopback"],
    ["http://169.254.20.10:5000", "linkLocal"],
  ])("is %s, %s", async (origin, kind) => {
    expect(await placesFrom(origin, "https://10.0.0.1/a")).toEqual([
      [origin, "registry", "ourselves"],
      ["https://10.0.0.1", "other", kind],
    ]);
  });

  it("is the next one, where that is farther away", async () => {
    expect(await placesFrom("http://127.0.0.1:5000", "https://203.0.113.1/a", "https://127.0.0.1:80/b")).toEqual([
      ["http://127.0.0.1:5000", "registry", "ourselves"],
      ["https://203.0.113.1", "other", "loopback"],
      ["https://127.0.0.1:80", "other", "public"],
    ]);
  });

  it("is who really answered, whatever its name means now", async () => {
    const { transport, exchanges } = redirecting(["http://127.0.0.1:8080/admin"], "203.0.113.1");
    const endpoint = { registry: "localhost:5000", path: "app", origin: "http://localhost:5000" };
    await openSession(endpoint, anonymous, transport).send({ method: "GET", what: "blobs/x" });
    expect(exchanges.map(({ sentBy }) => sentBy)).toEqual([undefined, "public"]);
  });

  it("is nobody, on the way to the registry itself", async () => {
    expect(await placesFrom("https://203.0.113.1", "/elsewhere")).toEqual([
      ["https://203.0.113.1", "registry", "ourselves"],
      ["https://203.0.113.1", "registry", "ourselves"],
    ]);
  });
});
