/** The images in the values of charts, and in files that have the same shape. */
import { readdirSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { type PlaceholderTest, readOther } from "../audit/index.ts";
import { readImageName } from "../image/index.ts";
import { errorText } from "../support/errors.ts";
import { longestConfigFile, longestInput, readInputBytes } from "../support/input-file.ts";
import { decodeText } from "../support/text-bytes.ts";
import {
  child,
  itemsAt,
  type ManifestDocument,
  type Problem,
  readManifests,
  readValues,
  type SourceText,
  textAt,
  type Value,
  valueAt,
  workloadOf,
} from "../workload/index.ts";
import type { ImageUse } from "./image-collector.ts";
import type { TagPlace, UnknownImage, UsingWorkload } from "./used-image.ts";
import { type ValueImage, valueImages } from "./value-shapes.ts";

export interface ValuesImages {
  readonly uses: readonly ImageUse[];
  readonly unknown: readonly UnknownImage[];
  readonly problems: readonly Problem[];
}

const nothing: ValuesImages = { uses: [], unknown: [], problems: [] };

/** `values.yaml`, `values-prod.yaml`, `prod.values.yml`. */
export function isValuesFile(path: string): boolean {
  return /(?:^|[-._])values(?:[-._][^/\\]*)?\.ya?ml$/i.test(basename(path));
}

/** The values of a chart and of the charts that are unpacked in it. Never throws. */
export function valuesOfChart(folder: string, options: ValuesOptions): readonly ValuesImages[] {
  const subcharts = namesIn(join(folder, "charts")).map((name) => join(folder, "charts", name));
  return [folder, ...subcharts].flatMap((chart) =>
    namesIn(chart)
      .filter(isValuesFile)
      .map((name) => valuesInFile(join(chart, name), options)),
  );
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder).toSorted();
  } catch {
    return [];
  }
}

function valuesInFile(file: string, options: ValuesOptions): ValuesImages {
  try {
    return valuesIn(decodeText(readInputBytes(file, { limit: longestInput })), file, options);
  } catch (error) {
    const message = `it cannot be read: ${errorText(error)}`;
    return { ...nothing, problems: [{ source: { file, line: 1, column: 1 }, message }] };
  }
}

export interface ValuesOptions {
  readonly placeholderIn: PlaceholderTest;
  /** Whether helm has rendered the chart: then its templates have said what an image is without its tag. */
  readonly isRendered: boolean;
}

/** The images of a text that has values; none where it is something else. */
export function valuesIn(content: string, file: string, options: ValuesOptions): ValuesImages {
  if (readOther(content, file) !== undefined) return nothing;
  const { text, values, problems } = readValues(content, file);
  const found = values.filter(isValues).flatMap((value) => valueImages(value));
  const chart = options.isRendered ? undefined : chartBeside(file);
  return { ...sorted(found, text, chart, options), problems };
}

/** Where objects of Flux and Argo CD have the values of charts that are rendered in the cluster. */
const inObjects: readonly { readonly kind: string; readonly paths: readonly string[] }[] = [
  { kind: "HelmRelease", paths: ["spec.values"] },
  { kind: "Application", paths: argoPaths("spec") },
  { kind: "ApplicationSet", paths: argoPaths("spec.template.spec") },
];

function argoPaths(spec: string): readonly string[] {
  return [`${spec}.source.helm.valuesObject`, `${spec}.sources[*].helm.valuesObject`];
}

/** The images of values in the objects of a text; each object is the workload of its images. */
export function valuesInObjects(content: string, file: string, options: ValuesOptions): ValuesImages {
  if (!/HelmRelease|valuesObject/.test(content)) return nothing;
  const uses: ImageUse[] = [];
  const unknown: UnknownImage[] = [];
  for (const document of readManifests(content, file).documents) {
    const paths = inObjects.flatMap((each) => (each.kind === document.kind ? each.paths : []));
    for (const values of paths.flatMap((path) => reached(document.root, path))) {
      for (const image of valueImages(values.value, values.path)) {
        const found = sorted([image], document.text, undefined, options);
        const name = pathOf(image).slice(values.path.length + 1) || "values";
        for (const use of found.uses) uses.push({ ...use, workload: workloadFor(use, name, document) });
        for (const each of found.unknown) unknown.push(each);
      }
    }
  }
  return { uses, unknown, problems: [] };
}

function workloadFor({ image, place }: ImageUse, name: string, document: ManifestDocument): UsingWorkload {
  const workload = workloadOf(document, undefined);
  const { source } = place ?? document;
  const container = { name, kind: "container" } as const;
  return { workload, container, source, request: { source, workload, container, image, pullPolicy: undefined } };
}

function pathOf(image: ValueImage): string {
  if (image.kind === "whole") return child(image.field.path, image.field.imageKey);
  return image.kind === "unknown" ? "" : image.path;
}

