/** The containers of a text: as they are written, or as kustomizations build them. */
import { basename, dirname } from "node:path";
import type { TextInput } from "./input.ts";
import { containerKey, type RenderedContainer, type RenderedObject } from "./input.ts";
import type { ReplacedImages } from "./placeholders.ts";
import type { ReadOptions, ReadText, WantedSecret } from "./readers/contents.ts";
import { readText } from "./readers/read-text.ts";
import type { Subject } from "./subject.ts";
import type { LiveObject, SecretName } from "./types.ts";

export interface AuditedContainer {
  readonly subject: Subject;
  /**
   * Containers with a scope in common may be in one cluster: a folder, or the kustomizations that build the container.
   */
  readonly scopes: readonly string[];
  /** Images that are replaced later. */
  readonly replacedImages: ReplacedImages | undefined;
  readonly isRendered: boolean;
  /** The container of a manifest whose image a kustomization replaces to make this one. */
  readonly replaced?: RenderedContainer["replaced"];
}

export interface TextContents extends Pick<ReadText, "text" | "problems" | "workloads" | "secrets" | "wantedSecrets"> {
  readonly containers: readonly AuditedContainer[];
  /** Number of containers. A container and all of its renderings count once. */
  readonly count: number;
}

/** Reads a text together with what kustomizations build from it. */
export function contentsOf(
  input: TextInput,
  options: Pick<ReadOptions, "imageFields" | "openfaasPullPolicy">,
): TextContents {
  const { text, file, rendered = [] } = input;
  const read = readText(text, file, { ...input, ...options });
  const own = new Map(read.subjects.flatMap((subject) => keyOf(subject)?.map((key) => [key, subject] as const) ?? []));
  const made = rendered.map((object) => ({
    object,
    read: readText(object.text, file, { ...readingOf(object), ...options }),
  }));
  const renderings = made.flatMap(({ object, read: { subjects } }) => renderedContainers(object, subjects, own, input));
  const matched = rendered.flatMap(({ containers }) => containers);
  const taken = new Set([...matched.flatMap((container) => container.own ?? []), ...(input.replacedContainers ?? [])]);
  // A patch alone asks for no image.
  const asking = input.patch === "rendered" ? [] : read.subjects;
  const written = asking.filter((subject) => !keyOf(subject)?.some((key) => taken.has(key)));
  return {
    text: read.text,
    problems: read.problems,
    workloads: read.workloads,
    containers: [...written.map((subject) => writtenContainer(subject, input)), ...renderings],
    count: countOf(asking, matched),
    ...(made.length === 0
      ? { secrets: read.secrets, wantedSecrets: read.wantedSecrets }
      : renderedSecrets(
          made.map((each) => each.read),
          read,
        )),
  };
}

function readingOf({ mayBeChanged }: RenderedObject): {
  readonly expectManifests: false;
  readonly mayBePatch: boolean;
} {
  return { expectManifests: false, mayBePatch: mayBeChanged };
}

function keyOf({ format, fields }: Subject): [string] | undefined {
  return format === "kubernetes" && fields.image ? [containerKey(fields.image)] : undefined;
}

function countOf(asking: readonly Subject[], matched: readonly RenderedContainer[]): number {
  const own = new Set(asking.flatMap((subject) => keyOf(subject) ?? []));
  const copies = matched.flatMap((one) => (one.isCountedElsewhere && one.own !== undefined ? one.own : []));
  const added = matched.filter((one) => !one.isCountedElsewhere && !own.has(one.own ?? "")).map(placeText);
  return asking.length - new Set(copies.filter((key) => own.has(key))).size + new Set(added).size;
}

function placeText({ at, path }: RenderedContainer): string {
  return `${at.start} ${path}`;
}

/** A patch without a pull policy says nothing about it: the default does not apply. */
function writtenContainer(written: Subject, input: TextInput): AuditedContainer {
  const { file, patch, scope, replacedImages, live } = input;
  const subject = live === undefined ? written : inCluster(written, live);
  const pulls = patch !== undefined && subject.pulls?.from === "default" ? undefined : subject.pulls;
  const scopes = [scope ?? (file === "-" ? file : dirname(file))];
  return { subject: { ...subject, pulls }, scopes, replacedImages, isRendered: false };
}

function inCluster(subject: Subject, { cluster }: LiveObject): Subject {
  return { ...subject, request: { ...subject.request, cluster } };
}

function renderedContainers(
  object: RenderedObject,
  subjects: readonly Subject[],
  own: ReadonlyMap<string, Subject>,
  { replacedImages }: TextInput,
): AuditedContainer[] {
  const { containers, kustomizations, mayBeChanged } = object;
  return subjects.flatMap((subject): AuditedContainer[] => {
    const container = containers.find(({ path }) => path === subject.fields.image?.path);
    if (container === undefined) return [];
    const written = container.own === undefined ? undefined : own.get(container.own);
    return [
      {
        subject: atSource(subject, container, written),
        scopes: kustomizations,
        replacedImages: mayBeChanged ? replacedImages : withoutKustomizations(replacedImages),
        isRendered: true,
        replaced: container.replaced,
      },
    ];
  });
}

/** The built container, with places in the text that it was built from. */
function atSource(subject: Subject, { at }: RenderedContainer, own: Subject | undefined): Subject {
  const head = own?.head ?? at;
  const { written } = subject;
  const isAsWritten = own !== undefined && own.written?.text === written?.text;
  const policy = written && { ...written, at: (isAsWritten ? own.written?.at : undefined) ?? head };
  return {
    ...subject,
    image: subject.image && at,
    head,
    written: policy,
    ignored: subject.ignored && own?.ignored,
    // A value that is not written in this file cannot be fixed in it.
    fields: {
      image: own?.request.image.given === subject.request.image.given ? own.fields.image : undefined,
      policy: isAsWritten ? own.fields.policy : undefined,
    },
  };
}

/** A kustomization that was built has already replaced its images. */
function withoutKustomizations(replaced: ReplacedImages = {}): ReplacedImages {
  return Object.fromEntries(Object.entries(replaced).filter(([, file]) => !/^kustomization/i.test(basename(file))));
}

/** The Secrets that are built, with the places where they are written. */
function renderedSecrets(
  made: readonly ReadText[],
  own: ReadText,
): { readonly secrets: readonly SecretName[]; readonly wantedSecrets: readonly WantedSecret[] } {
  const wanted = made.flatMap(({ wantedSecrets }) => wantedSecrets);
  const told = new Map(wanted.map((each) => [`${each.namespace}/${each.name}`, each]));
  return {
    secrets: made.flatMap(({ secrets }) => secrets),
    wantedSecrets: [...told.values()].flatMap((each) => {
      const written = own.wantedSecrets.find(({ name }) => name === each.name);
      return written === undefined ? [] : { ...each, at: written.at };
    }),
  };
}
