import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { textAt } from "../support/json-record.ts";
import type { ClusterApi } from "./api.ts";
import { listPages } from "./list.ts";
import { answer, answerPage, refuse } from "./testing/api-server.ts";
import { openStandIn } from "./testing/open.ts";

async function names(api: ClusterApi, path = "/api/v1/pods", signal?: AbortSignal) {
  const found: string[] = [];
  const sizes: number[] = [];
  const pick = (item: object) => textAt(item, "metadata", "name");
  for await (const page of listPages(api, { path, pick, signal })) {
    found.push(...page);
    sizes.push(page.length);
  }
  return { found, sizes };
}

const objects = (count: number, more: object = {}) =>
  Array.from({ length: count }, (_, at) => ({
    metadata: { namespace: "a", name: `o${String(at).padStart(6, "0")}` },
    ...more,
  }));

describe("a list", () => {
  it("comes in pages of 500, with user agent and gzip", async () => {
    const all = objects(1_201);
    let heads: NodeJS.Dict<string | string[]> = {};
    const { api, server } = await openStandIn((request, response, url) => {
      heads = request.headers;
      answerPage(response, all, url);
    });
    const { found, sizes } = await names(api);
    expect(found).toEqual(all.map(({ metadata }) => metadata.name));
    expect(sizes).toEqual([500, 500, 201]);
    expect(server.asked.at(-1)).toBe("/api/v1/pods?limit=500&continue=1000");
    expect(heads).toMatchObject({ "user-agent": "pulley/test", "accept-encoding": "gzip" });
  });

  it("may be packed", async () => {
    const { api } = await openStandIn((_request, response) => {
      response.writeHead(200, { "content-encoding": "gzip" });
      response.end(gzipSync(JSON.stringify({ items: objects(3) })));
    });
    expect((await names(api)).found).toHaveLength(3);
  });

  it("goes on with the server's own continuation when one has expired", async () => {
    const all = objects(1_200);
    const { api, server } = await openStandIn((_request, response, url) => {
      if (url.searchParams.get("continue") !== "500") return answerPage(response, all, url);
      refuse(response, 410, { reason: "Expired", metadata: { continue: "500.0" } });
    });
    expect((await names(api)).found).toEqual(all.map(({ metadata }) => metadata.name));
    expect(server.asked).toHaveLength(4);
  });

  it("is begun anew where there is no continuation, and nothing comes twice", async () => {
    const all = objects(1_200);
    let expired = 0;
    const { api, server } = await openStandIn((_request, response, url) => {
      if (url.searchParams.get("continue") !== "500" || expired++ > 0) return answerPage(response, all, url);
      refuse(response, 410, { reason: "Expired" });
    });
    const { found } = await names(api);
    expect(found).toEqual(all.map(({ metadata }) => metadata.name));
    expect(server.asked.filter((path) => !path.includes("continue"))).toHaveLength(2);
  });

  it("ends where every continuation has expired", async () => {
    const { api } = await openStandIn((_request, response, url) =>
      url.searchParams.has("continue")
        ? refuse(response, 410, { reason: "Expired", message: "too old" })
        : answerPage(response, objects(600), url),
    );
    await expect(names(api)).rejects.toMatchObject({ code: "CLUSTER_FAILED", message: 'context "test": too old' });
  });

  it("is asked for in smaller pages where a page is too long", async () => {
    const all = objects(20, { text: "x".repeat(1_000) });
    const { api } = await openStandIn((_request, response, url) => answerPage(response, all, url), {
      limits: { document: 10_000 },
    });
    expect((await names(api)).found).toHaveLength(20);
  });

  it("has no object that is too long", async () => {
    const all = objects(2, { text: "x".repeat(10_000) });
    const { api } = await openStandIn((_request, response, url) => answerPage(response, all, url), {
      limits: { document: 5_000 },
    });
    await expect(names(api)).rejects.toMatchObject({ code: "TOO_LARGE" });
  });

  it("is empty for a kind that the cluster does not have", async () => {
    const { api } = await openStandIn((_request, response) => refuse(response, 404, { reason: "NotFound" }));
    expect((await names(api)).found).toEqual([]);
  });
});

