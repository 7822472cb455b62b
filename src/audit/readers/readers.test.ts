import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AuditRun } from "../audit.ts";
import { deployment, digest, findingsIn, told, toldBy } from "../testing/findings.ts";

describe("a Compose file", () => {
  const service = (fields: string) => `services:\n  web:\n    ${fields.replaceAll("\n", "\n    ")}\n`;

  it.each([
    ["always", "image: ghcr.io/a:1\npull_policy: always", []],
    ["missing is the default", "image: ghcr.io/a:1", []],
    [
      "missing keeps latest, too",
      "image: ghcr.io/a:latest\npull_policy: missing",
      ["tag-moving", "moving-tag-not-always"],
    ],
    ["and so does the default", "image: ghcr.io/a:latest", ["tag-moving"]],
    ["a digest beside latest is kept", `image: ghcr.io/a:latest@${digest}`, []],
    [
      "other moving tags are not",
      "image: ghcr.io/a:edge\npull_policy: missing",
      ["tag-moving", "moving-tag-not-always"],
    ],
    ["by default, too", "image: ghcr.io/a:edge", ["tag-moving"]],
    [
      "if_not_present is missing",
      "image: ghcr.io/a:edge\npull_policy: if_not_present",
      ["tag-moving", "moving-tag-not-always"],
    ],
    ["daily is often enough", "image: ghcr.io/a:edge\npull_policy: daily", ["tag-moving"]],
    ["weekly as well", "image: ghcr.io/a:edge\npull_policy: weekly", ["tag-moving"]],
    ["and every so often", "image: ghcr.io/a:edge\npull_policy: every_1w2d", ["tag-moving"]],
    ["never", "image: ghcr.io/a:1\npull_policy: never", ["never"]],
    ["a value that is none", "image: ghcr.io/a:1\npull_policy: every_day", ["policy-value-invalid"]],
    ["Kubernetes' field", "image: ghcr.io/a:1\nimagePullPolicy: Always", ["policy-ignored"]],
    ["what is built is not asked for", "image: app\nbuild: .", []],
    ["nor with that policy", "image: app\npull_policy: build", []],
    ["a default for a variable", "image: ghcr.io/a:${TAG:-edge}\npull_policy: always", ["tag-moving"]],
    ["defaults in defaults", "image: ${HOST:-${MIRROR-ghcr.io}}/a:1", []],
    ["no default", "image: ghcr.io/a:${TAG}", ["variable-unresolved"]],
    ["no braces", "image: ghcr.io/a:$TAG", ["variable-unresolved"]],
    ["no image", "command: sh", []],
  ])("%s", (_, fields, rules) => {
    expect(told(service(fields)).map(({ rule }) => rule)).toEqual(rules);
  });

  it("is told about in its own words", () => {
    expect(toldBy("policy-value-invalid", service("image: ghcr.io/a:1\npull_policy: Always"))).toMatchObject([
      {
        covered: "Always",
        message:
          'pull_policy is "Always", which is none of always, missing, never, build, daily, weekly and every_<duration>, so Compose refuses it',
        advice: "Write always.",
      },
    ]);
  });

  it("is told about as what docker compose up does", () => {
    const message = (rule: string, fields: string) => toldBy(rule, service(fields)).map(({ message }) => message);
    expect(message("tag-moving", "image: ghcr.io/a:latest")).toEqual([
      expect.stringMatching(
        /; without pull_policy, Compose uses missing, so a machine keeps the first image that it pulled$/,
      ),
    ]);
    const two = "services:\n  a:\n    image: x.io/a:1\n  b:\n    image: x.io/a:1\n    pull_policy: daily\n";
    expect(toldBy("pull-policy-conflict", two).map(({ message }) => message)).toEqual([
      expect.stringMatching(/^x\.io\/a:1 has the pull policy daily here, but missing in /),
    ]);
  });

  it("has fixes, but none where a variable would be lost", () => {
    const fixes = (fields: string) => findingsIn(service(fields)).map(({ fix }) => fix?.description);
    expect(fixes("image: ghcr.io/a:edge")).toEqual(["set pull_policy to always"]);
    expect(fixes("image: ${X:-ghcr.io}/a")).toEqual([undefined]);
    expect(fixes("image: https://ghcr.io/a:1")).toEqual(["set image to ghcr.io/a:1"]);
  });

  it("is none if it has a kind", () => {
    const text = `services: {}\n${deployment("image: ghcr.io/a:main\nimagePullPolicy: Always")}`;
    expect(told(text).map(({ rule }) => rule)).toEqual(["tag-moving"]);
  });
});

