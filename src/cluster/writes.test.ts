import type { ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import { describe, expect, it } from "vitest";
import { type JsonRecord, textAt } from "../support/json-record.ts";
import { listKinds } from "./kinds.ts";
import { answer, refuse } from "./testing/api-server.ts";
import { openStandIn } from "./testing/open.ts";

const path = "/api/v1/namespaces/default/configmaps/limits";
const object = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "limits" } };
const operations = [{ op: "add", path: "/data/x", value: "1" }] as const;

interface Sent {
  readonly method: string;
  readonly type: string | undefined;
  readonly body: unknown;
}

/** Each of `turns` answers one request, the last of them all that follow. */
async function serving(...turns: readonly ((response: ServerResponse) => unknown)[]) {
  const sent: Sent[] = [];
  const opened = await openStandIn((request, response) => {
    const turn = turns[Math.min(sent.length, turns.length - 1)];
    const { method = "", headers } = request;
    const entry = { method, type: headers["content-type"], body: undefined as unknown };
    sent.push(entry);
    void text(request).then((body) => {
      entry.body = body === "" ? undefined : JSON.parse(body);
      turn?.(response);
    });
  });
  return { ...opened, sent };
}

const fine = (response: ServerResponse) => answer(response, object);
const conflict = (response: ServerResponse) => refuse(response, 409, { reason: "Conflict", message: "modified" });
const owned = (response: ServerResponse) =>
  refuse(response, 409, {
    reason: "Conflict",
    message: "Apply failed with 1 conflict",
    details: {
      causes: [{ reason: "FieldManagerConflict", message: 'conflict with "kubectl" using v1', field: ".data.x" }],
    },
  });
const failing = (response: ServerResponse) => refuse(response, 500, { message: "etcd is slow" });
const busy = (response: ServerResponse) => refuse(response, 429, {}, { "retry-after": "2" });
const broken = (response: ServerResponse) => response.destroy();

describe("an apply", () => {
  it("is a patch of its own type, by the manager pulley", async () => {
    const { api, server, sent } = await serving(fine);
    expect(await api.apply({ path, object })).toEqual({ kind: "written", document: object });
    await api.apply({ path, object, force: true, subresource: "status" });
    expect(sent[0]).toEqual({ method: "PATCH", type: "application/apply-patch+yaml", body: object });
    expect(server.asked).toEqual([
      `${path}?fieldManager=pulley&force=false`,
      `${path}/status?fieldManager=pulley&force=true`,
    ]);
  });

  it("comes again where nobody knows what became of it", async () => {
    const { api, sent, waits } = await serving(broken, failing, busy, fine);
    expect(await api.apply({ path, object })).toMatchObject({ kind: "written" });
    expect(sent).toHaveLength(4);
    expect(waits[2]).toBe(2_000);
  });

  it("comes again a few times where others are faster", async () => {
    const some = await serving(conflict, conflict, fine);
    expect(await some.api.apply({ path, object })).toMatchObject({ kind: "written" });
    const all = await serving(conflict);
    expect(await all.api.apply({ path, object })).toEqual({ kind: "conflict", message: "modified", owners: [] });
    expect(all.sent).toHaveLength(6);
  });

  it("leaves the fields of others alone, and says whose they are", async () => {
    const { api, sent } = await serving(owned);
    expect(await api.apply({ path, object })).toEqual({
      kind: "conflict",
      message: "Apply failed with 1 conflict",
      owners: [{ manager: "kubectl", field: ".data.x" }],
    });
    expect(sent).toHaveLength(1);
  });

  it("finds no object where there is no such kind", async () => {
    const status = await serving((response) => refuse(response, 404, { reason: "NotFound", message: "no things" }));
    expect(await status.api.apply({ path, object })).toEqual({ kind: "absent", message: "no things" });
    const page = await serving((response) => {
      response.writeHead(404, { "content-type": "text/plain", "audit-id": "1" });
      response.end("404 page not found\n");
    });
    expect(await page.api.apply({ path, object })).toEqual({ kind: "absent", message: "" });
  });

  it("that is refused is told in the server's words", async () => {
    const { api, sent } = await serving((response) => refuse(response, 422, { message: "data: Invalid" }));
    await expect(api.apply({ path, object })).rejects.toMatchObject({
      code: "CLUSTER_FAILED",
      message: expect.stringMatching(/^context "test": PATCH .*\/limits: 422 Unprocessable Entity: data: Invalid$/),
    });
    expect(sent).toHaveLength(1);
  });
});

