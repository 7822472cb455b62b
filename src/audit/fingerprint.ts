/** Fingerprints identify findings. They stay the same when lines move. */
import { createHash } from "node:crypto";
import { sep } from "node:path";
import type { ImageRequest } from "../workload/index.ts";

/**
 * The fingerprints of one file. A counter tells identical findings apart: two containers of one name, two identical
 * documents.
 */
export class Fingerprints {
  readonly #counts = new Map<string, number>();
  readonly #file: string;

  constructor(file: string) {
    this.#file = plainPath(file);
  }

  /** @param details what a finding without a container is about */
  of(rule: string, request: ImageRequest | undefined, details = ""): string {
    const identity = JSON.stringify([rule, this.#file, details, ...(request === undefined ? [] : identityOf(request))]);
    const count = (this.#counts.get(identity) ?? 0) + 1;
    this.#counts.set(identity, count);
    return createHash("sha256").update(`${identity}#${count}`).digest("hex").slice(0, 32);
  }
}

/** The same for `a.yaml` and `./a.yaml`, which are two ways to call for one file, and on Windows as elsewhere. */
export function plainPath(file: string, separator = sep): string {
  return file.replaceAll(separator, "/").replace(/^(?:\.\/+)+/, "");
}

function identityOf({ workload, container, image }: ImageRequest): string[] {
  const { apiVersion, kind, namespace, name } = workload;
  return [apiVersion, kind, namespace, name, container.kind, container.name, image.given];
}
