import { expect, it, onTestFinished } from "vitest";
import { openCluster } from "../../cluster/api.ts";
import { answer, answerPage, type Handler, refuse, startStandIn } from "../../cluster/testing/api-server.ts";
import { type LogFields, logTo } from "../../support/log.ts";
import { fleetReport } from "../report.ts";
import { cluster, pod } from "../testing/objects.ts";
import { policyReportTaker } from "./takers.ts";

const now = Date.parse("2026-11-29T12:00:00Z");

/** A cluster that knows PolicyReports and has none. */
const knowing: Handler = (request, response, url) => {
  if (request.method === "PATCH") answer(response, { metadata: { resourceVersion: "8" } });
  else if (url.pathname !== "/apis/wgpolicyk8s.io/v1alpha2") answerPage(response, [], url);
  else answer(response, { resources: [{ name: "policyreports" }, { name: "clusterpolicyreports" }] });
};

const knowingNothing: Handler = (_request, response) => refuse(response, 404, { reason: "NotFound" });

async function standIn(name: string, handler: Handler) {
  const server = await startStandIn(handler);
  const api = openCluster({ ...server.context, name }, { environment: {}, userAgent: "pulley/test" });
  onTestFinished(async () => {
    api.close();
    await server.stop();
  });
  return { api, server };
}

it("writes into clusters of which all was read, and a failure in one stops no other", async () => {
  const names = ["old", "without", "eu"];
  const [old, without, eu] = [
    await standIn("old", knowing),
    await standIn("without", knowingNothing),
    await standIn("eu", knowing),
  ];
  const clusters = names.map((name) => cluster([pod({ name: "web", image: "acme/web:main" })], name));
  const incomplete = new Set(["old"]);
  const report = fleetReport(clusters, { policy: undefined, teams: [], incomplete, now });
  const lines: LogFields[] = [];
  const log = logTo((_level, message, fields) => lines.push({ message, ...fields }));
  const apis = [old.api, without.api, eu.api];
  const signal = new AbortController().signal;
  const taker = policyReportTaker({ apis, group: undefined, namespaces: undefined, log, signal });
  await expect(taker.take(report, { clusters, incomplete, now })).rejects.toThrow(/"without".* does not have reports/);
  expect(old.server.asked).toEqual([]);
  expect(eu.server.asked.at(-1)).toBe(
    "/apis/wgpolicyk8s.io/v1alpha2/namespaces/prod/policyreports/pulley-fleet?fieldManager=pulley&force=false",
  );
  expect(lines).toEqual([{ message: "policy reports are written", cluster: "eu", reports: 1, changed: 1, deleted: 0 }]);
});
