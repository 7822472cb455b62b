import { readFileSync } from "node:fs";
import { dirname } from "node:path";
import { describe, expect, it } from "vitest";
import { describeWith } from "../../test/describe-with.ts";
import { parseDigest, parseTag } from "../image/index.ts";
import { fixImages } from "./fix.ts";
import type { UsedImagesOptions } from "./images.ts";
import { input, nameOf, testFolder } from "./testing/read.ts";
import type { UsedImages } from "./used-image.ts";

const folder = testFolder();
const old = `sha256:${"ab".repeat(32)}`;
const digest = `sha256:${"cd".repeat(32)}`;

/** Each image gets the tag 2.0, or another one, and the new digest. */
function wanted({ images }: UsedImages, tag = "2.0", hasDigest = true) {
  const to = { tag: parseTag(tag), ...(hasDigest && { digest: parseDigest(digest) }) };
  return images.map((used) => ({ used, to }));
}

interface Fixed {
  readonly texts: readonly string[];
  /** `a.yaml:3: why` */
  readonly refused: readonly string[];
}

async function fixed(
  files: Readonly<Record<string, string>>,
  options: Partial<UsedImagesOptions> & { readonly tag?: string; readonly hasDigest?: boolean } = {},
): Promise<Fixed> {
  const paths = Object.entries(files).map(([name, text]) => folder.write(name, text));
  const once = await fixImages(wanted(await folder.read([folder.path()], options), options.tag, options.hasDigest), {
    mode: "fix",
  });
  expect(once.failures).toEqual([]);
  const texts = paths.map((path) => readFileSync(path, "utf8"));
  const again = await fixImages(wanted(await folder.read([folder.path()], options), options.tag, options.hasDigest), {
    mode: "fix",
  });
  expect(again.changed).toEqual([]);
  expect(paths.map((path) => readFileSync(path, "utf8"))).toEqual(texts);
  return {
    texts,
    refused: once.refused.map(
      ({ place, reason }) => `${folder.short(place.source.file)}:${place.source.line}: ${reason}`,
    ),
  };
}

function pod(containers: string): string {
  return `apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  containers:\n${containers}`;
}

describe("manifests", () => {
  it.each<[what: string, before: string, after: string]>([
    ["a plain image", "  - image: nginx:1.25\n", "  - image: nginx:2.0\n"],
    [
      "quotes and a comment",
      "  - image: 'q.io/a:1' # why\n  - image: \"a:1\"\n",
      "  - image: 'q.io/a:2.0' # why\n  - image: \"a:2.0\"\n",
    ],
    ["a tag and a digest", `  - image: nginx:1.25@${old}\n`, `  - image: nginx:2.0@${digest}\n`],
    ["a digest alone", `  - image: nginx@${old}\n`, `  - image: nginx@${digest}\n`],
    ["flow style", "  - {name: x, image: a:1, tty: true}\n", "  - {name: x, image: a:2.0, tty: true}\n"],
    ["a port", "  - image: localhost:5000/a:1\n", "  - image: localhost:5000/a:2.0\n"],
    ["an anchor whose users all change", "  - image: &i a:1\n  - image: *i\n", "  - image: &i a:2.0\n  - image: *i\n"],
    ["a block scalar", "  - image: >-\n      a:1\n    name: x\n", "  - image: >-\n      a:2.0\n    name: x\n"],
  ])("%s", async (_, before, after) => {
    expect(await fixed({ "a.yaml": pod(before) })).toEqual({ texts: [pod(after)], refused: [] });
    const windows = (text: string) => `\ufeff${text.replaceAll("\n", "\r\n")}`;
    expect((await fixed({ "a.yaml": windows(pod(before)) })).texts).toEqual([windows(pod(after))]);
  });

  it.each<[what: string, before: string, why: string]>([
    ["no tag", "  - image: nginx\n", "a.yaml:6: it has no tag"],
    ["no tag, but a port", "  - image: localhost:5000/a\n", "a.yaml:6: it has no tag"],
    [
      "a template elsewhere in the document",
      '  - image: nginx:1 # {{ "x" }}\n',
      "a.yaml:6: the document is a template: it has {{ in it",
    ],
    [
      "an anchor that something else uses",
      "  - {image: &i 'a:1', name: x, args: [*i]}\n",
      "a.yaml:6: the place is shared by an anchor that is used 2 times",
    ],
  ])("refuse %s", async (_, before, why) => {
    expect(await fixed({ "a.yaml": pod(before) })).toEqual({ texts: [pod(before)], refused: [why] });
  });

  it("refuse a new tag without the new digest", async () => {
    const text = pod(`  - image: nginx:1@${old}\n`);
    expect(await fixed({ "a.yaml": text }, { hasDigest: false })).toEqual({
      texts: [text],
      refused: ["a.yaml:6: it has a digest, and that of the new tag is not known"],
    });
  });

  it("get a digest only where one is", async () => {
    const path = folder.write("a.yaml", pod("  - image: a:1\n"));
    const [used] = (await folder.read()).images;
    const { changed, refused } = await fixImages(used ? [{ used, to: { digest: parseDigest(digest) } }] : [], {
      mode: "fix",
    });
    expect(changed).toEqual([]);
    expect(refused).toMatchObject([{ reason: "it has no digest", place: { source: { file: path } } }]);
  });

  it("of standard input are in the report alone", async () => {
    const stdin = input(pod("  - image: a:1\n"));
    const { changed } = await fixImages(wanted(await folder.read(["-"], { stdin })), { mode: "fix" });
    expect(changed).toMatchObject([{ file: "-", text: pod("  - image: a:2.0\n") }]);
  });

  it("are not written for a diff", async () => {
    const path = folder.write("a.yaml", pod("  - image: a:1\n"));
    const { changed } = await fixImages(wanted(await folder.read()), { mode: "diff" });
    expect(changed[0]?.diff).toContain("-  - image: a:1\n+  - image: a:2.0\n");
    expect(readFileSync(path, "utf8")).toBe(pod("  - image: a:1\n"));
  });
});

