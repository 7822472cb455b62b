import { canonicalText } from "../../image/reference.ts";
import { type Check, imagePlace, imageText } from "./check.ts";

/** `nginx`: docker.io by a convention that not every runtime follows. */
export const registryMissing: Check = (subject) => {
  const { reference } = subject;
  if (reference === undefined || reference.repository.registry !== "docker.io") return undefined;
  if (/^(?:index\.)?docker\.io\//.test(reference.given)) return undefined;
  const explicit = canonicalText(reference);
  return {
    at: imagePlace(subject),
    message: `${imageText(subject)} names no registry, so it means docker.io/${reference.repository.path}`,
    advice: `Write ${explicit.length > 300 ? "the registry before the name" : explicit}, or the same image in a registry of your own.`,
  };
};
