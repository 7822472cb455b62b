/**
 * The shapes in which the values of charts write images. There is no rule for values, only custom: what is taken for an
 * image must look like one in its name and in its neighbours, because a missed image is better than an invented one.
 *
 *     image: {registry, repository, tag, digest}     Bitnami; without a registry, most others
 *     image: {registry, image, tag, digest}          ingress-nginx
 *     image: {repository, tag, sha}                  Grafana: a digest without its algorithm
 *     image: host/name        imageTag: "1.2"        Elastic
 *     image: host/name:1.2                           whole
 */
import type { ImageField } from "../audit/index.ts";
import { parseReference, type Reference } from "../image/index.ts";
import { isPulleyError } from "../support/errors.ts";
import { child, type MappingValue, type ScalarValue, textAt, type Value, valueAt } from "../workload/index.ts";

/** An image in values. Texts are as helm reads them. */
export type ValueImage =
  /** In one scalar. */
  | { readonly kind: "whole"; readonly at: ScalarValue; readonly image: string; readonly field: ImageField }
  /** In several; a key is absent where its value is empty. */
  | {
      readonly kind: "parts";
      readonly at: ScalarValue;
      readonly image: string;
      readonly holder: MappingValue;
      readonly path: string;
      readonly tagKey: string | undefined;
      readonly digestKey: string | undefined;
      /** Half a sentence on why a change would not be whole. */
      readonly fixed: string | undefined;
    }
  /** An empty tag: by custom, the chart's `appVersion`. */
  | { readonly kind: "appVersion"; readonly at: ScalarValue; readonly name: string; readonly path: string }
  /** `because` is half a sentence. */
  | { readonly kind: "unknown"; readonly at: ScalarValue; readonly given: string; readonly because: string };

/**
 * The images of values, in the order in which they are written.
 * @param path of the values in their object: `spec.values` in a HelmRelease
 */
export function valueImages(root: Value, path = ""): readonly ValueImage[] {
  const found: ValueImage[] = [];
  const registries = {
    forAll: textAt(root, "global", "imageRegistry") ?? "",
    otherwise: textAt(root, "global", "image", "registry") ?? textAt(root, "global", "registry") ?? "",
  };
  visit(root, { path, isImage: false, isList: false, registries }, found);
  return found;
}

/** Where a value is. */
interface ValuePlace {
  readonly path: string;
  /** Whether a key above it speaks of images. */
  readonly isImage: boolean;
  /** Whether its key names several images: what it has itself holds for all of them. */
  readonly isList: boolean;
  readonly registries: GlobalRegistries;
}

/** Registries for the whole chart; empty where there is none. */
interface GlobalRegistries {
  /** In the place of an image's own: Bitnami's `global.imageRegistry`. */
  readonly forAll: string;
  /** Of the images that have none of their own: `global.image.registry` of ingress-nginx. */
  readonly otherwise: string;
}

function visit(value: Value, place: ValuePlace, found: ValueImage[]): void {
  if (value.kind === "sequence") {
    value.items.forEach((item, index) =>
      visit(item, { ...place, path: `${place.path}[${index}]`, isList: false }, found),
    );
  } else if (value.kind === "mapping") {
    const parts = place.isList ? undefined : partsOf(value, place);
    if (parts !== undefined) found.push(parts);
    for (const [key, entry] of value.entries) {
      const below = {
        ...place,
        path: child(place.path, key),
        isImage: place.isImage || speaksOfImage(key),
        isList: /images$/i.test(key),
      };
      if (entry.kind !== "scalar") visit(entry, below, found);
      else if (parts === undefined) found.push(...ofScalar(value, key, entry, place));
    }
  }
}

/** `image`, `sidecarImage`, `images`, `imageK8S`; not what belongs to images without being one. */
function speaksOfImage(key: string): boolean {
  return /image/i.test(key) && !/(?:pull|secret|polic|credential|registr|config|size|scan|search)/i.test(key);
}

// A mapping with a name and a version.

const neighbours = ["pullPolicy", "imagePullPolicy", "pullSecrets", "registry", "digest", "sha"];

