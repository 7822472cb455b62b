import { mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { collectAudit, audit as whole } from "./audit.ts";
import { auditInputs } from "./inputs/index.ts";
import { deployment, digest, findingsIn } from "./testing/findings.ts";

const said = (image: string, placeholders?: readonly string[]) =>
  findingsIn(deployment(`image: ${JSON.stringify(image)}`), { placeholders }).map(({ ruleId, severity, fix }) => [
    ruleId,
    severity,
    fix,
  ]);

describe("a placeholder is a note without a fix", () => {
  it.each([
    "auto",
    "ko://example.com/cmd/web",
    "bazel://cmd/web:image",
    "//cmd/web:image",
    " ",
    "{IMAGE}",
    "registry.example.com/web:{VERSION}",
    "<image>",
    "us-docker.pkg.dev/<project>/app:1",
    "[IMAGE]",
    "%IMAGE%",
    "@IMAGE@",
    "__IMAGE__",
    "registry.example.com/app:#{Build.BuildId}#",
    "$IMAGE",
    "${IMAGE}",
    "ghcr.io/a/b:${TAG}",
    "$(params.image)",
    "IMAGE",
    "IMAGE_URL",
    "IMAGE_URL:latest",
    "gcr.io/PROJECT_ID/app:v1",
    "gcr.io/MY-PROJECT/app",
    "REGISTRY/app:1",
    "registry.example.com/app:VERSION",
    "registry.example.com/app:IMAGE_TAG",
    "REPLACE_ME",
    "CHANGEME",
    "placeholder",
    "image:tag",
    "your-registry/app:1",
    "your-docker-registry.example.com/app:1",
  ])("%s", (image) => expect(said(image)).toEqual([["image-placeholder", "note", undefined]]));

  it.each([
    ["automatic", ["tag-missing", "registry-missing"]],
    ["ghcr.io/acme/auto:1", []],
    ["Nginx:1", ["reference-invalid"]],
    ["NGINX:1", ["reference-invalid"]],
    ["ghcr.io/a/b:LATEST", ["tag-moving"]],
    ["ghcr.io/a/b:1.2-SNAPSHOT", ["tag-moving"]],
    ["ghcr.io/a/b:RELEASE.2024-01-01T00-00-00Z", []],
    ["ghcr.io/a/b:REL_1_2", []],
    ["[::1]:5000/a:1", []],
    ["ghcr.io/acme/my-image:1", []],
    ["ghcr.io/my-registry-operator/a:1", []],
    ["myregistry:5000/a:1", []],
    [`ghcr.io/image@${digest}`, []],
  ])("%s is meant as it is", (image, rules) => expect(said(image).map(([rule]) => rule)).toEqual(rules));

  it("can be another, too", () => {
    expect(said("app-web", ["app-*"])).toEqual([["image-placeholder", "note", undefined]]);
    expect(said("auto", ["app-*"])).toEqual([["image-placeholder", "note", undefined]]);
    expect(said("app-web", ["app"]).map(([rule]) => rule)).toContain("tag-missing");
  });

  it("tells nothing about the pull policy that is not written, and something of one that is", () => {
    const rules = (text: string) => findingsIn(deployment(text), { profile: "always" }).map(({ ruleId }) => ruleId);
    expect(rules("image: auto")).toEqual(["image-placeholder"]);
    expect(rules("image: auto\nimagePullPolicy: Never")).toEqual(["image-placeholder", "not-always"]);
  });
});

describe("names that others replace", () => {
  const rulesBelow = async (files: Readonly<Record<string, string>>, ...names: readonly string[]) => {
    const root = await mkdtemp(join(tmpdir(), "pulley-replaced-"));
    for (const [name, text] of Object.entries(files)) {
      await mkdir(join(root, name, ".."), { recursive: true });
      await writeFile(join(root, name), text);
    }
    const inputs = auditInputs(names.length === 0 ? [root] : names.map((name) => join(root, name)), {
      stdin: process.stdin,
      environment: {},
      render: false,
    });
    const { findings } = await collectAudit(whole(inputs, { now: 0 }));
    return findings.map(({ ruleId, region }) => `${region.file.slice(root.length + 1)} ${ruleId}`);
  };
  const kustomization = (fields: string) => `kind: Kustomization\n${fields}\n`;

  it("are those of the kustomizations that build upon a folder", async () => {
    expect(
      await rulesBelow({
        "base/kustomization.yaml": kustomization("resources: [web.yaml]"),
        "base/web.yaml": deployment("image: web", "image: other"),
        "middle/kustomization.yaml": kustomization("resources: [../base]"),
        "top/kustomization.yaml": kustomization("resources: [../middle/]\nimages: [{name: web, newTag: '1'}]"),
        "elsewhere/web.yaml": deployment("image: web"),
      }),
    ).toEqual([
      "base/web.yaml image-placeholder",
      "base/web.yaml tag-missing",
      "base/web.yaml registry-missing",
      "elsewhere/web.yaml tag-missing",
      "elsewhere/web.yaml registry-missing",
    ]);
  });

  it("are those that Skaffold builds, with latest and without, but not other versions", async () => {
    expect(
      await rulesBelow({
        "skaffold.yaml":
          "apiVersion: skaffold/v4beta6\nkind: Config\nbuild: {artifacts: [{image: web}]}\nprofiles: [{build: {artifacts: [{image: job}]}}]\n",
        "k8s/web.yaml": deployment("image: web", "image: job:latest", "image: web:1"),
      }),
    ).toEqual(["k8s/web.yaml image-placeholder", "k8s/web.yaml image-placeholder", "k8s/web.yaml registry-missing"]);
  });

  it("are known where one file is named", async () => {
    const files = {
      "kustomization.yaml": kustomization("images: [{name: web, newName: ghcr.io/a/web}]"),
      "web.yaml": deployment("image: web"),
    };
    expect(await rulesBelow(files, "web.yaml")).toEqual(["web.yaml image-placeholder"]);
  });
});
