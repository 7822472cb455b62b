import { describe, expect, it } from "vitest";
import { readManifests } from "./documents.ts";
import { type ValidateOptions, validate } from "./validation.ts";

const digits = "0123456789";

function check(text: string, options: ValidateOptions = {}): { problems: string[]; warnings: string[] } {
  const { documents, problems } = readManifests(text, "x.yaml");
  expect(problems).toEqual([]);
  const found = documents.map((document) => validate(document, options));
  const texts = (kind: "problems" | "warnings") =>
    found.flatMap((one) => one[kind].map(({ source, message }) => `${source.line}:${source.column}: ${message}`));
  return { problems: texts("problems"), warnings: texts("warnings") };
}

/** A Pod, each part of its specification on a line of its own: the first is line 5. */
const pod = (...lines: string[]) =>
  ["apiVersion: v1", "kind: Pod", "metadata: {name: web}", "spec:", ...lines.map((line) => `  ${line}`)].join("\n");
const deployment = (...lines: string[]) =>
  [
    "apiVersion: apps/v1",
    "kind: Deployment",
    "metadata: {name: web}",
    "spec:",
    "  template:",
    "    spec:",
    ...lines.map((line) => `      ${line}`),
  ].join("\n");
const app = "containers: [{name: app, image: nginx}]";

describe("a pod that the API server refuses", () => {
  it.each<[string, string[], string[]]>([
    ["no containers", ["restartPolicy: Never"], ["5:3: spec.containers: Required value"]],
    ["an empty list", ["containers: []"], ["5:3: spec.containers: Required value"]],
    ["no image", ["containers: [{name: app}]"], ["5:16: spec.containers[0].image: Required value"]],
    ["an empty image", ['containers: [{name: app, image: ""}]'], ["5:35: spec.containers[0].image: Required value"]],
    [
      "no image of an init container",
      [app, "initContainers: [{name: i}]"],
      ["6:20: spec.initContainers[0].image: Required value"],
    ],
    [
      "blanks around the image",
      ['containers: [{name: app, image: " nginx"}]'],
      ['5:35: spec.containers[0].image: Invalid value: " nginx": must not have leading or trailing whitespace'],
    ],
    [
      "a line feed behind the image",
      ['containers: [{name: app, image: "nginx\\n"}]'],
      ['5:35: spec.containers[0].image: Invalid value: "nginx\\n": must not have leading or trailing whitespace'],
    ],
    [
      "a pull policy that does not exist",
      ["containers: [{name: app, image: nginx, imagePullPolicy: always}]"],
      [
        '5:59: spec.containers[0].imagePullPolicy: Unsupported value: "always": supported values: "Always", "IfNotPresent", "Never"',
      ],
    ],
    [
      "one of a volume",
      [app, "volumes: [{name: v, image: {reference: a, pullPolicy: Sometimes}}]"],
      [
        '6:57: spec.volumes[0].image.pullPolicy: Unsupported value: "Sometimes": supported values: "Always", "IfNotPresent", "Never"',
      ],
    ],
    [
      "no reference",
      [app, "volumes: [{name: v, image: {pullPolicy: Never}}]"],
      ["6:30: spec.volumes[0].image.reference: Required value"],
    ],
    [
      "two kinds of volume at once",
      [app, "volumes: [{name: v, image: {reference: a}, emptyDir: {}}]"],
      ["6:30: spec.volumes[0].image: Forbidden: may not specify more than 1 volume type"],
    ],
    [
      "three kinds of volume at once",
      [app, "volumes: [{name: v, image: {reference: a}, secret: {}, configMap: {}}]"],
      [
        "6:69: spec.volumes[0].configMap: Forbidden: may not specify more than 1 volume type",
        "6:30: spec.volumes[0].image: Forbidden: may not specify more than 1 volume type",
      ],
    ],
    [
      "two volumes of one name",
      [app, "volumes: [{name: v}, {name: v}, {}]"],
      ['6:24: spec.volumes[1].name: Duplicate value: "v"', "6:35: spec.volumes[2].name: Required value"],
    ],
    [
      "more than a name in a pull secret",
      [app, "imagePullSecrets: [{name: login, namespace: other}]"],
      ['6:22: spec.imagePullSecrets[0]: Invalid value: {"name":"login"}: only name may be set'],
    ],
    ["no name", ["containers: [{image: nginx}]"], ["5:16: spec.containers[0].name: Required value"]],
    [
      "two containers of one name",
      ["initContainers: [{name: app, image: a}]", app],
      ['5:27: spec.initContainers[0].name: Duplicate value: "app"'],
    ],
    [
      "ephemeral containers",
      [app, "ephemeralContainers: [{name: debug, image: busybox}]"],
      ["6:25: spec.ephemeralContainers: Forbidden: cannot be set on create"],
    ],
    [
      "values of wrong types",
      ["containers: [{name: 1, image: 1.27, imagePullPolicy: no}]"],
      [
        "5:23: spec.containers[0].name: Invalid value: 1: must be a string, not a number: put it in quotes",
        "5:33: spec.containers[0].image: Invalid value: 1.27: must be a string, not a number: put it in quotes",
        "5:56: spec.containers[0].imagePullPolicy: Invalid value: false: must be a string, not a boolean: put it in quotes",
      ],
    ],
    [
      "collections of wrong types",
      ["containers: {name: app}", "initContainers: [nginx]", "imagePullSecrets: [login]", "volumes: x"],
      [
        '8:12: spec.volumes: Invalid value: "x": must be a list, not a string',
        "5:15: spec.containers: Invalid value: an object, but it must be a list",
        '6:20: spec.initContainers[0]: Invalid value: "nginx": must be an object, not a string',
        '7:22: spec.imagePullSecrets[0]: Invalid value: "login": must be an object, not a string',
      ],
    ],
    [
      "an image volume that is a text",
      [app, "volumes: [{name: v, image: nginx}]"],
      ['6:30: spec.volumes[0].image: Invalid value: "nginx": must be an object, not a string'],
    ],
  ])("%s", (_, lines, expected) => expect(check(pod(...lines)).problems).toEqual(expected));

  it.each<[string, string, string[]]>([
    [
      "no name",
      "{apiVersion: v1, kind: Pod, spec: {containers: [{name: a, image: b}]}}",
      ["1:1: metadata.name: Required value: name or generateName is required"],
    ],
    ["no specification", "{apiVersion: v1, kind: Pod, metadata: {name: a}}", ["1:1: spec.containers: Required value"]],
    [
      "a specification that is a text",
      "{apiVersion: v1, kind: Pod, metadata: {name: a}, spec: x}",
      ['1:56: spec: Invalid value: "x": must be an object, not a string'],
    ],
    [
      "metadata that is a list",
      "{apiVersion: v1, kind: Pod, metadata: [], spec: {containers: [{name: a, image: b}]}}",
      [
        "1:39: metadata: Invalid value: a list, but it must be an object",
        "1:39: metadata.name: Required value: name or generateName is required",
      ],
    ],
    [
      "a label that is no text",
      "{apiVersion: v1, kind: Pod, metadata: {name: a, labels: {on: yes}}, spec: {containers: [{name: a, image: b}]}}",
      ["1:62: metadata.labels.true: Invalid value: true: must be a string, not a boolean: put it in quotes"],
    ],
    [
      "an image volume without reference in a template",
      "{apiVersion: apps/v1, kind: Deployment, metadata: {name: a}, spec: {template: {spec: {containers: [{name: a, image: b}], volumes: [{name: v, image: {}}]}}}}",
      [
        "1:149: the object is taken, but the pods made of it are refused: spec.volumes[0].image.reference: Required value",
      ],
    ],
    [
      "a negative number of replicas",
      "{apiVersion: apps/v1, kind: Deployment, metadata: {name: a}, spec: {replicas: -1, template: {spec: {containers: [{name: a, image: b}]}}}}",
      ["1:79: spec.replicas: Invalid value: -1: must be greater than or equal to 0"],
    ],
    [
      "half a replica",
      "{apiVersion: apps/v1, kind: Deployment, metadata: {name: a}, spec: {replicas: 1.5, template: {spec: {containers: [{name: a, image: b}]}}}}",
      ["1:79: spec.replicas: Invalid value: 1.5: must be a whole number, not a number"],
    ],
  ])("%s", (_, text, expected) => expect(check(text).problems).toEqual(expected));
});

