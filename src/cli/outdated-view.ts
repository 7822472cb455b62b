/** The output of `pulley outdated` for people, spreadsheets and pull requests. */
import { familiarName, parseReference } from "../image/index.ts";
import { csvCell, markdownTable } from "../support/cells.ts";
import { humanDuration, plural } from "../support/format.ts";
import { columns, hanging, type Paint, printable, widthOf } from "../support/terminal.ts";
import type { OutdatedImage, TagExplanation } from "../versions/index.ts";

export interface OutdatedView {
  readonly paint: Paint;
  /** Columns of the terminal. */
  readonly width: number;
  /** Whether images are listed that need nothing. */
  readonly all: boolean;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

const distances = ["major", "minor", "patch"] as const;

/** What is far behind first, then what is gone, what moved, what is out of support, what cannot be told; and the sums. */
export function outdatedLines(images: readonly OutdatedImage[], view: OutdatedView): string[] {
  const having = (status: OutdatedImage["status"]) => images.filter((image) => image.status === status);
  const sections = {
    Behind: behindLines(byDistance(having("outdated")), view),
    Gone: reasonLines(having("missing"), view),
    "Moved: the tag has another digest now": reasonLines(
      images.filter(({ lag }) => lag !== null),
      view,
    ),
    "Out of support": endings(images, view),
    "At the end of its family": having("current").flatMap((image) => endLines(image, view)),
    "Cannot be told": reasonLines(having("unknown"), view),
    "Up to date": view.all ? reasonLines(having("current"), view) : [],
  };
  const shown = Object.entries(sections).filter(([, lines]) => lines.length > 0);
  return [
    ...shown.flatMap(([title, lines]) => [view.paint("bold", title), ...lines, ""]),
    ...hanging("", summary(images), view.width),
  ];
}

function byDistance(images: readonly OutdatedImage[]): readonly OutdatedImage[] {
  return distances.flatMap((distance) => images.filter((image) => image.distance === distance));
}

/** The image without its tag, as people write it. */
function nameOf({ image: { given, name } }: OutdatedImage): string {
  return printable(name === null ? given : familiarName(parseReference(name).repository));
}

function fullName(image: OutdatedImage): string {
  const { tag, digest } = image.image;
  if (image.image.name === null) return nameOf(image);
  return `${nameOf(image)}${tag === null ? "" : `:${tag}`}${digest === null ? "" : `@${digest.slice(0, 19)}…`}`;
}

const noStep = "-";

/** A table, with the workloads where there is room for them; where there is not even room for it, a block an image. */
function behindLines(images: readonly OutdatedImage[], view: OutdatedView): string[] {
  if (images.length === 0) return [];
  const withAges = images.some(({ created }) => created !== null);
  const head = ["IMAGE", "CURRENT", "PATCH", "MINOR", "LATEST", ...(withAges ? ["BUILT"] : [])];
  const rows = images.map((image) => [
    nameOf(image),
    image.current ?? "",
    ...[image.patch, image.minor, image.latest].map((tag) => (tag === image.current ? noStep : (tag ?? noStep))),
    ...(withAges ? [builtText(image, view) ?? noStep] : []),
  ]);
  const tables = [
    [[...head, "USED BY"], ...rows.map((row, at) => [...row, usersText(images[at])])],
    [head, ...rows],
  ];
  for (const table of tables) {
    const lines = columns(table, 2);
    if (lines.every((line) => widthOf(line) <= view.width)) return lines;
  }
  return images.flatMap((image) => blockLines(image, view));
}

function blockLines(image: OutdatedImage, view: OutdatedView): string[] {
  return [fullName(image), ...builtLines(image, view), ...stepLines(image), ...userLines(usersText(image), view)];
}

function builtLines(image: OutdatedImage, view: Pick<OutdatedView, "now">): string[] {
  const built = builtText(image, view);
  return built === undefined ? [] : [`  built ${built}`];
}

/** `2y 10d ago`; the day itself where that is still to come, as a config may say anything. */
function builtText({ created }: OutdatedImage, { now }: Pick<OutdatedView, "now">): string | undefined {
  if (created === null) return undefined;
  const age = now - Date.parse(created);
  return age < 0 ? `on ${created.slice(0, created.indexOf("T"))}` : `${humanDuration(age)} ago`;
}

/** The tags that are newer, each once, under the smallest step that leads to it. */
function stepLines({ current, patch, minor, latest }: OutdatedImage): string[] {
  const steps = Object.entries({ patch, minor, latest }).filter(([, tag]) => tag !== null && tag !== current);
  const first = steps.filter(([, tag], at) => steps.findIndex(([, other]) => other === tag) === at);
  return first.map(([step, tag]) => `  ${step.padEnd(8)}${tag}`);
}

function userLines(text: string, { paint, width }: Pick<OutdatedView, "paint" | "width">): string[] {
  return text === "" ? [] : hanging("  used by ", paint("dim", text), width);
}

function reasonLines(images: readonly OutdatedImage[], view: OutdatedView): string[] {
  return byReason(images).flatMap((group) => {
    const [first] = group;
    if (first === undefined) return [];
    return group.length === 1 ? oneReason(first, view) : sharedReason(first, group, view);
  });
}

/** What is wrong with a registry as a whole, and not with one repository or login. */
const failuresOfRegistries = ["REGISTRY_UNREACHABLE", "REGISTRY_UNAVAILABLE", "REGISTRY_RATE_LIMITED", "REGISTRY_TLS"];

/** What is wrong with a registry is told once for all of its images. */
function byReason(images: readonly OutdatedImage[]): readonly (readonly OutdatedImage[])[] {
  const groups = new Map<string, OutdatedImage[]>();
  for (const image of images) {
    const key = reasonKey(image);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [image]);
    else group.push(image);
  }
  return [...groups.values()];
}

