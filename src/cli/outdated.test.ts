import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { Readable } from "node:stream";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { refuse, type TagRegistry, tagRegistry } from "../versions/testing/tag-registry.ts";
import { callPulley } from "./testing/call.ts";

const nothing = {};
const repositories = {
  app: { "1.0.0": nothing, "1.0.1": nothing, "1.1.0": nothing, "2.0.0": nothing },
  tool: { v1: nothing, v2: nothing },
  still: { "3.1": nothing },
};

let folder = "";
let registry: TagRegistry;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "pulley-outdated-"));
  registry = await tagRegistry(repositories, ({ url }, response) =>
    url?.startsWith("/v2/shut/") ? refuse(response, 401, "UNAUTHORIZED") : false,
  );
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function write(path: string, text: string): string {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), text.replaceAll("HOST", registry.host));
  return join(folder, path);
}

function read(path: string): string {
  return readFileSync(join(folder, path), "utf8").replaceAll(registry.host, "HOST");
}

async function outdated(words: readonly string[], stdin = "") {
  const environment = { XDG_CACHE_HOME: join(folder, "cache"), PATH: "" };
  const ended = await callPulley(["outdated", ...words], environment, Readable.from([stdin]));
  const told = (text: string) => text.replaceAll(registry.host, "HOST").replaceAll(folder, "");
  return { ...ended, stdout: told(ended.stdout), stderr: told(ended.stderr) };
}

const pod = `apiVersion: v1
kind: Pod
metadata: { name: web, namespace: prod }
spec:
  containers:
  - { name: a, image: "HOST/app:1.0.0" } # keep
  - { name: b, image: HOST/still:3.1 }
`;

describe("what is printed", () => {
  it("is a table with what is far behind first, then what is gone and what cannot be told, and the sums", async () => {
    const list = write(
      "images.txt",
      "HOST/still:3.1\nHOST/app:1.1.0\nHOST/app:1.0.9\nHOST/tool:v1\nHOST/none:1\nHOST/app:edge\n",
    );
    const { stdout, stderr, status } = await outdated([list]);
    expect(stdout.split("\n")).toEqual([
      "Behind",
      expect.stringMatching(/^IMAGE {2,}CURRENT {2}PATCH {2}MINOR {2}LATEST {2}USED BY$/),
      expect.stringMatching(/^HOST\/app {2,}1\.1\.0 {4}- {6}- {6}2\.0\.0 {3}\/images\.txt:2$/),
      expect.stringMatching(/^HOST\/tool +v1 +- +- +v2 +\/images\.txt:4$/),
      "",
      "Gone",
      "HOST/app:1.0.9",
      "  the tag 1.0.9 is gone; 2.0.0 is newer, by a major step",
      "  minor   1.1.0",
      "  latest  2.0.0",
      "  used by /images.txt:3",
      "HOST/none:1",
      "  HOST/none is gone: the registry has no such repository",
      expect.any(String),
      "  used by /images.txt:5",
      "HOST/app:edge",
      "  edge is gone",
      "  used by /images.txt:6",
      "",
      "6 images: 2 behind (2 major), 3 gone, 1 up to date",
      "",
    ]);
    expect([stderr, status]).toEqual(["", 0]);
  });

  it("as JSON has every field, as CSV a line for each, as Markdown what needs something", async () => {
    const file = write("pod.yaml", pod);
    const json: unknown = JSON.parse((await outdated([file, "-o", "json"])).stdout);
    expect(json).toMatchObject({
      apiVersion: "pulley.dev/v1alpha1",
      images: [
        {
          image: { given: "HOST/app:1.0.0", name: "HOST/app", tag: "1.0.0", digest: null },
          status: "outdated",
          current: "1.0.0",
          patch: "1.0.1",
          minor: "1.1.0",
          latest: "2.0.0",
          distance: "major",
          lag: null,
          workloads: [
            {
              kind: "Pod",
              namespace: "prod",
              name: "web",
              container: "a",
              cluster: null,
              source: { file: "/pod.yaml", line: 6 },
            },
          ],
          places: [{ file: "/pod.yaml", line: 6, column: 23 }],
          error: null,
          gone: null,
        },
        { image: { tag: "3.1" }, status: "current", distance: "none" },
      ],
    });
    const csv = (await outdated([file, "-o", "csv"])).stdout.split("\n");
    expect(csv[1]).toBe(
      'HOST/app:1.0.0,outdated,1.0.0,1.0.1,1.1.0,2.0.0,major,,,,,,Pod prod/web,"2.0.0 is newer, by a major step"',
    );
    const markdown = (await outdated([file, "-o", "markdown"])).stdout.split("\n");
    expect(markdown[0]).toBe("**2 images: 1 behind (1 major), 1 up to date**");
    expect(markdown[4]).toMatch(/^\| HOST\/app \| 1\.0\.0 \| 1\.0\.1 \| 1\.1\.0 \| 2\.0\.0 \| outdated \| /);
    expect(markdown).toHaveLength(6);
  });

  it("explains how a tag is read, and what is passed over", async () => {
    const { stdout } = await outdated(["--explain", `${registry.host}/app:1.0.1`]);
    expect(stdout).toContain("family    #.#.#\n");
    expect(stdout).toContain("patch     nothing newer\n");
    expect(stdout).toMatch(/1 {2}older \(1\.0\.0\)\n/);
  });

  it("lists images without a known name as what cannot be told", async () => {
    const file = write("compose.yaml", "services:\n  a: { image: 'HOST/app:$TAG' }\n");
    const { stdout } = await outdated([file]);
    expect(stdout).toContain("Cannot be told\nHOST/app:$TAG\n  it has a variable without a default in it\n");
  });
});

