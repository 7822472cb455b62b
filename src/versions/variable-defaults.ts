/** Images whose variables have defaults: `nginx:${TAG:-1.27}`. A default may be changed, a variable never. */
import { type TextPart, type VersionParts, versionParts, type WantedVersion } from "./version-text.ts";

/** A piece of the text, and what it stands for. */
interface Piece {
  readonly isVariable: boolean;
  /** Where what it stands for begins in the text, and in the image. */
  readonly from: number;
  readonly at: number;
  readonly text: string;
}

/**
 * The parts of the text that change so that its image, by its defaults, has the wanted version. A tag that is put
 * together from several pieces is refused: each variable has a meaning of its own.
 */
export function defaultParts(text: string, wanted: WantedVersion): VersionParts {
  const pieces = piecesOf(text);
  if (pieces === undefined) return { refused: "its variables are inside of each other" };
  const image = pieces.map((piece) => piece.text).join("");
  const found = versionParts(image, wanted);
  if (found.refused !== undefined) return found;
  const moved: TextPart[] = [];
  for (const part of found.parts) {
    // An empty default at the edge counts, too: its variable may add to the tag.
    const touched = pieces.filter(({ at, text: own, isVariable }) =>
      isVariable && own === "" ? part.start <= at && at <= part.end : at < part.end && part.start < at + own.length,
    );
    const [piece] = touched;
    if (piece === undefined || touched.length > 1) return { refused: "a variable is only a part of its tag" };
    moved.push({ ...part, start: part.start - piece.at + piece.from, end: part.end - piece.at + piece.from });
  }
  return { parts: moved };
}

/** `undefined` where a default has a variable itself. */
function piecesOf(text: string): readonly Piece[] | undefined {
  const pieces: Piece[] = [];
  const variable = /\$\{[A-Za-z_][A-Za-z0-9_]*:?-([^${}]*)\}/g;
  let from = 0;
  let at = 0;
  const add = (isVariable: boolean, start: number, own: string) => {
    pieces.push({ isVariable, from: start, at, text: own });
    at += own.length;
  };
  for (let match = variable.exec(text); match !== null; match = variable.exec(text)) {
    const own = match[1] ?? "";
    if (match.index > from) add(false, from, text.slice(from, match.index));
    add(true, match.index + match[0].length - 1 - own.length, own);
    from = match.index + match[0].length;
  }
  if (from < text.length) add(false, from, text.slice(from));
  return pieces.some((piece) => piece.text.includes("$")) ? undefined : pieces;
}
