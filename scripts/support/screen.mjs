// What a terminal would show after it was sent a text with escape sequences: just enough of a terminal for our output.

const colours = ["black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"];

/** Escape sequence with its parameters and its final letter, a control character, or a character to show. */
const token = /\u001b\[([?\d;]*)([A-Za-z])|([\u0000-\u001f])|([\s\S])/gu;

/** @typedef {{ colour?: string | undefined, bold?: boolean, dim?: boolean }} Style */
/** @typedef {{ text: string, style: Style }} Cell */
/** @typedef {{ lines: Cell[][], row: number, column: number, style: Style }} Screen */

/** The lines of the screen. @param {string} output */
export function render(output) {
  /** @type {Screen} */
  const screen = { lines: [[]], row: 0, column: 0, style: {} };
  for (const [, parameters, letter, control, text] of output.matchAll(token)) {
    if (letter !== undefined) obey(screen, letter, parameters);
    else if (control !== undefined) move(screen, control);
    else show(screen, text ?? "");
  }
  while (screen.lines.length > 0 && screen.lines.at(-1)?.length === 0) screen.lines.pop();
  return screen.lines.map((line) => Array.from(line, (cell) => cell ?? { text: " ", style: {} }));
}

/** @type {(screen: Screen, text: string) => void} */
function show(screen, text) {
  lineOf(screen)[screen.column] = { text, style: screen.style };
  screen.column += 1;
}

/** @type {(screen: Screen, control: string) => void} */
function move(screen, control) {
  if (control === "\r") screen.column = 0;
  if (control === "\n") {
    screen.column = 0;
    goTo(screen, screen.row + 1);
  }
}

/** @type {(screen: Screen, letter: string, parameters: string | undefined) => void} */
function obey(screen, letter, parameters) {
  const count = Math.max(1, Number(parameters) || 1);
  const line = lineOf(screen);
  switch (letter) {
    case "A":
      goTo(screen, Math.max(0, screen.row - count));
      break;
    case "B":
      goTo(screen, screen.row + count);
      break;
    case "G":
      screen.column = count - 1;
      break;
    case "K":
      line.length = parameters === "2" ? 0 : Math.min(line.length, screen.column);
      break;
    case "J":
      line.length = Math.min(line.length, screen.column);
      screen.lines.length = screen.row + 1;
      break;
    case "m":
      for (const code of (parameters ?? "").split(";").map(Number)) screen.style = styled(screen.style, code);
      break;
    default: // Hiding the cursor and the like leaves no trace on a picture.
  }
}

/** The line that the cursor is on. @param {Screen} screen */
function lineOf({ lines, row }) {
  return lines[row] ?? [];
}

/** @type {(screen: Screen, row: number) => void} */
function goTo(screen, row) {
  screen.row = row;
  while (screen.lines.length <= row) screen.lines.push([]);
}

/** @type {(style: Style, code: number) => Style} */
function styled(style, code) {
  if (code === 0) return {};
  if (code === 1) return { ...style, bold: true };
  if (code === 2) return { ...style, dim: true };
  if (code === 22) return { ...style, bold: false, dim: false };
  if (code >= 30 && code <= 37) return { ...style, colour: colours[code - 30] };
  if (code >= 90 && code <= 97) return { ...style, colour: colours[code - 90] };
  if (code === 39) return { ...style, colour: undefined };
  return style;
}
