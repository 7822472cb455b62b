import { describe, expect, it } from "vitest";
import { readValues } from "../workload/index.ts";
import { type ValueImage, valueImages } from "./value-shapes.ts";

const sha = "ab".repeat(32);
const digest = `sha256:${sha}`;

function found(values: string): readonly string[] {
  const { text, values: roots, problems } = readValues(values, "values.yaml");
  expect(problems).toEqual([]);
  return roots
    .flatMap((root) => valueImages(root))
    .map((image) => `${shown(image)} @${text.position(image.at.start).line}`);
}

function shown(image: ValueImage): string {
  switch (image.kind) {
    case "whole":
      return `${image.image} in ${[image.field.path, image.field.imageKey].filter((each) => each !== "").join(".")}`;
    case "parts": {
      const keys = [image.tagKey, image.digestKey].filter((key) => key !== undefined).join("+");
      return `${image.image} in ${image.path}[${keys}]${image.fixed === undefined ? "" : `, but ${image.fixed}`}`;
    }
    case "appVersion":
      return `${image.name} by appVersion`;
    case "unknown":
      return `?? ${image.given}: ${image.because}`;
  }
}

describe("images in values", () => {
  it.each<[chart: string, values: string, ...images: string[]]>([
    [
      "most: a repository and a tag",
      "image:\n  repository: nginx\n  tag: '1.25'\n  pullPolicy: Always\n",
      "nginx:1.25 in image[tag] @3",
    ],
    [
      "Bitnami: a registry, and an empty digest",
      'image:\n  registry: docker.io\n  repository: bitnami/redis\n  tag: 7.4.0-debian-12-r0\n  digest: ""\n',
      "docker.io/bitnami/redis:7.4.0-debian-12-r0 in image[tag] @4",
    ],
    [
      "Bitnami: a registry for all",
      "global: {imageRegistry: q.io}\nimage: {registry: docker.io, repository: a/b, tag: 1.2.3}\nother: {image: {repository: c/d, tag: v1}}\n",
      "q.io/a/b:1.2.3 in image[tag] @2",
      "c/d:v1 in other.image[tag] @3",
    ],
    [
      "ingress-nginx: an image in the place of a repository, and a digest",
      `controller:\n  image: {registry: registry.k8s.io, image: ingress-nginx/controller, tag: v1.11.2, digest: "${digest}"}\n`,
      `registry.k8s.io/ingress-nginx/controller:v1.11.2@${digest} in controller.image[tag+digest] @2`,
    ],
    [
      "ingress-nginx: a digest of a variant, which would stay",
      `image: {image: a/b, tag: v1, digest: "${digest}", digestChroot: "${digest}"}\n`,
      `a/b:v1@${digest} in image[tag+digest], but digestChroot would stay as it is @1`,
    ],
    [
      "ingress-nginx: the registry of all that have none",
      "global: {image: {registry: registry.k8s.io}}\na: {image: {image: a/b, tag: v1}}\nb: {image: {repository: q.io/b, tag: v1}}\nc: {image: {registry: x.io, image: c, tag: v1}}\n",
      "registry.k8s.io/a/b:v1 in a.image[tag] @2",
      "q.io/b:v1 in b.image[tag] @3",
      "x.io/c:v1 in c.image[tag] @4",
    ],
    [
      "Datadog: a name that is the rest of the repository",
      "image: {name: worker, repository: gcr.io/datadoghq, tag: 2.1.0}\n",
      "?? gcr.io/datadoghq: its name may be the rest of it @1",
    ],
    [
      "Grafana: a digest without its algorithm",
      `image: {repository: grafana/grafana, tag: 11.1.0, sha: "${sha}"}\n`,
      `grafana/grafana:11.1.0@${digest} in image[tag+sha] @1`,
    ],
    [
      "Cilium: a digest that does not count",
      `image: {repository: quay.io/cilium/cilium, tag: v1.16.0, digest: "${digest}", useDigest: false}\n`,
      "quay.io/cilium/cilium:v1.16.0 in image[tag] @1",
    ],
    [
      "Elastic: a tag beside the image",
      "image: docker.elastic.co/elasticsearch/elasticsearch\nimageTag: 8.5.1\nimagePullPolicy: IfNotPresent\n",
      "docker.elastic.co/elasticsearch/elasticsearch:8.5.1 in [imageTag] @2",
    ],
    [
      "Consul: whole images",
      "global:\n  image: hashicorp/consul:1.18.2\n  imageK8S: hashicorp/consul-k8s-control-plane:1.4.1\n",
      "hashicorp/consul:1.18.2 in global.image @2",
      "hashicorp/consul-k8s-control-plane:1.4.1 in global.imageK8S @3",
    ],
    [
      "Argo CD: an image that follows the version of the chart",
      'global: {image: {repository: quay.io/argoproj/argocd, tag: ""}}\n',
      "quay.io/argoproj/argocd by appVersion @1",
    ],
    ["Argo CD: components that follow the global one", 'controller: {image: {repository: "", tag: ""}}\n'],
    [
      "Argo CD: an exporter whose image has a neighbour",
      "exporter: {enabled: true, image: ghcr.io/oliver006/redis_exporter, tag: v1.61.0}\n",
      "ghcr.io/oliver006/redis_exporter:v1.61.0 in exporter[tag] @1",
    ],
    [
      "cert-manager: no tag",
      "image: {repository: quay.io/jetstack/cert-manager-controller, pullPolicy: Always}\n",
      "?? quay.io/jetstack/cert-manager-controller: its tag is not in the values @1",
    ],
    [
      "Traefik: a tag of null",
      "image: {registry: docker.io, repository: traefik, tag: null}\n",
      "docker.io/traefik by appVersion @1",
    ],
    [
      "Jenkins: a label that the templates add",
      "controller: {image: {registry: docker.io, repository: jenkins/jenkins, tagLabel: jdk17}}\n",
      "?? docker.io/jenkins/jenkins: tagLabel adds to its tag @1",
    ],
    [
      "Datadog: a bare name whose registry is elsewhere",
      "registry: gcr.io/datadoghq\nagents: {image: {name: agent, tag: 7.56.0}}\n",
    ],
    [
      "Longhorn: names between",
      "image:\n  longhorn:\n    engine: {repository: longhornio/longhorn-engine, tag: v1.6.2}\n",
      "longhornio/longhorn-engine:v1.6.2 in image.longhorn.engine[tag] @3",
    ],
    ["Istio: a bare word, completed elsewhere", "global: {hub: docker.io/istio, tag: 1.22.0}\npilot: {image: pilot}\n"],
    [
      "lists",
      "extra:\n- {name: a, image: 'busybox:1.36'}\n- image: {repository: q.io/a, tag: v1}\n",
      "busybox:1.36 in extra[0].image @2",
      "q.io/a:v1 in extra[1].image[tag] @3",
    ],
    [
      "anchors and aliases",
      "a: {image: &i {repository: q.io/a, tag: v1}}\nb: {image: *i}\n",
      "q.io/a:v1 in a.image[tag] @1",
      "q.io/a:v1 in b.image[tag] @1",
    ],
    ["a number as helm reads it", "image: {repository: q.io/a, tag: 1.10}\n", "q.io/a:1.1 in image[tag] @1"],
    ["a number of many digits", "image: {repository: q.io/a, tag: 20240101}\n", "q.io/a:20240101 in image[tag] @1"],
    ["a digest alone", `image: {repository: q.io/a, digest: "${digest}"}\n`, `q.io/a@${digest} in image[digest] @1`],
    [
      "a digest in the tag",
      `image: {repository: q.io/a, tag: "v1@${digest}"}\n`,
      `q.io/a:v1@${digest} in image[tag] @1`,
    ],
    [
      "a whole image in the repository",
      'image: {repository: "q.io/a:v1", pullPolicy: Always}\n',
      "q.io/a:v1 in image.repository @1",
    ],
    [
      "templates in strings",
      "image: {repository: q.io/a, tag: '{{ .Chart.AppVersion }}'}\nother: {image: '{{ .Values.x }}'}\n",
      "?? q.io/a:{{ .Chart.AppVersion }}: its tag is a template @1",
      "?? {{ .Values.x }}: it is a template @2",
    ],
    [
      "variables",
      "image: {repository: '${HUB}/a', tag: v1}\nb: {image: {repository: q.io/b, tag: '${TAG}'}}\nc: {image: 'q.io/c:$TAG'}\n",
      "?? ${HUB}/a: its name has a variable in it @1",
      "?? q.io/b:${TAG}: its tag has a variable in it @2",
      "?? q.io/c:$TAG: it has a variable in it @3",
    ],
    [
      "what holds for several images",
      "images: {repository: q.io/team, tag: v1, web: {repository: q.io/web, tag: v2}}\n",
      "q.io/web:v2 in images.web[tag] @1",
    ],
    ["a chart's repository", "source: {repository: 'https://charts.example.org', tag: v1}\n"],
    ["the same below an image", "image: {repository: 'https://charts.example.org', tag: v1}\n"],
    ["an OCI chart", "image: {repository: oci://ghcr.io/a/b, tag: v1}\n"],
    ["a repository of git", "git: {repository: org/app, tag: v1.2}\n"],
    ["the same by SSH", "image: {repository: 'git@github.com:org/app', tag: v1}\n"],
    ["settings of tracing", "tracing: {name: checkout, tag: blue}\n"],
    [
      "pull secrets",
      "imagePullSecrets: [{name: a/b, tag: v1}]\nimageCredentials: {registry: q.io, name: a/b, tag: v}\n",
    ],
    ["pull policies", "imagePullPolicy: Always\nimage: {pullPolicy: IfNotPresent}\n"],
    ["what is no reference", "image: {repository: Not/AnImage, tag: v1}\nlogo: {image: /path/logo.png}\n"],
    ["a range", "image: {repository: q.io/a, tag: '>=1.2'}\n"],
    ["a switch", "image: {repository: q.io/a, tag: true}\n"],
    ["a picture", "image: logo.png\n"],
  ])("%s", (_, values, ...images) => expect(found(values)).toEqual(images));
});
