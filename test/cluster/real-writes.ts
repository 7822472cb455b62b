/** Changes of objects of a real API server. */
import { expect, it } from "vitest";
import type { ClusterApi } from "../../src/cluster/api.ts";
import { objectPath } from "../../src/cluster/kinds.ts";
import type { ClusterDocument } from "../../src/cluster/reads.ts";
import { type JsonRecord, recordAt, textAt } from "../../src/support/json-record.ts";
import type { RealCluster } from "./real-cluster.ts";

const namespace = "default";
const configMaps = { apiVersion: "v1", kind: "ConfigMap", plural: "configmaps" };

export function testWrites(real: () => RealCluster): void {
  const configMap = (name: string, data: object) => ({
    path: objectPath(configMaps, { namespace, name }),
    object: { apiVersion: "v1", kind: "ConfigMap", metadata: { name, namespace }, data },
  });

  it("applies an object, and does nothing the second time", async () => {
    const api = real().open();
    const wanted = configMap("applied", { x: "1" });
    const first = await api.apply(wanted);
    const second = await api.apply(wanted);
    expect(first).toMatchObject({ kind: "written", document: { data: { x: "1" } } });
    expect(second).toEqual(first);
  });

  it("takes fields of others over only by force", async () => {
    const api = real().open();
    const { path, object } = configMap("shared", { x: "1" });
    await real().server.send("POST", "/api/v1/namespaces/default/configmaps?fieldManager=kubectl-create", {
      metadata: { name: "shared" },
      data: { x: "other", y: "other" },
    });
    expect(await api.apply({ path, object })).toMatchObject({
      kind: "conflict",
      message: expect.stringContaining('conflict with "kubectl-create" using v1'),
      owners: [{ manager: "kubectl-create", field: ".data.x" }],
    });
    const forced = await api.apply({ path, object, force: true });
    expect(forced).toMatchObject({ kind: "written", document: { data: { x: "1", y: "other" } } });
  });

  it("applies a status, and nothing else with it", async () => {
    const api = real().open();
    const metadata = { name: "described", namespace };
    const path = objectPath({ apiVersion: "v1", kind: "Pod", plural: "pods" }, metadata);
    const pod = { apiVersion: "v1", kind: "Pod", metadata };
    await api.apply({ path, object: { ...pod, spec: { containers: [{ name: "main", image: "app:1" }] } } });
    const object = { ...pod, spec: { nodeName: "not-this-way" }, status: { phase: "Running", message: "as told" } };
    const answer = await api.apply({ path, object, subresource: "status" });
    expect(answer).toMatchObject({ kind: "written", document: { status: { phase: "Running", message: "as told" } } });
    expect(specOf(await api.get({ path }))["nodeName"]).toBeUndefined();
    expect(await api.remove({ path })).toMatchObject({ kind: "written" });
  });

  it("patches what is there, and an object that others change at the same time", async () => {
    const api = real().open();
    const { path, object } = configMap("counted", { count: "0" });
    await api.apply({ path, object });
    const operations = [{ op: "add", path: "/data/patched", value: "yes" }] as const;
    expect(await api.patch({ path, operations })).toMatchObject({ document: { data: { count: "0", patched: "yes" } } });
    const change = (document: JsonRecord) => {
      const count = Number(textAt(document, "data", "count"));
      return [{ op: "replace", path: "/data/count", value: `${count + 1}` }] as const;
    };
    const times = 4;
    const answers = await Promise.all(Array.from({ length: times }, () => api.update({ path, change })));
    expect(answers.map(({ kind }) => kind)).toEqual(Array.from({ length: times }, () => "written"));
    expect(await api.get({ path })).toMatchObject({ document: { data: { count: `${times}` } } });
  });

  it("deletes the one object that is meant", async () => {
    const api = real().open();
    const { path, object } = configMap("removed", {});
    const uid = await uidOf(api, path, object);
    expect(await api.remove({ path, uid: "00000000-0000-0000-0000-000000000000" })).toMatchObject({ kind: "conflict" });
    expect(await api.remove({ path, uid })).toMatchObject({ kind: "written" });
    expect(await api.remove({ path, uid })).toMatchObject({ kind: "absent" });
  });

  it("finds no place for objects of unknown kinds and in unknown namespaces", async () => {
    const api = real().open();
    const metadata = { name: "it", namespace: "nowhere" };
    const object = { apiVersion: "v1", kind: "ConfigMap", metadata };
    expect(await api.apply({ path: objectPath(configMaps, metadata), object })).toEqual({
      kind: "absent",
      message: 'namespaces "nowhere" not found',
    });
    for (const apiVersion of ["v1", "apps/v1", "openreports.io/v1alpha1"]) {
      const path = objectPath({ apiVersion, kind: "Thing", plural: "things" }, { name: "it" });
      expect(await api.apply({ path, object: { apiVersion, kind: "Thing", metadata: { name: "it" } } })).toMatchObject({
        kind: "absent",
      });
    }
  });
}

function specOf(answer: ClusterDocument): JsonRecord {
  return answer.kind === "found" ? recordAt(answer.document, "spec") : {};
}

async function uidOf(api: ClusterApi, path: string, object: JsonRecord): Promise<string | undefined> {
  const answer = await api.apply({ path, object });
  return answer.kind === "written" ? textAt(answer.document, "metadata", "uid") : undefined;
}
