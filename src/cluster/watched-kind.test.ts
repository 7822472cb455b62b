import { describe, expect, it, onTestFinished } from "vitest";
import type { PulleyError } from "../support/errors.ts";
import { type JsonRecord, textAt } from "../support/json-record.ts";
import { openCluster } from "./api.ts";
import type { ListedKind } from "./kinds.ts";
import { answerPage, refuse } from "./testing/api-server.ts";
import { startObjectServer } from "./testing/object-server.ts";
import { openStandIn } from "./testing/open.ts";
import { type WatchKindOptions, watchKind } from "./watched-kind.ts";

const kind: ListedKind = { apiVersion: "v1", kind: "ConfigMap", plural: "configmaps" };
const nameOf = (object: JsonRecord) => textAt(object, "metadata", "name");
const objects = (count: number) =>
  Array.from({ length: count }, (_, at) => ({
    metadata: { namespace: "a", name: `o${at}`, uid: `${at}`, resourceVersion: "1" },
  }));

/** Waits are written down, and over at the next turn of the event loop. */
function hurriedClock(waits: number[]) {
  return {
    now: () => Date.now(),
    sleep: async (milliseconds: number, signal?: AbortSignal) => {
      waits.push(milliseconds);
      await new Promise((resolve) => setImmediate(resolve));
      signal?.throwIfAborted();
    },
  };
}

async function watched(options: WatchKindOptions<string> = {}) {
  const server = await startObjectServer({ kinds: [kind] });
  const api = openCluster(server.context, { environment: {}, userAgent: "pulley/test" });
  const waits: number[] = [];
  const failures: PulleyError[] = [];
  const told: string[] = [];
  const put = (name: string, uid = name) => server.put(kind, { metadata: { namespace: "a", name, uid } });
  const start = () =>
    watchKind(api, kind, nameOf, {
      clock: hurriedClock(waits),
      onFailure: (failure) => failures.push(failure),
      onChange: (change) => told.push(`${change.kind} ${change.kind === "removed" ? change.before : change.value}`),
      ...options,
    });
  onTestFinished(async () => {
    api.close();
    await server.stop();
  });
  return { server, api, put, start, waits, failures, told };
}

