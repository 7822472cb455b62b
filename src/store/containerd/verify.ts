/** Reading everything again that an image in containerd needs. */
import type { Verified, VerifyOptions } from "../image-store.ts";
import { needs } from "../stored-record.ts";
import { inTurn, keepersOf, verified } from "../verifying.ts";
import type { Contents } from "./contents.ts";
import type { Names } from "./names.ts";

export async function* checkContents(
  contents: Contents,
  names: Names,
  options: VerifyOptions = {},
): AsyncGenerator<Verified, void> {
  const needed = keepersOf(await names.fresh(), needs);
  for (const digest of inTurn(needed.keys(), options)) {
    const state = (await contents.check(digest, options.pace)) ?? "missing";
    // Content that is gone together with its image is not missing.
    if (state === "missing" && !keepersOf(await names.fresh(), needs).has(digest)) continue;
    yield verified(digest, state, needed.get(digest) ?? []);
  }
}