describe("a JSON patch", () => {
  it("comes again after 429 and after a conflict: it was not done", async () => {
    const { api, sent, waits } = await serving(busy, conflict, fine);
    expect(await api.patch({ path, operations })).toMatchObject({ kind: "written" });
    expect(waits[0]).toBe(2_000);
    expect(sent[2]).toEqual({ method: "PATCH", type: "application/json-patch+json", body: operations });
  });

  it.each([failing, broken])("never comes again where it may have been done", async (turn) => {
    const { api, sent } = await serving(turn);
    await expect(api.patch({ path, operations })).rejects.toMatchObject({ advice: expect.stringContaining("may") });
    expect(sent).toHaveLength(1);
  });

  it("of one version is not tried again on another", async () => {
    const { api, sent } = await serving(conflict);
    const pinned = [{ op: "replace", path: "/metadata/resourceVersion", value: "7" }, ...operations] as const;
    expect(await api.patch({ path, operations: pinned })).toMatchObject({ kind: "conflict" });
    expect(sent).toHaveLength(1);
  });

  it("is cancelled while it waits", async () => {
    const { api } = await serving(conflict);
    const signal = AbortSignal.timeout(0);
    await expect(api.patch({ path, operations, signal })).rejects.toMatchObject({ code: "CANCELLED" });
  });
});

describe("an update", () => {
  const counting = (versions: readonly string[], patched: (response: ServerResponse) => unknown) => {
    let reads = 0;
    const read = (response: ServerResponse) =>
      answer(response, { ...object, metadata: { name: "limits", resourceVersion: versions[reads++] } });
    return [read, patched];
  };
  const change = (document: JsonRecord) => {
    const version = textAt(document, "metadata", "resourceVersion");
    return version === "3" ? [] : [{ op: "add", path: "/data/x", value: version } as const];
  };

  it("is computed anew of what others have written", async () => {
    const [read = fine, patched = fine] = counting(["1", "2"], conflict);
    const { api, sent } = await serving(read, patched, read, fine);
    expect(await api.update({ path, change })).toMatchObject({ kind: "written" });
    const pin = (value: string) => ({ op: "replace", path: "/metadata/resourceVersion", value });
    expect(sent.map(({ body }) => body)).toEqual([
      undefined,
      [pin("1"), { op: "add", path: "/data/x", value: "1" }],
      undefined,
      [pin("2"), { op: "add", path: "/data/x", value: "2" }],
    ]);
  });

  it("that may have been done is done once", async () => {
    const [read = fine] = counting(["2", "3"], fine);
    const { api, sent } = await serving(read, broken, conflict, read);
    expect(await api.update({ path, change })).toMatchObject({ kind: "written" });
    expect(sent.map(({ method }) => method)).toEqual(["GET", "PATCH", "PATCH", "GET"]);
  });
});

describe("a delete", () => {
  it("is of one object, and may then come again", async () => {
    const { api, sent } = await serving(broken, fine);
    expect(await api.remove({ path, uid: "1-2" })).toMatchObject({ kind: "written" });
    expect(sent[1]).toMatchObject({ method: "DELETE", body: { preconditions: { uid: "1-2" } } });
  });

  it("without a uid is sent once", async () => {
    const { api, sent } = await serving(broken);
    await expect(api.remove({ path })).rejects.toMatchObject({ code: "CLUSTER_UNREACHABLE" });
    expect(sent).toHaveLength(1);
  });

  it("of another object of the name is a conflict", async () => {
    const { api, sent } = await serving(conflict);
    expect(await api.remove({ path, uid: "1-2" })).toMatchObject({ kind: "conflict" });
    expect(sent).toHaveLength(1);
  });
});

it("no name of a namespace leads to another path", async () => {
  const { api, server } = await serving(fine);
  const kind = { apiVersion: "v1", kind: "Pod", plural: "pods" };
  for (const namespace of ["..", "a/b", ""]) {
    const pages = listKinds(api, [kind], (item) => item, { namespaces: [namespace], onForbidden: () => undefined });
    await expect(pages.next()).rejects.toMatchObject({ code: "INPUT_INVALID" });
  }
  expect(server.asked).toEqual([]);
});
