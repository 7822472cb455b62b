import { describe, expect, it } from "vitest";
import { type Digest, parseDigest, parsePlatform, readImageName } from "../image/index.ts";
import { kubernetesOnly, readPolicy } from "../policy/index.ts";
import { client } from "../registry/testing.ts";
import { Login } from "../support/login.ts";
import { type AskedImage, type OutdatedCall, openOutdated } from "./outdated.ts";
import { refuse, type TagRegistry, tagRegistry } from "./testing/tag-registry.ts";

const day = Date.parse("2026-11-29T12:00:00Z");

function asked(image: string, runs?: string, platforms: readonly string[] = []): AskedImage {
  const used = { image: readImageName(image), workloads: [], places: [], platforms: platforms.map(parsePlatform) };
  return { used, runs: runs === undefined ? undefined : parseDigest(runs) };
}

/** The registry itself, and then its mirrors. */
function from(logins: readonly Login[], ...mirrors: readonly string[]): OutdatedCall["sourcesFor"] {
  const own = ({ image }: AskedImage["used"]) =>
    image.kind === "invalid" ? "" : `http://${image.repository.registry}`;
  return (used) =>
    Promise.resolve([
      ...mirrors.map((address) => ({ address, mirror: true, logins: [] })),
      { address: own(used), mirror: false, logins },
    ]);
}

function open(images: readonly AskedImage[], call: Partial<OutdatedCall> = {}) {
  return openOutdated(images, {
    registry: client(),
    sourcesFor: from([]),
    policy: kubernetesOnly,
    now: day,
    platforms: [],
    machine: parsePlatform("linux/amd64"),
    ages: false,
    ...call,
  });
}

function judge(images: readonly AskedImage[], call: Partial<OutdatedCall> = {}) {
  return open(images, call).judge();
}

async function judgeOne(image: string, runs?: string, call: Partial<OutdatedCall> = {}) {
  const [answer] = await judge([asked(image, runs)], call);
  if (answer === undefined) throw new Error("there is no answer");
  return answer;
}

const nothing = {};
const versions = { "1.25.3": nothing, "1.25.5": nothing, "1.26.1": nothing, "2.0.0": nothing, latest: nothing };

describe("a version", () => {
  it("is judged for as many workloads as there are", async () => {
    const registry = await tagRegistry({ app: versions });
    const image = readImageName(`${registry.host}/app:1.25.3`);
    const workload = { apiVersion: "v1", kind: "Pod", namespace: "prod", name: "web", labels: {}, annotations: {} };
    const container = { name: "app", kind: "container" as const };
    const request = { workload, container, image, pullPolicy: undefined };
    const user = { workload, container, request, source: { file: "a", line: 1, column: 1 } };
    const workloads = Array.from({ length: 100_000 }, () => user);
    const [answer] = await judge([{ used: { image, workloads, places: [], platforms: [] } }]);
    expect(answer).toMatchObject({ status: "outdated", latest: "2.0.0", error: null });
  });

  it("has its newer ones told by step, with one request and no manifest", async () => {
    const registry = await tagRegistry({ app: versions });
    expect(await judgeOne(`${registry.host}/app:1.25.3`)).toMatchObject({
      status: "outdated",
      current: "1.25.3",
      patch: "1.25.5",
      minor: "1.26.1",
      latest: "2.0.0",
      distance: "major",
      lag: null,
      error: null,
      because: "2.0.0 is newer, by a major step",
    });
    expect(registry.lines()).toEqual(["GET app/tags/list"]);
  });

  it("that is the newest is current", async () => {
    const registry = await tagRegistry({ app: versions });
    const none = { patch: "2.0.0", minor: "2.0.0", latest: "2.0.0", distance: "none" };
    const answer = await judgeOne(`${registry.host}/app:2.0.0`);
    expect(answer).toMatchObject({ status: "current", ...none, because: "nothing is newer in the family #.#.#" });
  });

  it("that is gone has its neighbours still", async () => {
    const registry = await tagRegistry({ app: versions });
    const answer = await judgeOne(`${registry.host}/app:1.25.4`);
    expect(answer).toMatchObject({ status: "missing", gone: "tag", patch: "1.25.5", latest: "2.0.0" });
    expect(await judgeOne(`${registry.host}/app:3.0.0`)).toMatchObject({
      status: "missing",
      latest: "3.0.0",
      distance: "none",
      because: "the tag 3.0.0 is gone; the next older one is 2.0.0",
    });
  });

  it("that no list has, but the registry, is there", async () => {
    const registry = await tagRegistry({ app: { ...versions, "1.25.4": nothing } }, (request, response) => {
      if (!request.url?.includes("/tags/list")) return false;
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify({ name: "app", tags: ["2.0.0"] }));
      return true;
    });
    expect(await judgeOne(`${registry.host}/app:1.25.4`)).toMatchObject({ status: "outdated", gone: null });
  });

  it("of a pre-release says that its release is out, and does not offer it", async () => {
    const registry = await tagRegistry({ app: { "1.30.0-rc.1": nothing, "1.30.0": nothing, "1.30.0-rc.2": nothing } });
    expect(await judgeOne(`${registry.host}/app:1.30.0-rc.1`)).toMatchObject({
      latest: "1.30.0-rc.2",
      because: "1.30.0-rc.2 is newer, by a patch step; 1.30.0 is released",
    });
  });
});