function reasonKey({ image: { name, given }, error, gone, because }: OutdatedImage): string {
  const isOfRegistry = name !== null && error !== null && failuresOfRegistries.includes(error.code);
  if (!isOfRegistry) return JSON.stringify([name ?? given, given, because]);
  return JSON.stringify([parseReference(name).repository.registry, error.code, gone]);
}

function oneReason(image: OutdatedImage, { paint, width, now }: OutdatedView): string[] {
  return [
    fullName(image),
    ...hanging("  ", printable(image.because), width),
    ...(image.error === null ? [] : hanging("  ", paint("dim", printable(image.error.advice)), width)),
    ...builtLines(image, { now }),
    ...stepLines(image),
    ...userLines(usersText(image), { paint, width }),
  ];
}

function sharedReason(first: OutdatedImage, group: readonly OutdatedImage[], { paint, width }: OutdatedView): string[] {
  const advice = first.error?.advice ?? "";
  return [
    ...group.map(fullName),
    ...hanging("  ", printable(first.because), width),
    ...hanging("  ", paint("dim", printable(advice)), width),
    ...userLines([...new Set(group.map(usersText))].filter((text) => text !== "").join(", "), { paint, width }),
  ];
}

function endings(images: readonly OutdatedImage[], { now }: OutdatedView): string[] {
  const ended = images.filter(({ endOfLife }) => endOfLife !== null && Date.parse(endOfLife) + 86_400_000 <= now);
  return ended.map((image) => `${fullName(image)} since ${image.endOfLife}`);
}

/** Of an image that is the newest of its family: where a newer one is. */
function endLines(image: OutdatedImage, { paint, width }: OutdatedView): string[] {
  const { elsewhere } = image;
  if (elsewhere === null) return [];
  const text = printable(`${elsewhere.tag} is newer ${elsewhere.because}`);
  return [fullName(image), ...hanging("  ", text, width), ...userLines(usersText(image), { paint, width })];
}

function usersText(image: OutdatedImage | undefined): string {
  const [first, ...others] = image?.workloads ?? [];
  const [place] = image?.places ?? [];
  if (first === undefined) return place === undefined ? "" : printable(`${place.file}:${place.line}`);
  const { kind, namespace, name, cluster, source } = first;
  const where = source === null ? cluster : `${source.file}:${source.line}`;
  const written = where === null ? "" : ` (${where})`;
  const more = others.length === 0 ? "" : ` and ${others.length} more`;
  return printable(`${kind} ${namespace === "" ? "" : `${namespace}/`}${name}${written}${more}`);
}

