// Modules with imports that break each rule of rooms.mjs, and modules that break none: the proof that the check works.
// What is expected is worked out here from the floors alone, not from the rules' patterns.
import { doorless, doors, floors } from "./rooms.mjs";

const rooms = floors.flatMap((floor, level) => floor.map((name) => ({ name, level })));

const packages = ["commander", "https-proxy-agent", "tar", "vitest", "yaml", "zod"];

/** Modules of a small house in which everything is as it should be, each with what it imports. */
export const lawful = {
  ...Object.fromEntries(rooms.map(({ name }) => [`src/${name}/thing.ts`, []])),
  ...Object.fromEntries(rooms.map(({ name }) => [`src/${name}/index.ts`, ["./thing.ts"]])),
  ...Object.fromEntries(packages.map((name) => [`node_modules/${name}/index.js`, []])),
  ...Object.fromEntries(
    Object.entries(doors).flatMap(([name, paths]) => paths.map((path) => [`src/${name}/${path}`, []])),
  ),
  "src/cli/in-at-every-door.ts": Object.entries(doors).flatMap(([name, paths]) =>
    paths.map((path) => `../${name}/${path}`),
  ),
  "src/image/parse.ts": ["../support/thing.ts"],
  "src/image/parse.test.ts": ["vitest", "node:fs", "../../test/help.ts", "./parse.ts"],
  "src/pull/inside.test.ts": ["vitest", "../image/parse.ts", "../store/testing/fixture.ts"],
  "src/workload/read.ts": ["yaml", "zod", "../image/index.ts"],
  "src/store/contract.ts": ["vitest", "./thing.ts", "./contract/reading.ts"],
  "src/store/contract/reading.ts": ["vitest", "../testing/fixture.ts"],
  "src/store/testing/fixture.ts": ["vitest", "../thing.ts"],
  "src/support/system.ts": ["node:fs"],
  "src/registry/client.ts": ["node:fs/promises", "https-proxy-agent", "../support/system.ts", "../image/index.ts"],
  "src/cli/main.ts": ["commander", "../pull/index.ts", "../policy/index.ts"],
  "test/help.ts": ["vitest", "node:path", "../src/cli/main.ts"],
  "examples/start.ts": ["../src/cli/main.ts"],
};

const climbs = rooms.flatMap((from) =>
  rooms.filter((to) => to.level >= from.level && to.name !== from.name).map((to) => ({ from, to })),
);

/** Past each door, from the top floor that may come in at it. */
const intrusions = rooms.filter(({ name }) => !doorless.includes(name)).map(({ name }) => ({ from: "cli", to: name }));

export const planted = {
  files: {
    ...Object.fromEntries(
      climbs.map(({ from, to }) => [`src/${from.name}/to-${to.name}.ts`, [`../${to.name}/index.ts`]]),
    ),
    ...Object.fromEntries(
      intrusions.map(({ from, to }) => [`src/${from}/past-the-door-of-${to}.ts`, [`../${to}/thing.ts`]]),
    ),
    "src/image/reads.ts": ["node:fs"],
    "src/policy/reads-from-afar.ts": ["../support/system.ts"],
    "src/workload/archives.ts": ["tar"],
    "src/support/uses-test.ts": ["../../test/help.ts"],
    "src/support/uses-vitest.ts": ["vitest"],
    "src/store/uses-contract.ts": ["./contract.ts"],
    "src/store/uses-fixture.ts": ["./testing/fixture.ts"],
    "src/cri/hen.ts": ["./egg.ts"],
    "src/cri/egg.ts": ["./hen.ts"],
    "src/cli/lost.ts": ["./nowhere.ts"],
  },
  violations: [
    ...climbs.map(
      ({ from, to }) => `floor-of-${from.name}: src/${from.name}/to-${to.name}.ts imports src/${to.name}/index.ts`,
    ),
    ...intrusions.map(
      ({ from, to }) => `door-of-${to}: src/${from}/past-the-door-of-${to}.ts imports src/${to}/thing.ts`,
    ),
    "pure-without-node: src/image/reads.ts imports fs",
    "pure-without-node: src/policy/reads-from-afar.ts imports fs",
    "pure-without-packages: src/workload/archives.ts imports node_modules/tar/index.js",
    "shipped-without-tests: src/support/uses-test.ts imports test/help.ts",
    "shipped-without-tests: src/support/uses-vitest.ts imports node_modules/vitest/index.js",
    "shipped-without-tests: src/store/uses-contract.ts imports src/store/contract.ts",
    "shipped-without-tests: src/store/uses-fixture.ts imports src/store/testing/fixture.ts",
    "no-cycle: src/cri/egg.ts imports src/cri/hen.ts",
    "resolvable: src/cli/lost.ts imports ./nowhere.ts",
  ],
};
