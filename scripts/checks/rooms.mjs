// Who may know whom: the floors of the house, and the rules that follow from them for dependency-cruiser.
import { builtinModules } from "node:module";

/** The rooms of `src`, from the ground up. A room imports from the floors below it, never from its own. */
export const floors = [
  ["support"],
  ["image"],
  ["workload"],
  ["policy"],
  ["credentials", "hosts"],
  ["store"],
  ["registry"],
  ["cluster"],
  ["pull"],
  ["kubelet-config"],
  ["pods", "scrub"],
  ["gc"],
  ["doctor"],
  ["audit"],
  ["versions"],
  ["fleet"],
  ["cri", "mirror", "admission", "openfaas", "console"],
  ["daemon"],
  ["cli"],
];

/** Every room but the topmost, with the rooms that it may not import. */
const rooms = floors
  .flatMap((floor, level) => {
    const upwards = floors.slice(level).flat();
    return floor.map((name) => ({ name, notBelow: upwards.filter((other) => other !== name) }));
  })
  .filter(({ notBelow }) => notBelow.length > 0);

/** `support` is a box of tools, each in a file of its own; into `cli` nobody comes. */
export const doorless = ["support", "cli"];

/**
 * A room's doors, where it has more than `index.ts`. The language of policies takes longer to load than many commands take,
 * so it is imported only where there is a policy. Its words for what a schema finds have the types of zod, which the library does not. How tags are read is a subject of its own, which needs nothing of the rest. The databases of histories are loaded only where one is asked for.
 * @type {Record<string, string[]>}
 */
export const doors = {
  policy: ["index.ts", "language/read.ts", "language/issues.ts"],
  fleet: ["index.ts", "history/open.ts"],
  versions: ["index.ts", "tags/index.ts"],
};

/** Rooms that only think: time, randomness and facts come to them as arguments. */
const pureRooms = ["image", "workload", "policy", "versions/tags"];

/** As dependency-cruiser names them: `fs`, `fs/promises`. */
const nodeModules = builtinModules.filter((name) => !name.startsWith("_"));

/** Packages that do no I/O. */
const purePackages = ["js-yaml", "yaml", "zod", "@bufbuild/cel"];

/** Files that run in tests only: the tests, contract suites that several implementations share, and what helps them. */
const testFiles = "\\.test\\.ts$|/(contract|testing)(\\.ts$|/)";

export const rules = [
  ...rooms.map(({ name, notBelow }) => ({
    name: `floor-of-${name}`,
    comment: `${name} may import only from the floors below it.`,
    from: { path: `^src/${name}/` },
    to: { path: `^src/(${oneOf(notBelow)})/` },
  })),
  ...floors
    .flat()
    .filter((name) => !doorless.includes(name))
    .map((name) => ({
      name: `door-of-${name}`,
      comment: `Other rooms know ${name} by its door alone. A test may look inside.`,
      from: { path: "^src/", pathNot: `^src/${name}/|${testFiles}` },
      to: { path: `^src/${name}/`, pathNot: `^src/${name}/(${oneOf(doors[name] ?? ["index.ts"])})$` },
    })),
  {
    name: "pure-without-node",
    comment: "A room that only thinks imports no module of Node, not even through another room.",
    from: { path: `^src/(${oneOf(pureRooms)})/`, pathNot: testFiles },
    to: { path: `^(${oneOf(nodeModules)})$`, reachable: true },
  },
  {
    name: "pure-without-packages",
    comment: "A room that only thinks imports only packages that do no I/O.",
    from: { path: `^src/(${oneOf(pureRooms)})/`, pathNot: testFiles },
    to: { path: "^node_modules/", pathNot: `^node_modules/(${oneOf(purePackages)})/` },
  },
  {
    name: "shipped-without-tests",
    comment: "What is shipped imports nothing that exists for tests, examples, benchmarks or scripts.",
    from: { path: "^src/", pathNot: testFiles },
    to: { path: `^(test|examples|bench|scripts)/|^node_modules/(vitest|fast-check)/|${testFiles}` },
  },
  {
    name: "no-cycle",
    comment: "Modules that import each other in a circle cannot be understood one at a time.",
    from: {},
    to: { circular: true },
  },
  {
    name: "resolvable",
    comment: "The import leads nowhere.",
    from: {},
    to: { couldNotResolve: true },
  },
];

/** @param {string[]} names */
function oneOf(names) {
  return names.join("|");
}