function partsOf(holder: MappingValue, place: ValuePlace): ValueImage | undefined {
  const named = nameIn(holder, place);
  if (named === undefined) return undefined;
  const { key, at, name } = named;
  const open = unresolved(name);
  if (open !== undefined) return { kind: "unknown", at, given: name, because: `its name ${open}` };
  const reference = referenceOf(name);
  if (reference === undefined) return undefined;
  const tag = versionText(holder, "tag");
  if (isWhole(reference)) {
    const field = { value: holder, path: place.path, imageKey: key };
    return tag === undefined && textAt(holder, key) === name ? { kind: "whole", at, image: name, field } : undefined;
  }
  const odd = addition(holder);
  if (odd !== undefined) return { kind: "unknown", at, given: name, because: `${odd} adds to its tag` };
  // Datadog's charts put the two together.
  const isPrefix = key === "repository" && (textAt(holder, "name") ?? "") !== "";
  if (isPrefix) return { kind: "unknown", at, given: name, because: "its name may be the rest of it" };
  return versioned(holder, place, { at, name, tag });
}

interface NamedImage {
  readonly at: ScalarValue;
  readonly name: string;
  readonly tag: string | undefined;
}

function versioned(holder: MappingValue, { path }: ValuePlace, { at, name, tag }: NamedImage): ValueImage | undefined {
  const digest = digestIn(holder);
  const open = unresolved(tag ?? "");
  if (open !== undefined) return { kind: "unknown", at, given: `${name}:${tag}`, because: `its tag ${open}` };
  if (tag === undefined && digest === undefined) {
    const written = holder.entries.get("tag");
    if (written !== undefined) return isEmpty(written) ? { kind: "appVersion", at, name, path } : undefined;
    return { kind: "unknown", at, given: name, because: "its tag is not in the values" };
  }
  const image = `${name}${tag === undefined ? "" : `:${tag}`}${digest === undefined ? "" : `@${digest.text}`}`;
  if (referenceOf(image) === undefined) return undefined;
  const tagKey = tag === undefined ? undefined : "tag";
  const written = scalarIn(holder, tagKey ?? digest?.key ?? "") ?? at;
  return { kind: "parts", at: written, image, holder, path, tagKey, digestKey: digest?.key, fixed: others(holder) };
}

/** The name of an image, if the mapping looks like one. */
function nameIn(holder: MappingValue, { isImage, registries }: ValuePlace) {
  const hasVersion = ["tag", "digest", "sha"].some((key) => holder.entries.has(key));
  const key = ["repository", "image", "name", "repo"].find((each) => (textAt(holder, each) ?? "") !== "");
  const isSaid = isImage || key === "image";
  const looksLikeImage = isSaid || (key === "repository" && neighbours.some((each) => holder.entries.has(each)));
  if (key === undefined || !looksLikeImage || !(hasVersion || (isImage && key === "repository"))) return undefined;
  const at = scalarIn(holder, key);
  const own = textAt(holder, key) ?? "";
  const registry = registryFor(holder, own, registries);
  // A bare word beside a tag may be the name of anything: `name: agent`.
  if (at === undefined || (key !== "repository" && registry === "" && !own.includes("/"))) return undefined;
  return { key, at, name: registry === "" ? own : `${registry.replace(/\/+$/, "")}/${own}` };
}

function registryFor(holder: MappingValue, name: string, { forAll, otherwise }: GlobalRegistries): string {
  const own = textAt(holder, "registry") ?? "";
  if (holder.entries.has("registry") && forAll !== "") return forAll;
  if (own !== "") return own;
  return /^(?:[^/]*[.:][^/]*|localhost)\//.test(name) ? "" : otherwise;
}

/** The text of a version; helm reads a number as a number: `1.10` is 1.1. */
function versionText(holder: MappingValue, key: string): string | undefined {
  const scalar = scalarIn(holder, key);
  if (scalar === undefined || typeof scalar.value === "boolean") return undefined;
  return scalar.value === "" ? undefined : String(scalar.value);
}