describe("a digest that runs", () => {
  it("is compared with what its tag has now", async () => {
    const registry = await tagRegistry({ app: { "1.0": nothing, latest: nothing } });
    const [runs, now] = [registry.digestOf("app", "latest"), registry.digestOf("app", "1.0")];
    const moved = { status: "moved", lag: { tag: "1.0", runs, now }, distance: "none" };
    expect(await judgeOne(`${registry.host}/app:1.0@${runs}`)).toMatchObject(moved);
    expect(await judgeOne(`${registry.host}/app:1.0`, runs)).toMatchObject(moved);
    expect(await judgeOne(`${registry.host}/app:1.0@${now}`)).toMatchObject({ status: "current", lag: null });
    expect(await judgeOne(`${registry.host}/app:latest@${runs}`)).toMatchObject({ status: "current", latest: null });
  });

  it("may be the image of one platform of the index", async () => {
    const registry = await tagRegistry({ app: { "1.0": { platforms: ["linux/amd64", "linux/arm64"] } } });
    const own = registry.digestOf("app", "1.0", "linux/arm64");
    expect(await judgeOne(`${registry.host}/app:1.0@${own}`)).toMatchObject({ status: "current", lag: null });
  });

  it("of a word says whether it has moved; without one, nothing can be told", async () => {
    const registry = await tagRegistry({ app: versions });
    const runs = registry.digestOf("app", "2.0.0");
    expect(await judgeOne(`${registry.host}/app`, runs)).toMatchObject({ status: "moved", current: null, patch: null });
    expect(await judgeOne(`${registry.host}/app`)).toMatchObject({
      status: "unknown",
      distance: "unknown",
      latest: null,
      because: "latest has no version, and no digest says which image runs",
    });
    expect(await judgeOne(`${registry.host}/app:edge`)).toMatchObject({ status: "missing", gone: "tag" });
  });

  it("without a tag has no version, but may be gone", async () => {
    const registry = await tagRegistry({ app: versions });
    const there = registry.digestOf("app", "2.0.0");
    expect(await judgeOne(`${registry.host}/app@${there}`)).toMatchObject({ status: "unknown", gone: null });
    const gone: Digest = parseDigest(`sha256:${"0".repeat(64)}`);
    expect(await judgeOne(`${registry.host}/app@${gone}`)).toMatchObject({ status: "missing", gone: "digest" });
  });
});