function summary(images: readonly OutdatedImage[]): string {
  const count = (test: (image: OutdatedImage) => boolean) => images.filter(test).length;
  const behind = distances.flatMap((distance) => {
    const number = count((image) => image.status === "outdated" && image.distance === distance);
    return number === 0 ? [] : `${number} ${distance}`;
  });
  const parts = [
    [count(({ status }) => status === "outdated"), `behind${behind.length === 0 ? "" : ` (${behind.join(", ")})`}`],
    [count(({ status }) => status === "missing"), "gone"],
    [count(({ lag }) => lag !== null), "moved"],
    [count(({ status }) => status === "unknown"), "cannot be told"],
    [count(({ status }) => status === "current"), "up to date"],
  ] as const;
  const counts = parts.flatMap(([number, words]) => (number === 0 ? [] : `${number} ${words}`));
  return counts.length === 0
    ? plural(images.length, "image")
    : `${plural(images.length, "image")}: ${counts.join(", ")}`;
}

/** How a tag is read, and what is passed over. */
export function explanationLines(
  image: OutdatedImage,
  { reading, tags, passedOver }: TagExplanation,
  { paint, width }: OutdatedView,
): string[] {
  const line = (word: string, text: string) => hanging(`  ${word.padEnd(10)}`, printable(text), width);
  const lines = [paint("bold", fullName(image)), ...line("", image.because)];
  if (reading?.kind === "version") {
    const { family, prefix, numbers, channel, preRelease, counters, commit, suffix } = reading;
    lines.push(
      ...line("family", family),
      ...(prefix === "" ? [] : line("prefix", prefix)),
      ...line("release", `${numbers.join(".")}, ${plural(numbers.length, "number")}`),
      ...(channel === null ? [] : line("channel", [channel, ...preRelease].join(" "))),
      ...(counters.length === 0 ? [] : line("build", counters.join("."))),
      ...(commit === null ? [] : line("commit", commit)),
      ...(suffix === "" ? [] : line("suffix", suffix)),
    );
  }
  for (const [word, tag] of [
    ["patch", image.patch],
    ["minor", image.minor],
    ["latest", image.latest],
  ] as const) {
    if (tag !== null) lines.push(...line(word, tag === image.current ? "nothing newer" : tag));
  }
  if (passedOver.length > 0) lines.push("", `  Of ${plural(tags, "tag")}, not offered:`);
  for (const { because, count, examples } of passedOver) {
    const more = count > examples.length ? ", …" : "";
    lines.push(
      ...hanging(`  ${String(count).padStart(7)}  `, printable(`${because} (${examples.join(", ")}${more})`), width),
    );
  }
  return lines;
}

const header = [
  "image",
  "status",
  "current",
  "patch",
  "minor",
  "latest",
  "distance",
  "gone",
  "runs",
  "now",
  "created",
  "endOfLife",
  "workloads",
  "because",
];

function cellsOf(image: OutdatedImage): string[] {
  const { status, current, patch, minor, latest, distance, gone, lag, created, endOfLife, workloads, because } = image;
  const name = image.image.name ?? image.image.given;
  const { tag, digest } = image.image;
  const full = `${name}${tag === null ? "" : `:${tag}`}${digest === null ? "" : `@${digest}`}`;
  const users = workloads.map(
    ({ kind, namespace, name: own, cluster }) =>
      `${kind} ${namespace === "" ? "" : `${namespace}/`}${own}${cluster === null ? "" : ` (${cluster})`}`,
  );
  const cells = [full, status, current, patch, minor, latest, distance, gone, lag?.runs, lag?.now, created, endOfLife];
  return [...cells.map((cell) => cell ?? ""), [...new Set(users)].join("; "), because];
}

/** RFC 4180, one image a line. */
export function csvLines(images: readonly OutdatedImage[]): string[] {
  return [header, ...images.map(cellsOf)].map((row) => row.map(csvCell).join(","));
}

/** A table for a pull request: what needs something. */
export function markdownLines(images: readonly OutdatedImage[]): string[] {
  const wanted = images.filter(({ status, lag }) => status !== "current" || lag !== null);
  if (wanted.length === 0) return [`**${summary(images)}**`];
  const rows = [
    ...byDistance(wanted.filter(({ status }) => status === "outdated")),
    ...wanted.filter(({ status }) => status !== "outdated"),
  ];
  const head = ["image", "current", "patch", "minor", "latest", "status", "why"];
  const table = rows.map((image) => {
    const tags = [image.patch, image.minor, image.latest].map((tag) => (tag === image.current ? "" : (tag ?? "")));
    return [nameOf(image), image.current ?? image.image.tag ?? "", ...tags, image.status, image.because];
  });
  return [`**${summary(images)}**`, "", ...markdownTable(head, table)];
}