describe("a stack file of OpenFaaS", () => {
  const stack = (fields: string) =>
    `provider:\n  name: openfaas\nfunctions:\n  hello:\n    ${fields.replaceAll("\n", "\n    ")}\n`;

  it.each([
    ["image: ghcr.io/a:1", []],
    ["image: ghcr.io/a", ["tag-missing"]],
    ["image: ghcr.io/a:${TAG:-1}", []],
    ["lang: go", ["image-missing"]],
    ["image: ghcr.io/a:1\nimagePullPolicy: Never", ["policy-ignored"]],
    ["image: ghcr.io/a:1\nimage_pull_policy: Never", ["policy-ignored"]],
    [
      "image: ghcr.io/a:main\nannotations: {pulley.dev/image-pull-policy: IfNotPresent}",
      ["tag-moving", "moving-tag-not-always"],
    ],
    ["image: ghcr.io/a:1\nannotations: {pulley.dev/image-pull-policy: always}", ["policy-value-invalid"]],
  ])("%j", (fields, rules) => {
    expect(told(stack(fields)).map(({ rule }) => rule)).toEqual(rules);
  });

  it("leaves the pull policy to the provider", () => {
    expect(told(stack("image: ghcr.io/a:main"), { profile: "always" }).map(({ rule }) => rule)).toEqual(["tag-moving"]);
  });

  it("names the workload", () => {
    expect(findingsIn(stack("image: ghcr.io/a\nnamespace: fn"))).toMatchObject([
      {
        workload: { kind: "Function", namespace: "fn", name: "hello" },
        container: { name: "hello", kind: "container" },
      },
    ]);
  });
});

describe("a text that cannot be read", () => {
  it("is told of at its place, and the rest of it is read all the same", () => {
    const text = `${deployment("image: ghcr.io/a:main\nimagePullPolicy: Always")}---\na: [1\nb: 2\n`;
    const [moving, broken] = findingsIn(text);
    expect(moving).toMatchObject({ ruleId: "tag-moving" });
    expect(broken).toMatchObject({ ruleId: "input-unreadable", severity: "error", region: { line: 15 } });
  });

  it("makes the audit unreadable, unless the rule is off", () => {
    const off = new Map([["input-unreadable", "off"] as const]);
    const input = { kind: "text", file: "a", text: "a: [", expectManifests: true, mayBePatch: false } as const;
    expect(new AuditRun({ now: 0 }).audit(input)).toMatchObject({ findings: [{}], isUnreadable: true });
    const run = new AuditRun({ now: 0, severities: off });
    expect(run.audit(input)).toMatchObject({ findings: [], isUnreadable: false });
  });

  const object = "apiVersion: v1\nkind: Pod\n";

  it.each([
    ["tsconfig.json", '/* options */\n{\n  "compilerOptions": {"strict": true}, // why\n}\n'],
    ["devcontainer.json", '{\n  // the image\n  "image": "a",\n}\n'],
    ["events.json", '{"a": 1}\n{"a": 2}\n[3]\n{"a": \n'],
    [".travis.yml", "language: go\nservices:\n  - docker\nscript: a\nscript: b\n"],
    ["cloud.yaml", "Resources:\n  A: !Ref B\n  C: !Sub '${D}'\n"],
    [".gitlab-ci.yml", "services:\n  - docker:dind\njob:\n  image: a\n  script: !reference [.a, script]\n"],
    ["vars.yml", "a: 1\na: 2\n"],
    ["playbook.yml", "- hosts: all\n  vars:\n    password: !vault |\n      33\n"],
  ])("is no mistake where it is no manifest: %s", (file, text) => {
    expect(told(text, { file, expectManifests: false })).toEqual([]);
    const named = told(text, { file });
    expect(named.map(({ severity }) => severity)).toEqual(named.map(() => "note"));
    expect(new Set(named.map(({ rule }) => rule))).toEqual(new Set(["not-a-manifest"]));
  });

  it.each([
    ["a pod", `${object}spec: [1\nb: 2\n`],
    ["a pod in JSON", '{"apiVersion": "v1", "kind": "Pod", "spec": {"containers": [}'],
    ["one of several", `a: 1\n---\n${object}---\na: [1\nb: 2\n`],
    ["a Compose file", "services:\n  # the web\n  web:\n    image: a\n    ports: [1\nb: 2\n"],
  ])("is one where it means to be a manifest: %s", (_, text) => {
    expect(toldBy("input-unreadable", text, { expectManifests: false })).toMatchObject([{ severity: "error" }]);
  });

  it.each([
    ["depth", "[".repeat(900)],
    ["aliases", `a: &a [${"x,".repeat(1000)}]\nb: [${"*a,".repeat(1000)}]\n`],
  ])("is one where it was not read to its end, for nobody knows what it is then: %s", (_, text) => {
    expect(toldBy("input-unreadable", text, { expectManifests: false })).toMatchObject([{ severity: "error" }]);
  });

  it("is a template where it has braces, told once for a document", () => {
    const text =
      "apiVersion: v1\nkind: Pod\nmetadata:\n  name: {{ .Values.name }}\n{{- if x }}\nspec: {}\n{{- end }}\n---\na: [\n";
    expect(told(text)).toMatchObject([
      { rule: "template-not-rendered", severity: "note", covered: "{{ .Values.name }}" },
      { rule: "input-unreadable" },
    ]);
  });

  it.each([
    ["nothing", "", "there is nothing in it"],
    ["comments", "# nothing\n", "there is nothing in it"],
    ["other YAML", "replicas: 2\n", "this is not a Kubernetes object: it has no kind"],
  ])("has no manifest: %s", (_, text, message) => {
    expect(told(text)).toMatchObject([{ rule: "not-a-manifest", message }]);
    expect(told(text, { expectManifests: false })).toEqual([]);
  });

  it("may be a patch, whose containers need no image", () => {
    expect(told(deployment("imagePullPolicy: Always"), { mayBePatch: true })).toEqual([]);
    expect(told(deployment("imagePullPolicy: Always"))).toMatchObject([{ rule: "image-missing" }]);
  });
});