describe("platforms", () => {
  const mixed = {
    "1.0.0": { platforms: ["linux/amd64", "linux/arm64"] },
    "1.0.1": { platforms: ["linux/arm64"] },
    "1.1.0": { platforms: ["linux/amd64"] },
    "2.0.0": { platforms: ["windows/amd64"] },
  };

  it("that are asked for must be there, whatever the workloads say", async () => {
    const registry = await tagRegistry({ app: mixed });
    const on = (...texts: string[]) =>
      judgeOne(`${registry.host}/app:1.0.0`, undefined, { platforms: texts.map(parsePlatform) });
    expect(await on("linux/arm64")).toMatchObject({ patch: "1.0.1", minor: "1.0.1", latest: "1.0.1" });
    expect(await on("linux/amd64")).toMatchObject({ patch: "1.0.0", minor: "1.1.0", latest: "1.1.0" });
    expect(await on("linux/amd64", "linux/arm64")).toMatchObject({
      status: "current",
      distance: "none",
      because: "3 newer tags (2.0.0 …) without an image for linux/amd64 and linux/arm64",
      platforms: ["linux/amd64", "linux/arm64"],
    });
  });

  it("are looked up for each step, though many of a larger step have them not", async () => {
    const many = Array.from({ length: 30 }, (_, at) => [`1.${at + 1}.0`, { platforms: ["linux/arm64"] }]);
    const registry = await tagRegistry({ app: { "1.0.0": nothing, "1.0.1": nothing, ...Object.fromEntries(many) } });
    const call = { platforms: [parsePlatform("linux/amd64")] };
    expect(await judgeOne(`${registry.host}/app:1.0.0`, undefined, call)).toMatchObject({ latest: "1.0.1" });
  });

  it("that workloads need are looked up; a tag that a list has and the registry has not is passed over", async () => {
    const registry = await tagRegistry({ app: mixed }, (request, response) =>
      request.url?.includes("/manifests/1.1.0") ? refuse(response, 404, "MANIFEST_UNKNOWN") : false,
    );
    const [answer] = await judge([asked(`${registry.host}/app:1.0.0`, undefined, ["linux/amd64"])]);
    expect(answer).toMatchObject({ status: "current", latest: "1.0.0", platforms: ["linux/amd64"] });
  });
});

describe("an age", () => {
  it("is the config's, unless its date is one that all builds have", async () => {
    const registry = await tagRegistry({
      app: { "1": { created: "2024-05-06T07:08:09Z" }, "2": { created: "1970-01-01T00:00:00Z" }, "3": nothing },
    });
    const created = async (tag: string) =>
      (await judgeOne(`${registry.host}/app:${tag}`, undefined, { ages: true })).created;
    expect(await created("1")).toBe("2024-05-06T07:08:09.000Z");
    expect(await created("2")).toBeNull();
    expect(await created("3")).toBeNull();
  });
});

it("an age that is not known takes nothing from what is", async () => {
  const registry = await tagRegistry(
    { app: versions },
    ({ url }, response) => url?.includes("/manifests/") === true && refuse(response, 403, "DENIED"),
  );
  expect(await judgeOne(`${registry.host}/app:1.25.3`, undefined, { ages: true })).toMatchObject({
    status: "outdated",
    created: null,
    because: expect.stringContaining("; its age is not known: "),
  });
});

describe("a policy", () => {
  const rules = (text: string) => {
    const read = readPolicy([
      {
        file: "policy.yaml",
        text: `apiVersion: pulley.dev/v1alpha1\nkind: ImagePullPolicy\nmetadata: {name: p}\nspec:\n  versions:\n  - name: own\n${text}`,
      },
    ]);
    expect(read.problems).toEqual([]);
    return read.policy;
  };

  it("limits the step, ignores tags, and says so where nothing is left", async () => {
    const registry = await tagRegistry({ app: versions });
    const under = (text: string) => judgeOne(`${registry.host}/app:1.26.1`, undefined, { policy: rules(text) });
    expect(await under("    allow: minor\n")).toMatchObject({
      status: "current",
      because: "2.0.0 is newer, but p/own allows minor steps alone",
    });
    expect(await under("    ignore: ['2.*']\n")).toMatchObject({
      status: "current",
      because: "2.0.0 is newer, but p/own ignores 2.*",
    });
  });

  it("lets the base rise, judges by digest, and names the end of life", async () => {
    const registry = await tagRegistry({ app: { "1.0-alpine3.19": nothing, "1.0-alpine3.20": nothing } });
    const image = `${registry.host}/app:1.0-alpine3.19`;
    const under = (text: string) => judgeOne(image, undefined, { policy: rules(text) });
    expect(await judgeOne(image)).toMatchObject({ status: "current", endOfLife: null });
    expect(await under("    suffix: Newer\n")).toMatchObject({ latest: "1.0-alpine3.20", distance: "patch" });
    expect(await under("    moving: ['1.0-*']\n")).toMatchObject({ status: "unknown", latest: null });
    expect(await under("    endOfLife: 2026-01-31\n")).toMatchObject({ endOfLife: "2026-01-31" });
  });
});

