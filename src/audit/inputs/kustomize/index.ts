/** The kustomizations of a folder: what they build from its files, and which could not be built. */
import { availableParallelism } from "node:os";
import { join, relative, sep } from "node:path";
import { withoutSecrets } from "../../../support/without-secrets.ts";
import type { NotSeenInput, RenderedContainer, RenderedObject, UnreadableInput } from "../../input.ts";
import { renderFailure } from "../program.ts";
import { type Build, type BuildOptions, buildKustomization } from "./build.ts";
import type { Kustomization } from "./kustomization.ts";
import { KustomizationGraph } from "./kustomization.ts";
import { containerIn, type ImageLocation, KustomizeSources, placeOf } from "./place.ts";

export type { BuildOptions } from "./build.ts";

/** What kustomizations build from one file. */
export interface FileRendering {
  readonly objects: readonly RenderedObject[];
  /** Containers whose images are set in other files: see `containerKey`. */
  readonly replaced: readonly string[];
}

export interface Renderings {
  /** By the paths of the files. */
  readonly files: ReadonlyMap<string, FileRendering>;
  /** Folders of the kustomizations that were built, and of their bases. */
  readonly seen: ReadonlySet<string>;
  /** Files that are patches, and whether their result is among {@link files}. */
  readonly patches: ReadonlyMap<string, "rendered" | "alone">;
  readonly notSeen: readonly NotSeenInput[];
  /** Inputs for the kustomizations that failed to build, by their folders: used for one that the user named. */
  readonly refused: ReadonlyMap<string, UnreadableInput>;
}

export const nothingRendered: Renderings = {
  files: new Map(),
  seen: new Set(),
  patches: new Map(),
  notSeen: [],
  refused: new Map(),
};

/**
 * Builds the kustomizations in these folders that are no base of another one, because those are applied; where one
 * cannot be built, its bases. Never throws.
 */
export async function renderKustomizations(folders: readonly string[], options: BuildOptions): Promise<Renderings> {
  const graph = new KustomizationGraph();
  const all = folders.flatMap((folder) => graph.at(folder) ?? []);
  const rendering = new RenderingCollector(graph, new KustomizeSources(options.imageFields));
  const tried = new Set<Kustomization>();
  let next = graph.tops(all);
  for (let isBase = false; next.length > 0; isBase = true) {
    const wanted = next.filter((each) => !each.isComponent && !tried.has(each));
    for (const each of next) tried.add(each);
    const builds = await inParallel(wanted, (each) => build(each, graph, options));
    wanted.forEach((each, index) => rendering.take(each, builds[index], isBase));
    next = graph.tops(
      next
        .filter(({ folder }) => !rendering.seen.has(folder))
        .flatMap((each) => graph.chain(each).slice(1))
        .filter(
          (each, index, list) => list.indexOf(each) === index && !tried.has(each) && !rendering.seen.has(each.folder),
        ),
    );
  }
  return rendering.done(all);
}

type BuildAttempt = Build | { readonly kind: "remote"; readonly address: string } | { readonly kind: "helm" };

async function build(top: Kustomization, graph: KustomizationGraph, options: BuildOptions): Promise<BuildAttempt> {
  const chain = graph.chain(top);
  const address = chain.find(({ remote }) => remote !== undefined)?.remote;
  if (address !== undefined && !options.remoteBases) return { kind: "remote", address };
  // Charts would be fetched from the network, too, and helm was not asked for.
  return chain.some(({ needsHelm }) => needsHelm) ? { kind: "helm" } : await buildKustomization(top, options);
}

/** Collects what was built, by the files in which findings are reported. */
class RenderingCollector {
  readonly seen = new Set<string>();
  readonly #graph: KustomizationGraph;
  readonly #sources: KustomizeSources;
  readonly #files = new Map<string, { objects: Map<string, MutableRendering>; replaced: Set<string> }>();
  readonly #notSeen: NotSeenInput[] = [];
  readonly #refused = new Map<string, UnreadableInput>();

  constructor(graph: KustomizationGraph, sources: KustomizeSources) {
    this.#graph = graph;
    this.#sources = sources;
  }