describe("a pod that passes", () => {
  it.each<[string, string[]]>([
    ["an image that no kubelet can parse", ["containers: [{name: app, image: 'HTTP://x y'}]"]],
    [
      "every pull policy",
      [
        "containers: [{name: a, image: x, imagePullPolicy: Always}, {name: b, image: x, imagePullPolicy: IfNotPresent}, {name: c, image: x, imagePullPolicy: Never}]",
      ],
    ],
    [
      "an empty pull policy",
      ['containers: [{name: a, image: x, imagePullPolicy: ""}, {name: b, image: x, imagePullPolicy: null}]'],
    ],
    ["an image volume", [app, "volumes: [{name: v, image: {reference: models/llm}}, {name: w}]"]],
  ])("%s", (_, lines) => expect(check(pod(...lines))).toEqual({ problems: [], warnings: [] }));

  it("with a warning about its pull secrets", () => {
    const { problems, warnings } = check(pod(app, 'imagePullSecrets: [{name: a}, {name: ""}, {name: a}, {}]'));
    expect(problems).toEqual([]);
    expect(warnings).toEqual([
      '6:40: spec.imagePullSecrets[1].name: invalid empty name ""',
      '6:52: spec.imagePullSecrets[2].name: duplicate name "a"',
      '6:56: spec.imagePullSecrets[3].name: invalid empty name ""',
    ]);
  });

  it("with ephemeral containers, when it may be in a cluster already", () => {
    const text = pod(app, "ephemeralContainers: [{name: debug, image: busybox}]");
    expect(check(text, { standing: true }).problems).toEqual([]);
    // Whoever creates it gives it another uid.
    expect(check(text.replace("{name: web}", "{name: web, uid: a-b}")).problems).toHaveLength(1);
  });
});