describe("the exit status", () => {
  it.each<[what: string, words: readonly string[], list: string, status: number]>([
    ["is 0 where nothing is asked to fail", [], "HOST/app:1.0.0", 0],
    ["is 1 for a step of that size", ["--fail-on", "major"], "HOST/app:1.0.0", 1],
    ["is 1 for a larger step", ["--fail-on", "patch"], "HOST/tool:v1", 1],
    ["is 0 for a smaller step", ["--fail-on", "major"], "HOST/app:2.0.0", 0],
    ["is 1 for a tag that is gone", ["--fail-on", "missing"], "HOST/app:0.0.1", 1],
    ["is 0 for a step where only a digest counts", ["--fail-on", "lag"], "HOST/app:1.0.0", 0],
    ["is 1 for any of several", ["--fail-on", "lag", "--fail-on", "minor"], "HOST/app:1.0.0", 1],
    ["is 3 where a registry is down", [], "127.0.0.1:1/app:1", 3],
    ["is 1 where a registry refuses", [], "HOST/shut:1", 1],
    ["is 2 for what is no reference", [], "HOST/App:1", 2],
  ])("%s", async (_, words, list, status) => {
    expect((await outdated([write("images.txt", list), ...words])).status).toBe(status);
  });

  it("is 2 for a file that cannot be read, and the rest is answered", async () => {
    const { status, stdout, stderr } = await outdated([write("pod.yaml", pod), join(folder, "none.yaml")]);
    expect([status, stdout.includes("HOST/app"), stderr]).toEqual([2, true, expect.stringContaining("none.yaml")]);
  });

  it("is 1 for a pinned digest that its tag has no more", async () => {
    const list = write("images.txt", `HOST/app:2.0.0@${registry.digestOf("app", "1.0.0")}`);
    expect((await outdated([list, "--fail-on", "lag"])).status).toBe(1);
  });

  it.each<[string, readonly string[], RegExp]>([
    ["--diff alone", ["--diff"], /--diff is given without --fix/],
    ["--fix as JSON", ["--fix", "patch", "-o", "json"], /--fix has no output as json/],
    ["--fix of a major step", ["--fix", "major"], /Allowed choices are patch, minor, digest/],
    ["--fail-on of what is none", ["--fail-on", "all"], /Allowed choices are major, minor, patch, missing, lag/],
    ["--platform of what is none", ["--platform", "arm"], /is not os\/architecture/],
    ["an image that is not there", ["--explain", "other:1"], /other:1 is not among the images/],
  ])("is 2 for %s", async (_, words, message) => {
    const { status, stderr } = await outdated([write("pod.yaml", pod), ...words]);
    expect([status, message.test(stderr)]).toEqual([2, true]);
  });
});

