import { chmodSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { nameOf, testFolder, told } from "./testing/read.ts";
import { isValuesFile } from "./values-files.ts";

const folder = testFolder();

function chart(extra = ""): void {
  folder.write("c/Chart.yaml", `apiVersion: v2\nname: shop\nversion: 0.1.0\nappVersion: "2.4"\n${extra}`);
}

/** A helm that prints this. */
function helm(output: string): string {
  const path = folder.write(".bin/helm", `#!${process.execPath}\nprocess.stdout.write(${JSON.stringify(output)});\n`);
  chmodSync(path, 0o755);
  return folder.path(".bin");
}

function pod(...images: readonly string[]): string {
  const containers = images.map((image, index) => `  - name: c${index}\n    image: ${image}\n`).join("");
  return `apiVersion: v1\nkind: Pod\nmetadata: {name: shop}\nspec:\n  containers:\n${containers}`;
}

describe("a chart without helm", () => {
  it("has the images of its values, and says that it was not rendered", async () => {
    chart();
    folder.write(
      "c/values.yaml",
      'image: {repository: q.io/shop, tag: ""}\ndb: {image: {repository: postgres, tag: "16.1"}}\njob: {image: {repository: q.io/job}}\n',
    );
    folder.write("c/values-prod.yaml", "image: {repository: q.io/shop, tag: 2.5.0}\n");
    folder.write(
      "c/templates/pod.yaml",
      pod('"{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}"'),
    );
    folder.write("c/charts/sub/Chart.yaml", "apiVersion: v2\nname: sub\nversion: 1.0.0\n");
    folder.write("c/charts/sub/values.yaml", "image: {repository: q.io/sub, tag: v1}\n");
    const found = await folder.read([folder.path("c")]);
    expect(told(found, folder)).toEqual([
      ["q.io/shop:2.5.0", "in c/values-prod.yaml:1:37 values parts"],
      ["q.io/shop:2.4", "in c/values.yaml:1:21 values never: its tag is the chart's appVersion"],
      ["docker.io/library/postgres:16.1", "in c/values.yaml:2:41 values parts"],
      ["q.io/sub:v1", "in c/charts/sub/values.yaml:1:36 values parts"],
    ]);
    expect(found.unknown).toMatchObject([{ given: "q.io/job", because: "its tag is not in the values" }]);
    expect(found.notSeen).toMatchObject([{ file: folder.path("c/Chart.yaml"), what: "chart" }]);
    expect(found.problems).toEqual([]);
  });

  it("whose templates write a v before the version leaves an empty tag unknown", async () => {
    chart();
    folder.write("c/values.yaml", 'image: {repository: q.io/shop, tag: ""}\n');
    folder.write("c/templates/_helpers.tpl", '{{ .Values.image.tag | default (printf "v%s" .Chart.AppVersion) }}');
    const { images, unknown } = await folder.read([folder.path("c")]);
    expect(images).toEqual([]);
    expect(unknown).toMatchObject([{ given: "q.io/shop" }]);
  });

  it("has a version for its own image only", async () => {
    chart();
    folder.write(
      "c/values.yaml",
      'hooks: {image: {repository: q.io/kubectl, tag: ""}}\nweb: {image: {repository: q.io/shop-web, tag: ""}}\n',
    );
    const { images, unknown } = await folder.read([folder.path("c")]);
    expect(images.map(nameOf)).toEqual(["q.io/shop-web:2.4"]);
    expect(unknown).toMatchObject([{ given: "q.io/kubectl" }]);
  });

  it("whose values are broken is a problem with its place", async () => {
    chart();
    folder.write("c/values.yaml", "image:\n  tag: [\n");
    const { problems } = await folder.read([folder.path("c")]);
    expect(problems.map(({ source: { file, line } }) => [folder.short(file), line])).toEqual([["c/values.yaml", 3]]);
  });
});

describe("a chart that helm renders", () => {
  it("has what no value names, too, and its values are the places of what they name", async () => {
    chart();
    const template = pod('"{{ .Values.image }}"', "busybox:1.36");
    folder.write("c/values.yaml", "image: q.io/shop:1\nother: {image: {repository: q.io/other}}\n");
    folder.write("c/templates/pod.yaml", template);
    const environment = { PATH: helm(`---\n# Source: shop/templates/pod.yaml\n${pod("q.io/shop:1", "busybox:1.36")}`) };
    const found = await folder.read([folder.path("c")], { environment });
    expect(told(found, folder)).toEqual([
      ["q.io/shop:1", "by Pod default/shop/c0", "in c/values.yaml:1:8 values image"],
      [
        "docker.io/library/busybox:1.36",
        "by Pod default/shop/c1",
        "in c/templates/pod.yaml:9:5 manifest never: it is rendered from a template",
      ],
    ]);
    expect([found.unknown, found.problems, found.notSeen]).toEqual([[], [], []]);
  });
});

describe("values in objects", () => {
  it("of Flux and Argo CD are read where they are", async () => {
    folder.write(
      "a.yaml",
      `apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: a, namespace: apps}
spec:
  chart: {spec: {chart: app, version: 1.2.3, sourceRef: {kind: HelmRepository, name: x}}}
  values:
    image: {repository: q.io/a, tag: v1}
---
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: b}
spec:
  source: {repoURL: 'https://example.org', helm: {valuesObject: {image: {repository: q.io/b, tag: v2}}}}
  sources: [{helm: {valuesObject: {web: {image: 'q.io/c:3'}}}}]
`,
    );
    const found = await folder.read();
    expect(told(found, folder)).toEqual([
      ["q.io/a:v1", "by HelmRelease apps/a/image", "in a.yaml:7:38 values parts"],
      ["q.io/b:v2", "by Application default/b/image", "in a.yaml:13:99 values parts"],
      ["q.io/c:3", "by Application default/b/web.image", "in a.yaml:14:49 values image"],
    ]);
    expect([found.problems, found.notes]).toEqual([[], []]);
  });
});

describe("values without a chart", () => {
  it("are read where a file is named, or is called so", async () => {
    const shop = folder.write("shop.yaml", "image: {repository: q.io/shop, tag: v1}\n");
    folder.write("env/values-prod.yaml", "kind: Deployment\nimage: {repository: q.io/prod, tag: v2}\n");
    folder.write("env/settings.yaml", "image: {repository: q.io/not, tag: v3}\n");
    const found = await folder.read([shop, folder.path("env")]);
    expect(found.images.map(nameOf)).toEqual(["q.io/shop:v1", "q.io/prod:v2"]);
    expect([found.notes, found.problems]).toEqual([[], []]);
  });

  it("are neither a Compose file nor a kustomization nor manifests", async () => {
    folder.write("values.yaml", "services:\n  web: {image: 'own:1', build: .}\n");
    folder.write("a/values.yaml", pod("q.io/a:{{ .Values.tag }}"));
    expect((await folder.read()).images).toEqual([]);
  });

  it("that are broken are a problem, and a file of another sort is a note", async () => {
    folder.write("values.yaml", "image:\n  tag: 'a\n");
    const other = folder.write("other.yaml", "colour: red\n");
    const found = await folder.read([folder.path(), other]);
    expect(found.problems).toMatchObject([{ source: { file: folder.path("values.yaml") } }]);
    expect(found.notes).toMatchObject([{ source: { file: other } }]);
  });

  it.each<[boolean, string]>([
    [true, "values.yaml"],
    [true, "a/values.prod.yml"],
    [true, "prod-values.yaml"],
    [true, "values-eu.yaml"],
    [false, "evaluesx.yaml"],
    [false, "values.json"],
    [false, "values/app.yaml"],
  ])("%s: %s", (is, path) => expect(isValuesFile(path)).toBe(is));
});
