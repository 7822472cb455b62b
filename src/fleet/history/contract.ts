/** What every history promises, in a file as in PostgreSQL. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { FleetItem, ItemKind } from "../items/item.ts";
import { itemKinds, itemOf } from "../items/item.ts";
import type { FleetReport, ReportedItem } from "../report.ts";
import type { History, HistoryRun } from "./history.ts";

export const hour = 3_600_000;
export const day = 24 * hour;
export const noon = Date.parse("2026-11-02T12:00:00Z");

export interface ItemWords {
  readonly name: string;
  readonly kind?: ItemKind;
  readonly severity?: FleetItem["severity"];
  readonly clusters?: readonly string[];
  readonly namespace?: string;
  readonly teams?: readonly string[];
}

export function item({ name, kind = "always-missing", ...words }: ItemWords): ReportedItem {
  const { severity = "medium", clusters = ["eu"], namespace = "shop", teams = [] } = words;
  const workloads = clusters.map((cluster) => ({ cluster, kind: "Deployment", namespace, name }));
  const made = itemOf(
    kind,
    [name],
    { severity, title: `Deployment ${namespace}/${name} has the moving tag main`, advice: "Pin it." },
    { clusters, workloads: kind === "unused-image" ? [] : workloads, image: `acme/${name}:main` },
  );
  return { ...made, teams, firstSeen: null };
}

export interface RunWords {
  readonly at: number;
  readonly items?: readonly ReportedItem[];
  /** By name: whether all of it was read. */
  readonly clusters?: Readonly<Record<string, boolean>>;
  readonly nodes?: number;
  readonly kinds?: readonly ItemKind[];
  readonly namespaces?: readonly string[];
  readonly workloads?: HistoryRun["workloads"];
  readonly keep?: number;
  readonly teams?: readonly string[];
  /** The registries that could not be asked about everything. */
  readonly unanswered?: readonly string[];
}

export function run(words: RunWords): HistoryRun {
  const { at, items = [], clusters = { eu: true }, nodes = 1, kinds = itemKinds, namespaces = [] } = words;
  const { workloads = [], keep = 400 * day, teams = [], unanswered = [] } = words;
  const none = { critical: 0, high: 0, medium: 0, low: 0 };
  const report: FleetReport = {
    apiVersion: "pulley.dev/v1alpha1",
    kind: "FleetReport",
    clusters: Object.entries(clusters).map(([name, complete]) => ({
      name,
      pods: 1,
      nodes,
      workloads: 1,
      images: 1,
      complete,
    })),
    kinds,
    items,
    fixed: null,
    counts: none,
    teams: teams.map((name) => ({ name, contact: null, ...none, workloads: 1, score: 100 })),
    registries: unanswered.map((name) => ({ name, images: 1, unanswered: 1, failure: null })),
    notes: [],
  };
  return { report, at, namespaces, workloads, keep };
}