/** The values at a path; `[*]` stands for every item of a list. */
function reached(root: Value, path: string): readonly { readonly value: Value; readonly path: string }[] {
  return path.split(".").reduce<readonly { readonly value: Value; readonly path: string }[]>(
    (from, step) =>
      from.flatMap((each) => {
        const key = step.replace(/\[\*\]$/, "");
        const next = child(each.path, key);
        if (key !== step) return itemsAt(each.value, key).map((value, at) => ({ value, path: `${next}[${at}]` }));
        const value = valueAt(each.value, key);
        return value === undefined ? [] : [{ value, path: next }];
      }),
    [{ value: root, path: "" }],
  );
}

/** Images that are known, and those that are not. */
function sorted(
  found: readonly ValueImage[],
  text: SourceText,
  chart: Chart | undefined,
  { placeholderIn, isRendered }: ValuesOptions,
): Omit<ValuesImages, "problems"> {
  const uses: ImageUse[] = [];
  const unknown: UnknownImage[] = [];
  for (const image of found) {
    const known = useOf(image, text, chart);
    const placeholder = known && placeholderIn(known.image.given);
    if (placeholder !== undefined) unknown.push({ ...unknownOf(image, text), because: placeholder });
    else if (known !== undefined) uses.push(known);
    else if (!isRendered) unknown.push(unknownOf(image, text));
  }
  return { uses, unknown };
}

/** A mapping that is no object of Kubernetes. Values may well have a `kind` alone. */
function isValues(value: Value): boolean {
  return value.kind === "mapping" && (textAt(value, "apiVersion") === undefined || textAt(value, "kind") === undefined);
}

function useOf(image: ValueImage, text: SourceText, chart: Chart | undefined): ImageUse | undefined {
  const source = text.position(image.at.start);
  const place = (change: TagPlace["change"]): TagPlace => ({ source, format: "values", change });
  const never = (because: string) => place({ kind: "none", because });
  switch (image.kind) {
    case "whole":
      return { image: readImageName(image.image), place: place({ kind: "image", text, field: image.field }) };
    case "parts": {
      const { holder, path, tagKey, digestKey, fixed } = image;
      const change = { kind: "parts", text, holder, path, tagKey, digestKey } as const;
      return { image: readImageName(image.image), place: fixed === undefined ? place(change) : never(fixed) };
    }
    case "appVersion": {
      if (chart === undefined || !isOwn(image, chart)) return undefined;
      const own = readImageName(`${image.name}:${chart.appVersion}`);
      if (own.kind === "invalid") return undefined;
      return { image: own, place: never("its tag is the chart's appVersion") };
    }
    case "unknown":
      return undefined;
  }
}

function unknownOf(image: ValueImage, text: SourceText): UnknownImage {
  const source = text.position(image.at.start);
  switch (image.kind) {
    case "unknown":
      return { given: image.given, source, because: image.because };
    case "appVersion":
      return { given: image.name, source, because: "its tag is empty, and the chart's templates say what it is then" };
    default:
      return { given: image.image, source, because: "it is no image" };
  }
}

// The version of a chart's own image, where its tag is empty.

interface Chart {
  readonly name: string;
  readonly appVersion: string;
}

/** Templates that write `v1.2.3` where the chart says 1.2.3. */
const prefixed = /v(?:%s"[^}\n]{0,40}|\{\{-?\s*)\.Chart\.AppVersion/;

/** Templates of one chart that are searched, at most. */
const mostTemplates = 1000;

/** The chart beside a file; `undefined` where its templates do something else with its version. */
function chartBeside(file: string): Chart | undefined {
  const folder = dirname(file);
  const text = textOf(join(folder, "Chart.yaml"));
  if (text === undefined) return undefined;
  const [value] = readValues(text, "Chart.yaml").values;
  const appVersion = writtenText(valueAt(value, "appVersion"), text);
  if (appVersion === "") return undefined;
  const templates = namesIn(join(folder, "templates")).slice(0, mostTemplates);
  const isPrefixed = templates.some((name) => prefixed.test(textOf(join(folder, "templates", name)) ?? ""));
  return isPrefixed ? undefined : { name: textAt(value, "name") ?? "", appVersion };
}

/** A number as it is written. */
function writtenText(value: Value | undefined, text: string): string {
  if (value?.kind !== "scalar") return "";
  return typeof value.value === "string" ? value.value : (/^[\w.+-]+/.exec(text.slice(value.start))?.[0] ?? "");
}

/** Words in the names of charts that say nothing about whose image it is. */
const generic = /^(?:kube|kubernetes|operator|exporter|stack|chart|helm|server|controller|agent|.{0,3})$/;

/** Whether an image is the chart's own: others have a version of their own, whatever their empty tag stands for. */
function isOwn({ name, path }: { readonly name: string; readonly path: string }, chart: Chart): boolean {
  if (path === "image") return true;
  const words = chart.name
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => !generic.test(word));
  return words.some((word) => name.slice(name.indexOf("/") + 1).includes(word));
}

function textOf(file: string): string | undefined {
  try {
    return decodeText(readInputBytes(file, { limit: longestConfigFile }));
  } catch {
    return undefined;
  }
}
