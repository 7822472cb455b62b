/** A mirror that speaks to real registries. */
import { onTestFinished } from "vitest";
import { createViaId } from "../../src/mirror/index.ts";
import { type MirrorGiven, openMirror, type TestMirror } from "../../src/mirror/testing/mirror.ts";
import { createRegistryClient } from "../../src/registry/index.ts";

export async function realMirror(given: Omit<MirrorGiven, "registry"> = {}): Promise<TestMirror> {
  const viaId = given.viaId ?? createViaId();
  const registry = createRegistryClient({ via: viaId }, { environment: {} });
  onTestFinished(() => registry.close());
  return openMirror({ ...given, registry, viaId });
}
