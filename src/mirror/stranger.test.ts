/** What somebody who may have nothing sees: the same, byte for byte, whether or not what he asks for is here. */
import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import { kubernetesOnly } from "../policy/index.ts";
import { type FakeRegistry, fakeRegistry } from "../pull/testing/fake-registry.ts";
import { policyOf } from "../pull/testing/policies.ts";
import { type ErrorCode, PulleyError } from "../support/errors.ts";
import { manualClock } from "../support/manual-clock.ts";
import { basic, type Question } from "./testing/asking.ts";
import { openMirror, type TestMirror } from "./testing/mirror.ts";

const secret = "registry.acme.io/shop/secret";
const alice = basic("alice", "pa55-of-alice");
const image = { layers: ["the secret itself", "more of it"] };
/** A Saturday. */
const start = Date.UTC(2026, 10, 21, 12);

interface Digests {
  readonly target: string;
  readonly config: string;
  readonly layer: string;
}

/** A mirror that has the secret image, or has never heard of it. */
async function mirrorOf(here: boolean, rule: string, registry: FakeRegistry) {
  registry.users.set(secret, ["alice"]);
  const { digest: target } = registry.push(`${secret}:hidden`, image);
  const manifest = JSON.parse(registry.contents.get(target)?.bytes.toString() ?? "");
  const digests = { target, config: manifest.config.digest, layer: manifest.layers[0].digest };
  const clock = manualClock(start);
  let policy = kubernetesOnly;
  const mirror = await openMirror({ registry, clock, policy: () => policy, limits: { lookFor: 1 } });
  if (here) await takeAll(mirror, digests, manifest.layers);
  // Long enough that nobody is known any more.
  await clock.advance(3_600_000);
  if (rule !== "") policy = policyOf(rule);
  return { mirror, digests };
}

async function takeAll(mirror: TestMirror, { target, config }: Digests, layers: readonly { digest: string }[]) {
  const paths = [`manifests/hidden`, `manifests/${target}`, `blobs/${config}`];
  for (const path of [...paths, ...layers.map(({ digest }) => `blobs/${digest}`)]) {
    expect((await mirror.ask(`/v2/${secret}/${path}`, { headers: alice })).status).toBe(200);
  }
  while ((await mirror.store.record(`${secret}:hidden`)) === undefined) await delay(5);
}

/** The registry's answer to everybody but alice, whatever is asked for. */
const answers: Readonly<Record<string, ErrorCode | undefined>> = {
  "as a registry does": undefined,
  "403": "REGISTRY_FORBIDDEN",
  "404": "REGISTRY_NOT_FOUND",
  "429": "REGISTRY_RATE_LIMITED",
  "503": "REGISTRY_UNAVAILABLE",
  "nothing: it is down": "REGISTRY_UNREACHABLE",
  "nothing that can be trusted": "REGISTRY_TLS",
};

const rules: Readonly<Record<string, string>> = {
  "no rule": "",
  "a rule that uses what is here": "{ name: here, pull: { policy: IfNotPresent } }",
  "a rule that never pulls": "{ name: never, pull: { policy: Never } }",
  "a rule that uses copies when nobody answers": "{ name: last, pull: { policy: Always, whenUnreachable: UseCached } }",
  "a rule about what images say of themselves": "{ name: small, require: { maxSize: 10 } }",
  "a closed window": "{ name: office, when: { pull: [Mon-Fri 08:00-18:00] } }",
  "a rule that denies": "{ name: none, match: { images: [registry.acme.io/**] }, admit: Deny }",
};

function questions({ target, config, layer }: Digests): readonly (readonly [path: string, question?: Question])[] {
  const [blob, byTag] = [`blobs/${layer}`, "manifests/hidden"];
  return [
    [byTag],
    [byTag, { method: "HEAD" }],
    ["manifests/latest"],
    [`manifests/${target}`],
    [`manifests/${target}`, { method: "HEAD" }],
    [`manifests/${target}`, { headers: { "if-none-match": `"${target}"` } }],
    [`manifests/${layer}`],
    [`blobs/${config}`],
    [`blobs/${target}`],
    [blob],
    [blob, { method: "HEAD" }],
    [blob, { headers: { range: "bytes=0-3" } }],
    [blob, { headers: { range: "bytes=-4" } }],
    [blob, { headers: { range: "bytes=999999-" } }],
    [blob, { headers: { "if-none-match": "*" } }],
    [blob, { headers: { range: "bytes=0-3", "if-range": `"${layer}"` } }],
    ["tags/list"],
    ["tags/list?n=1"],
    [`referrers/${target}`],
  ];
}

type Methods = Pick<FakeRegistry, "resolve" | "manifest" | "blobSize" | "tags">;

function failing(code: ErrorCode): Methods {
  const say = async (what: string) => {
    throw new PulleyError(code, `what ${what} came to`, { retryAfter: 3000 });
  };
  return {
    resolve: ({ version }) => say(`HEAD manifests/${version}`),
    manifest: ({ version }) => say(`GET manifests/${version}`),
    blobSize: (_, digest) => say(`HEAD blobs/${digest}`),
    tags: () => say("GET tags/list"),
  };
}

const logins = [{}, basic("bob", "pa55-of-bob")];

/** Every answer, and what the registry was asked meanwhile: whoever runs that cannot tell by it either. */
async function see(mirror: TestMirror, digests: Digests, registry: FakeRegistry): Promise<readonly string[]> {
  const before = registry.requests.length;
  const replies = logins.flatMap((headers) =>
    questions(digests).map(async ([path, question]) => {
      const asked = { ...question, headers: { ...headers, ...question?.headers } };
      const { status, headers: told, body } = await mirror.ask(`/v2/${secret}/${path}`, asked);
      const { date: _, ...rest } = told;
      return `${question?.method ?? "GET"} ${path} ${status} ${JSON.stringify(rest)} ${body.toString()}`;
    }),
  );
  return [...(await Promise.all(replies)), ...registry.requests.slice(before).sort()];
}

test.each(Object.entries(rules))("with %s, whatever the registry says", async (_, rule) => {
  const [one, other] = [fakeRegistry(), fakeRegistry()];
  const here = await mirrorOf(true, rule, one);
  const nothing = await mirrorOf(false, rule, other);
  const sound = [{ ...one }, { ...other }] as const;
  for (const [answer, code] of Object.entries(answers)) {
    Object.assign(one, code === undefined ? sound[0] : failing(code));
    Object.assign(other, code === undefined ? sound[1] : failing(code));
    const seen = await see(here.mirror, here.digests, one);
    expect([answer, seen]).toEqual([answer, await see(nothing.mirror, nothing.digests, other)]);
    expect(seen.join("\n")).not.toMatch(/ 200 .*"(config|layers)"|the secret itself|more of it/);
  }
});

test("a stranger with a right to one image of a repository learns nothing of another's", async () => {
  const seen: string[][] = [];
  for (const here of [true, false]) {
    const registry = fakeRegistry();
    const { mirror, digests } = await mirrorOf(here, "{ name: here, pull: { policy: IfNotPresent } }", registry);
    const replies: string[] = [];
    for (const path of [`/v2/registry.acme.io/shop/other/blobs/${digests.layer}`, `/v2/library/nginx/tags/list`]) {
      registry.users.set("registry.acme.io/shop/other", []);
      const { status, body } = await mirror.ask(path);
      replies.push(`${status} ${body.toString()}`);
    }
    seen.push(replies);
  }
  expect(seen[0]).toEqual(seen[1]);
});
