import { describe, expect, it } from "vitest";
import { input, nameOf, testFolder, told } from "./testing/read.ts";

const folder = testFolder();

function pod(name: string, spec: string): string {
  return `apiVersion: v1\nkind: Pod\nmetadata: {name: ${name}, namespace: prod}\nspec:\n${spec}`;
}

describe("manifests", () => {
  it("give one entry for an image, however it is spelled, in the order of first use", async () => {
    folder.write(
      "a.yaml",
      pod("a", "  containers:\n  - {name: x, image: 'nginx:1.25'}\n  - {name: d, image: redis}\n"),
    );
    folder.write("b.yaml", pod("b", "  initContainers:\n  - name: z\n    image: docker.io/library/nginx:1.25\n"));
    expect(told(await folder.read(), folder)).toEqual([
      [
        "docker.io/library/nginx:1.25",
        "by Pod prod/a/x",
        "by Pod prod/b/z",
        "in a.yaml:6:22 manifest image",
        "in b.yaml:7:12 manifest image",
      ],
      ["docker.io/library/redis:latest", "by Pod prod/a/d", "in a.yaml:7:22 manifest image"],
    ]);
  });

  it("have image volumes, custom resources and ephemeral containers", async () => {
    const volumes = "  volumes:\n  - {name: v, image: {reference: q.io/a:1}}\n";
    folder.write(
      "a.yaml",
      `${pod("a", `  ephemeralContainers: [{name: e, image: b:2}]\n${volumes}`)}---
apiVersion: postgresql.cnpg.io/v1
kind: Cluster
metadata: {name: db}
spec: {imageName: ghcr.io/pg:16.1}
---
apiVersion: example.org/v1
kind: Widget
metadata: {name: w}
spec: {own: {image: "example.org/own:3"}}
`,
    );
    const imageFields = [{ apiGroup: "example.org", kinds: ["Widget"], images: ["spec.own.image"] }];
    const names = (await folder.read([folder.path()], { imageFields })).images.map(nameOf);
    expect(names).toEqual(["docker.io/library/b:2", "q.io/a:1", "ghcr.io/pg:16.1", "example.org/own:3"]);
  });

  it("share an anchor: each user is a place", async () => {
    folder.write("a.yaml", pod("a", "  containers:\n  - {name: x, image: &i a:1}\n  - {name: y, image: *i}\n"));
    const { images } = await folder.read();
    expect(images.map(({ places }) => places.length)).toEqual([2]);
  });

  it("say what is not known, and why", async () => {
    const images = ["{image: 'a:{{ .Values.tag }}', name: a}", "{image: $IMAGE, name: b}", "{image: my-own, name: c}"];
    folder.write("a.yaml", pod("a", `  containers:\n${images.map((each) => `  - ${each}\n`).join("")}`));
    const { images: known, unknown } = await folder.read([folder.path()], { placeholders: ["my-*"] });
    expect(known).toEqual([]);
    expect(unknown.map(({ given, because, source: { line } }) => [given, because, line])).toEqual([
      ["a:{{ .Values.tag }}", "it is a template", 6],
      ["$IMAGE", "the variable is replaced before the manifest is used", 7],
      ["my-own", "it matches --placeholder", 8],
    ]);
  });

  it("that are broken are problems with their places, and the rest is read", async () => {
    folder.write(
      "a.yaml",
      `${pod("a", "  containers: [{name: x, image: a:1}]\n")}---\napiVersion: v1\nkind: Pod\n  x: [\n`,
    );
    folder.write("b.yaml", pod("b", "  containers: [{name: x}, {name: y, image: Not/One}]\n"));
    const { images, problems } = await folder.read([folder.path(), folder.path("missing.yaml")]);
    expect(images.map(nameOf)).toEqual(["docker.io/library/a:1", "invalid: Not/One"]);
    expect(problems.map(({ source: { file, line } }) => [folder.short(file), line])).toEqual([
      ["a.yaml", 8],
      ["b.yaml", 5],
      ["missing.yaml", 1],
    ]);
  });

  it("come on standard input, too", async () => {
    const stdin = input(pod("a", "  containers: [{name: x, image: a:1}]\n"));
    expect(told(await folder.read(["-"], { stdin }), folder)).toEqual([
      ["docker.io/library/a:1", "by Pod prod/a/x", "in -:5:33 manifest image"],
    ]);
  });
});