function digestIn(holder: MappingValue): { readonly key: string; readonly text: string } | undefined {
  // Cilium's charts have a digest that only counts where this is set.
  if (valueAt(holder, "useDigest")?.kind === "scalar" && !isTrue(holder, "useDigest")) return undefined;
  for (const key of ["digest", "sha"]) {
    const text = textAt(holder, key) ?? "";
    if (text !== "") return { key, text: key === "sha" && !text.includes(":") ? `sha256:${text}` : text };
  }
  return undefined;
}

/** A key that the templates add to the tag: `tagSuffix`, `tagLabel`, `variant`. */
function addition(holder: MappingValue): string | undefined {
  return [...holder.entries.keys()].find(
    (key) =>
      /^(?:tag(?:[A-Z_-].*)|.*suffix|variant|flavou?r|distroless)$/i.test(key) &&
      ((textAt(holder, key) ?? "") !== "" || isTrue(holder, key)),
  );
}

/** Digests of other variants of the image would stay as they are: `digestChroot`, `awsDigest`. */
function others(holder: MappingValue): string | undefined {
  const key = [...holder.entries.keys()].find(
    (each) => /digest/i.test(each) && each !== "digest" && (textAt(holder, each) ?? "") !== "",
  );
  return key === undefined ? undefined : `${key} would stay as it is`;
}

// A scalar that is an image by itself, or with the tag in a neighbour.

function ofScalar(holder: MappingValue, key: string, at: ScalarValue, { path }: ValuePlace): readonly ValueImage[] {
  const { value } = at;
  if (typeof value !== "string" || value === "" || !/^image|image$/i.test(key)) return [];
  if (!speaksOfImage(key) || /(?:tag|digest|name|prefix)$/i.test(key)) return pairOf(holder, key, at, path);
  const open = unresolved(value);
  if (open !== undefined) return [{ kind: "unknown", at, given: value, because: `it ${open}` }];
  const reference = referenceOf(value);
  if (reference === undefined) return [];
  return isWhole(reference)
    ? [{ kind: "whole", at, image: value, field: { value: holder, path, imageKey: key } }]
    : pairOf(holder, key, at, path);
}

/** `image` and `imageTag`, `imageName` and `imageTag`. */
function pairOf(holder: MappingValue, key: string, at: ScalarValue, path: string): readonly ValueImage[] {
  const tagKey = `${key.replace(/(?:Name|Repository)$/, "")}Tag`;
  const tag = versionText(holder, tagKey);
  const name = String(at.value);
  const [reference, whole] = [referenceOf(name), `${name}:${tag}`];
  if (tag === undefined || reference === undefined || isWhole(reference)) return [];
  const open = unresolved(tag);
  if (open !== undefined) return [{ kind: "unknown", at, given: whole, because: `its tag ${open}` }];
  if (referenceOf(whole) === undefined) return [];
  const written = scalarIn(holder, tagKey) ?? at;
  return [
    { kind: "parts", at: written, image: whole, holder, path, tagKey, digestKey: undefined, fixed: others(holder) },
  ];
}

/** Half a sentence, without its subject. */
function unresolved(text: string): string | undefined {
  if (text.includes("{{")) return "is a template";
  return /\$\{|\$\(|\$[A-Za-z_]/.test(text) ? "has a variable in it" : undefined;
}

function scalarIn(holder: MappingValue, key: string): ScalarValue | undefined {
  const found = valueAt(holder, key);
  return found?.kind === "scalar" ? found : undefined;
}

function isEmpty(value: Value): boolean {
  return value.kind === "scalar" && (value.value === null || value.value === "");
}

function isTrue(holder: MappingValue, key: string): boolean {
  return scalarIn(holder, key)?.value === true;
}

function isWhole({ tag, digest }: Reference): boolean {
  return tag !== undefined || digest !== undefined;
}

function referenceOf(text: string): Reference | undefined {
  try {
    return parseReference(text);
  } catch (error) {
    if (isPulleyError(error)) return undefined;
    throw error;
  }
}
