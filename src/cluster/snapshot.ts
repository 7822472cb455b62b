/** A list of one moment, from which a watch goes on. */

import { type JsonRecord, recordAt, textAt } from "../support/json-record.ts";
import type { ClusterApi } from "./api.ts";
import { pageReader } from "./list.ts";

export type Snapshot =
  /** Every object of that version was handed over, and no other. */
  | { readonly kind: "listed"; readonly version: string }
  /** The cluster does not have the kind. */
  | { readonly kind: "absent"; readonly message: string }
  /** The moment is over before all pages were read. */
  | { readonly kind: "expired"; readonly message: string };

export interface SnapshotRequest {
  readonly path: string;
  /** Called with each object. */
  readonly take: (object: JsonRecord) => void;
  readonly signal?: AbortSignal | undefined;
}

/** @throws PulleyError as {@link ClusterApi.get} */
export async function readSnapshot(api: ClusterApi, { path, take, signal }: SnapshotRequest): Promise<Snapshot> {
  const read = pageReader(api, { path, signal }, take);
  for (let continuation: string | undefined; ; ) {
    const page = await read(continuation);
    if (page.kind !== "found") return { kind: page.kind, message: page.message };
    const metadata = recordAt(page.document, "metadata");
    continuation = textAt(metadata, "continue");
    // All pages of one moment have its version.
    if (continuation === undefined) return { kind: "listed", version: textAt(metadata, "resourceVersion") ?? "" };
  }
}
