import { describe, expect, it } from "vitest";
import { painter, widthOf } from "../support/terminal.ts";
import { currentImage as image } from "../versions/testing/outdated-image.ts";
import { csvLines, markdownLines, outdatedLines } from "./outdated-view.ts";

const behind = (given: string, latest: string, distance: "major" | "minor" | "patch") =>
  image(given, { status: "outdated", distance, latest });

const view = { paint: painter(false), width: 80, all: false, now: Date.parse("2026-11-29T12:00:00Z") };
const workload = { kind: "Deployment", namespace: "prod", name: "web", container: "a", cluster: null, source: null };

describe("at 80 columns", () => {
  const long = image("registry.acme.io/team/database:16.2.0-debian-12-r5", {
    status: "outdated",
    distance: "minor",
    patch: "16.2.0-debian-12-r8",
    minor: "16.3.0-debian-12-r1",
    latest: "16.3.0-debian-12-r1",
    workloads: [workload, workload, workload],
  });

  it("a table that fits is a table, without the workloads where these do not fit", () => {
    const short = image("registry.acme.io/a:1.0", {
      status: "outdated",
      distance: "major",
      latest: "2.0",
      workloads: [{ ...workload, name: "a-name-that-takes-more-room-than-there-is-in-the-line" }],
    });
    expect(outdatedLines([short], view).slice(0, 3)).toEqual([
      "Behind",
      "IMAGE               CURRENT  PATCH  MINOR  LATEST",
      "registry.acme.io/a  1.0      -      -      2.0",
    ]);
  });

  it("one that does not is a block for each image, with each newer tag once", () => {
    const lines = outdatedLines([long], view);
    expect(lines).toEqual([
      "Behind",
      "registry.acme.io/team/database:16.2.0-debian-12-r5",
      "  patch   16.2.0-debian-12-r8",
      "  minor   16.3.0-debian-12-r1",
      "  used by Deployment prod/web and 2 more",
      "",
      "1 image: 1 behind (1 minor)",
    ]);
    expect(Math.max(...lines.map(widthOf))).toBeLessThanOrEqual(80);
  });
});

it("the largest steps come first, and what ended is told", () => {
  const images = [
    behind("q.io/a:1.0.0", "1.0.1", "patch"),
    behind("q.io/b:1.0.0", "2.0.0", "major"),
    behind("q.io/c:1.0.0", "1.1.0", "minor"),
    image("q.io/d:1.0.0", { endOfLife: "2026-11-28" }),
    image("q.io/e:1.0.0", { endOfLife: "2026-11-29" }),
  ];
  const lines = outdatedLines(images, view);
  expect(lines.flatMap((line) => /^q\.io\/(\w)/.exec(line)?.[1] ?? [])).toEqual(["b", "c", "a", "d"]);
  expect(lines).toContain("q.io/d:1.0.0 since 2026-11-28");
  expect(lines.at(-1)).toBe("5 images: 3 behind (1 major, 1 minor, 1 patch), 2 up to date");
});

it("an image that is the newest of its family is told where the product goes on elsewhere", () => {
  const elsewhere = { tag: "3.14.7-alpine3.23", because: "on another base" };
  expect(outdatedLines([image("q.io/a:3.12.12-alpine3.21", { elsewhere })], view)).toEqual([
    "At the end of its family",
    "q.io/a:3.12.12-alpine3.21",
    "  3.14.7-alpine3.23 is newer on another base",
    "",
    "1 image: 1 up to date",
  ]);
});

it("what is wrong with a registry is told once for all of its images", () => {
  const error = { code: "REGISTRY_UNREACHABLE", message: "refused", advice: "Check the network." };
  const down = (given: string) => image(given, { status: "unknown", because: "connection refused", error });
  const lines = outdatedLines([down("q.io/a:1"), down("r.io/c:1"), down("q.io/b:1")], view);
  expect(lines).toEqual([
    "Cannot be told",
    "q.io/a:1",
    "q.io/b:1",
    "  connection refused",
    "  Check the network.",
    "r.io/c:1",
    "  connection refused",
    "  Check the network.",
    "",
    "3 images: 3 cannot be told",
  ]);
});

it("what is wrong with a login or a repository is told for each", () => {
  const refused = (given: string, because: string) =>
    image(given, {
      status: "unknown",
      because,
      error: { code: "REGISTRY_UNAUTHORIZED", message: because, advice: "Renew it." },
    });
  const lines = outdatedLines([refused("q.io/a:1", "401 with secret one"), refused("q.io/b:1", "401 with two")], view);
  expect(lines.slice(1, 7)).toEqual([
    "q.io/a:1",
    "  401 with secret one",
    "  Renew it.",
    "q.io/b:1",
    "  401 with two",
    "  Renew it.",
  ]);
});

describe("ages", () => {
  const aged = (given: string, created: string | null) => ({ ...behind(given, "9.0", "major"), created });

  it("stand in the table of what is behind", () => {
    const images = [aged("q.io/a:1.0", "2024-11-29T12:00:00.000Z"), aged("q.io/b:1.0", null)];
    expect(outdatedLines(images, view).slice(1, 4)).toEqual([
      "IMAGE   CURRENT  PATCH  MINOR  LATEST  BUILT   USED BY",
      "q.io/a  1.0      -      -      9.0     2y ago",
      "q.io/b  1.0      -      -      9.0     -",
    ]);
  });

  it("that are still to come are days", () => {
    const lines = outdatedLines([image("q.io/a:1", { created: "2999-12-31T00:00:00.000Z" })], { ...view, all: true });
    expect(lines).toContain("  built on 2999-12-31");
  });
});

it("the sums are broken where the terminal is narrow", () => {
  const images = [behind("q.io/a:1.0.0", "1.0.1", "patch"), image("q.io/b:1", { status: "unknown", because: "" })];
  const lines = outdatedLines(images, { ...view, width: 40 });
  expect(lines.slice(-2)).toEqual(["2 images: 1 behind (1 patch), 1 cannot", "be told"]);
});

describe("what a stranger wrote", () => {
  const hostile = image("q.io/a:1", { because: '=cmd|"x"\u001b[2J\n| **bold**', status: "unknown" });

  it("moves no cursor, makes no formula and no markup", () => {
    expect(outdatedLines([hostile], view).join("")).not.toContain("\u001b");
    const [, row = ""] = csvLines([hostile]);
    expect(row.endsWith(`"'=cmd|""x""\u001b[2J\n| **bold**"`)).toBe(true);
    const markdown = markdownLines([hostile]).at(-1) ?? "";
    expect(markdown).toContain("\\| \\*\\*bold\\*\\*");
    expect(markdown.split("\n")).toHaveLength(1);
  });
});
