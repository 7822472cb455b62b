import { PassThrough } from "node:stream";
import { expect, it } from "vitest";
import { PulleyError } from "../support/errors.ts";
import { progressLines, watchClusters } from "./cluster-progress.ts";

function io(isTTY: boolean) {
  const stderr = Object.assign(new PassThrough({ encoding: "utf8" }), { isTTY, columns: 80, rows: 24 });
  return { stdin: new PassThrough(), stdout: new PassThrough(), stderr, environment: { NO_COLOR: "1" } };
}

it("is a line for each cluster, in the order of the options", () => {
  const states = [
    { cluster: "europe", count: 1204, isRead: false },
    { cluster: "us", count: 0, isRead: false },
    { cluster: "asia", count: 1, isRead: true },
    { cluster: "\u001bx", count: undefined, isRead: false },
  ];
  expect(progressLines(states, "object", 20)).toEqual([
    "europe    1204 objects",
    "us        asking",
    "asia      1 object, done",
    "\\u001bx   waiting",
  ]);
  // Too few rows for all: what is being read now, and how far the whole is.
  expect(progressLines(states, "object", 3)).toEqual([
    "europe   1204 objects",
    "us       asking",
    "1 of 4 clusters read",
  ]);
});

it("draws nothing on a pipe, and what fails is told of everywhere", () => {
  const pipe = io(false);
  const watch = watchClusters(["eu"], "object", pipe);
  watch.note("eu", 5, false);
  watch.fail(new PulleyError("CLUSTER_UNREACHABLE", 'context "eu": no'));
  watch.fail(new PulleyError("CLUSTER_UNREACHABLE", 'context "us": no'));
  watch.end();
  expect(pipe.stderr.read()).toMatch(/^error: context "eu": no\n {2}\S.*\nerror: context "us": no\n$/);
  const terminal = io(true);
  const drawn = watchClusters(["eu", "us"], "object", terminal);
  drawn.note("eu", 5, false);
  drawn.fail(new PulleyError("CLUSTER_UNREACHABLE", 'context "us": no'));
  drawn.end();
  expect(terminal.stderr.read()).toMatch(/eu {3}5 objects[^]*error: context "us": no\n/);
});
