import type { ServerResponse } from "node:http";
import { PassThrough, Readable } from "node:stream";
import { describe, expect, it } from "vitest";
import { PulleyError } from "../support/errors.ts";
import { linesOf } from "./event-lines.ts";
import type { ClusterLimits } from "./exchange.ts";
import { refuse } from "./testing/api-server.ts";
import { openStandIn } from "./testing/open.ts";
import type { WatchEvent } from "./watch.ts";

const path = "/api/v1/configmaps";
const object = (name: string, version: string) => ({ metadata: { namespace: "a", name, resourceVersion: version } });
const line = (type: string, what: object) => `${JSON.stringify({ type, object: what })}\n`;

interface Setting {
  readonly seconds?: number;
  readonly user?: object;
  readonly limits?: Partial<ClusterLimits>;
}

/** The events of one watch from version 5 on, and the failure that ends it. */
async function events(
  turn: (response: ServerResponse) => unknown,
  { seconds = 20, user = {}, limits = {} }: Setting = {},
) {
  const opened = await openStandIn((_request, response) => turn(response), { limits }, user);
  const found: WatchEvent[] = [];
  let failure: unknown;
  try {
    for await (const event of opened.api.watch({ path, version: "5", seconds })) found.push(event);
  } catch (error) {
    failure = error;
  }
  return { ...opened, found, failure };
}

describe("a watch", () => {
  it("begins after a version, with bookmarks, for some seconds", async () => {
    const { server, found, failure } = await events((response) => {
      response.write(line("ADDED", object("x", "6")) + line("MODIFIED", object("x", "7")));
      response.write(line("NEW-IN-2031", { what: "is this?" }));
      response.end(line("DELETED", object("x", "8")) + line("BOOKMARK", { metadata: { resourceVersion: "12" } }));
    });
    expect(server.asked).toEqual([`${path}?watch=true&allowWatchBookmarks=true&resourceVersion=5&timeoutSeconds=20`]);
    expect(found).toEqual([
      { kind: "opened" },
      { kind: "added", version: "6", object: object("x", "6") },
      { kind: "modified", version: "7", object: object("x", "7") },
      { kind: "deleted", version: "8", object: object("x", "8") },
      { kind: "bookmark", version: "12" },
    ]);
    expect(failure).toBeUndefined();
  });

  it("has expired, as a status and as an event", async () => {
    const told = { kind: "Status", reason: "Expired", code: 410, message: "too old resource version: 5 (9)" };
    const status = await events((response) => refuse(response, 410, told));
    expect(status.found).toEqual([{ kind: "expired", message: told.message }]);
    const event = await events((response) => response.write(line("ERROR", told)));
    expect(event.found).toEqual([{ kind: "opened" }, { kind: "expired", message: told.message }]);
  });

  it("fails with the words of an event, and with the wait that it asks for", async () => {
    const told = { kind: "Status", code: 429, message: "too many", details: { retryAfterSeconds: 3 } };
    const { failure } = await events((response) => response.write(line("ERROR", told)));
    expect(failure).toMatchObject({ code: "CLUSTER_FAILED", retryAfter: 3_000 });
    expect(String(failure)).toMatch(/context "test": GET .*\/configmaps: 429 Too Many Requests: too many/);
  });

  it("says what is refused, without the login", async () => {
    const message = "forbidden for Bearer very-secret";
    const { failure } = await events((response) => refuse(response, 403, { message }), {
      user: { token: "very-secret" },
    });
    expect(failure).toMatchObject({ code: "CLUSTER_FORBIDDEN" });
    expect(String(failure)).not.toContain("very-secret");
  });

  it("is over when the connection breaks, and a part of a line is no event", async () => {
    const { found, failure } = await events((response) => {
      response.write(line("ADDED", object("x", "6")));
      response.write('{"type":"ADD');
      setTimeout(() => response.destroy(), 20);
    });
    expect(found).toHaveLength(2);
    expect(failure).toMatchObject({ code: "CLUSTER_UNREACHABLE" });
  });

  it("reads no event that is too long", async () => {
    const long = line("ADDED", { ...object("x", "6"), data: "x".repeat(2_000) });
    const { found, failure } = await events((response) => response.end(long), {
      limits: { event: 1_000 },
    });
    expect(found).toHaveLength(1);
    expect(failure).toMatchObject({ code: "TOO_LARGE" });
  });

  it("of what is no API server says so", async () => {
    const { failure } = await events((response) => response.end("<html>\nhello\n</html>\n"));
    expect(failure).toMatchObject({ code: "CLUSTER_FAILED", message: expect.stringContaining("no event") });
  });

  it("ends a connection that stays open when nobody reads on", async () => {
    let isClosed = false;
    const { api } = await openStandIn((_request, response) => {
      response.once("close", () => {
        isClosed = true;
      });
      response.write(line("ADDED", object("x", "6")));
    });
    for await (const event of api.watch({ path, version: "5", seconds: 20 })) if (event.kind === "added") break;
    await expect.poll(() => isClosed).toBe(true);
  });

  it("does not wait for an end that never comes", async () => {
    const { failure } = await events((response) => response.write(line("ADDED", object("x", "6"))), {
      seconds: 0.05,
      limits: { late: 50 },
    });
    expect(failure).toMatchObject({ code: "CLUSTER_UNREACHABLE", message: expect.stringContaining("did not end") });
  });
});

describe("lines", () => {
  const read = async (body: Readable, limit: number) => {
    const found: string[] = [];
    for await (const each of linesOf(body, limit)) found.push(each);
    return found;
  };

  it("are put together of pieces of any size", async () => {
    const text = `first ä\n\n${"x".repeat(200_000)}\nlast\nrest`;
    for (const size of [1, 7, 65_536, 1_000_000]) {
      const bytes = Buffer.from(text);
      const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) =>
        bytes.subarray(at * size, (at + 1) * size),
      );
      expect(await read(Readable.from(pieces), 200_000)).toEqual(text.split("\n").slice(0, -1));
    }
  });

  it("have an end, also where it does not come", async () => {
    const body = new PassThrough();
    const reading = read(body, 100);
    body.write("x".repeat(101));
    await expect(reading).rejects.toBeInstanceOf(PulleyError);
  });
});
