import type { IncomingMessage } from "node:http";
import { PassThrough } from "node:stream";
import { describe, expect, it } from "vitest";
import type { Authorization } from "./authorization.ts";
import { openSession } from "./session.ts";
import type { Exchange, Transport } from "./transport.ts";

const anonymous: Authorization = { current: async () => undefined, answer: async () => undefined };

/** A transport that goes nowhere: it redirects from place to place and notes how it was asked. */
function redirecting(locations: readonly string[]): { transport: Transport; exchanges: Exchange[] } {
  const exchanges: Exchange[] = [];
  const transport: Transport = {
    close: () => undefined,
    exchange: async (exchange) => {
      const location = locations[exchanges.length];
      exchanges.push(exchange);
      const body = new PassThrough().end() as unknown as IncomingMessage;
      const head =
        location === undefined ? { status: 200, headers: {} } : { status: 307, headers: { location: [location] } };
      return { asked: { method: exchange.method, url: exchange.url }, ...head, body };
    },
  };
  return { transport, exchanges };
}

async function placesFrom(origin: string, ...locations: string[]) {
  const { transport, exchanges } = redirecting(locations);
  const endpoint = { registry: new URL(origin).host, path: "app", origin };
  await openSession(endpoint, anonymous, transport).send({ method: "GET", what: "blobs/x" });
  return exchanges.map(({ url, publicOnly, audience }) => [
    url.origin,
    audience,
    publicOnly ? "public only" : "anywhere",
  ]);
}

describe("where a registry may send us", () => {
  it("is the public internet only, if it is there itself", async () => {
    expect(await placesFrom("https://203.0.113.1", "https://10.0.0.1/a", "https://cdn.example/b")).toEqual([
      ["https://203.0.113.1", "registry", "anywhere"],
      ["https://10.0.0.1", "other", "public only"],
      ["https://cdn.example", "other", "public only"],
    ]);
  });

  it("is anywhere, if it is in a private network", async () => {
    expect(await placesFrom("https://10.0.0.5", "https://10.0.0.1/a")).toEqual([
      ["https://10.0.0.5", "registry", "anywhere"],
      ["https://10.0.0.1", "other", "anywhere"],
    ]);
  });

  it("is itself, always", async () => {
    expect(await placesFrom("https://203.0.113.1", "/elsewhere")).toEqual([
      ["https://203.0.113.1", "registry", "anywhere"],
      ["https://203.0.113.1", "registry", "anywhere"],
    ]);
  });
});
