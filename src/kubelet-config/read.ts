/** Reads the text of a kubelet's configuration file, as far as it is about images. */

import { keyPosition, positionOf, suggestion } from "../policy/index.ts";
import { PulleyError } from "../support/errors.ts";
import { quote } from "../support/go.ts";
import {
  fieldReader,
  kubeletDecodeProblem,
  kubeletScheme,
  type ManifestDocument,
  type MappingValue,
  type Problem,
  type RefuseField,
  readManifests,
  type Value,
} from "../workload/index.ts";
import { withDefaults } from "./defaults.ts";
import { type KnownFields, knownFields } from "./known-fields.ts";
import type { GivenConfiguration, KubeletConfiguration } from "./types.ts";
import { validateConfiguration } from "./validation.ts";

export type { GivenConfiguration, KubeletConfiguration } from "./types.ts";

const apiVersion = "kubelet.config.k8s.io/v1beta1";
const kind = "KubeletConfiguration";

export interface ReadConfiguration {
  readonly configuration: KubeletConfiguration;
  /** Problems that keep a kubelet from starting; the configuration must not be used. */
  readonly problems: readonly Problem[];
  /** Unknown fields; a kubelet starts all the same, and logs them. */
  readonly warnings: readonly Problem[];
}

/**
 * Reads a KubeletConfiguration, YAML or JSON. Never throws.
 * @param file path as the user gave it
 * @param flags values of the command line, which override the file
 */
export function readKubeletConfiguration(
  text: string,
  file: string,
  flags: GivenConfiguration = {},
): ReadConfiguration {
  const { documents, problems: unreadable } = readManifests(text, file);
  const [document, second] = documents;
  const problems: Problem[] = [...unreadable];
  if (document === undefined) {
    if (problems.length === 0) {
      const isEmpty = text === "";
      const message = isEmpty
        ? `kubelet config file ${quote(file)} was empty`
        : "failed to decode: Object 'Kind' is missing in 'null'";
      problems.push({ source: { file, line: 1, column: 1 }, message });
    }
    return { configuration: withDefaults(flags), problems, warnings: [] };
  }
  if (second !== undefined) {
    problems.push({
      source: second.source,
      message: `a second document: a kubelet reads only the first one of a file`,
    });
  }
  const stranger = strangerProblem(document);
  if (stranger !== undefined)
    return { configuration: withDefaults(flags), problems: [...problems, stranger], warnings: [] };
  const refuse = (at: Value, message: string) => {
    problems.push({ source: document.text.position(at.start), message });
  };
  const given = withFlags(decodeConfiguration(document.root, refuse), flags);
  for (const { path, message } of validateConfiguration(given)) {
    problems.push({ source: positionOf(document, path), message });
  }
  return {
    configuration: withDefaults(given),
    problems: problems.toSorted(byPlace),
    warnings: [...unknownFields(document)].toSorted(byPlace),
  };
}

/** The configuration without a file: the defaults and the command line's values. @throws PulleyError `USAGE` */
export function kubeletConfiguration(flags: GivenConfiguration = {}): KubeletConfiguration {
  const problems = validateConfiguration(flags).map(({ message }) => message);
  if (problems.length === 0) return withDefaults(flags);
  throw new PulleyError("USAGE", problems.join("\n"));
}

/** Values of the flags, and of the file where a flag is absent. */
function withFlags(given: GivenConfiguration, flags: GivenConfiguration): GivenConfiguration {
  return { ...given, ...Object.fromEntries(Object.entries(flags).filter(([, value]) => value !== undefined)) };
}

function strangerProblem(document: ManifestDocument): Problem | undefined {
  const problem = kubeletDecodeProblem(document, kubeletScheme);
  if (problem !== undefined) {
    const hint = document.kind === kind ? suggestion(document.apiVersion, [apiVersion]) : "";
    const key = document.kind === kind ? "apiVersion" : "kind";
    return { source: positionOf(document, [key]), message: `failed to decode: ${problem}${hint}` };
  }
  if (document.kind === kind) return undefined;
  const found = `${document.apiVersion}, Kind=${document.kind}`;
  const message = `failed to cast object to KubeletConfiguration, unexpected type: ${found}`;
  return { source: positionOf(document, ["kind"]), message };
}

/**
 * The kubelet decodes strictly, and if only that fails once more without being strict
 * (k8s pkg/kubelet/kubeletconfig/util/codec/codec.go): so a newer version's field is no obstacle, and neither is a slip.
 */
function* unknownFields(
  document: ManifestDocument,
  value: Value = document.root,
  known: KnownFields = knownFields,
  above: readonly string[] = [],
): Generator<Problem> {
  if (value.kind !== "mapping") return;
  for (const [key, entry] of value.entries) {
    const path = [...above, key];
    const below = known.get(key);
    if (below === undefined) {
      const hint = suggestion(key, [...known.keys()]);
      const message = `strict decoding error: unknown field ${quote(path.join("."))}${hint}; it has no effect`;
      yield { source: keyPosition(document, path), message };
    } else if (below !== true) {
      yield* unknownFields(document, entry, below, path);
    }
  }
}

function byPlace({ source: one }: Problem, { source: other }: Problem): number {
  return one.line - other.line || one.column - other.column;
}

/** The fields of a document that are about images. A field of the wrong type is reported, and left out. */
function decodeConfiguration(root: MappingValue, refuse: RefuseField): GivenConfiguration {
  const { boolean, integer, text, duration, texts, textMap, booleanMap, struct } = fieldReader(
    root,
    { name: "KubeletConfiguration", package: "v1beta1" },
    refuse,
  );
  return {
    serializeImagePulls: boolean("serializeImagePulls"),
    maxParallelImagePulls: integer("maxParallelImagePulls"),
    registryPullQPS: integer("registryPullQPS"),
    registryBurst: integer("registryBurst"),
    imageGCHighThresholdPercent: integer("imageGCHighThresholdPercent"),
    imageGCLowThresholdPercent: integer("imageGCLowThresholdPercent"),
    imageMinimumGCAge: duration("imageMinimumGCAge"),
    imageMaximumGCAge: duration("imageMaximumGCAge"),
    imagePullCredentialsVerificationPolicy: text("imagePullCredentialsVerificationPolicy"),
    preloadedImagesVerificationAllowlist: texts("preloadedImagesVerificationAllowlist"),
    nodeStatusMaxImages: integer("nodeStatusMaxImages"),
    maxContainerRestartPeriod: struct("crashLoopBackOff", "CrashLoopBackOffConfig").duration(
      "maxContainerRestartPeriod",
    ),
    runtimeRequestTimeout: duration("runtimeRequestTimeout"),
    containerRuntimeEndpoint: text("containerRuntimeEndpoint"),
    imageServiceEndpoint: text("imageServiceEndpoint"),
    staticPodPath: text("staticPodPath"),
    fileCheckFrequency: duration("fileCheckFrequency"),
    evictionHard: textMap("evictionHard"),
    evictionSoft: textMap("evictionSoft"),
    evictionSoftGracePeriod: textMap("evictionSoftGracePeriod"),
    evictionMinimumReclaim: textMap("evictionMinimumReclaim"),
    evictionPressureTransitionPeriod: duration("evictionPressureTransitionPeriod"),
    mergeDefaultEvictionSettings: boolean("mergeDefaultEvictionSettings"),
    featureGates: booleanMap("featureGates"),
  };
}