describe("Compose files and stacks", () => {
  it("have images with defaults, and those without are not known", async () => {
    folder.write(
      "compose.yaml",
      `services:
  web: {image: 'nginx:\${TAG:-1.27}', platform: linux/arm64}
  own: {image: own:1, build: .}
  db: {image: "postgres:$PG"}
`,
    );
    folder.write(
      "stack.yml",
      "provider: {name: openfaas}\nfunctions:\n  f: {image: 'f:1', constraints: [kubernetes.io/arch = arm64]}\n",
    );
    const found = await folder.read();
    expect(told(found, folder)).toEqual([
      [
        "docker.io/library/nginx:1.27",
        "by ComposeService /web/web",
        "in compose.yaml:2:16 compose withDefaults",
        "on linux/arm64",
      ],
      ["docker.io/library/f:1", "by Function openfaas-fn/f/f", "in stack.yml:3:14 openfaas image", "on /arm64"],
    ]);
    expect(found.unknown).toMatchObject([
      { given: "postgres:$PG", because: "it has a variable without a default in it" },
    ]);
  });
});

describe("lists and names", () => {
  it("are read in their order, and text files can be changed", async () => {
    folder.write("images.txt", "nginx:1\n# no\nq.io/b:2\n");
    const stdin = input("redis:7 nginx:1");
    const found = await folder.read(["busybox", folder.path("images.txt"), "-"], { stdin });
    expect(told(found, folder)).toEqual([
      ["docker.io/library/busybox:latest"],
      ["docker.io/library/nginx:1", "in images.txt:1:1 list word", "in -:1:9 list word"],
      ["q.io/b:2", "in images.txt:3:1 list word"],
      ["docker.io/library/redis:7", "in -:1:1 list word"],
    ]);
  });

  it("may be longer than any file's name", async () => {
    const long = `q.io/${"a".repeat(5000)}`;
    expect((await folder.read([long])).images.map(nameOf)).toEqual([`invalid: ${long}`]);
  });

  it("that name nothing are told as they are", async () => {
    folder.write("images.txt", "");
    const found = await folder.read([folder.path("images.txt"), "Not:An:Image", "-"]);
    expect(found.images.map(nameOf)).toEqual(["invalid: Not:An:Image"]);
    expect(found.problems).toEqual([]);
  });
});

describe("platforms", () => {
  const affinity = (...terms: string[]) =>
    `  affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [${terms.join(", ")}]}}}\n`;
  const arch = (...values: string[]) => `{key: kubernetes.io/arch, operator: In, values: [${values.join(", ")}]}`;

  it.each<[what: string, spec: string, ...platforms: string[]]>([
    ["nothing is said", ""],
    [
      "a node selector",
      "  nodeSelector: {kubernetes.io/arch: arm64, kubernetes.io/os: linux, disk: ssd}\n",
      "on linux/arm64",
    ],
    ["the old labels", "  nodeSelector: {beta.kubernetes.io/os: windows}\n", "on windows/"],
    ["the pod's own field", "  os: {name: windows}\n  nodeSelector: {kubernetes.io/arch: amd64}\n", "on windows/amd64"],
    ["affinity", affinity(`{matchExpressions: [${arch("amd64", "arm64")}]}`), "on /amd64", "on /arm64"],
    [
      "affinity and a selector together",
      `  nodeSelector: {kubernetes.io/arch: arm64}\n${affinity(`{matchExpressions: [${arch("amd64", "arm64")}]}`)}`,
      "on /arm64",
    ],
    ["an alternative without it", affinity(`{matchExpressions: [${arch("arm64")}]}`, "{matchExpressions: []}")],
    [
      "what is only excluded",
      affinity("{matchExpressions: [{key: kubernetes.io/arch, operator: NotIn, values: [arm64]}]}"),
    ],
  ])("%s", async (_, spec, ...wanted) => {
    folder.write("a.yaml", pod("a", `${spec}  containers: [{name: x, image: a:1}]\n`));
    const [lines = []] = told(await folder.read(), folder);
    expect(lines.filter((line) => line.startsWith("on "))).toEqual(wanted);
  });
});

it("the pods of workloads have the pull secrets of their service accounts", async () => {
  const config = Buffer.from('{"auths":{"q.io":{"auth":"YTpi"}}}').toString("base64");
  folder.write(
    "a.yaml",
    `apiVersion: v1
kind: Secret
metadata: {name: s, namespace: prod}
type: kubernetes.io/dockerconfigjson
data: {.dockerconfigjson: ${config}}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: default, namespace: prod}
imagePullSecrets: [{name: s}]
---
${pod("a", "  containers: [{name: x, image: 'q.io/a:1'}]\n")}`,
  );
  const { images, pods } = await folder.read();
  const [request] = images.flatMap(({ workloads }) => workloads.map((each) => each.request));
  const own = request && pods.of(request);
  expect(own?.imagePullSecrets).toEqual(["s"]);
  expect(own && pods.secretsOf(own)).toMatchObject([{ name: "s", content: expect.stringContaining("q.io") }]);
  expect(pods.serviceAccounts()).toMatchObject([{ name: "default" }]);
});
