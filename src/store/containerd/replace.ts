/** Replaces damaged content. */
import type { Digest } from "../../image/index.ts";
import { PulleyError } from "../../support/errors.ts";
import type { Content } from "../stored-record.ts";
import type { Contents } from "./contents.ts";
import { labels } from "./context.ts";
import type { Protection } from "./protection.ts";
import { type Chunks, type WriteTarget, writeContent } from "./write.ts";

/**
 * Content that was found to be damaged is read once more and, if it still is, deleted and written anew, with all its
 * labels. Only now, when the right bytes are at hand, and only if Pulley brought it: whatever else is in containerd is not
 * Pulley's to delete.
 * @throws PulleyError `RUNTIME_FAILED` if another program brought the content, or has it in another namespace
 */
export async function replaceDamaged(
  contents: Contents,
  lease: Protection,
  writing: WriteTarget,
  content: Content,
  chunks: Chunks,
): Promise<void> {
  const { digest } = content;
  const known = await contents.find(digest);
  if (known !== undefined && (!known.isDamaged || (await contents.check(digest)) === "sound")) return;
  if (known !== undefined && !known.labels[labels.brought]) throw othersDamage(digest, writing.daemon.namespace);
  const { [labels.damaged]: _, ...kept } = known?.labels ?? {};
  // What only this content leads to would be collected with it.
  await lease.keepNeeded(kept);
  await contents.remove(digest);
  await writeContent({ ...writing, labels: Object.assign(kept, writing.labels) }, content, chunks);
  if ((await contents.check(digest)) === "sound") return;
  throw new PulleyError("RUNTIME_FAILED", `${digest} is damaged in containerd's content, in another namespace too`, {
    advice: `Remove it there, too: ctr namespaces ls, then ctr -n NAMESPACE content rm ${digest}.`,
  });
}

function othersDamage(digest: Digest, namespace: string): PulleyError {
  const text = `${digest} is damaged in containerd's content, and another program brought it, so that it is not deleted`;
  return new PulleyError("RUNTIME_FAILED", text, {
    advice: `Remove it with ctr -n ${namespace} content rm ${digest}, then pull the image again.`,
  });
}