describe("one repository", () => {
  it("is asked for its list once, however many tags of it are used", async () => {
    const registry = await tagRegistry({ app: versions });
    await judge(Object.keys(versions).map((tag) => asked(`${registry.host}/app:${tag}`)));
    expect(registry.lines()).toEqual(["GET app/tags/list"]);
  });

  it("that refuses one login is asked with the next, and the others are not disturbed", async () => {
    const right = `Basic ${Buffer.from("b:b").toString("base64")}`;
    const registry = await tagRegistry({ own: versions, open: versions }, ({ url, headers }, response) => {
      if (!url?.startsWith("/v2/own/") || headers.authorization === right) return false;
      return refuse(response, 401, "UNAUTHORIZED", { "www-authenticate": 'Basic realm="own"' });
    });
    const login = (name: string) => new Login(`secret ${name}`, { kind: "password", username: name, password: name });
    const images = [asked(`${registry.host}/own:1.25.3`), asked(`${registry.host}/open:1.25.3`)];
    const wrong = await judge(images, { sourcesFor: from([login("a")]) });
    expect(wrong).toMatchObject([
      { status: "unknown", error: { code: "REGISTRY_UNAUTHORIZED" } },
      { status: "outdated", error: null },
    ]);
    expect(JSON.stringify(wrong)).toContain("tried with secret a");
    const both = await judge(images, { sourcesFor: from([login("a"), login("b")]) });
    expect(both.map(({ status }) => status)).toEqual(["outdated", "outdated"]);
  });
});

it("a login that may list but not read is followed by one that may", async () => {
  const basic = (name: string) => `Basic ${Buffer.from(`${name}:${name}`).toString("base64")}`;
  const registry = await tagRegistry({ own: { "1.0": nothing, "1.1": nothing } }, ({ url, headers }, response) => {
    const wanted = url?.includes("/tags/list") ? basic("a") : basic("b");
    if (headers.authorization === wanted) return false;
    if (headers.authorization !== undefined) return refuse(response, 403, "DENIED");
    return refuse(response, 401, "UNAUTHORIZED", { "www-authenticate": 'Basic realm="own"' });
  });
  const login = (name: string) => new Login(`secret ${name}`, { kind: "password", username: name, password: name });
  const call = { sourcesFor: from([login("a"), login("b")]), platforms: [parsePlatform("linux/amd64")] };
  expect(await judgeOne(`${registry.host}/own:1.0`, undefined, call)).toMatchObject({
    status: "outdated",
    latest: "1.1",
  });
});

describe("a mirror", () => {
  it("is asked where the registry cannot be reached, and told of", async () => {
    const mirror = await tagRegistry({ "team/app": versions });
    const [answer] = await judge([asked("127.0.0.1:1/team/app:1.25.3")], { sourcesFor: from([], mirror.origin) });
    expect(answer).toMatchObject({
      status: "outdated",
      latest: "2.0.0",
      because: `2.0.0 is newer, by a major step; by the mirror ${mirror.origin}`,
    });
  });

  it("is not asked where the registry answers, though it is named first", async () => {
    const [registry, mirror] = [await tagRegistry({ app: versions }), await tagRegistry({ app: { "9.9.9": nothing } })];
    const call = { sourcesFor: from([], mirror.origin) };
    expect(await judgeOne(`${registry.host}/app:1.25.3`, undefined, call)).toMatchObject({ latest: "2.0.0" });
    expect(await judgeOne(`${registry.host}/none:1`, undefined, call)).toMatchObject({ gone: "repository" });
    expect(mirror.asked).toEqual([]);
  });

  it("that has it not says nothing of a registry that is down", async () => {
    const mirror = await tagRegistry({ other: versions });
    const [answer] = await judge([asked("127.0.0.1:1/team/app:1.25.3")], { sourcesFor: from([], mirror.origin) });
    expect(answer).toMatchObject({ status: "unknown", gone: null, error: { code: "REGISTRY_UNREACHABLE" } });
  });
});

