/** The progress of pulls, one line each, for every width of a terminal. */
import type { PullProgress } from "../pull/index.ts";
import { formatBytes, humanDuration, plural } from "../support/format.ts";
import { bar, columns, type Paint, pad, printable, widthOf } from "../support/terminal.ts";
import type { PullSpeeds, Speed } from "./pull-speeds.ts";

/** The parts of a line besides image and percentage; the narrower, the fewer. */
interface Layout {
  /** Columns of the bar; 0: none. */
  readonly bar: number;
  readonly layers: boolean;
  readonly amount: boolean;
  readonly speed: boolean;
  readonly left: boolean;
}

const everything: Layout = { bar: 24, layers: true, amount: true, speed: true, left: true };
const narrowest: Layout = { bar: 0, layers: false, amount: false, speed: false, left: false };
const layouts: readonly Layout[] = [
  everything,
  { ...everything, layers: false },
  { ...everything, layers: false, bar: 10 },
  { ...everything, layers: false, bar: 0 },
  { ...everything, layers: false, bar: 0, amount: false },
];

const longestImage = 48;
const shortestImage = 18;
/** Columns of an image name that take precedence over a long bar and the count of layers. */
const readableImage = 32;
const gap = 2;
/** Columns reserved for the numbers, so that a line that starts with a bar keeps it. */
const roomFor = { percent: 4, amount: 17, layers: 14, speed: 9, left: 10 };

/** @param width maximum columns of a line */
export function pullLines(
  pulls: readonly PullProgress[],
  speeds: Pick<PullSpeeds, "of">,
  width: number,
  paint: Paint,
): string[] {
  const chosen = layouts.find((layout) => neededBy(layout) + leastImage(layout) <= width) ?? narrowest;
  const rests = restsOf(pulls, speeds, chosen);
  const room = Math.max(shortestImage, Math.min(longestImage, width - neededBy(chosen)));
  if (pulls.length === 0) return [];
  const images = pulls.map(({ image }) => printable(shortImage(image, room)));
  const longest = Math.max(...images.map(widthOf));
  return pulls.map((pull, at) => {
    const image = pad(images[at] ?? "", longest + gap);
    const share = isComing(pull) ? pull.received / pull.total : 0;
    const drawnBar = chosen.bar === 0 ? "" : bar(share, chosen.bar) + " ".repeat(gap);
    return `${paint("cyan", image)}${paint(isComing(pull) ? "green" : "dim", drawnBar)}${rests[at] ?? ""}`;
  });
}

function leastImage({ bar: columnsOfBar }: Layout): number {
  return columnsOfBar === everything.bar ? readableImage : shortestImage;
}

/** Columns besides the image. */
function neededBy(layout: Layout): number {
  const { amount, layers, speed, left, percent } = roomFor;
  const cells = [
    percent,
    ...(layout.bar === 0 ? [] : [layout.bar]),
    ...(layout.amount ? [amount] : []),
    ...(layout.layers ? [layers] : []),
    ...(layout.speed ? [speed] : []),
    ...(layout.left ? [left] : []),
  ];
  return cells.reduce((sum, cell) => sum + cell + gap, 0);
}

function isComing({ phase, total }: PullProgress): boolean {
  return phase === "downloading" && total > 0;
}

/** The columns behind the bars. */
function restsOf(pulls: readonly PullProgress[], speeds: Pick<PullSpeeds, "of">, layout: Layout): readonly string[] {
  const lined = columns(
    pulls.filter(isComing).map((pull) => numbers(pull, speeds.of(pull.image), layout)),
    gap,
  );
  return pulls.map((pull) => {
    if (isComing(pull)) return lined.shift() ?? "";
    return pull.phase === "waiting" ? "waiting for its turn" : "asking";
  });
}

function numbers(
  { received, total, layers }: PullProgress,
  speed: Speed | undefined,
  layout: Layout,
): readonly string[] {
  const percent = `${String(Math.floor((received / total) * 100)).padStart(3)}%`;
  const done = layers.filter(({ state }) => state === "complete" || state === "exists").length;
  return [
    percent,
    ...(layout.amount ? [amountOf(received, total)] : []),
    ...(layout.layers ? [`${done} of ${plural(layers.length, "layer")}`] : []),
    ...(layout.speed ? [speed === undefined ? "" : `${formatBytes(speed.bytesPerSecond)}/s`] : []),
    ...(layout.left ? [speed?.left === undefined ? "" : `${humanDuration(speed.left)} left`] : []),
  ];
}

/** `12.3 of 45.6 MB`: a common unit is printed once. */
function amountOf(received: number, total: number): string {
  const [amount = "", unit] = formatBytes(received).split(" ");
  const whole = formatBytes(total);
  return whole.endsWith(` ${unit}`) ? `${amount} of ${whole}` : `${amount} ${unit} of ${whole}`;
}

/** The end of an image's name tells more than its beginning, and the beginning of a digest is enough. */
function shortImage(image: string, longest: number): string {
  const text = image.replace(/(@sha\d+:[0-9a-f]{12})[0-9a-f]+$/, "$1…");
  const shorter = text.length > longest ? text.replace(/(@sha\d+:[0-9a-f]{4})[0-9a-f]*…$/, "$1…") : text;
  return shorter.length <= longest ? shorter : `…${shorter.slice(shorter.length - longest + 1)}`;
}