/** @param open opens the same place again at each call of what it answers with; a new and empty place at each of its own */
export function historyContract(title: string, place: () => Promise<() => Promise<History>>): void {
  describe(title, () => {
    let again: () => Promise<History>;
    let history: History;
    beforeEach(async () => {
      again = await place();
      history = await again();
    });
    afterEach(() => history.close());

    const states = async () =>
      (await history.items({})).map(({ id, firstSeen, lastSeen, openedAt, fixedAt, openings }) => ({
        id,
        firstSeen,
        lastSeen,
        openedAt,
        fixedAt,
        openings,
      }));
    const [web, api] = [item({ name: "web", severity: "high" }), item({ name: "api" })];

    it("knows of each item when it was seen first and last, and when it was gone", async () => {
      expect(await history.record(run({ at: noon, items: [web, api] }))).toEqual({
        firstSeen: new Map([
          [web.id, noon],
          [api.id, noon],
        ]),
        fixed: [],
      });
      const second = await history.record(run({ at: noon + hour, items: [web] }));
      expect([...second.firstSeen]).toEqual([[web.id, noon]]);
      expect(second.fixed).toMatchObject([{ id: api.id, title: api.title, firstSeen: noon, fixedAt: noon + hour }]);
      expect(await states()).toEqual([
        { id: web.id, firstSeen: noon, lastSeen: noon + hour, openedAt: noon, fixedAt: null, openings: 1 },
        { id: api.id, firstSeen: noon, lastSeen: noon, openedAt: noon, fixedAt: noon + hour, openings: 1 },
      ]);
    });

    it("keeps what it knows when it is closed and opened again", async () => {
      await history.record(run({ at: noon, items: [web] }));
      const before = await history.items({});
      await history.close();
      history = await again();
      expect(await history.items({})).toEqual(before);
      expect(before).toMatchObject([
        { title: web.title, image: "acme/web:main", clusters: ["eu"], workloads: web.workloads, severity: "high" },
      ]);
    });

    it("opens an item anew that comes back, and says of it since when it was known at first", async () => {
      await history.record(run({ at: noon, items: [api] }));
      await history.record(run({ at: noon + hour }));
      const { firstSeen } = await history.record(run({ at: noon + 3 * hour, items: [api] }));
      expect(firstSeen.get(api.id)).toBe(noon);
      expect(await states()).toMatchObject([
        { firstSeen: noon, openedAt: noon + 3 * hour, fixedAt: null, openings: 2 },
      ]);
      const { fixed } = await history.record(run({ at: noon + 4 * hour }));
      expect(fixed).toMatchObject([{ openings: 2 }]);
      const { openings } = await history.facts({ since: 0, byTeam: false });
      expect(openings).toMatchObject([{ count: 2, duration: 2 * hour, severity: "medium", team: null }]);
    });

    it("calls nothing fixed that the run could not have found", async () => {
      const all = [
        item({ name: "unread", clusters: ["us"] }),
        item({ name: "half", clusters: ["eu", "us"] }),
        item({ name: "other", clusters: ["asia"] }),
        item({ name: "image", kind: "unused-image" }),
        item({ name: "lift", kind: "exemption-unused", clusters: [] }),
        item({ name: "gone" }),
      ];
      await history.record(run({ at: noon, items: all, clusters: { eu: true, us: true, asia: true } }));
      const fixedBy = async (words: RunWords) => (await history.record(run(words))).fixed.map(({ id }) => id);
      const partly = {
        clusters: { eu: true, us: false },
        kinds: ["always-missing", "unused-image"],
        nodes: 0,
      } as const;
      const [unread, half, other, image, lift, gone] = all.map(({ id }) => id);
      expect(await fixedBy({ at: noon + 1, ...partly })).toEqual([gone]);
      expect(await fixedBy({ at: noon + 2, clusters: { eu: true } })).toEqual([image]);
      expect(await fixedBy({ at: noon + 3, clusters: { eu: true, us: true } })).toEqual([half, unread]);
      expect(await fixedBy({ at: noon + 4, clusters: { eu: true, us: true, asia: true } })).toEqual([lift, other]);
    });

    it("calls nothing fixed in a namespace that was not read", async () => {
      const items = [
        item({ name: "a" }),
        item({ name: "b", namespace: "data" }),
        item({ name: "c", kind: "unused-image" }),
      ];
      await history.record(run({ at: noon, items }));
      const { fixed } = await history.record(run({ at: noon + 1, namespaces: ["shop"] }));
      expect(fixed.map(({ id }) => id)).toEqual([items[0]?.id]);
    });

    it("calls nothing fixed of which its registry has not told", async () => {
      const items = [
        item({ name: "moved", kind: "tag-moved" }),
        { ...item({ name: "gone", kind: "last-copy" }), image: "ghcr.io/acme/gone:1" },
        item({ name: "here" }),
      ];
      await history.record(run({ at: noon, items }));
      const fixedBy = async (words: RunWords) => (await history.record(run(words))).fixed.map(({ kind }) => kind);
      expect(await fixedBy({ at: noon + 1, unanswered: ["docker.io"] })).toEqual(["last-copy", "always-missing"]);
      expect(await fixedBy({ at: noon + 2 })).toEqual(["tag-moved"]);
    });

    it("remembers that an item was in a cluster which could not be read when it was found in another", async () => {
      const both = { eu: true, us: true };
      await history.record(run({ at: noon, items: [item({ name: "a", clusters: ["eu", "us"] })], clusters: both }));
      await history.record(run({ at: noon + 1, items: [item({ name: "a" })], clusters: { eu: true, us: false } }));
      expect((await history.record(run({ at: noon + 2 }))).fixed).toEqual([]);
      expect(await history.items({ cluster: "us" })).toMatchObject([{ clusters: ["eu", "us"], fixedAt: null }]);
      expect((await history.record(run({ at: noon + 3, clusters: both }))).fixed).toHaveLength(1);
    });

    it("is not changed by a run that is recorded twice, or by an older one than what it knows", async () => {
      await history.record(run({ at: noon, items: [web] }));
      await history.record(run({ at: noon + hour, items: [api] }));
      const before = await states();
      await history.record(run({ at: noon + hour, items: [api] }));
      await history.record(run({ at: noon, items: [web] }));
      await history.record(run({ at: noon - day, items: [] }));
      expect(await states()).toEqual(before);
      const late = item({ name: "late" });
      await history.record(run({ at: noon - day, items: [late] }));
      expect(await history.items({ state: "open" })).toMatchObject([{ id: late.id }, { id: api.id }]);
    });

    it("follows what changes: severity, title, teams", async () => {
      await history.record(run({ at: noon, items: [item({ name: "a", teams: ["shop"] })], teams: ["shop"] }));
      const worse = { ...item({ name: "a", severity: "critical", teams: ["data"] }), title: "Worse" };
      await history.record(run({ at: noon + 1, items: [worse], teams: ["shop", "data"] }));
      expect(await history.items({})).toMatchObject([{ severity: "critical", title: "Worse", teams: ["data"] }]);
      await history.record(run({ at: noon + 2, items: [item({ name: "a" })] }));
      expect(await history.items({})).toMatchObject([{ severity: "medium", teams: ["data"] }]);
      expect((await history.facts({ since: 0, byTeam: true })).openings).toMatchObject([
        { severity: "medium", team: "data" },
      ]);
    });

    it("finds items by state, kind, team, cluster and time", async () => {
      const items = [
        item({ name: "a", teams: ["shop", "data"] }),
        item({ name: "b", kind: "cannot-pull", clusters: ["us"], teams: ["data"] }),
        item({ name: "c" }),
      ];
      const clusters = { eu: true, us: true };
      await history.record(run({ at: noon, items, clusters, teams: ["shop", "data"] }));
      await history.record(run({ at: noon + day, items: items.slice(0, 2), clusters }));
      const names = async (filter: Parameters<History["items"]>[0]) =>
        (await history.items(filter)).map(({ workloads }) => workloads[0]?.name).join("");
      expect(await names({})).toBe("abc");
      expect(await names({ state: "open" })).toBe("ab");
      expect(await names({ state: "fixed" })).toBe("c");
      expect(await names({ team: "data" })).toBe("ab");
      expect(await names({ team: "shop" })).toBe("a");
      expect(await names({ kind: "cannot-pull" })).toBe("b");
      expect(await names({ cluster: "us" })).toBe("b");
      expect(await names({ since: noon + hour })).toBe("c");
      expect(await names({ since: noon })).toBe("abc");
      expect(await names({ team: "o'hara\"; drop table pulley_items; --" })).toBe("");
      expect(await names({ state: "open", team: "data", cluster: "eu" })).toBe("a");
    });

    it("keeps texts as they are, whatever is in them", async () => {
      const title = `' " \\ \u0001 \u{1f600} \u202e ${"long ".repeat(1000)}`;
      await history.record(run({ at: noon, items: [{ ...item({ name: "'; --" }), title }] }));
      expect(await history.items({})).toMatchObject([{ title, workloads: [{ name: "'; --" }] }]);
    });

    it("forgets what was fixed and runs that are too old, and never what is open", async () => {
      await history.record(run({ at: noon, items: [web, api] }));
      await history.record(run({ at: noon + day, items: [web] }));
      await history.record(run({ at: noon + 8 * day, items: [web], keep: 7 * day }));
      expect(await states()).toMatchObject([{ id: web.id }, { id: api.id }]);
      await history.record(run({ at: noon + 8 * day + 1, items: [web], keep: 7 * day }));
      expect(await states()).toMatchObject([{ id: web.id, firstSeen: noon }]);
      const { openings, firstDay } = await history.facts({ since: 0, byTeam: false });
      expect(openings).toMatchObject([{ closed: null, count: 1 }]);
      expect(firstDay).toBe(Math.floor((noon + 8 * day) / day));
    });

    it("tells what trends are made of, by day and by team, and how many workloads there were", async () => {
      const items = [item({ name: "a", teams: ["shop", "data"] }), item({ name: "b" })];
      const count = (team: string | null, workloads: number) => ({ cluster: "eu", team, workloads });
      const first = Math.floor(noon / day);
      await history.record(run({ at: noon, items, teams: ["shop"], workloads: [count("shop", 3), count(null, 2)] }));
      await history.record(
        run({ at: noon + hour, items, teams: ["shop"], workloads: [count("shop", 3), count(null, 2)] }),
      );
      await history.record(run({ at: noon + 2 * day, items: [], workloads: [count("shop", 4)] }));
      const facts = await history.facts({ since: noon, byTeam: true });
      expect(facts.firstDay).toBe(first);
      expect(facts.workloads).toEqual([
        { cluster: "eu", team: null, workloads: 2, day: first },
        { cluster: "eu", team: "shop", workloads: 3, day: first },
        { cluster: "eu", team: null, workloads: 0, day: first + 2 },
        { cluster: "eu", team: "shop", workloads: 4, day: first + 2 },
      ]);
      const common = { opened: first, closed: first + 2, severity: "medium", count: 1, duration: 2 * day };
      expect(facts.openings.toSorted((one, other) => ((one.team ?? "z") < (other.team ?? "z") ? -1 : 1))).toEqual([
        { ...common, team: "data" },
        { ...common, team: "shop" },
        { ...common, team: null },
      ]);
      expect((await history.facts({ since: noon, byTeam: false })).openings).toEqual([
        { ...common, team: null, count: 2, duration: 4 * day },
      ]);
      expect((await history.facts({ since: noon + 3 * day, byTeam: false })).openings).toEqual([]);
    });

    it("loses nothing where several write at once", async () => {
      const others = await Promise.all([again(), again(), again()]);
      const names = ["a", "b", "c"];
      await Promise.all(
        others.map(async (other, at) => {
          for (let round = 0; round < 4; round += 1) {
            const cluster = names[at] ?? "";
            const found = Array.from({ length: 60 }, (_, number) =>
              item({ name: `${cluster}-${number}`, clusters: [cluster] }),
            );
            await other.record(run({ at: noon + round, items: found, clusters: { [cluster]: true } }));
          }
        }),
      );
      await Promise.all(others.map((other) => other.close()));
      const known = await history.items({ state: "open" });
      expect(known).toHaveLength(180);
      expect(new Set(known.map(({ lastSeen }) => lastSeen))).toEqual(new Set([noon + 3]));
    });

    it("is made once where several open it at once", async () => {
      const fresh = await place();
      const opened = await Promise.all([fresh(), fresh(), fresh(), fresh()]);
      await opened[0]?.record(run({ at: noon, items: [web] }));
      expect(await opened[3]?.items({})).toHaveLength(1);
      await Promise.all(opened.map((each) => each.close()));
    });

    it("takes a run of many items in one go", async () => {
      // More than one statement takes.
      const items = Array.from({ length: 2000 }, (_, number) => item({ name: `n${number}` }));
      await history.record(run({ at: noon, items }));
      const { fixed } = await history.record(run({ at: noon + 1, items: items.slice(1) }));
      expect(fixed).toHaveLength(1);
      expect(await history.items({ state: "open" })).toHaveLength(1999);
    });
  });
}
