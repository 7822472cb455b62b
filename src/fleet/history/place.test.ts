import { describe, expect, it } from "vitest";
import { historyPlace, usualHistoryPath } from "./place.ts";

describe("the place of a history", () => {
  it("is a file, or a database of PostgreSQL", () => {
    expect(historyPlace("a/b.db", true)).toEqual({ kind: "file", path: "a/b.db", shown: "a/b.db" });
    const url = "postgresql://me@db:5433/fleet?sslmode=verify-full";
    expect(historyPlace(url, true)).toEqual({ kind: "postgres", url, shown: "postgres://me@db:5433/fleet" });
    expect(historyPlace("postgres:///fleet?host=/run/postgresql", true)).toMatchObject({ kind: "postgres" });
  });

  it.each(["postgres://me:sesame@db/fleet", "postgres://db/fleet?user=me&password=sesame"])(
    "has no password where all can read it: %s",
    (url) => {
      expect(() => historyPlace(url, true)).toThrow(/every user of this machine can see a command line/);
      expect(() => historyPlace(url, true)).not.toThrow(/sesame/);
      const place = historyPlace(url, false);
      expect(place).toMatchObject({ kind: "postgres", url });
      expect(place.shown).not.toContain("sesame");
    },
  );

  it.each(["postgres://me:ses/ame@db/fleet", "postgres://me:ses#ame@db/fleet", "postgres://[::1/x"])(
    "is refused without being repeated where it is no address: %s",
    (url) => {
      expect(() => historyPlace(url, false)).toThrow(/^the address of the history cannot be read$/);
    },
  );

  it("is usually in the folder for state", () => {
    expect(usualHistoryPath({ XDG_STATE_HOME: "/state" })).toBe("/state/pulley/history.db");
    expect(usualHistoryPath({ XDG_STATE_HOME: "not/absolute" })).toMatch(/^\/.*\/\.local\/state\/pulley\/history\.db$/);
    expect(usualHistoryPath({})).toMatch(/\/\.local\/state\/pulley\/history\.db$/);
  });
});