describe("a registry that does not answer as it should", () => {
  type Answer = Parameters<typeof tagRegistry>[1];
  const refusing =
    (status: number, code: string, headers = {}): Answer =>
    (_, response) =>
      refuse(response, status, code, headers);
  const page =
    (tags: readonly string[], next: string): Answer =>
    (request, response) => {
      if (!request.url?.includes("/tags/list")) return false;
      response.setHeader("content-type", "application/json");
      response.setHeader("link", `<${next}>; rel="next"`);
      response.end(JSON.stringify({ name: "app", tags }));
      return true;
    };

  it.each<[string, Answer, string, string | null, string | undefined]>([
    ["401", refusing(401, "UNAUTHORIZED"), "unknown", null, "REGISTRY_UNAUTHORIZED"],
    ["403", refusing(403, "DENIED"), "unknown", null, "REGISTRY_FORBIDDEN"],
    ["404: the repository is gone", refusing(404, "NAME_UNKNOWN"), "missing", "repository", "REGISTRY_NOT_FOUND"],
    [
      "429 for hours",
      refusing(429, "TOOMANYREQUESTS", { "retry-after": "21600" }),
      "unknown",
      null,
      "REGISTRY_RATE_LIMITED",
    ],
    ["429 without a time", refusing(429, "TOOMANYREQUESTS"), "unknown", null, "REGISTRY_RATE_LIMITED"],
    ["500", refusing(500, "UNKNOWN"), "unknown", null, "REGISTRY_UNAVAILABLE"],
    [
      "a list whose next page is the same",
      page(["1.25.3"], "/v2/app/tags/list?n=1000"),
      "unknown",
      null,
      "REGISTRY_PROTOCOL",
    ],
    [
      "a list whose next page is elsewhere",
      page(["1.25.3"], "http://elsewhere.invalid/x"),
      "unknown",
      null,
      "REDIRECT_REFUSED",
    ],
  ])("%s", async (_, answer, status, gone, code) => {
    const registry: TagRegistry = await tagRegistry({ app: versions }, answer);
    const found = await judgeOne(`${registry.host}/app:1.25.3`);
    expect([found.status, found.gone, found.error?.code]).toEqual([status, gone, code]);
    expect(found.because).not.toBe("");
    expect([found.current, found.patch, found.distance]).toEqual(["1.25.3", null, "unknown"]);
  });

  it("is down: nobody listens, or the name does not exist", async () => {
    const [refused, unnamed] = await judge([asked("127.0.0.1:1/app:1"), asked("no-such-host.invalid/app:1")]);
    expect(refused).toMatchObject({ status: "unknown", gone: null, error: { code: "REGISTRY_UNREACHABLE" } });
    expect(unnamed).toMatchObject({ status: "missing", gone: "registry" });
  });

  it("redirects to a host that has no address: the registry is not gone", async () => {
    const registry = await tagRegistry({ app: versions }, (_, response) => {
      response.writeHead(307, { location: "http://no-such-host.invalid/x" }).end();
      return true;
    });
    expect(await judgeOne(`${registry.host}/app:1.25.3`)).toMatchObject({ status: "unknown", gone: null });
  });

  it("lists nothing, though it has the tag", async () => {
    const registry = await tagRegistry({ app: versions }, ({ url }, response) => {
      if (!url?.includes("/tags/list")) return false;
      response.setHeader("content-type", "application/json");
      response.end('{"name":"app","tags":[]}');
      return true;
    });
    expect(await judgeOne(`${registry.host}/app:1.25.3`)).toMatchObject({
      status: "unknown",
      because: "the list of tags is empty, though the tag is there",
    });
  });

  it("gives no list, but has the image: it is not taken for gone", async () => {
    const registry = await tagRegistry({ app: versions }, (request, response) =>
      request.url?.includes("/tags/list") ? refuse(response, 403, "DENIED") : false,
    );
    const found = await judgeOne(`${registry.host}/app:1.25.3`);
    expect(found).toMatchObject({ status: "unknown", gone: null, error: { code: "REGISTRY_FORBIDDEN" } });
    expect(found.because).toMatch(/^the registry gives no list of tags: /);
  });
});

it("a text that is no reference is told as that", async () => {
  const answer = await judgeOne("Not/An:Image");
  expect(answer).toMatchObject({
    image: { given: "Not/An:Image", name: null, tag: null },
    status: "unknown",
    error: { code: "REFERENCE_INVALID" },
  });
});

it("explains what is passed over, and asks for nothing more", async () => {
  const registry = await tagRegistry({ app: { ...versions, "1.25.3-alpine": nothing, "2.0": nothing } });
  const image = asked(`${registry.host}/app:1.25.3`);
  const call = open([image]);
  const [answer] = await call.judge();
  if (answer === undefined) throw new Error("there is no answer");
  const { tags, passedOver } = await call.explain(image, answer);
  expect(tags).toBe(7);
  expect(passedOver).toEqual([
    { because: "another precision: 2 numbers", count: 1, examples: ["2.0"] },
    { because: "another suffix", count: 1, examples: ["1.25.3-alpine"] },
    { because: "words without a version, judged by digest", count: 1, examples: ["latest"] },
  ]);
  expect(registry.lines()).toEqual(["GET app/tags/list"]);
});
