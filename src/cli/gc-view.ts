/** The output of `pulley gc`, as JSON and as text. */
import {
  type CollectableImage,
  type CollectionEvent,
  type CollectionOutcome,
  type CollectionReport,
  type ImageOutcome,
  type KeptBecause,
  type MeasuredDisk,
  usagePercent,
} from "../gc/index.ts";
import { formatBytes, plural } from "../support/format.ts";
import { columns, type Paint, printable } from "../support/terminal.ts";
import { age } from "./output.ts";

const keptBecause: Readonly<Record<KeptBecause, string>> = {
  inUse: "it is in use",
  pinned: "it is pinned",
  tooYoung: "it is younger than the minimum age",
  usedMeanwhile: "it was used while the collection went on",
  notNeeded: "there is room enough",
  notReached: "the collection ended before its turn",
  lost: "the registry no longer has it",
  unreachable: "its registry could not be asked whether it still has it",
};

export interface GcResult {
  readonly report: CollectionReport;
  readonly events: readonly CollectionEvent[];
  readonly dryRun: boolean;
}

/** One line per image, then the disk usage before and after. */
export function collectionLines({ report, dryRun }: GcResult, now: number, paint: Paint): string[] {
  const { images, disk, freed } = report;
  const all = report.wanted === Number.POSITIVE_INFINITY;
  const rows = images.map(({ image, lastUsed, outcome }) => [
    printable(shownName(image)),
    formatBytes(image.size),
    lastUsed === undefined ? "<never>" : age(lastUsed, now),
    sentence(outcome, { all, dryRun }, paint),
  ]);
  const deleted = images.filter(({ outcome }) => outcome.kind === "deleted").length;
  const gained = `${formatBytes(freed.real)} on the disk, by ${deleted} of ${plural(images.length, "image")}`;
  const sizes = deleted === 0 ? "" : `; their sizes add up to ${formatBytes(freed.reported)}`;
  return [
    ...(rows.length === 0 ? [] : [...columns([["IMAGE", "SIZE", "LAST USED", "RESULT"], ...rows]), ""]),
    `Before: ${shownDisk(disk.before)}`,
    `After:  ${shownDisk(disk.after)}`,
    `${dryRun ? "Would be freed" : "Freed"}: ${gained}${sizes}`,
  ];
}

function shownDisk(disk: MeasuredDisk): string {
  const { capacity, available, used } = disk;
  const full = capacity === 0 ? "no capacity" : `${usagePercent(disk)}% of ${formatBytes(capacity)} in use`;
  const own = used === undefined ? "" : `, by images ${formatBytes(used)}`;
  return `${full}, ${formatBytes(available)} free${own}`;
}

function sentence(
  outcome: CollectionOutcome,
  { all, dryRun }: { readonly all: boolean; readonly dryRun: boolean },
  paint: Paint,
): string {
  switch (outcome.kind) {
    case "deleted": {
      const verb = paint(dryRun ? "yellow" : "green", dryRun ? "would be deleted" : "deleted");
      const room = all ? "unused" : "unused, and room is needed";
      const why = outcome.reason === "age" ? "unused for longer than the maximum age" : room;
      return `${verb}: ${why}${outcome.freed === undefined ? "" : `; ${formatBytes(outcome.freed)} from the disk`}`;
    }
    case "gone":
      return "gone: somebody else has removed it";
    case "kept":
      return `kept: ${keptBecause[outcome.because]}`;
    case "failed":
      return `${paint("red", "failed")}: ${printable(outcome.error)}`;
  }
}

/** Its first name, or its ID. */
export function shownName({ id, names: [first, ...others] }: CollectableImage): string {
  if (first === undefined) return id.replace(/^sha256:/, "").slice(0, 13);
  return others.some((name) => !name.includes("@"))
    ? `${first} (+${others.filter((name) => !name.includes("@")).length})`
    : first;
}

/** As JSON; times are in RFC 3339, sizes in bytes. */
export function collectionValue({ report, events, dryRun }: GcResult) {
  const { startedAt, endedAt, images, disk, wanted, freed, error } = report;
  return {
    apiVersion: "pulley.dev/v1alpha1",
    dryRun,
    startedAt: timestamp(startedAt),
    endedAt: timestamp(endedAt),
    disk,
    /** `null`: everything that may go. */
    wanted: Number.isFinite(wanted) ? wanted : null,
    freed,
    images: images.map(imageValue),
    events: events.map((event) => ({ ...event, time: timestamp(event.time) })),
    error: error ?? null,
  };
}

function imageValue({ image: { id, names, size }, firstDetected, lastUsed, outcome }: ImageOutcome) {
  return {
    id,
    names,
    size,
    firstDetected: timestamp(firstDetected),
    lastUsed: lastUsed === undefined ? null : timestamp(lastUsed),
    result: outcome.kind,
    ...(outcome.kind === "deleted" && { reason: outcome.reason, freed: outcome.freed ?? null }),
    ...(outcome.kind === "kept" && { reason: outcome.because, message: keptBecause[outcome.because] }),
    ...(outcome.kind === "failed" && { message: outcome.error }),
  };
}

function timestamp(time: number): string {
  return new Date(time).toISOString();
}
