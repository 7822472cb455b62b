import { dirname } from "node:path";
import { describe, expect, it } from "vitest";
import { describeWith } from "../../test/describe-with.ts";
import { nameOf, testFolder, told } from "./testing/read.ts";

const folder = testFolder();
const digest = `sha256:${"ab".repeat(32)}`;

function deployment(name: string, ...images: readonly string[]): string {
  const containers = images.map((image, index) => `      - { name: c${index}, image: "${image}" }\n`).join("");
  return `apiVersion: apps/v1
kind: Deployment
metadata: { name: ${name} }
spec:
  template:
    spec:
      containers:
${containers}`;
}

describe("kustomizations that nothing builds", () => {
  it("give the resources of their folder their images", async () => {
    folder.write("web.yaml", deployment("web", "nginx", "ghcr.io/a:1", "own:2"));
    folder.write(
      "kustomization.yaml",
      "resources: [web.yaml]\nimages:\n- name: nginx\n  newTag: '1.27'\n- name: own\n  newName: q.io/own\n",
    );
    expect(told(await folder.read(), folder)).toEqual([
      [
        "docker.io/library/nginx:1.27",
        "by Deployment default/web/c0",
        "in kustomization.yaml:4:11 kustomization parts",
      ],
      ["ghcr.io/a:1", "by Deployment default/web/c1", "in web.yaml:9:28 manifest image"],
      ["q.io/own:2", "by Deployment default/web/c2", "in web.yaml:10:28 manifest image"],
    ]);
  });

  it("whose entries match nothing that is seen give the entries alone", async () => {
    folder.write(
      "kustomization.yaml",
      `resources: [https://example.org/x]
images:
- {name: a, newTag: v2}
- {name: b, newName: q.io/c, digest: "${digest}"}
- {name: d, newTag: '3', digest: "${digest}"}
- {name: e, newName: q.io/f}
- {name: g, newTag: '4', tagSuffix: -x}
- not an entry
`,
    );
    expect(told(await folder.read(), folder)).toEqual([
      ["docker.io/library/a:v2", "in kustomization.yaml:3:21 kustomization parts"],
      [`q.io/c@${digest}`, "in kustomization.yaml:4:38 kustomization parts"],
      [`docker.io/library/d:3@${digest}`, "in kustomization.yaml:5:21 kustomization parts"],
      ["docker.io/library/g:4-x", "in kustomization.yaml:7:21 kustomization never: tagSuffix adds to its tag"],
    ]);
  });

  it("keep a number as it is written, and tell that kustomize refuses it", async () => {
    folder.write(
      "kustomization.yaml",
      "images:\n- name: a\n  newTag: 1.10\n- name: b\n  newTag: '1.20'\n- {name: c, newTag: 20240101}\n",
    );
    const { images, problems, notes } = await folder.read([folder.path("kustomization.yaml")]);
    expect(images.map(nameOf)).toEqual([
      "docker.io/library/a:1.10",
      "docker.io/library/b:1.20",
      "docker.io/library/c:20240101",
    ]);
    expect(problems.map(({ source: { line }, message }) => [line, message])).toEqual([
      [3, "newTag: 1.10 is no string, so kustomize refuses it: write it in quotes"],
      [6, "newTag: 20240101 is no string, so kustomize refuses it: write it in quotes"],
    ]);
    expect(notes).toEqual([]);
  });

  it("have placeholders, which are not known", async () => {
    folder.write("kustomization.yaml", "images:\n- {name: a, newTag: IMAGE_TAG}\n- {name: b, newTag: '${TAG}'}\n");
    const { images, unknown } = await folder.read();
    expect(images).toEqual([]);
    expect(unknown.map(({ given }) => given)).toEqual(["a:IMAGE_TAG", "b:${TAG}"]);
  });

  it("of Flux are none", async () => {
    const flux = "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: a}\n";
    folder.write("kustomization.yaml", `${flux}spec: {}\nimages:\n- {name: a, newTag: v2}\n`);
    expect((await folder.read()).images).toEqual([]);
  });
});

