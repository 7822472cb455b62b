/** Lists of images: a reference a line, as people keep them and as programs print them. */
import { readImageName } from "../image/index.ts";

export interface ListedImage {
  /** As it is written; what is no reference is kept, so that it can be told. */
  readonly image: string;
  /** Where it begins: an offset in the text. */
  readonly start: number;
}

/**
 * The images of a list. Blank lines and comments (`#` at the beginning of a line, or after a blank) are skipped. A line
 * may begin with a number, as `uniq -c` writes it, and may have several images, as `kubectl -o jsonpath` prints them.
 */
export function listedImages(text: string): readonly ListedImage[] {
  const images: ListedImage[] = [];
  const lines = /[^\r\n]+/g;
  for (let line = lines.exec(text); line !== null; line = lines.exec(text)) {
    const written = line[0].replace(/(?:^|\s)#.*$/, "");
    const words = [...written.matchAll(/[^\s\ufeff]+/g)].map((word) => ({
      image: word[0],
      start: line.index + word.index,
    }));
    const [first, ...rest] = words;
    if (first === undefined) continue;
    if (rest.length === 1 && /^[0-9]+$/.test(first.image)) images.push(...rest);
    else if (rest.every(isName) && (rest.length === 0 || isName(first))) images.push(...words);
    else images.push({ image: written.trim(), start: first.start });
  }
  return images;
}

/** Whether a text is a list of images, and not a manifest: its first line is no key, no item and no bracket. */
export function isImageList(text: string): boolean {
  const lines = text.split(/\r?\n/).map((line) => line.replace(/^\ufeff/, "").trim());
  const first = lines.find((line) => line !== "" && !line.startsWith("#"));
  return first !== undefined && !/^[-[{%&!|>?*"'.]|:(?:\s|$)|\{\{/.test(first);
}

/** In a line of several words a bare number is no image, though it could be one: `nginx 1.25`. */
function isName({ image }: ListedImage): boolean {
  return (/[/:@]/.test(image) || /^[a-z]/.test(image)) && readImageName(image).kind !== "invalid";
}