describe("--fix", () => {
  const files = {
    "pod.yaml": [pod, pod.replace("app:1.0.0", "app:1.1.0")],
    "compose.yaml": [
      "services:\r\n  a: { image: 'HOST/app:1.0.0' }\r\n",
      "services:\r\n  a: { image: 'HOST/app:1.1.0' }\r\n",
    ],
    "k/kustomization.yaml": [
      "images: # own\n- name: own\n  newName: HOST/app\n  newTag: 1.0.1\n",
      "images: # own\n- name: own\n  newName: HOST/app\n  newTag: 1.1.0\n",
    ],
    "chart/values.yaml": [
      'image:\n  repository: HOST/app\n  tag: "1.0.0"   # here\n',
      'image:\n  repository: HOST/app\n  tag: "1.1.0"   # here\n',
    ],
    "chart/Chart.yaml": ["apiVersion: v2\nname: own\nversion: 0.1.0\n", "apiVersion: v2\nname: own\nversion: 0.1.0\n"],
    "stack.yml": [
      "provider: { name: openfaas }\nfunctions:\n  f: { image: HOST/app:1.0.0 }\n",
      "provider: { name: openfaas }\nfunctions:\n  f: { image: HOST/app:1.1.0 }\n",
    ],
  } as const;

  it("changes tags and nothing else, and a second run changes nothing", async () => {
    for (const [name, [before]] of Object.entries(files)) write(name, before);
    const first = await outdated([folder, "--fix", "minor"]);
    for (const [name, [, after]] of Object.entries(files)) expect([name, read(name)]).toEqual([name, after]);
    expect(first.stderr).toContain("5 changes in 5 files made\n");
    const second = await outdated([folder, "--fix", "minor"]);
    expect([second.stdout, second.status]).toEqual(["", 0]);
    expect(second.stderr).toContain("0 changes in 0 files made\n");
  });

  it("with --diff shows it, and writes nothing", async () => {
    write("pod.yaml", pod);
    const { stdout } = await outdated([folder, "--fix", "patch", "--diff"]);
    expect(stdout).toContain('-  - { name: a, image: "HOST/app:1.0.0" } # keep\n');
    expect(stdout).toContain('+  - { name: a, image: "HOST/app:1.0.1" } # keep\n');
    expect(read("pod.yaml")).toBe(pod);
  });

  it("gives a pinned image the digest of its new tag, or of its own", async () => {
    const old = registry.digestOf("tool", "v1");
    const line = (tag: string, digest: string) => `HOST/app:${tag}@${digest}\n`;
    const list = write("images.txt", line("1.0.0", old));
    await outdated([list, "--fix", "digest"]);
    expect(read("images.txt")).toBe(line("1.0.0", registry.digestOf("app", "1.0.0")));
    await outdated([list, "--fix", "patch"]);
    expect(read("images.txt")).toBe(line("1.0.1", registry.digestOf("app", "1.0.1")));
  });

  it("gives standard input back as it would be", async () => {
    const { stdout } = await outdated(["-", "--fix", "minor"], pod.replaceAll("HOST", registry.host));
    expect(stdout).toBe(pod.replace("app:1.0.0", "app:1.1.0"));
  });

  it.each<[what: string, text: string, after: string]>([
    [
      "manifests of which nothing changes",
      pod.replace("app:1.0.0", "app:1.1.0"),
      pod.replace("app:1.0.0", "app:1.1.0"),
    ],
    ["a list of images", "HOST/app:1.0.0 # own\r\nHOST/still:3.1\n", "HOST/app:1.1.0 # own\r\nHOST/still:3.1\n"],
    ["a text without images", "kind: ConfigMap\napiVersion: v1\n", "kind: ConfigMap\napiVersion: v1\n"],
  ])("gives all of standard input back: %s", async (_, text, after) => {
    const { stdout } = await outdated(["-", "--fix", "minor"], text.replaceAll("HOST", registry.host));
    expect(stdout).toBe(after);
  });

  it("names the images that could not be judged, and what is gone", async () => {
    const list = write("images.txt", "HOST/shut:1\nHOST/app:9.0.0\nHOST/app:1.0.0\n");
    const { stderr, status } = await outdated([list, "--fix", "minor"]);
    expect(stderr).toMatch(/^HOST\/shut:1: not done: GET .*401 Unauthorized/m);
    expect(stderr).toMatch(/^HOST\/app:9\.0\.0: not done: the tag 9\.0\.0 is gone/m);
    expect([read("images.txt").includes("HOST/app:1.1.0"), status]).toEqual([true, 1]);
  });

  it("fails where a file cannot be written, as one that has changed since it was read", async () => {
    let list = "";
    const late = await tagRegistry(repositories, () => {
      appendFileSync(list, "# new\n");
      return false;
    });
    list = write("images.txt", `${late.host}/app:1.0.0\n`);
    const { status, stderr } = await outdated([list, "--fix", "minor"]);
    expect([status, stderr]).toEqual([2, expect.stringContaining("has changed since it was read")]);
  });
});

it.each<[string, readonly string[], string]>([
  ["--creds", ["--creds", "own:geheim"], ""],
  ["--username", ["--username", "own", "--password-stdin"], "geheim\n"],
])("sends the login of %s to nobody where images are of several registries", async (_, flags, stdin) => {
  const other = await tagRegistry(repositories);
  const list = write("images.txt", `HOST/app:1.0.0\n${other.host}/app:1.0.0\n`);
  const { status, stderr } = await outdated([list, ...flags], stdin);
  expect([status, stderr]).toEqual([2, expect.stringContaining("the images are of 2 registries")]);
  expect([...registry.asked, ...other.asked]).toEqual([]);
  const one = await outdated([write("images.txt", "HOST/app:1.0.0\n"), ...flags], stdin);
  expect(one.status).toBe(0);
});

it("keeps lists of tags, and asks whether they still hold", async () => {
  const tagged = await tagRegistry(repositories, ({ url, headers }, response) => {
    if (!url?.includes("/tags/list")) return false;
    response.setHeader("etag", '"1"');
    if (headers["if-none-match"] !== '"1"') return false;
    response.writeHead(304).end();
    return true;
  });
  const list = write("images.txt", `${tagged.host}/app:1.0.0`);
  const [first, second] = [await outdated([list]), await outdated([list])];
  expect(second.stdout).toBe(first.stdout);
  expect(tagged.asked.map(({ headers }) => headers["if-none-match"])).toEqual([undefined, '"1"']);
});
