/**
 * Identifiers of pods that no API server gave one: the same pod gets the same, so that its containers are found again,
 * and a changed one another (k8s pkg/kubelet/config/common.go makes them of the manifest, too). What Secrets hold does
 * not go in, for an identifier is no secret.
 */
import { createHash } from "node:crypto";
import type { DataObject, DataObjects, Pod, PodContainer, PodSpec } from "../../workload/index.ts";

/** @param place what tells equal pods of different places from each other */
export function withUid(pod: Pod, { configMaps }: DataObjects, place: string): Pod {
  const { namespace, name, labels, annotations, serviceAccountName, imagePullSecrets, spec } = pod;
  const images = [...pod.containers, ...pod.imageVolumes].map(imageOf);
  const wanted = spec === undefined ? new Set<string>() : configMapsOf(spec);
  const used = configMaps.filter((one) => one.namespace === namespace && wanted.has(one.name)).map(contentOf);
  const parts = [place, namespace, name, labels, annotations, serviceAccountName, imagePullSecrets, spec, images, used];
  return { ...pod, uid: uidOf(JSON.stringify(parts)) };
}

function imageOf({ name, kind, image, pullPolicy }: PodContainer) {
  return [name, kind, image, pullPolicy];
}

function contentOf({ name, data }: DataObject) {
  return [name, [...data].map(([key, bytes]) => [key, Buffer.from(bytes).toString("base64")])];
}

/** Names of the ConfigMaps that the pod takes anything from. */
function configMapsOf({ containers, volumes }: PodSpec): ReadonlySet<string> {
  const inEnvironments = containers.flatMap(({ env, envFrom }) => [...env.map(({ from }) => from), ...envFrom]);
  const inVolumes = volumes.flatMap(({ source }) => (source.kind === "files" ? source.sources : []));
  const sources = [...inEnvironments, ...inVolumes];
  return new Set(sources.flatMap((source) => (source.kind === "configMap" ? [source.name] : [])));
}

/** A text's hash in the form of a UUID (RFC 9562, version 8). */
export function uidOf(text: string): string {
  const hash = createHash("sha256").update(text).digest("hex");
  const parts = [hash.slice(0, 8), hash.slice(8, 12), `8${hash.slice(13, 16)}`, `a${hash.slice(17, 20)}`];
  return [...parts, hash.slice(20, 32)].join("-");
}