describe("Compose files", () => {
  it.each<[image: string, after: string | undefined, why?: string]>([
    ["nginx:1.27", "nginx:2.0"],
    ["nginx:${TAG:-1.27}", "nginx:${TAG:-2.0}"],
    ["nginx:${TAG-1.27}", "nginx:${TAG-2.0}"],
    ["'nginx:${TAG:-1.27}'  # why", "'nginx:${TAG:-2.0}'  # why"],
    ["${REGISTRY:-q.io}/a:1", "${REGISTRY:-q.io}/a:2.0"],
    ["${IMAGE:-nginx:1.27}", "${IMAGE:-nginx:2.0}"],
    [`nginx:\${TAG:-1}@${old}`, `nginx:\${TAG:-2.0}@${digest}`],
    [`nginx:\${TAG:-1@${old}}`, `nginx:\${TAG:-2.0@${digest}}`],
    ["nginx:1.27-${VARIANT:-alpine}", undefined, "a variable is only a part of its tag"],
    ["nginx:1.27${SUFFIX:-}", undefined, "a variable is only a part of its tag"],
    ["nginx:${A:-1}.${B:-27}", undefined, "a variable is only a part of its tag"],
    ["nginx:${A:-${B:-1}}", undefined, "its variables are inside of each other"],
    ["nginx:${A:-}1${B:-}", undefined, "a variable is only a part of its tag"],
  ])("%s", async (image, after, why) => {
    const compose = (own: string) => `services:\n  web:\n    image: ${own}\n    ports: ["80:80"]\n`;
    expect(await fixed({ "compose.yaml": compose(image) })).toEqual({
      texts: [compose(after ?? image)],
      refused: why === undefined ? [] : [`compose.yaml:3: ${why}`],
    });
  });

  it("with braces are left as they are", async () => {
    const text = "services:\n  a: {image: 'a:1'}\n  b: {image: 'b:${TAG:-1}', labels: ['{{ x }}']}\n";
    const why = "the document is a template: it has {{ in it";
    expect(await fixed({ "compose.yaml": text })).toEqual({
      texts: [text],
      refused: [`compose.yaml:2: ${why}`, `compose.yaml:3: ${why}`],
    });
  });

  it("leave what is built, and change stacks of OpenFaaS", async () => {
    const compose = "services:\n  own: {build: ., image: 'own:1'}\n";
    const stack = (tag: string) => `provider: {name: openfaas}\nfunctions:\n  f: {image: "f:${tag}", lang: go}\n`;
    expect((await fixed({ "compose.yaml": compose, "stack.yml": stack("1") })).texts).toEqual([compose, stack("2.0")]);
  });
});

