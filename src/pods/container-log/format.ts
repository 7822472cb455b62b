/**
 * One entry of a container's log as CRI runtimes write it: `2024-05-01T12:00:00.123456789Z stdout F text`. `P` says that
 * the line goes on in the next entry of the same stream (k8s pkg/kubelet/kuberuntime/logs/logs.go).
 */
export interface ContainerLogEntry {
  /** RFC 3339 with nanoseconds, as it is written. */
  readonly time: string;
  readonly stream: "stdout" | "stderr";
  readonly partial: boolean;
  readonly text: Buffer;
}

const blank = 0x20;

/** @param line without its line break. `undefined` if it is no entry. */
export function readEntry(line: Buffer): ContainerLogEntry | undefined {
  const afterTime = line.indexOf(blank);
  const afterStream = line.indexOf(blank, afterTime + 1);
  if (afterTime < 0 || afterStream < 0) return undefined;
  const found = line.indexOf(blank, afterStream + 1);
  // An empty line may lack the blank behind its tag.
  const afterTag = found < 0 ? line.length : found;
  const time = line.toString("latin1", 0, afterTime);
  const stream = line.toString("latin1", afterTime + 1, afterStream);
  // Tags may be several, with colons between them.
  const [tag] = line.toString("latin1", afterStream + 1, afterTag).split(":");
  if ((stream !== "stdout" && stream !== "stderr") || (tag !== "F" && tag !== "P") || !isTime(time)) return undefined;
  return { time, stream, partial: tag === "P", text: line.subarray(afterTag + 1) };
}

function isTime(text: string): boolean {
  return /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|[+-]\d{2}:\d{2})$/.test(text);
}

/** Milliseconds since the epoch. */
export function entryTime({ time }: ContainerLogEntry): number {
  return Date.parse(time.replace(/(\.\d{3})\d+/, "$1"));
}