describeWith(["kustomize"], "kustomizations, built by kustomize,", ({ kustomize }) => {
  const environment = { PATH: dirname(kustomize) };
  const read = () => folder.read([folder.path()], { environment });

  it("have their images where they are set: in an entry, a patch or a manifest", async () => {
    folder.write("base/kustomization.yaml", "resources: [web.yaml]\n");
    folder.write("base/web.yaml", deployment("web", "nginx", "ghcr.io/a:1", "q.io/b:1", "q.io/d:4"));
    folder.write(
      "top/kustomization.yaml",
      `resources: [../base]
namePrefix: eu-
images:
- {name: nginx, newName: q.io/nginx, newTag: "1.27"}
- {name: q.io/b, newName: q.io/c}
- {name: unused, newTag: "9"}
patches: [{path: patch.yaml}]
`,
    );
    folder.write(
      "top/patch.yaml",
      deployment("web").replace("containers:\n", "containers: [{name: c3, image: 'q.io/d:5'}]\n"),
    );
    const found = await read();
    expect(found.notSeen).toEqual([]);
    expect(told(found, folder)).toEqual([
      ["ghcr.io/a:1", "by Deployment default/eu-web/c1", "in base/web.yaml:9:28 manifest image"],
      ["q.io/nginx:1.27", "by Deployment default/eu-web/c0", "in top/kustomization.yaml:4:46 kustomization parts"],
      ["q.io/c:1", "by Deployment default/eu-web/c2", "in base/web.yaml:10:28 manifest image"],
      ["q.io/d:5", "by Deployment default/eu-web/c3", "in top/patch.yaml:7:38 manifest image"],
    ]);
  });

  it("have one place for a base that several overlays build, and each user", async () => {
    folder.write("base/kustomization.yaml", "resources: [web.yaml]\n");
    folder.write("base/web.yaml", deployment("web", "ghcr.io/a:1"));
    for (const name of ["eu", "us"])
      folder.write(`${name}/kustomization.yaml`, `resources: [../base]\nnamespace: ${name}\n`);
    expect(told(await read(), folder)).toEqual([
      ["ghcr.io/a:1", "by Deployment eu/web/c0", "by Deployment us/web/c0", "in base/web.yaml:8:28 manifest image"],
    ]);
  });

  it("that rename an image keep its tag, which is not changed where the old name is used, too", async () => {
    folder.write("base/kustomization.yaml", "resources: [web.yaml]\n");
    folder.write("base/web.yaml", deployment("web", "q.io/a:1"));
    folder.write("top/kustomization.yaml", "resources: [../base]\nimages: [{name: q.io/a, newName: q.io/b}]\n");
    folder.write("other/kustomization.yaml", "resources: [../base]\nnamespace: other\n");
    expect(told(await read(), folder)).toEqual([
      [
        "q.io/a:1",
        "by Deployment other/web/c0",
        "in base/web.yaml:8:28 manifest never: it is the tag of several images",
      ],
      [
        "q.io/b:1",
        "by Deployment default/web/c0",
        "in base/web.yaml:8:28 manifest never: it is the tag of several images",
      ],
    ]);
  });

  it("that rename an image whose tag another one has set do not change the manifest", async () => {
    folder.write("base/kustomization.yaml", "resources: [web.yaml]\nimages: [{name: q.io/a, newTag: '2'}]\n");
    folder.write("base/web.yaml", deployment("web", "q.io/a:1"));
    folder.write("top/kustomization.yaml", "resources: [../base]\nimages: [{name: q.io/a, newName: q.io/b}]\n");
    expect(told(await read(), folder)).toEqual([
      [
        "q.io/b:2",
        "by Deployment default/web/c0",
        "in top/kustomization.yaml:2:34 kustomization never: newName sets no tag",
      ],
    ]);
  });

  it("whose bases are outside of the named folder do not change them", async () => {
    folder.write("base/kustomization.yaml", "resources: [web.yaml]\nimages: [{name: q.io/c, newTag: '3'}]\n");
    folder.write("base/web.yaml", deployment("web", "q.io/a:1", "q.io/b:2", "q.io/c"));
    folder.write("top/kustomization.yaml", "resources: [../base]\nimages: [{name: q.io/a, newName: q.io/d}]\n");
    const { images } = await folder.read([folder.path("top")], { environment });
    expect(images.map(nameOf).toSorted()).toEqual(["q.io/b:2", "q.io/c:3", "q.io/d:1"]);
    const changes = images.flatMap(({ places }) => places.map(({ change }) => change.kind));
    expect(changes).toEqual(["none", "none", "none"]);
  });

  it("that kustomize refuses are read by their entries", async () => {
    folder.write("web.yaml", deployment("web", "nginx"));
    folder.write("kustomization.yaml", "resources: [web.yaml]\nimages: [{name: nginx, newTag: 1.27}]\n");
    const found = await read();
    expect(found.images.map(nameOf)).toEqual(["docker.io/library/nginx:1.27"]);
    expect(found.problems.length).toBeGreaterThan(0);
  });
});