describe("a failure", () => {
  it("of 429 is waited for as long as the server asks", async () => {
    let asked = 0;
    const { api, waits } = await openStandIn((_request, response, url) =>
      asked++ === 0
        ? refuse(response, 429, { reason: "TooManyRequests" }, { "retry-after": "3" })
        : answerPage(response, objects(1), url),
    );
    expect((await names(api)).found).toHaveLength(1);
    expect(waits).toEqual([3_000]);
  });

  it("of 429 that asks for a quarter of an hour is final", async () => {
    const { api } = await openStandIn((_request, response) => refuse(response, 429, {}, { "retry-after": "900" }));
    await expect(names(api)).rejects.toMatchObject({ code: "CLUSTER_FAILED", retryAfter: 900_000 });
  });

  it("of the server and of connections that break off is tried again", async () => {
    const all = objects(3);
    let asked = 0;
    const { api, waits } = await openStandIn((_request, response, url) => {
      asked += 1;
      if (asked === 1) return refuse(response, 503, { message: "starting" });
      if (asked === 2) return void response.destroy();
      if (asked > 3) return answerPage(response, all, url);
      response.writeHead(200, { "content-length": "1000" });
      response.write('{"items": [');
      setImmediate(() => response.destroy());
    });
    expect((await names(api)).found).toHaveLength(3);
    expect(waits).toHaveLength(3);
  });

  it("that stays is told in the server's words", async () => {
    const { api, server } = await openStandIn((_request, response) =>
      refuse(response, 500, { message: "etcd is gone" }),
    );
    await expect(names(api)).rejects.toMatchObject({
      code: "CLUSTER_FAILED",
      message: `context "test": GET ${server.url}/api/v1/pods: 500 Internal Server Error: etcd is gone`,
    });
    expect(server.asked).toHaveLength(6);
  });

  it("of rights is not tried again", async () => {
    const message = 'pods is forbidden: User "mia" cannot list resource "pods" in API group "" at the cluster scope';
    const { api, server } = await openStandIn((_request, response) =>
      refuse(response, 403, { reason: "Forbidden", message }),
    );
    await expect(names(api)).rejects.toMatchObject({
      code: "CLUSTER_FORBIDDEN",
      message: expect.stringContaining(message),
    });
    expect(server.asked).toHaveLength(1);
  });

  it("of the login has nothing of it in its words", async () => {
    const { api } = await openStandIn(
      (request, response) => refuse(response, 401, { message: `no such token: ${request.headers.authorization}` }),
      {},
      { token: "very-secret" },
    );
    const failure: unknown = await names(api).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: "CLUSTER_UNAUTHORIZED" });
    expect(String(failure)).not.toContain("very-secret");
  });

  it("of what is no API server says so", async () => {
    const { api } = await openStandIn((_request, response) => void response.end("<html>hello</html>"));
    await expect(names(api)).rejects.toMatchObject({
      code: "CLUSTER_FAILED",
      message: expect.stringContaining("JSON"),
    });
    const other = await openStandIn((_request, response) => answer(response, { error: "what?" }, 404));
    await expect(names(other.api)).rejects.toMatchObject({ code: "CLUSTER_FAILED" });
  });

  it("of a server that is not there comes at once, in Go's words", async () => {
    const { api, server, waits } = await openStandIn(() => undefined);
    await server.stop();
    await expect(names(api)).rejects.toMatchObject({
      code: "CLUSTER_UNREACHABLE",
      message: expect.stringMatching(/dial tcp 127\.0\.0\.1:\d+: connect: connection refused$/),
    });
    expect(waits).toEqual([]);
  });

  it("of an answer that never comes, or never ends, has an end", async () => {
    const silent = await openStandIn(() => undefined, { limits: { answer: 50 } });
    await expect(names(silent.api)).rejects.toMatchObject({ code: "CLUSTER_UNREACHABLE" });
    const endless = await openStandIn((_request, response) => void response.write("{"), { limits: { whole: 50 } });
    await expect(names(endless.api)).rejects.toMatchObject({ message: expect.stringContaining("not complete") });
  });

  it("is the caller's own where the caller has given up", async () => {
    const giveUp = new AbortController();
    const { api } = await openStandIn(() => giveUp.abort());
    await expect(names(api, "/api/v1/pods", giveUp.signal)).rejects.toMatchObject({ code: "CANCELLED" });
  });
});
