/** How often one `pulley pull` of one image reads the same thing: text becomes a value at the edge, and the value travels. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, it, vi } from "vitest";
import { buildImage } from "../../examples/world/image-builder.ts";
import { type Registry, startRegistry } from "../../examples/world/registry.ts";
import type * as manifest from "../../src/image/manifest.ts";
import type * as reference from "../../src/image/reference.ts";
import type * as matching from "../../src/policy/matched-rules.ts";
import { call, folderForTests } from "./command-line.ts";

const read = vi.hoisted(() => ({ references: [] as string[], rules: 0, manifests: 0 }));

vi.mock("../../src/image/reference.ts", async (importOriginal) => {
  const original = await importOriginal<typeof reference>();
  const counted =
    <Result>(parse: (text: string) => Result) =>
    (text: string) => {
      read.references.push(text);
      return parse(text);
    };
  return {
    ...original,
    parseReference: counted(original.parseReference),
    parseImageName: counted(original.parseImageName),
    readImageName: counted(original.readImageName),
  };
});

vi.mock("../../src/policy/matched-rules.ts", async (importOriginal) => {
  const original = await importOriginal<typeof matching>();
  const matchRules: typeof original.matchRules = (...given) => {
    read.rules += 1;
    return original.matchRules(...given);
  };
  return { ...original, matchRules };
});

vi.mock("../../src/image/manifest.ts", async (importOriginal) => {
  const original = await importOriginal<typeof manifest>();
  const parseManifest: typeof original.parseManifest = (...given) => {
    read.manifests += 1;
    return original.parseManifest(...given);
  };
  return { ...original, parseManifest };
});

const folder = folderForTests();
let registry: Registry;

beforeAll(async () => {
  registry = await startRegistry();
  registry.addImage("team/app:1", await buildImage({ layers: [{ filler: 1000 }], seed: "parses" }));
});

afterAll(() => registry.close());

beforeEach(() => {
  Object.assign(read, { references: [], rules: 0, manifests: 0 });
});

const policy = `apiVersion: pulley.dev/v1alpha1
kind: ImagePullPolicy
metadata: { name: p }
spec: { rules: [{ name: small, require: { maxSize: 1Gi } }] }
`;

it.each([
  ["without a policy", []],
  ["with one", ["--policy", join(folder, "policy.yaml")]],
])("a pull %s", async (name, flags) => {
  writeFileSync(join(folder, "policy.yaml"), policy);
  const root = join(folder, name.replaceAll(" ", "-"));
  mkdirSync(root);
  const image = `${registry.host}/team/app:1`;
  const { status, stderr } = await call(["pull", "--root", root, ...flags, image]);
  expect([status, stderr]).toEqual([0, ""]);
  expect(read).toEqual({ references: [image], rules: 1, manifests: 1 });
});