describe("a pod template", () => {
  it("may have blanks around an image, which a pod may not", () => {
    expect(check(deployment("containers: [{name: app, image: ' nginx '}]")).problems).toEqual([]);
  });

  it("is held to the rest", () => {
    const { problems, warnings } = check(
      deployment(
        "containers: [{name: app, imagePullPolicy: never}]",
        "imagePullSecrets: [{}]",
        "ephemeralContainers: [{name: e, image: x}]",
      ),
    );
    expect(problems).toEqual([
      "7:20: spec.template.spec.containers[0].image: Required value",
      '7:49: spec.template.spec.containers[0].imagePullPolicy: Unsupported value: "never": supported values: "Always", "IfNotPresent", "Never"',
      "9:29: spec.template.spec.ephemeralContainers: Forbidden: ephemeral containers not allowed in pod template",
    ]);
    expect(warnings).toEqual(['8:26: spec.template.spec.imagePullSecrets[0].name: invalid empty name ""']);
  });

  it("has labels of text too", () => {
    const text = deployment(app).replace("    spec:", "    metadata: {labels: {version: 1.2}}\n    spec:");
    expect(check(text).problems).toEqual([
      "6:34: spec.template.metadata.labels.version: Invalid value: 1.2: must be a string, not a number: put it in quotes",
    ]);
  });

  it("of another kind may lack an image, but not have a pull policy that does not exist", () => {
    const text =
      "apiVersion: acme.example/v1\nkind: Thing\nspec:\n  containers:\n  - {name: a}\n  - {name: b, image: x, imagePullPolicy: Often}\n";
    expect(check(text).problems).toEqual([
      '6:42: spec.containers[1].imagePullPolicy: Unsupported value: "Often": supported values: "Always", "IfNotPresent", "Never"',
    ]);
  });
});

describe("a Secret", () => {
  const secret = (type: string, ...lines: string[]) =>
    ["apiVersion: v1", "kind: Secret", "metadata: {name: login}", `type: ${type}`, ...lines].join("\n");
  const json = "kubernetes.io/dockerconfigjson";

  it.each<[string, string, string[]]>([
    ["without its key", secret(json), ["1:1: data[.dockerconfigjson]: Required value"]],
    [
      "of the older type without its key",
      secret("kubernetes.io/dockercfg", "data: {.dockerconfigjson: e30=}"),
      ["1:1: data[.dockercfg]: Required value"],
    ],
    [
      "that is not base64",
      secret(json, 'data: {.dockerconfigjson: \'{"auths": "hunter2"}\'}'),
      ['5:27: data[.dockerconfigjson]: Invalid value: "<secret contents redacted>": is not base64-encoded text'],
    ],
    [
      "that is not JSON",
      secret(json, "stringData: {.dockerconfigjson: hunter2}"),
      ['5:33: data[.dockerconfigjson]: Invalid value: "<secret contents redacted>": is not well-formed JSON'],
    ],
    [
      "that is JSON of another sort",
      secret(json, "stringData: {.dockerconfigjson: '[\"hunter2\"]'}"),
      [
        '5:33: data[.dockerconfigjson]: Invalid value: "<secret contents redacted>": json: cannot unmarshal array into Go value of type map[string]interface {}',
      ],
    ],
    [
      "that is empty",
      secret(json, "data: {.dockerconfigjson: ''}"),
      ['5:27: data[.dockerconfigjson]: Invalid value: "<secret contents redacted>": unexpected end of JSON input'],
    ],
    [
      "that is an object rather than its text",
      secret(json, "stringData: {.dockerconfigjson: {auths: hunter2}}"),
      ['5:33: data[.dockerconfigjson]: Invalid value: "<secret contents redacted>": must be a string'],
    ],
    ["that is well", secret(json, "data: {.dockerconfigjson: e30=}"), []],
    ["of another type", secret("Opaque", "data: {password: '!!'}"), []],
  ])("%s", (_, text, expected) => {
    const { problems } = check(text);
    expect(problems).toEqual(expected);
    expect(problems.join()).not.toContain("hunter2");
  });
});

it("a Secret and a ServiceAccount have names, and its pull secrets are a list", () => {
  const text = "{apiVersion: v1, kind: Secret}\n---\n{apiVersion: v1, kind: ServiceAccount, imagePullSecrets: login}\n";
  expect(check(text).problems).toEqual([
    "1:1: metadata.name: Required value: name or generateName is required",
    "3:1: metadata.name: Required value: name or generateName is required",
    '3:58: imagePullSecrets: Invalid value: "login": must be a list, not a string',
  ]);
});

it("values are not shown at length", () => {
  const [problem] = check(pod(`containers: [{name: a, image: b, imagePullPolicy: ${digits.repeat(100)}x}]`)).problems;
  expect(problem?.length).toBeLessThan(400);
});
