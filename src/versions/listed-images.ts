/** The images of a list, and of a command line. */
import { readImageName } from "../image/index.ts";
import { listedImages, sourceText } from "../workload/index.ts";
import type { ImageUse } from "./image-collector.ts";
import type { TagPlace } from "./used-image.ts";

/** @param file path as given by the user; `-` for standard input */
export function imagesOfList(content: string, file: string): readonly ImageUse[] {
  const text = sourceText(content, file);
  return listedImages(content).map(({ image, start }) => {
    const change: TagPlace["change"] = { kind: "word", text, start, image };
    return { image: readImageName(image), place: { source: text.position(start), format: "list", change } };
  });
}
