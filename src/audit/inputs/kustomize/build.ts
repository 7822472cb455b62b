/** Builds one kustomization with kustomize, or with `kubectl kustomize`. */
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative, resolve, sep } from "node:path";
import { decodeTextLoosely } from "../../../support/text-bytes.ts";
import { type ImageFields, type ManifestDocument, readManifests, readValues, textAt } from "../../../workload/index.ts";
import { asPath, outputOf, type ProgramOptions, type ProgramOutput } from "../program.ts";
import type { Kustomization } from "./kustomization.ts";

export interface BuildOptions extends ProgramOptions {
  /** Whether kustomize may fetch bases from the network. */
  readonly remoteBases?: boolean | undefined;
  /** Image fields of custom resources, in addition to the built-in ones. */
  readonly imageFields?: readonly ImageFields[] | undefined;
}

export type Build =
  | { readonly kind: "built"; readonly objects: readonly BuiltObject[] }
  | { readonly kind: "missing" }
  /** `by`: `kustomize`, `kubectl kustomize`. */
  | { readonly kind: "failed"; readonly by: string; readonly problem: string };

/** An object that asks for images, or a Secret. */
export interface BuiltObject {
  readonly document: ManifestDocument;
  /** The absolute path of its file; absent where it was generated or came from the network. */
  readonly origin: string | undefined;
}

const origin = "config.kubernetes.io/origin";

/** Builds a kustomization. Each object has the file that it comes from, where kustomize reports it. Never throws. */
export async function buildKustomization({ folder, realFolder }: Kustomization, options: BuildOptions): Promise<Build> {
  const programs = options.remoteBases ? options : { ...options, environment: offline(options.environment) };
  const outside = folderOutside(realFolder);
  if (outside === undefined) return await built(folder, undefined, programs);
  try {
    writeFileSync(join(outside, "kustomization.yaml"), above(relative(outside, realFolder)));
    const build = await built(outside, outside, programs);
    // Old versions do not know origin annotations, and an error is clearer about the folder itself.
    return build.kind === "failed" ? await built(folder, undefined, programs) : build;
  } finally {
    rmSync(outside, { recursive: true, force: true });
  }
}

/** A temporary folder for a kustomization on top: the only way to get origin annotations without changing files. */
function folderOutside(folder: string): string | undefined {
  try {
    const temporary = realpathSync(tmpdir());
    // A folder inside of it would be a cycle to kustomize.
    if (`${temporary}${sep}`.startsWith(folder.endsWith(sep) ? folder : folder + sep)) return undefined;
    return mkdtempSync(join(temporary, "pulley-kustomize-"));
  } catch {
    return undefined;
  }
}

function above(path: string): string {
  return JSON.stringify({ buildMetadata: ["originAnnotations"], resources: [path.split(sep).join("/")] });
}

async function built(folder: string, outside: string | undefined, programs: ProgramOptions): Promise<Build> {
  const path = asPath(folder);
  const first = await outputOf("kustomize", ["build", path], programs);
  if (first.kind !== "missing") return buildOf(first, "kustomize", outside);
  return buildOf(await outputOf("kubectl", ["kustomize", path], programs), "kubectl kustomize", outside);
}

function buildOf(output: ProgramOutput, by: string, outside: string | undefined): Build {
  if (output.kind === "missing") return output;
  if (output.kind === "failed") return { ...output, by };
  const texts = decodeTextLoosely(output.bytes).split(/^---\r?\n/m);
  const documents = texts.filter(mayMatter).flatMap((text) => readManifests(text, "-").documents);
  return { kind: "built", objects: documents.map((document) => ({ document, origin: originOf(document, outside) })) };
}

/** Custom resource definitions are the largest part of most builds, and have no images. */
function mayMatter(text: string): boolean {
  if (/^kind: CustomResourceDefinition\r?$/m.test(text)) return false;
  return /image|reference:|^kind: \w*Secret\r?$/im.test(text);
}

function originOf({ root }: ManifestDocument, outside: string | undefined): string | undefined {
  const text = textAt(root, "metadata", "annotations", origin);
  if (text === undefined || outside === undefined) return undefined;
  const [value] = readValues(text, "-").values;
  const path = textAt(value, "repo") === undefined ? textAt(value, "path") : undefined;
  return path === undefined ? undefined : resolve(outside, path);
}

/** An environment in which kustomize, and the git that it calls, reach nothing on the network. */
function offline(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const nowhere = "http://127.0.0.1:9";
  const proxies = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"].flatMap((name) => [name, name.toLowerCase()]);
  const none = { NO_PROXY: "", no_proxy: "", GIT_ALLOW_PROTOCOL: "none" };
  return { ...environment, ...Object.fromEntries(proxies.map((name) => [name, nowhere])), ...none };
}
