/** The manifests of a folder, read again when they have changed and are not being written any more. */
import { constants } from "node:fs";
import { open, readdir } from "node:fs/promises";
import { join } from "node:path";
import { errorText } from "../../support/errors.ts";
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

/** Bytes of one file (k8s `maxConfigLength`). */
const longestFile = 10 * 1024 * 1024;
const mostFiles = 1000;

export interface FolderScan {
  /** Names of all manifests that are there. */
  readonly names: ReadonlySet<string>;
  /** Those that are new or have changed. */
  readonly changed: readonly ManifestFile[];
  /** Why the folder or a file in it could not be read. */
  readonly problems: readonly string[];
}

export interface ManifestFolder {
  scan(): Promise<FolderScan>;
}

/** A file that is changing is left for the next scan: what is half written may be a manifest, too. */
export function manifestFolder(folder: string): ManifestFolder {
  /** The state of each file at the last scan, and when it was read. */
  const seen = new Map<string, string>();
  const read = new Map<string, string>();
  let isFirst = true;

  async function readChanged(name: string): Promise<ManifestFile | undefined> {
    const path = join(folder, name);
    // A pipe would be waited for; opened like this, it shows what it is.
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const stat = await file.stat();
      if (!stat.isFile()) return undefined;
      const look = `${stat.ino} ${stat.size} ${stat.mtimeMs} ${stat.ctimeMs}`;
      const isStill = isFirst || seen.get(name) === look;
      seen.set(name, look);
      if (!isStill || read.get(name) === look) return undefined;
      if (stat.size > longestFile) throw new Error(`it is longer than ${longestFile / 1024 / 1024} MiB`);
      const text = await file.readFile("utf8");
      read.set(name, look);
      return { name, path, text };
    } finally {
      await file.close();
    }
  }

  return {
    scan: async () => {
      const problems: string[] = [];
      let all: string[];
      try {
        all = (await readdir(folder)).filter(isManifest).toSorted();
      } catch (error) {
        // A folder that cannot be read is no reason to end what came from it.
        return { names: new Set(seen.keys()), changed: [], problems: [`${folder}: ${errorText(error)}`] };
      }
      if (all.length > mostFiles) problems.push(`${folder}: more than ${mostFiles} manifests: the others are not read`);
      const names = all.slice(0, mostFiles);
      const changed: ManifestFile[] = [];
      for (const name of names) {
        const file = await readChanged(name).catch((error: unknown) => {
          problems.push(`${join(folder, name)}: ${errorText(error)}`);
        });
        if (file) changed.push(file);
      }
      for (const name of seen.keys()) {
        if (names.includes(name)) continue;
        seen.delete(name);
        read.delete(name);
      }
      isFirst = false;
      return { names: new Set(names), changed, problems };
    },
  };
}

function isManifest(name: string): boolean {
  return !name.startsWith(".") && /\.(ya?ml|json)$/i.test(name);
}

// Pods from the manifests of a folder, as a kubelet has static pods (k8s pkg/kubelet/config/file.go).

interface ManifestFile {
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
