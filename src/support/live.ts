import { fit, printableLine } from "./terminal.ts";

export interface TerminalStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
  write(text: string): unknown;
}

/** The last lines of a terminal, drawn again and again, while a log goes by above them. */
export interface LiveRegion {
  /** Prints a line above the region, where it stays. */
  log(line: string): void;
  /** Replaces the region. Lines are cut to the terminal; those that do not fit its height are dropped from the end. */
  draw(lines: readonly string[]): void;
  /** Leaves the region as it stands and gives the cursor back. */
  end(): void;
}

const hideCursor = "\u001b[?25l";
const showCursor = "\u001b[?25h";
const clearBelow = "\u001b[0J";
const clearRest = "\u001b[K";

/**
 * On anything but a terminal the log is plain lines and the region is drawn once, at the end. A line stays one, and has
 * at most colours in it.
 */
export function liveRegion(stream: TerminalStream, colour: boolean): LiveRegion {
  const region = stream.isTTY === true ? terminalRegion(stream) : plainRegion(stream);
  return {
    log: (line) => region.log(printableLine(line, colour)),
    draw: (lines) => region.draw(lines.map((line) => printableLine(line, colour))),
    end: () => region.end(),
  };
}

function terminalRegion(stream: TerminalStream): LiveRegion {
  let shown: readonly string[] = [];
  let begun = false;

  /** Goes back to the region's first line, prints what belongs above it, and draws the region below that. */
  function redraw(above: string, lines: readonly string[]): void {
    const start = begun ? "" : hideCursor;
    const up = shown.length > 0 ? `\u001b[${shown.length}A\r` : "";
    stream.write(`${start}${up}${above}${lines.map((line) => `${line}${clearRest}\n`).join("")}${clearBelow}`);
    shown = lines;
    begun = true;
  }

  return {
    log: (line) => redraw(`${clearBelow}${line}\n`, shown),
    draw: (lines) => {
      const height = Math.max(1, (stream.rows ?? 24) - 2);
      const width = (stream.columns ?? 80) - 1;
      redraw(
        "",
        lines.slice(0, height).map((line) => fit(line, width)),
      );
    },
    end: () => {
      if (begun) stream.write(showCursor);
      begun = false;
    },
  };
}

function plainRegion(stream: TerminalStream): LiveRegion {
  let last: readonly string[] = [];
  return {
    log: (line) => void stream.write(`${line}\n`),
    draw: (lines) => {
      last = lines;
    },
    end: () => {
      for (const line of last) stream.write(`${line}\n`);
      last = [];
    },
  };
}