describe("a hostile text", () => {
  it.each([
    [
      "anchors that multiply",
      `a: &a [x, x]\nb: &b [*a, *a]\n${Array.from({ length: 30 }, (_, at) => `c${at}: &c${at} [${at === 0 ? "*b, *b" : `*c${at - 1}, *c${at - 1}`}]`).join("\n")}`,
    ],
    ["depth", "[".repeat(100_000)],
    ["control characters", "a: \u0000\u0007"],
    ["a long image", deployment(`image: ${"a".repeat(500_000)}`)],
    ["a long pull policy", deployment(`image: ghcr.io/a:1\nimagePullPolicy: ${"x".repeat(500_000)}`)],
    ["terminal escapes", deployment('image: "ghcr.io/\\e]0;x\\a:1"')],
    [
      "terminal escapes in names",
      `services:\n  "w\\e[31m":\n    image: "a\\u202eb:1"\n    pull_policy: never\n  x: {image: "\\e:1"}\n`,
    ],
    [
      "terminal escapes in secrets",
      'apiVersion: v1\nkind: Pod\nmetadata: {name: "\\e", namespace: "\\e"}\nspec:\n  imagePullSecrets: [{name: "\\e]0;"}]\n  containers: [{name: "\\a"}]\n---\napiVersion: v1\nkind: Secret\nmetadata: {name: x, namespace: "\\e"}\n',
    ],
    ["braces without end", "{{".repeat(50_000)],
    ["comments without end", `${"/**/".repeat(10_000)}x: [`],
    ["services without end", `${"services:\n \n".repeat(10_000)}x: [`],
    ["ignores without end", `${"# pulley:ignore tag-moving x\n".repeat(5000)}a: 1\n`],
  ])("ends soon and says little: %s", (_, text) => {
    for (const { message, advice } of told(text)) {
      expect(message.length + advice.length).toBeLessThan(2000);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what must not be there
      expect(message + advice).not.toMatch(/[\u0000-\u001f\u007f\u202e]/);
    }
  });

  it("never makes it throw, and every finding has a place in it", () => {
    const part = fc.constantFrom(
      "image: ",
      "nginx",
      ":",
      "- ",
      "\n",
      "  ",
      "{",
      "}",
      "[",
      "&a ",
      "*a",
      "#",
      "'",
      '"',
      "services:\n",
      "functions:\n",
      "kind: Pod\n",
      "{{",
      "}}",
      "|",
      "---\n",
      "pulley:ignore ",
    );
    fc.assert(
      fc.property(
        fc.array(part, { maxLength: 40 }).map((parts) => parts.join("")),
        (text) => {
          const pod = `apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n  containers:\n  - name: a\n    ${text}`;
          for (const input of [text, pod]) {
            for (const { region } of findingsIn(input)) {
              expect(region.start).toBeGreaterThanOrEqual(0);
              expect(region.end).toBeGreaterThanOrEqual(region.start);
              expect(region.end).toBeLessThanOrEqual(input.length);
            }
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe("what Polaris does not see, or sees wrongly", () => {
  const rulesOf = (fields: string) => told(deployment(fields)).map(({ rule }) => rule);

  it("a port is no tag", () => expect(rulesOf("image: registry:5000/app")).toEqual(["tag-missing"]));
  it("latest beside a digest is asked for at every start", () => {
    expect(rulesOf(`image: ghcr.io/app:latest@${digest}`)).toEqual(["policy-missing-surprises"]);
  });
  it("a digest is enough", () => expect(rulesOf(`image: ghcr.io/app@${digest}`)).toEqual([]));
  it.each(["LATEST", "stable", "main", "edge"])("%s moves", (tag) => {
    expect(rulesOf(`image: ghcr.io/app:${tag}\nimagePullPolicy: Always`)).toEqual(["tag-moving"]);
  });
  it("the API server sets Always of itself", () => {
    const rules = told(deployment("image: ghcr.io/app"), { profile: "always" }).map(({ rule }) => rule);
    expect(rules).toEqual(["tag-missing"]);
  });
  it("Always is in vain for a digest", () => {
    expect(rulesOf(`image: ghcr.io/app@${digest}\nimagePullPolicy: Always`)).toEqual(["always-needless"]);
  });
  it("documents are told apart as YAML does", () => {
    const one = deployment("image: ghcr.io/app:main\nimagePullPolicy: Always");
    const text = `%YAML 1.1\n--- # first\n${one}---   \n${one}--- # last\nkind: ConfigMap\napiVersion: v1\nmetadata: {name: c}\ndata:\n  x: |\n    a\n    ---\n    b\n`;
    expect(told(text).map(({ rule }) => rule)).toEqual(["tag-moving", "tag-moving"]);
  });
});