  take(top: Kustomization, attempt: BuildAttempt | undefined, mayBeChanged: boolean): void {
    if (attempt === undefined) return;
    if (attempt.kind !== "built") {
      this.#notSeen.push({ kind: "notSeen", file: top.file, what: "kustomization", why: reasonOf(attempt) });
      if (attempt.kind === "failed") this.#refused.set(top.folder, refusal(top, attempt));
      return;
    }
    const chain = this.#graph.chain(top);
    for (const { folder } of chain) this.seen.add(folder);
    for (const { document, origin } of attempt.objects) {
      const object = this.#sources.objectOf(document);
      const file = origin === undefined ? undefined : givenPath(origin, chain);
      const source = file === undefined ? undefined : this.#sources.at(file);
      const home = source?.file ?? top.file;
      const told = new Map<string, RenderedContainer[]>([[home, []]]);
      for (const built of object.places) {
        const written = source && { source, place: containerIn(source, object, built) };
        const place = placeOf(built, written, chain, this.#sources);
        if (place.replaced) this.#file(place.replaced.file).replaced.add(place.replaced.own);
        told.set(place.file, [...(told.get(place.file) ?? []), containerOf(built.path, place)]);
      }
      const text = document.text.text;
      for (const [each, containers] of told) this.#add(each, text, top, { mayBeChanged, containers });
    }
  }

  /** An object that several kustomizations build identically is audited once. */
  #add(
    file: string,
    text: string,
    { file: by }: Kustomization,
    rest: Pick<MutableRendering, "mayBeChanged" | "containers">,
  ): void {
    const { objects } = this.#file(file);
    const key = JSON.stringify([rest, text]);
    const known = objects.get(key);
    if (known === undefined) objects.set(key, { text, kustomizations: [by], ...rest });
    else known.kustomizations.push(by);
  }

  #file(path: string): { objects: Map<string, MutableRendering>; replaced: Set<string> } {
    const file = this.#files.get(path) ?? { objects: new Map(), replaced: new Set() };
    this.#files.set(path, file);
    return file;
  }

  done(all: readonly Kustomization[]): Renderings {
    const files = [...this.#files].map(([path, { objects, replaced }]): [string, FileRendering] => [
      path,
      { objects: [...objects.values()], replaced: [...replaced] },
    ]);
    return {
      files: new Map(files),
      seen: this.seen,
      patches: patchesOf(all, this.seen),
      notSeen: this.#notSeen.toSorted((one, other) => (one.file < other.file ? -1 : 1)),
      refused: this.#refused,
    };
  }
}

function patchesOf(all: readonly Kustomization[], seen: ReadonlySet<string>): Renderings["patches"] {
  const changes = (wanted: boolean) =>
    all.filter(({ folder }) => seen.has(folder) === wanted).flatMap((each) => each.changes);
  return new Map([
    ...changes(false).map((file) => [file, "alone"] as const),
    ...changes(true).map((file) => [file, "rendered"] as const),
  ]);
}

interface MutableRendering extends RenderedObject {
  readonly kustomizations: string[];
}

function refusal({ file, folder }: Kustomization, attempt: Extract<Build, { kind: "failed" }>): UnreadableInput {
  const output = { ...attempt, problem: withoutSecrets(attempt.problem) };
  return renderFailure(file, "kustomization", [attempt.by], output, `kustomize build ${folder} | pulley audit -`);
}

function containerOf(path: string, { at, own, replaced }: ImageLocation): RenderedContainer {
  return { path, at, own, isCountedElsewhere: replaced !== undefined, replaced };
}

/** A path relative to what the user named: kustomize reports it with symbolic links resolved. */
function givenPath(path: string, chain: readonly Kustomization[]): string {
  const [home] = chain
    .filter(({ realFolder }) => path.startsWith(realFolder + sep))
    .toSorted((one, other) => other.realFolder.length - one.realFolder.length);
  const [top] = chain;
  const start = home ?? top;
  return start === undefined ? path : join(start.folder, relative(start.realFolder, path));
}

function reasonOf(attempt: Exclude<BuildAttempt, { kind: "built" }>): string {
  switch (attempt.kind) {
    case "missing":
      return "there is no kustomize and no kubectl in PATH to build it";
    case "remote":
      return `it builds on ${withoutSecrets(attempt.address)}, which is fetched only with --remote-bases`;
    case "helm":
      return "it renders Helm charts, which needs helm: see kustomize build --enable-helm";
    case "failed":
      return `${attempt.by} could not build it: it ${withoutSecrets(attempt.problem)}`;
  }
}

/** The answers in the order of the items; as many run at once as there are processors. */
async function inParallel<Item, Answer>(
  items: readonly Item[],
  run: (item: Item) => Promise<Answer>,
): Promise<readonly Answer[]> {
  const answers: Answer[] = [];
  const queue = [...items.entries()];
  const work = async () => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const [index, item] = next;
      answers[index] = await run(item);
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, work));
  return answers;
}
