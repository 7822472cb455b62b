/** Pods from the manifests of a folder, as a kubelet has static pods (k8s pkg/kubelet/config/file.go). */

import {
  type DataObject,
  type DataObjects,
  type ManifestDocument,
  type Pod,
  type Problem,
  type PullSecret,
  podsOf,
  readManifests,
} from "../../workload/index.ts";
import { staticPod } from "../containers/labels.ts";
import { uidOf, withUid } from "../containers/pod-uid.ts";

export interface ManifestFile {
  /** Its name in the folder. */
  readonly name: string;
  readonly path: string;
  readonly text: string;
}

export interface FilePods {
  readonly pods: readonly Pod[];
  readonly secrets: readonly PullSecret[];
  readonly objects: DataObjects;
  readonly problems: readonly Problem[];
  readonly warnings: readonly Problem[];
}

/** A file that was read, before its pods are made: for that the service accounts of all files count. */
export interface ReadFile {
  readonly file: ManifestFile;
  readonly documents: readonly ManifestDocument[];
  readonly problems: readonly Problem[];
}

export function readFileDocuments(file: ManifestFile): ReadFile {
  const { documents, problems } = readManifests(file.text, file.path);
  const source = { file: file.path, line: 1, column: 1 };
  const isEmpty = documents.length === 0 && problems.length === 0;
  return { file, documents, problems: isEmpty ? [{ source, message: "there is no object in this file" }] : problems };
}

/** What one file asks for. Names that are made up are the same at every reading. */
export function filePods({ file, documents, problems }: ReadFile, accounts: readonly ManifestDocument[]): FilePods {
  let count = 0;
  const newUid = () => {
    count += 1;
    return uidOf(`${file.name} ${count}`);
  };
  const others = accounts.filter(({ source }) => source.file !== file.path);
  const expanded = podsOf([...others, ...documents], { newUid, starting: true });
  const own = ({ source }: Problem) => source.file === file.path;
  const { pods, secrets, objects } = expanded;
  return {
    pods,
    secrets,
    objects,
    problems: [...problems, ...expanded.problems.filter(own)],
    warnings: expanded.warnings.filter(own),
  };
}

export function accountsOf(files: readonly ReadFile[]): readonly ManifestDocument[] {
  return files.flatMap(({ documents }) => documents.filter(({ kind }) => kind === "ServiceAccount"));
}

export interface WantedPods {
  readonly pods: readonly Pod[];
  readonly secrets: readonly PullSecret[];
  readonly objects: DataObjects;
  /** Pods that another file has already. */
  readonly problems: readonly Problem[];
}

/** All files together: what is in one of them can be used by the pods of the others. */
export function combined(files: readonly FilePods[]): WantedPods {
  const objects: DataObjects = {
    configMaps: files.flatMap(({ objects: { configMaps } }): readonly DataObject[] => configMaps),
    secrets: files.flatMap(({ objects: { secrets } }): readonly DataObject[] => secrets),
  };
  const pods = new Map<string, Pod>();
  const problems: Problem[] = [];
  for (const pod of files.flatMap((file) => file.pods)) {
    const key = `${pod.namespace}/${pod.name}`;
    if (!pods.has(key)) pods.set(key, asStatic(withUid(pod, objects, "manifests")));
    else if (pod.source !== undefined) {
      problems.push({ source: pod.source, message: `pods "${pod.name}" already exists, in another file` });
    }
  }
  return { pods: [...pods.values()], secrets: files.flatMap(({ secrets }) => secrets), objects, problems };
}

function asStatic(pod: Pod): Pod {
  return { ...pod, annotations: { ...pod.annotations, ...staticPod } };
}