describe("stack files of OpenFaaS", () => {
  const why = "it has a variable in it, which faas-cli replaces by what its environment has";

  it.each<[image: string, after: string | undefined, why?: string]>([
    ["q.io/f:1", "q.io/f:2.0"],
    ["'q.io/f:1'  # why", "'q.io/f:2.0'  # why"],
    ["q.io/f", undefined, "it has no tag"],
    ["q.io/f:${TAG:-1}", undefined, why],
    ["${REGISTRY:-q.io}/f:1", undefined, why],
    ["q.io/f:${TAG=1}", undefined, why],
  ])("%s", async (image, after, refused) => {
    const stack = (own: string) =>
      `provider:\r\n  name: openfaas\r\nfunctions:\r\n  f:\r\n    lang: go\r\n    image: ${own}\r\n    # end\r\n`;
    expect(await fixed({ "stack.yaml": stack(image) })).toEqual({
      texts: [stack(after ?? image)],
      refused: refused === undefined ? [] : [`stack.yaml:6: ${refused}`],
    });
  });
});

describe("lists", () => {
  it("change a word, and nothing around it", async () => {
    const path = folder.write("images.txt", "\ufeff# a:1\r\n  a:1   # a:1\r\n 3 q.io/b:1\r\nlocalhost:5000/c\r\n");
    const { changed, refused } = await fixImages(wanted(await folder.read([path])), { mode: "fix" });
    expect(changed).toHaveLength(1);
    expect(readFileSync(path, "utf8")).toBe("\ufeff# a:1\r\n  a:2.0   # a:1\r\n 3 q.io/b:2.0\r\nlocalhost:5000/c\r\n");
    expect(refused).toMatchObject([{ reason: "it has no tag" }]);
    expect((await fixImages(wanted(await folder.read([path])), { mode: "fix" })).changed).toEqual([]);
  });

  it("change on standard input, too", async () => {
    const { changed } = await fixImages(wanted(await folder.read(["-"], { stdin: input("a:1 # a\n") })), {
      mode: "fix",
    });
    expect(changed).toMatchObject([{ file: "-", text: "a:2.0 # a\n" }]);
  });
});

describe("kustomizations", () => {
  it.each<[what: string, before: string, after: string, tag?: string]>([
    ["a string", "- {name: a, newTag: v1}", "- {name: a, newTag: v2}", "v2"],
    ["a string in quotes", "- name: a\n  newTag: '1.10' # why", "- name: a\n  newTag: '1.20' # why", "1.20"],
    ["a number, which was refused", "- name: a\n  newTag: 1.10", '- name: a\n  newTag: "1.20"', "1.20"],
    ["what would be a number", "- name: a\n  newTag: v1", '- name: a\n  newTag: "20240101"', "20240101"],
    ["what would be a date", "- name: a\n  newTag: v1", '- name: a\n  newTag: "2024-01-01"', "2024-01-01"],
    ["what would be a boolean", "- name: a\n  newTag: v1", '- name: a\n  newTag: "on"', "on"],
    ["a digest", `- {name: a, digest: "${old}"}`, `- {name: a, digest: "${digest}"}`],
    ["both", `- {name: a, newTag: v1, digest: ${old}}`, `- {name: a, newTag: v2, digest: ${digest}}`, "v2"],
  ])("%s", async (_, before, after, tag) => {
    const text = (own: string) => `# {{ braces }}\nresources: []\nimages:\n${own}\n`;
    expect(await fixed({ "kustomization.yaml": text(before) }, tag === undefined ? {} : { tag })).toEqual({
      texts: [text(after)],
      refused: [],
    });
  });
});

