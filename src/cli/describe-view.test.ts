import { expect, it } from "vitest";
import { statusOf } from "../daemon/api/testing/statuses.ts";
import { podObject } from "../daemon/index.ts";
import { describePod } from "./describe-view.ts";
import { growingColumns, podTable } from "./get-view.ts";

const nasty = "a\u001b[31m\nb\u202e";

it("nothing that is shown can take over a terminal, or pretend to be another line", () => {
  const state = { kind: "waiting", reason: nasty, message: nasty, advice: nasty } as const;
  const given = { name: nasty, namespace: nasty, labels: { app: nasty }, annotations: { [nasty]: nasty } };
  const pod = podObject(
    statusOf({ ...given, message: nasty, containers: [{ name: nasty, image: nasty, state }] }),
    nasty,
  );
  const table = podTable({ wide: true, namespaces: true, now: 0 });
  for (const line of [...describePod(pod, [], 0), ...growingColumns()([table.titles, ...table.rows(pod)])]) {
    expect(line).not.toMatch(/[\p{Cc}\p{Cf}]/u);
  }
});
