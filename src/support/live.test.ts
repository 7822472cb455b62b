import { describe, expect, it } from "vitest";
import { liveRegion } from "./live.ts";

/** Just enough of a terminal: text, line feeds, cursor up, carriage return, clearing. */
function screen(columns: number, rows: number) {
  const lines: string[] = [""];
  let row = 0;
  let column = 0;
  return {
    isTTY: true,
    columns,
    rows,
    write(text: string) {
      // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences begin with a control character
      for (const part of text.split(/(\u001b\[[?0-9;]*[A-Za-z]|\n|\r)/)) {
        if (part === "") continue;
        // biome-ignore lint/suspicious/noControlCharactersInRegex: as above
        const up = /^\u001b\[(\d+)A$/.exec(part);
        if (up) row -= Number(up[1]);
        else if (part === "\r") column = 0;
        else if (part === "\n") {
          row += 1;
          column = 0;
          lines[row] ??= "";
        } else if (part === "\u001b[K") lines[row] = (lines[row] ?? "").slice(0, column);
        else if (part === "\u001b[0J") {
          lines[row] = (lines[row] ?? "").slice(0, column);
          lines.length = row + 1;
        } else if (!part.startsWith("\u001b")) {
          const line = (lines[row] ?? "").padEnd(column);
          lines[row] = line.slice(0, column) + part + line.slice(column + part.length);
          column += part.length;
        }
      }
    },
    text: () => lines.join("\n").trimEnd(),
  };
}

describe("a live region on a terminal", () => {
  it("keeps the log above and the newest lines below", () => {
    const terminal = screen(40, 20);
    const region = liveRegion(terminal, true);
    region.log("first");
    region.draw(["a: 1", "b: 1"]);
    region.log("second, which is longer");
    region.draw(["a: 2", "b: 2", "c: 2"]);
    region.draw(["a: 3"]);
    region.log("third");
    region.end();
    expect(terminal.text()).toBe("first\nsecond, which is longer\nthird\na: 3");
  });

  it("cuts lines to the width and drops lines that do not fit the height", () => {
    const terminal = screen(6, 4);
    const region = liveRegion(terminal, true);
    region.draw(["123456789", "two", "three"]);
    expect(terminal.text()).toBe("1234…\ntwo");
  });
});

describe("a live region on anything else", () => {
  it("prints the log as it comes and the region once, at the end", () => {
    const written: string[] = [];
    const region = liveRegion({ write: (text: string) => written.push(text) }, false);
    region.draw(["old"]);
    region.log("line");
    region.draw(["new"]);
    region.end();
    expect(written).toEqual(["line\n", "new\n"]);
  });
});