describe("values", () => {
  it.each<[what: string, before: string, after: string, ...refused: string[]]>([
    [
      "a tag",
      "image:\n  repository: q.io/a # the name\n  tag: v1 # {{ the tag }}\n",
      'image:\n  repository: q.io/a # the name\n  tag: "2.0" # {{ the tag }}\n',
    ],
    ["a number", "image: {repository: q.io/a, tag: 1.10}\n", 'image: {repository: q.io/a, tag: "2.0"}\n'],
    [
      "an empty digest",
      "image: {repository: q.io/a, tag: '1', digest: ''}\n",
      "image: {repository: q.io/a, tag: '2.0', digest: ''}\n",
    ],
    [
      "a digest",
      `image: {registry: q.io, image: a, tag: "1", digest: ${old}}\n`,
      `image: {registry: q.io, image: a, tag: "2.0", digest: ${digest}}\n`,
    ],
    [
      "a digest without its algorithm",
      `image: {repository: q.io/a, tag: "1", sha: ${old.slice(7)}}\n`,
      `image: {repository: q.io/a, tag: "2.0", sha: ${digest.slice(7)}}\n`,
    ],
    [
      "a digest in the tag",
      `image: {repository: q.io/a, tag: "1@${old}"}\n`,
      `image: {repository: q.io/a, tag: "2.0@${digest}"}\n`,
    ],
    ["a whole image", "image: q.io/a:v1\nnote: '{{ x }}'\n", "image: q.io/a:2.0\nnote: '{{ x }}'\n"],
    [
      "a whole image in the repository",
      "image: {repository: q.io/a:v1, pullPolicy: Always}\n",
      "image: {repository: q.io/a:2.0, pullPolicy: Always}\n",
    ],
    ["a tag beside the image", "image: q.io/a\nimageTag: '1'\n", "image: q.io/a\nimageTag: '2.0'\n"],
    [
      "an alias",
      "a: {image: &i {repository: q.io/a, tag: '1'}}\nb: {image: *i}\n",
      "a: {image: &i {repository: q.io/a, tag: '2.0'}}\nb: {image: *i}\n",
    ],
    [
      "a merge key",
      "x: &x {repository: q.io/a, tag: '1'}\nimage:\n  <<: *x\n  pullPolicy: Always\n",
      "x: &x {repository: q.io/a, tag: '1'}\nimage:\n  <<: *x\n  pullPolicy: Always\n",
      "values.yaml:1: the place is shared by an anchor that is used 2 times",
    ],
    [
      "a digest of a variant",
      `image: {image: q.io/a, tag: v1, digest: "${old}", digestChroot: "${old}"}\n`,
      `image: {image: q.io/a, tag: v1, digest: "${old}", digestChroot: "${old}"}\n`,
      "values.yaml:1: digestChroot would stay as it is",
    ],
  ])("%s", async (_, before, after, ...refused) => {
    expect(await fixed({ "values.yaml": before })).toEqual({ texts: [after], refused });
  });

  it("in an object of Flux change in it, also in a list", async () => {
    const release = (tag: string) => `apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmReleaseList
items:
- metadata: {name: a}
  spec:
    # {{ braces }}
    values: {image: {repository: q.io/a, tag: "${tag}"}}
`;
    expect(await fixed({ "a.yaml": release("1") })).toEqual({ texts: [release("2.0")], refused: [] });
  });

  it("of a chart whose tag is its appVersion stay, as its templates do", async () => {
    const chart = 'apiVersion: v2\nname: a\nversion: 1.0.0\nappVersion: "1"\n';
    const values = 'image: {repository: q.io/a, tag: ""}\n';
    const template = pod("  - image: 'b:1'\n");
    expect(await fixed({ "c/Chart.yaml": chart, "c/values.yaml": values, "c/templates/pod.yaml": template })).toEqual({
      texts: [chart, values, template],
      refused: ["c/values.yaml:1: its tag is the chart's appVersion"],
    });
  });
});

describeWith(["kustomize"], "kustomizations, built by kustomize,", ({ kustomize }) => {
  it("change each tag where it is set, so that the build has the new one", async () => {
    const environment = { PATH: dirname(kustomize) };
    const files = {
      "base/kustomization.yaml": "resources: [web.yaml]\n",
      "base/web.yaml": pod("  - {name: a, image: 'nginx:1'}\n  - {name: b, image: 'q.io/b:1'}\n"),
      "top/kustomization.yaml": `resources: [../base]\nimages:\n- name: nginx\n  newName: q.io/nginx\n  newTag: "1"\n`,
    };
    const { texts, refused } = await fixed(files, { environment });
    expect(refused).toEqual([]);
    expect(texts).toEqual([
      files["base/kustomization.yaml"],
      pod("  - {name: a, image: 'nginx:1'}\n  - {name: b, image: 'q.io/b:2.0'}\n"),
      files["top/kustomization.yaml"].replace('newTag: "1"', 'newTag: "2.0"'),
    ]);
    expect((await folder.read([folder.path()], { environment })).images.map(nameOf)).toEqual([
      "q.io/b:2.0",
      "q.io/nginx:2.0",
    ]);
  });
});
