/**
 * Policies, pods and states by chance: everything that decides comes to what a second reading of docs/policy.md comes to.
 * The title has the seed.
 */
import { expect, it } from "vitest";
import { count, each, seed } from "./each.ts";
import { engine, mirror, node, simulate, start } from "./faces.ts";
import { ending, outlook, pullPolicyOf, startOf } from "./model.ts";
import type { Situation } from "./situation.ts";

type Answer = readonly [found: unknown, expected: unknown];

/** Each with what the model says of the same. */
async function answersTo(situation: Situation): Promise<Readonly<Record<string, Answer>>> {
  const expected = outlook(situation);
  return {
    engine: [engine(situation), { outlook: expected, pullPolicy: pullPolicyOf(situation) }],
    simulate: [simulate(situation), expected],
    node: [await node(situation), ending(situation)],
    ...(await pullByHand(situation)),
    ...(await startFromCopy(situation)),
    ...(await askMirror(situation)),
  };
}

/** Who names an image by hand is nobody in particular, and means to ask. */
async function pullByHand(situation: Situation): Promise<Readonly<Record<string, Answer>>> {
  const { image } = situation.asker;
  const asker = { image, namespace: "default", labels: {}, container: "image", pullPolicy: "Always" };
  return { pull: [await node({ ...situation, asker }), ending({ ...situation, asker })] };
}

/** Nobody asks then whether the pod may have the copy: whoever makes containers has asked before. */
async function startFromCopy(situation: Situation): Promise<Readonly<Record<string, Answer>>> {
  const { copy, asker } = situation;
  if (copy === undefined || asker.image.name === undefined) return {};
  const granted = { ...situation, copy: { ...copy, granted: true } };
  return { start: [await start(granted), startOf(granted)] };
}

/** Who asks it is nobody in particular, and asks by a tag or by a digest. */
async function askMirror(situation: Situation): Promise<Readonly<Record<string, Answer>>> {
  const { copy, asker } = situation;
  const { name, tag, digest, text } = asker.image;
  if (name === undefined || (digest !== undefined && tag !== undefined)) return {};
  const whole = { ...asker.image, text: `${[name.host, ...name.path].join("/")}:${tag}`, tagged: true };
  const image = digest === undefined ? whole : { ...asker.image, text };
  const nobody = { image, namespace: "default", labels: {}, container: "image", pullPolicy: "Always" };
  const asked = { ...situation, asker: nobody, ...(copy && { copy: { ...copy, granted: true } }) };
  const expected = outlook(asked);
  const found = await mirror(asked);
  return { mirror: expected.kind === "refused" ? [found.kind, "refused"] : [found, expected] };
}

it(`what comes of ${count} situations with the seed ${seed} is the same everywhere`, async () => {
  const faces = new Map<string, number>();
  await each(async (situation) => {
    const answers = Object.entries(await answersTo(situation));
    for (const [face] of answers) faces.set(face, (faces.get(face) ?? 0) + 1);
    const found = Object.fromEntries(answers.map(([face, [is]]) => [face, is]));
    return [found, Object.fromEntries(answers.map(([face, [, wanted]]) => [face, wanted]))];
  });
  expect([...faces.keys()].sort()).toEqual(["engine", "mirror", "node", "pull", "simulate", "start"]);
  for (const asked of faces.values()) expect(asked).toBeGreaterThan(count / 3);
});
