/** Rules about the image reference as a whole: whether it is valid, whether it is known, which registry it names. */
import { canonicalText, parseReference } from "../../image/index.ts";
import { isPulleyError } from "../../support/errors.ts";
import type { Subject } from "../subject.ts";
import { type ContainerRule, everywhere, imagePlace, imageText, shown } from "./rule.ts";

const grammar = "Write the image as [host[:port]/]path[:tag][@digest], the path in lower case.";

/** An image that no kubelet can pull, because its reference is not valid. */
export const referenceInvalid = {
  id: "reference-invalid",
  meta: {
    title: "The image reference is not valid",
    why: "The API server does not parse image references, so the error shows only on the node, as InvalidImageName.",
    advice: grammar,
    severity: everywhere("error"),
    fixable: true,
    example: { found: "image: https://registry.example.com/web:1.4", notFound: "image: registry.example.com/web:1.4" },
  },
  check(subject) {
    const { problem, request } = subject;
    if (problem === undefined) return undefined;
    const meant = intendedImage(request.image.given);
    return {
      at: imagePlace(subject),
      message: `${shown(request.image.given)} is not an image reference: ${problem.slice(0, 300)}`,
      advice: meant === undefined ? adviceFor(request.image.given) : `Write ${meant}.`,
      correction: meant === undefined ? undefined : { what: "image", image: meant },
    };
  },
} as const satisfies ContainerRule;

/** The image without a scheme or blanks around it; `undefined` if that does not make it valid. */
function intendedImage(image: string): string | undefined {
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
  if (/\$[({A-Za-z_]/.test(image)) return "Replace the variables before you apply the manifest.";
  return grammar;
}

/** A container that the API server refuses, or a function that cannot be deployed. */
export const imageMissing = {
  id: "image-missing",
  meta: {
    title: "The container has no image",
    why: "The API server refuses a container without an image.",
    advice: "Write the image.",
    severity: everywhere("error"),
    example: { found: "imagePullPolicy: Always", notFound: "image: registry.example.com/web:1.4" },
  },
  check(subject) {
    const message = missingImage(subject);
    return message === undefined
      ? undefined
      : { at: imagePlace(subject), message, advice: "Write the image, or remove the container." };
  },
} as const satisfies ContainerRule;

/** What is wrong with a container that has no image. */
export function missingImage({ request, mayBePatch, unresolved, words }: Subject): string | undefined {
  if (request.image.given !== "" || mayBePatch || unresolved !== undefined) return undefined;
  const name = request.container.name === "" ? "the container" : request.container.name;
  return `${name} has no image, so ${words.reader} refuses it`;
}

/** An image that is known only when its variables are. */
export const variableUnresolved = {
  id: "variable-unresolved",
  meta: {
    title: "The image depends on a variable without a default",
    why: "The image is known only when the variable has a value.",
    // biome-ignore lint/suspicious/noTemplateCurlyInString: users write it like this
    advice: "Give the variable a default, as in ${TAG:-1.27}, or replace the variables before you audit the file.",
    severity: everywhere("note"),
  },
  check(subject) {
    if (subject.unresolved !== "variable") return undefined;
    const isStack = subject.format === "openfaas";
    const image = shown(subject.request.image.given);
    if (isStack && !subject.request.image.given.includes("${")) {
      return {
        at: imagePlace(subject),
        message: `${image} has a variable in it that faas-cli does not replace, so the image is not known`,
        // biome-ignore lint/suspicious/noTemplateCurlyInString: users write it like this
        advice: "Write it with braces, as in ${TAG:-1.27}.",
      };
    }
    return {
      at: imagePlace(subject),
      message: `${image} depends on a variable without a default, so the image is not known`,
      // biome-ignore lint/suspicious/noTemplateCurlyInString: users write it like this
      advice: `Give the variable a default, as in \${TAG:-1.27}, or ${isStack ? "audit what faas-cli makes of the file: faas-cli generate | pulley audit -" : "replace the variables before you audit the file"}.`,
    };
  },
} as const satisfies ContainerRule;

/** A word that stands for an image: `auto`, `ko://example.com/cmd/web`, `<image>`. */
export const imagePlaceholder = {
  id: "image-placeholder",
  meta: {
    title: "The image is a placeholder",
    why: "A program or a person replaces it later, so the image is not known here.",
    advice: "Audit what is applied in the end: kustomize build . | pulley audit -.",
    severity: everywhere("note"),
  },
  check(subject) {
    if (subject.unresolved !== "placeholder" || subject.placeholder === undefined) return undefined;
    return {
      at: imagePlace(subject),
      message: `${shown(subject.request.image.given)} is a placeholder, so the image is not known here: ${subject.placeholder}`,
      advice: "Audit what is applied in the end: kustomize build . | pulley audit -.",
    };
  },
} as const satisfies ContainerRule;

/** `nginx` means docker.io, by a convention that not every runtime follows. */
export const registryMissing = {
  id: "registry-missing",
  meta: {
    title: "The image names no registry",
    why: "The registry docker.io is implied, with its pull limits. Some container runtimes are configured to try another registry first.",
    advice: "Name the registry.",
    severity: everywhere("note"),
    example: { found: "image: nginx:1.27", notFound: "image: docker.io/library/nginx:1.27" },
  },
  check(subject) {
    const { reference } = subject;
    if (reference === undefined || reference.repository.registry !== "docker.io") return undefined;
    if (/^(?:index\.)?docker\.io\//.test(reference.given)) return undefined;
    const explicit = canonicalText(reference);
    return {
      at: imagePlace(subject),
      message: `${imageText(subject)} names no registry, so it means docker.io/${reference.repository.path}`,
      advice: `Write ${explicit.length > 300 ? "the registry before the name" : explicit}, or use the image from a registry of your own.`,
    };
  },
} as const satisfies ContainerRule;
