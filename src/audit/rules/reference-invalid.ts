import { parseReference } from "../../image/reference.ts";
import { isPulleyError } from "../../support/errors.ts";
import { type Change, type Check, imagePlace, shown } from "./check.ts";

const grammar = "Write the image as [host[:port]/]path[:tag][@digest], the path in lower case.";

/** An image that no kubelet can pull, because its name is none. */
export const referenceInvalid: Check = (subject) => {
  const { problem, request } = subject;
  if (problem === undefined) return undefined;
  const meant = whatWasMeant(request.image);
  return {
    at: imagePlace(subject),
    message: `${shown(request.image)} is not an image: ${problem.slice(0, 300)}`,
    advice: meant === undefined ? adviceFor(request.image) : `Write ${meant}.`,
    change: meant === undefined ? undefined : ({ what: "image", image: meant } satisfies Change),
  };
};

/** The image without what is around it by mistake; `undefined` if that does not make it one. */
function whatWasMeant(image: string): string | undefined {
  const bare = image.trim().replace(/^(?:https?|docker|oci):\/\//, "");
  if (bare === image) return undefined;
  try {
    return parseReference(bare).given;
  } catch (error) {
    if (isPulleyError(error)) return undefined;
    throw error;
  }
}

function adviceFor(image: string): string {
  if (/\$[({A-Za-z_]/.test(image)) return "Put the variables' values in before the manifest is applied.";
  return grammar;
}
