/** What Pulley relies on in lists and watches, of any API server (Kubernetes API concepts, "Efficient detection of changes"). */
import { describe, expect, it } from "vitest";
import type { ClusterApi } from "../../src/cluster/api.ts";
import { type ListedKind, objectPath } from "../../src/cluster/kinds.ts";
import type { WatchEvent } from "../../src/cluster/watch.ts";
import { watchKind } from "../../src/cluster/watched-kind.ts";
import { type JsonRecord, recordAt, recordsAt, textAt } from "../../src/support/json-record.ts";

export interface Subject {
  /** As one who may do everything, as one without rights, as one whom nobody knows. */
  api(user?: "powerless" | "stranger"): ClusterApi;
  /** Makes a ConfigMap, or changes it. */
  put(namespace: string, name: string, data: object): Promise<unknown>;
  remove(namespace: string, name: string): Promise<unknown>;
  compact(): Promise<unknown>;
  restart(): Promise<unknown>;
}

/** The namespaces that a subject has. */
export const contractNamespaces = ["pages", "watched", "other", "kept", "kept-too"] as const;

export const configMapKind: ListedKind = { apiVersion: "v1", kind: "ConfigMap", plural: "configmaps" };

export function testListsAndWatches(subject: () => Subject): void {
  const pathOf = (namespace: string) => `/api/v1/namespaces/${namespace}/configmaps`;
  const nameOf = (object: unknown) => textAt(object, "metadata", "name") ?? "";

  async function list(namespace: string, query: Record<string, string> = {}) {
    const answer = await subject()
      .api()
      .get({ path: pathOf(namespace), query });
    if (answer.kind !== "found") return { kind: answer.kind, answer };
    const metadata = recordAt(answer.document, "metadata");
    const items = recordsAt(answer.document, "items");
    const version = textAt(metadata, "resourceVersion") ?? "";
    const continuation = textAt(metadata, "continue");
    return { kind: answer.kind, answer, items, names: items.map(nameOf), version, continuation, metadata };
  }

  async function listed(namespace: string, query: Record<string, string> = {}) {
    const page = await list(namespace, query);
    if (page.kind !== "found") throw new Error(page.kind);
    return page;
  }

  /** Events until `isLast`, or the end of the watch. */
  async function events(namespace: string, version: string, isLast: (event: WatchEvent) => boolean, seconds = 60) {
    const found: WatchEvent[] = [];
    for await (const event of subject()
      .api()
      .watch({ path: pathOf(namespace), version, seconds })) {
      found.push(event);
      if (isLast(event)) break;
    }
    return found;
  }

  it("lists in pages of one moment, in the order of the keys", async () => {
    for (const name of ["c", "a", "b", "e", "d"]) await subject().put("pages", name, {});
    const first = await listed("pages", { limit: "2" });
    expect(first.names).toEqual(["a", "b"]);
    expect(first.metadata["remainingItemCount"]).toBe(3);
    expect(first.items?.[0]).not.toHaveProperty("kind");
    await subject().put("pages", "aa", {});
    await subject().put("pages", "cc", {});
    await subject().remove("pages", "d");
    const second = await listed("pages", { limit: "2", continue: first.continuation ?? "" });
    expect(second.names).toEqual(["c", "d"]);
    expect(second.version).toBe(first.version);
    const third = await listed("pages", { limit: "2", continue: second.continuation ?? "" });
    expect(third.names).toEqual(["e"]);
    expect(third.version).toBe(first.version);
    expect(third.continuation).toBeUndefined();
  });

  it("says that a continuation has expired, and gives one that goes on at a later moment", async () => {
    for (const name of ["a", "b", "c"]) await subject().put("pages", name, {});
    const first = await listed("pages", { limit: "2" });
    await subject().put("pages", "z", {});
    await subject().compact();
    const expired = await list("pages", { limit: "2", continue: first.continuation ?? "" });
    expect(expired.answer).toMatchObject({ kind: "expired", continuation: expect.any(String) });
    const continuation = expired.answer.kind === "expired" ? (expired.answer.continuation ?? "") : "";
    const rest = await listed("pages", { continue: continuation });
    expect(rest.names).not.toContain("a");
    expect(rest.names).toContain("z");
    expect(Number(rest.version)).toBeGreaterThan(Number(first.version));
    const exact = await list("pages", { resourceVersion: first.version ?? "", resourceVersionMatch: "Exact" });
    expect(exact.answer).toMatchObject({ kind: "expired", continuation: undefined });
  });

  it("watches the changes of one namespace since a version", async () => {
    const { version } = await listed("watched");
    const isLast = (event: WatchEvent) => event.kind === "deleted";
    const reading = events("watched", version, isLast);
    await subject().put("watched", "x", { n: "1" });
    await subject().put("other", "x", { n: "1" });
    await subject().put("watched", "x", { n: "2" });
    await subject().remove("watched", "x");
    const found = await reading;
    expect(found.map(({ kind }) => kind)).toEqual(["opened", "added", "modified", "deleted"]);
    const objects = found.flatMap((event) => ("object" in event ? event : []));
    expect(objects.map(({ object }) => [object["kind"], object["data"]])).toEqual([
      ["ConfigMap", { n: "1" }],
      ["ConfigMap", { n: "2" }],
      ["ConfigMap", { n: "2" }],
    ]);
    const versions = [version, ...objects.map((event) => event.version)].map(Number);
    expect(versions).toEqual([...new Set(versions)].sort((one, other) => one - other));
    // The same once more, now that all of it is over, and the part after one event.
    expect(await events("watched", version, isLast)).toEqual(found);
    expect(await events("watched", objects[0]?.version ?? "", isLast)).toEqual([found[0], ...found.slice(2)]);
  });

  it("moves on by bookmarks, and ends when it is asked to", async () => {
    const { version } = await listed("watched");
    const reading = events("watched", version, () => false, 4);
    await subject().put("other", "bookmarked", { at: `${Date.now()}` });
    const { items } = await listed("other");
    const changed = items?.find((item) => nameOf(item) === "bookmarked");
    const [opened, ...bookmarks] = await reading;
    expect(opened).toEqual({ kind: "opened" });
    expect(bookmarks).toContainEqual({
      kind: "bookmark",
      version: textAt(changed, "metadata", "resourceVersion"),
    });
    expect(new Set(bookmarks.map(({ kind }) => kind))).toEqual(new Set(["bookmark"]));
  });

  it("knows no kind that is not there, and lets nobody in without a right", async () => {
    const paths = ["/api/v1/things", "/apis/openreports.io/v1alpha1/reports"];
    for (const path of paths) {
      expect(await subject().api().get({ path })).toMatchObject({ kind: "absent" });
      const watched = [];
      for await (const event of subject().api().watch({ path, version: "1", seconds: 5 })) watched.push(event.kind);
      expect(watched).toEqual(["absent"]);
    }
    const path = pathOf("watched");
    for (const [user, code] of [
      ["powerless", "CLUSTER_FORBIDDEN"],
      ["stranger", "CLUSTER_UNAUTHORIZED"],
    ] as const) {
      const api = subject().api(user);
      await expect(api.get({ path })).rejects.toMatchObject({ code });
      const watching = async () => {
        for await (const event of api.watch({ path, version: "1", seconds: 5 })) expect(event).toBeUndefined();
      };
      await expect(watching()).rejects.toMatchObject({ code });
    }
    const metadata = { namespace: "watched", name: "nothing" };
    expect(
      await subject()
        .api()
        .get({ path: objectPath(configMapKind, metadata) }),
    ).toMatchObject({
      kind: "absent",
      message: 'configmaps "nothing" not found',
    });
  });

  describe("keeps a kind", () => {
    const numberIn = (object: JsonRecord) => Number(textAt(object, "data", "n"));
    const pick = (object: JsonRecord) => ({ name: nameOf(object), n: numberIn(object) });

    it("up to date, over an API server that starts anew: nothing is lost, nothing comes twice", async () => {
      const put = (name: string, n: number) => subject().put("kept", name, { n: `${n}` });
      await put("counted", 0);
      await put("gone", 0);
      const { version } = await listed("kept");
      const told: string[] = [];
      const api = subject().api();
      const kept = watchKind(api, configMapKind, pick, {
        namespaces: ["kept", "kept-too"],
        onChange: (change) => {
          const { name, n } = change.kind === "removed" ? change.before : change.value;
          if (name !== "kube-root-ca.crt") told.push(`${change.kind} ${name} ${n}`);
        },
      });
      await kept.ready;
      expect(told.sort()).toEqual(["added counted 0", "added gone 0"]);
      expect(kept.failure).toBeUndefined();
      told.length = 0;
      for (let n = 1; n <= 5; n += 1) await put("counted", n);
      await expect.poll(() => told).toEqual([1, 2, 3, 4, 5].map((n) => `modified counted ${n}`));
      told.length = 0;

      // Not seen by the watch, which goes on from a version that the new server does not know.
      await subject().put("other", "unseen", { at: `${Date.now()}` });
      await subject().restart();
      await put("counted", 6);
      await subject().remove("kept", "gone");
      await subject().put("kept-too", "new", { n: "7" });
      await expect.poll(() => told.length).toBe(3);
      for (const change of ["modified counted 6", "removed gone 0", "added new 7"]) expect(told).toContain(change);
      const values = [...kept.values()].filter(({ name }) => name !== "kube-root-ca.crt");
      expect(values.sort((one, other) => one.n - other.n)).toEqual([
        { name: "counted", n: 6 },
        { name: "new", n: 7 },
      ]);
      await expect.poll(() => kept.failure).toBeUndefined();
      await kept.close();
      await put("counted", 8);
      expect(told).toHaveLength(3);
      // The server has forgotten what was before it, so this went another way than a watch.
      const old = await events("kept", version, () => false);
      expect(old.at(-1)).toMatchObject({ kind: "expired" });
    });
  });
}
