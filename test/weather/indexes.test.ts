/** Indexes that are not what they should be: each is refused, by its right name, and nothing is kept. */
import { afterEach, beforeAll, beforeEach, test } from "vitest";
import { type BuiltImage, buildImage } from "../../examples/world/image-builder.ts";
import type { ErrorCode } from "../../src/support/errors.ts";
import {
  type Document,
  document,
  indexOf,
  manifestOf,
  nowhere,
  pointerTo,
  serving,
  servingAlways,
  types,
} from "./documents.ts";
import { type Fault } from "./faults.ts";
import { expectEmpty, expectFailure, openVictim, type Victim, type Weather, weather } from "./victim.ts";

let image: BuiltImage;
let victim: Victim;
let sky: Weather;
beforeAll(async () => {
  image = await buildImage({ layers: [{ files: { "etc/motd": "hello\n" } }, { filler: 3000 }] });
});
beforeEach(async () => {
  sky = weather();
  victim = await openVictim();
});
afterEach(async () => {
  await victim.close();
  await sky.clear();
});

interface Row {
  readonly name: string;
  readonly serve: (good: ReturnType<typeof manifestOf>) => Fault;
  readonly code: ErrorCode;
  readonly says?: RegExp;
}

/** An index in an index in an index. */
function nested(depth: number): readonly Document[] {
  const inner = depth === 0 ? [] : nested(depth - 1);
  const entry = inner[0] === undefined ? { ...nowhere, mediaType: types.manifest } : pointerTo(inner[0]);
  return [indexOf(entry), ...inner];
}

function serveNested(depth: number): Row["serve"] {
  const [first = indexOf(), ...others] = nested(depth);
  return () => serving(first, ...others);
}

const rows: readonly Row[] = [
  {
    name: "an index that contains itself",
    serve: () => servingAlways(indexOf({ ...nowhere, mediaType: types.index })),
    code: "DIGEST_MISMATCH",
  },
  { name: "indexes ten deep", serve: serveNested(10), code: "MANIFEST_UNSUPPORTED", says: /deep/ },
  {
    name: "an index of a hundred thousand entries",
    serve: () => serving(indexOf(...Array.from({ length: 100_000 }, () => ({ digest: nowhere.digest })))),
    code: "TOO_LARGE",
  },
  {
    name: "an index of two thousand entries",
    serve: () => serving(indexOf(...Array.from({ length: 2000 }, () => ({ ...nowhere, mediaType: types.manifest })))),
    code: "MANIFEST_INVALID",
    says: /manifests/,
  },
  {
    name: "an index of nothing but attestations",
    serve: () =>
      serving(indexOf({ ...nowhere, mediaType: types.manifest, platform: { os: "unknown", architecture: "unknown" } })),
    code: "PLATFORM_MISSING",
    says: /no images/,
  },
  {
    name: "an index for another processor",
    serve: () =>
      serving(indexOf({ ...nowhere, mediaType: types.manifest, platform: { os: "linux", architecture: "s390x" } })),
    code: "PLATFORM_MISSING",
    says: /linux\/s390x/,
  },
  { name: "an index of nothing", serve: () => serving(indexOf()), code: "PLATFORM_MISSING", says: /no images/ },
  {
    name: "an index whose entry has another size",
    serve: (good) => {
      const manifest = document(good);
      return serving(indexOf({ ...pointerTo(manifest), size: manifest.bytes.length + 1 }), manifest);
    },
    code: "SIZE_MISMATCH",
  },
  {
    name: "an index whose entry is served as another kind of document",
    serve: (good) => {
      const manifest = document({ ...good, mediaType: undefined });
      return serving(indexOf({ ...pointerTo(manifest), mediaType: types.index }), manifest);
    },
    code: "MANIFEST_INVALID",
  },
];

test.each(rows)("$name", async ({ serve, code, says }) => {
  const storm = await sky.storm({ image, faults: { manifest: serve(manifestOf(image)) } });
  const error = await victim.failure(`${storm.host}/team/app:1`);
  expectFailure(error, { code, side: storm.host, ...(says && { says }) });
  await expectEmpty(victim);
});