describe("a kind that is watched", () => {
  it("has every change once, in order, over connections that break", async () => {
    const { server, put, start, told, failures } = await watched();
    put("first");
    const kept = start();
    await kept.ready;
    const wanted = ["added first"];
    for (let at = 0; at < 40; at += 1) {
      put(`o${at}`);
      wanted.push(`added o${at}`);
      if (at % 3 === 0) {
        server.remove(kind, { namespace: "a", name: `o${at}` });
        wanted.push(`removed o${at}`);
      }
      if (at % 10 === 5) server.cut();
      if (at % 5 === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await expect.poll(() => told.length).toBe(wanted.length);
    expect(told).toEqual(wanted);
    expect(failures.length).toBeGreaterThan(0);
    expect(server.asked.filter((each) => each.includes("limit"))).toHaveLength(1);
    await expect.poll(() => kept.failure).toBeUndefined();
    await kept.close();
  });

  it("is listed anew where its version is too old, without what has gone", async () => {
    const { server, put, start, told } = await watched();
    for (const name of ["stays", "goes", "comes again"]) put(name);
    const kept = start();
    await kept.ready;
    await expect.poll(() => server.asked.length).toBe(2);
    told.length = 0;
    const restarted = server.restart();
    server.remove(kind, { namespace: "a", name: "goes" });
    put("comes again", "another");
    await restarted;
    await expect.poll(() => told).toEqual(["removed comes again", "added comes again", "removed goes"]);
    expect([...kept.values()].sort()).toEqual(["comes again", "stays"]);
    await kept.close();
  });

  it("ends with a failure that is clear where there are too many objects", async () => {
    const { put, start, failures } = await watched({ most: 3 });
    for (const name of ["1", "2", "3"]) put(name);
    const kept = start();
    await kept.ready;
    put("4");
    await expect.poll(() => failures.at(-1)?.code).toBe("TOO_LARGE");
    expect(kept.failure?.message).toContain("more than 3 objects");
    expect(kept.size).toBe(0);
    const other = start();
    await expect(other.ready).rejects.toMatchObject({ code: "TOO_LARGE" });
    await other.settled;
  });

  it("keeps only what is picked, of the namespaces that are named", async () => {
    const { server, start } = await watched({ namespaces: ["a", "b"] });
    for (const namespace of ["a", "b", "c"]) server.put(kind, { metadata: { namespace, name: `of-${namespace}` } });
    const kept = start();
    await kept.ready;
    expect([...kept.values()].sort()).toEqual(["of-a", "of-b"]);
    await kept.close();
  });

  it("is ready, and empty, where the cluster does not have it", async () => {
    const { server, api } = await watched();
    const kept = watchKind(api, { apiVersion: "openreports.io/v1alpha1", kind: "Report", plural: "reports" }, nameOf);
    await kept.ready;
    expect(kept.size).toBe(0);
    await kept.close();
    expect(server.asked).toHaveLength(1);
  });

  it("goes with the signal, before it is ready and after", async () => {
    const { put, start, told } = await watched({ signal: AbortSignal.abort() });
    put("x");
    const kept = start();
    await expect(kept.ready).rejects.toMatchObject({ code: "CANCELLED" });
    await kept.close();
    expect(told).toEqual([]);
  });
});

describe("a server that fails", () => {
  const options = (waits: number[], failures: PulleyError[]) => ({
    clock: hurriedClock(waits),
    onFailure: (failure: PulleyError) => failures.push(failure),
  });

  it("settles what is not ready, and is asked again later and later", async () => {
    const waits: number[] = [];
    const failures: PulleyError[] = [];
    let isOpen = false;
    const { api } = await openStandIn((_request, response, url) => {
      if (!isOpen) return refuse(response, 403, { message: "forbidden" });
      if (!url.searchParams.has("watch")) return answerPage(response, objects(2), url);
    });
    const kept = watchKind(api, kind, nameOf, options(waits, failures));
    await kept.settled;
    expect(kept.failure?.code).toBe("CLUSTER_FORBIDDEN");
    await expect.poll(() => failures.length).toBeGreaterThan(8);
    for (const [at, wait] of waits.slice(0, 6).entries()) {
      expect(wait).toBeGreaterThan(500 * 2 ** at - 1);
      expect(wait).toBeLessThanOrEqual(1_000 * 2 ** at);
    }
    expect(Math.max(...waits)).toBeLessThanOrEqual(60_000);
    isOpen = true;
    await kept.ready;
    expect(kept.failure).toBeUndefined();
    expect(kept.size).toBe(2);
    await kept.close();
  });

  it("is not asked without a pause where each watch ends at once, or has expired", async () => {
    for (const turn of ["end", "expire"]) {
      const waits: number[] = [];
      const { api, server } = await openStandIn((_request, response, url) => {
        if (!url.searchParams.has("watch")) return answerPage(response, objects(2), url);
        if (turn === "end") response.end();
        else refuse(response, 410, { message: "too old" });
      });
      const kept = watchKind(api, kind, nameOf, options(waits, []));
      await expect.poll(() => waits.length).toBeGreaterThan(6);
      await kept.close();
      const isWatch = (path: string) => path.includes("watch");
      const watches = server.asked.filter(isWatch).length;
      expect(waits.length).toBeGreaterThanOrEqual(watches - 2);
      expect(Math.max(...waits)).toBeGreaterThan(10_000);
    }
  });

  it("that may be listed, but not watched, is listed again and again", async () => {
    const waits: number[] = [];
    const failures: PulleyError[] = [];
    let count = 1;
    const { api } = await openStandIn((_request, response, url) => {
      if (url.searchParams.has("watch")) return refuse(response, 403, { message: "cannot watch" });
      answerPage(response, objects(count), url);
    });
    const kept = watchKind(api, kind, nameOf, options(waits, failures));
    await kept.ready;
    count = 2;
    await expect.poll(() => kept.size).toBe(2);
    expect(failures[0]?.code).toBe("CLUSTER_FORBIDDEN");
    await kept.close();
  });

  it("is left alone for as long as it asks", async () => {
    const waits: number[] = [];
    const { api } = await openStandIn((_request, response, url) => {
      if (url.searchParams.has("watch")) return refuse(response, 429, {}, { "retry-after": "70" });
      answerPage(response, objects(1), url);
    });
    const kept = watchKind(api, kind, nameOf, options(waits, []));
    await expect.poll(() => waits[0]).toBe(70_000);
    await kept.close();
  });

  it("does not end the watch by an event that nobody can take", async () => {
    const waits: number[] = [];
    const failures: PulleyError[] = [];
    const { api } = await openStandIn((_request, response, url) => answerPage(response, objects(1), url));
    const kept = watchKind(
      api,
      kind,
      (): string => {
        throw new Error("a fault");
      },
      options(waits, failures),
    );
    await kept.settled;
    expect(failures[0]).toMatchObject({ code: "INTERNAL", message: "a fault" });
    await kept.close();
  });
});
