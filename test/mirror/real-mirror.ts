/** A mirror that speaks to real registries. */
import { onTestFinished } from "vitest";
import { mirrorPseudonym } from "../../src/mirror/index.ts";
import { type MirrorGiven, openMirror, type TestMirror } from "../../src/mirror/testing/mirror.ts";
import { createRegistryClient } from "../../src/registry/index.ts";

export async function realMirror(given: Omit<MirrorGiven, "registry"> = {}): Promise<TestMirror> {
  const pseudonym = given.pseudonym ?? mirrorPseudonym();
  const registry = createRegistryClient({ via: pseudonym }, { environment: {} });
  onTestFinished(() => registry.close());
  return openMirror({ ...given, registry, pseudonym });
}
