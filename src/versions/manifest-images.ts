/** The images of one text: manifests, a Compose file, a stack file, or what was rendered from a template. */
import {
  type AuditedContainer,
  contentsOf,
  missingImage,
  type PlaceholderTest,
  regionOf,
  type Subject,
  sourceRegion,
  type TextInput,
  withoutPlaceholder,
} from "../audit/index.ts";
import { type ImageFields, type Position, type Problem, type SourceText } from "../workload/index.ts";
import type { ImageUse } from "./image-collector.ts";
import {
  effectiveImage,
  entryAt,
  entryPlace,
  imagesOfEntries,
  type KustomizationEntry,
  type Kustomizations,
  kustomizationEntries,
  refusedTags,
  setsVersion,
} from "./kustomization-images.ts";
import { platformsOf } from "./platforms.ts";
import { renderedFromTemplate, type TagPlace, type UnknownImage, type UsingWorkload } from "./used-image.ts";
import type { ManifestText } from "./workload-pods.ts";

export interface ManifestImages {
  readonly uses: readonly ImageUse[];
  readonly unknown: readonly UnknownImage[];
  readonly problems: readonly Problem[];
  readonly notes: readonly Problem[];
  readonly manifests: readonly ManifestText[];
}

export interface ManifestOptions {
  readonly imageFields: readonly ImageFields[];
  readonly kustomizations: Kustomizations;
  readonly placeholderIn: PlaceholderTest;
}

/** Never throws. */
export function manifestImages(input: TextInput, options: ManifestOptions): ManifestImages {
  const contents = contentsOf(input, { imageFields: options.imageFields });
  const entries = input.original === undefined ? kustomizationEntries(input.text, input.file) : [];
  const { text } = contents;
  const positionOf = positions(input, text);
  const uses: ImageUse[] = [];
  const unknown: UnknownImage[] = [];
  const problems: Problem[] = [];
  const notes: Problem[] = [];
  for (const { rule, at, message } of contents.problems) {
    const problem = { source: positionOf(at.start), message };
    if (rule.id === "input-unreadable") problems.push(problem);
    else if (rule.id === "template-not-rendered" || rule.id === "stack-refused") notes.push(problem);
    else if (rule.id === "not-a-manifest" && entries.length === 0) notes.push(problem);
  }
  for (const container of contents.containers) {
    const { replacedImages } = container;
    const replacing = options.kustomizations.entryFor(container.subject.reference, replacedImages);
    const subject = withoutPlaceholder(container.subject, options.placeholderIn, replacing ? {} : replacedImages);
    const source = positionOf((subject.image ?? subject.head).start);
    const { request } = subject;
    const workload: UsingWorkload = { workload: request.workload, container: request.container, source, request };
    const missing = missingImage(subject);
    if (missing !== undefined) problems.push({ source, message: missing });
    if (subject.unresolved !== undefined) {
      unknown.push({ given: request.image.given, source, because: whyUnknown(subject), workload });
    } else if (request.image.given !== "") {
      const platforms = platformsOf(subject);
      const image = replacing && subject.reference ? effectiveImage(replacing, subject.reference) : request.image;
      const place =
        replacing !== undefined && setsVersion(replacing)
          ? entryPlace(replacing)
          : placeOf(container, subject, input, text, { source, entries, kustomizations: options.kustomizations });
      uses.push({ image, workload, place, platforms });
    }
  }
  if (input.isBuilt !== true) {
    const named = imagesOfEntries(entries, options.placeholderIn);
    uses.push(...named.uses);
    unknown.push(...named.unknown);
    for (const problem of refusedTags(entries)) problems.push(problem);
  }
  return { uses, unknown, problems, notes, manifests: manifestsOf(input) };
}

/** From an offset in the text to its place; for a rendered text, to the line of the template that it comes from. */
function positions({ original }: TextInput, text: SourceText): (offset: number) => Position {
  if (original === undefined) return (offset) => text.position(offset);
  const regionIn = sourceRegion(text.text, original);
  return (offset) => {
    const { file, line, column } = regionIn(regionOf(text, { start: offset, end: offset }));
    return { file, line, column };
  };
}

function whyUnknown({ unresolved, placeholder }: Subject): string {
  switch (unresolved) {
    case "template":
      return "it is a template";
    case "variable":
      return "it has a variable without a default in it";
    default:
      return placeholder ?? "it is replaced later";
  }
}

/** A default of a stack file may never hold: faas-cli takes what its environment has. */
const substituted = "it has a variable in it, which faas-cli replaces by what its environment has";

const formats = { kubernetes: "manifest", compose: "compose", openfaas: "openfaas" } as const;

interface PlaceContext {
  readonly source: Position;
  readonly entries: readonly KustomizationEntry[];
  readonly kustomizations: Kustomizations;
}

function placeOf(
  { isRendered, replaced }: AuditedContainer,
  { fields, format, image, reference, request }: Subject,
  { original }: TextInput,
  text: SourceText,
  { source, entries, kustomizations }: PlaceContext,
): TagPlace {
  const place = (change: TagPlace["change"]): TagPlace => ({ source, format: formats[format], change });
  const never = (because: string) => place({ kind: "none", because });
  if (original !== undefined) return never(renderedFromTemplate);
  const entry = isRendered ? entryAt(entries, image?.start, request.image.given) : undefined;
  const keptTag = entry !== undefined && !setsVersion(entry) && replaced !== undefined ? reference?.tag : undefined;
  const kept = keptTag && replaced && kustomizations.keptPlace(replaced, keptTag);
  if (kept) return kept;
  if (entry !== undefined) return entryPlace(entry);
  if (fields.image !== undefined) return place({ kind: "image", text, field: fields.image });
  if (fields.withDefaults !== undefined && format === "openfaas") return never(substituted);
  if (fields.withDefaults !== undefined) return place({ kind: "withDefaults", text, field: fields.withDefaults });
  return never(isRendered ? "a kustomization puts it together" : "it is not written as one text");
}

/** The text itself, or what kustomizations build from it. */
function manifestsOf({ text, file, rendered = [] }: TextInput): readonly ManifestText[] {
  return rendered.length === 0 ? [{ text, file }] : rendered.map((object) => ({ text: object.text, file }));
}
