import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { audit, collectAudit } from "../audit.ts";
import type { AuditInput } from "../input.ts";
import { deployment } from "../testing/findings.ts";
import { auditInputs, type InputOptions } from "./index.ts";
import { outputOf } from "./program.ts";

let root: string;
let programs: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "pulley-audit-"));
  programs = join(root, ".bin");
  mkdirSync(programs);
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function write(path: string, content: string | Uint8Array): string {
  const whole = join(root, path);
  mkdirSync(dirname(whole), { recursive: true });
  writeFileSync(whole, content);
  return whole;
}

/** A program of that name, in Node, which is all that is sure to be there. */
function program(name: string, source: string): void {
  const path = join(programs, name);
  writeFileSync(path, `#!${process.execPath}\n${source}\n`);
  chmodSync(path, 0o755);
}

async function read(words: readonly string[], options: Partial<InputOptions> = {}): Promise<AuditInput[]> {
  const environment = { PATH: [programs].join(delimiter) };
  const stdin = (async function* () {})();
  const inputs: AuditInput[] = [];
  for await (const input of auditInputs(words, { environment, stdin, ...options })) inputs.push(input);
  return inputs;
}

const names = (inputs: readonly AuditInput[]) => inputs.map(({ file }) => file.slice(root.length + 1));

describe("files and folders", () => {
  it("are read in the order of their names, and only what may be a manifest", async () => {
    for (const name of [
      "b.yaml",
      "a/z.yml",
      "a/b.json",
      "a/note.txt",
      "c.YAML",
      "node_modules/x.yaml",
      ".git/x.yaml",
      ".hidden.yaml",
    ]) {
      write(name, "a: 1\n");
    }
    symlinkSync(root, join(root, "loop"));
    symlinkSync(join(root, "b.yaml"), join(root, "link.yaml"));
    const inputs = await read([root]);
    expect(names(inputs)).toEqual([".hidden.yaml", "a/b.json", "a/z.yml", "b.yaml", "c.YAML"]);
    expect(inputs.every((input) => input.kind === "text" && !input.expectManifests)).toBe(true);
  });

  it("that are linked from elsewhere are read, and folders that are linked are told of", async () => {
    for (const name of ["in/a.yaml", "in/.data/b.yaml", "in/k/d.yaml", "out/c.yaml", "out/kustomization.yaml"])
      write(name, "a: 1\n");
    const links = {
      "again.yaml": "in/a.yaml",
      "b.yaml": "in/.data/b.yaml",
      "c.yaml": "out/c.yaml",
      "k/kustomization.yaml": "out/kustomization.yaml",
      "folder.yaml": "in/k",
      loop: "in",
      far: "out",
      up: ".",
      node_modules: "out",
      ".hidden": "out",
      "none.yaml": "none",
      none: "none",
    };
    for (const [link, target] of Object.entries(links)) symlinkSync(join(root, target), join(root, "in", link));
    const inputs = await read([join(root, "in")], { render: false });
    const outside = inputs.filter((input) => input.kind === "text" && input.isOutside === true);
    const notSeen = inputs.filter(({ kind }) => kind === "notSeen");
    expect(names(inputs.filter(({ kind }) => kind === "text"))).toEqual(
      ["a.yaml", "b.yaml", "c.yaml", "k/d.yaml", "k/kustomization.yaml"].map((name) => `in/${name}`),
    );
    expect(names(outside)).toEqual(["in/c.yaml", "in/k/kustomization.yaml"]);
    expect(names(notSeen)).toEqual(["in/far", "in/none.yaml", "in/up"]);
  });

  it("that are named are expected to have manifests, whatever they are called", async () => {
    const file = write("deployment", "a: 1\n");
    expect(await read([file])).toEqual([
      { kind: "text", file, text: "a: 1\n", expectManifests: true, mayBePatch: false },
    ]);
  });

  it("keep their byte order mark and their line ends", async () => {
    expect(await read([write("a.yaml", "\ufeffa: 1\r\n")])).toMatchObject([{ text: "\ufeffa: 1\r\n" }]);
  });

  it("may be patches beside and below a kustomization", async () => {
    for (const name of ["k/kustomization.yaml", "k/patch.yaml", "k/patches/b.yaml", "z.yaml"]) write(name, "a: 1\n");
    const inputs = await read([root], { render: false });
    expect(
      inputs.map((input) => input.kind === "text" && [input.file.slice(root.length + 1), input.mayBePatch]),
    ).toEqual([
      ["k/kustomization.yaml", true],
      ["k/patch.yaml", true],
      ["k/patches/b.yaml", true],
      ["z.yaml", false],
    ]);
  });

  it.each([
    ["nothing.yaml", "there is no such file or folder"],
    ["latin.yaml", "it is neither UTF-8 nor UTF-16 text"],
  ])("that cannot be read say why: %s", async (name, message) => {
    write("latin.yaml", Uint8Array.from([0x61, 0x3a, 0x20, 0xe9]));
    expect(await read([join(root, name)])).toMatchObject([{ kind: "unreadable", rule: "input-unreadable", message }]);
  });

  it("make findings of what cannot be read, and the audit goes on", async () => {
    const good = write("a.yaml", deployment("image: ghcr.io/a:main\nimagePullPolicy: Always"));
    const inputs = await read([join(root, "none.yaml"), good]);
    const result = await collectAudit(audit(inputs, { now: 0 }));
    expect(result.findings).toMatchObject([
      {
        ruleId: "input-unreadable",
        region: { file: join(root, "none.yaml"), line: 1, column: 1 },
        advice: "Check the path.",
      },
      { ruleId: "tag-moving" },
    ]);
    expect(result.isUnreadable).toBe(true);
  });

  it("come from standard input in pieces", async () => {
    async function* stdin() {
      const bytes = Buffer.from("a: ü\n");
      yield bytes.subarray(0, 4);
      yield bytes.subarray(4);
    }
    expect(await read(["-"], { stdin: stdin() })).toMatchObject([{ file: "-", text: "a: ü\n", expectManifests: true }]);
  });
});

describe("charts", () => {
  const template = `# {{ .Chart.Name }}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .Release.Name }}
spec:
  template:
    spec:
      containers:
        - name: web
          image: {{ .Values.image }}
          imagePullPolicy: IfNotPresent
        - name: side
          image: ghcr.io/side:edge
`;
  const rendered = `---
# Source: shop/templates/deployment.yaml
# shop
apiVersion: apps/v1
kind: Deployment
metadata:
  name: pulley-audit
spec:
  template:
    spec:
      containers:
        - name: web
          image: ghcr.io/web:main
          imagePullPolicy: IfNotPresent
        - name: side
          image: ghcr.io/side:edge
---
# Source: shop/charts/db/templates/pod.yaml
apiVersion: v1
kind: Pod
metadata: {name: db}
spec: {containers: [{name: db, image: ghcr.io/db:edge, imagePullPolicy: Always}]}
`;

  beforeEach(() => {
    write("chart/Chart.yaml", "name: shop\n");
    write("chart/values.yaml", "image: ghcr.io/web:main\n");
    write("chart/templates/deployment.yaml", template);
  });

  it("are rendered by helm, and told about in their templates", async () => {
    write("helm-output", rendered);
    program(
      "helm",
      `process.stdout.write(require("node:fs").readFileSync(${JSON.stringify(join(root, "helm-output"))}))`,
    );
    const inputs = await read([root]);
    expect(names(inputs)).toEqual(["chart/templates/deployment.yaml", "chart/Chart.yaml"]);
    const { findings } = await collectAudit(audit(inputs, { now: 0 }));
    expect(
      findings.map(({ ruleId, region, fix }) => [ruleId, region.file.slice(root.length + 1), region.line, fix]),
    ).toEqual([
      ["tag-moving", "chart/templates/deployment.yaml", 11, undefined],
      ["moving-tag-not-always", "chart/templates/deployment.yaml", 12, undefined],
      ["tag-moving", "chart/templates/deployment.yaml", 14, undefined],
      ["tag-moving", "chart/Chart.yaml", 1, undefined],
    ]);
    const [first] = findings;
    expect(template.slice(first?.region.start, first?.region.end)).toBe("image: {{ .Values.image }}");
  });

  it("are given to helm as a path", async () => {
    program("helm", `console.log("---\\n# Source: shop/templates/x.yaml\\n#" + JSON.stringify(process.argv.slice(2)))`);
    const [input] = await read([join(root, "chart")]);
    expect(input?.kind === "text" && input.text).toContain(
      JSON.stringify(["template", "pulley-audit", join(root, "chart")]),
    );
  });

  it("are findings where there is no helm", async () => {
    expect(await read([join(root, "chart")])).toEqual([
      {
        kind: "unreadable",
        file: join(root, "chart/Chart.yaml"),
        rule: "render-failed",
        isProgramMissing: true,
        message: "this is a chart, and there is no helm in PATH to render it",
        advice: `Install helm, or render it where there is one: helm template ${join(root, "chart")} | pulley audit -.`,
      },
    ]);
  });

  it("are findings where helm fails, with what it says", async () => {
    program("helm", `console.error("Error: \\u001b[31mno values\\nat all"); process.exitCode = 1`);
    expect(await read([join(root, "chart")])).toMatchObject([
      {
        rule: "render-failed",
        message: "helm could not render the chart: it ended with 1: Error: [31mno values at all",
      },
    ]);
  });

  it("are read as they are if nothing is to be rendered", async () => {
    const inputs = await read([root], { render: false });
    expect(names(inputs)).toEqual(["chart/Chart.yaml", "chart/templates/deployment.yaml", "chart/values.yaml"]);
    const { findings } = await collectAudit(audit(inputs, { now: 0 }));
    expect(findings.map(({ ruleId }) => ruleId)).toEqual(["template-not-rendered"]);
  });
});

describe("kustomizations", () => {
  const pod = (name: string, image: string) =>
    `apiVersion: v1\nkind: Pod\nmetadata: {name: ${name}}\nspec: {containers: [{name: c, image: ${image}}]}\n`;

  beforeEach(() => {
    write("kust/kustomization.yaml", "resources: [pod.yaml]\nimages: [{name: ghcr.io/a, newTag: edge}]\n");
    write("kust/pod.yaml", pod("a", "ghcr.io/a"));
    write("kust/other/beside.yaml", pod("b", "ghcr.io/b:edge"));
  });
  /** Prints what is given, in the place of what a kustomization makes. */
  const prints = (text: string) => `console.log(${JSON.stringify(text)})`;
  const built = pod("a", "ghcr.io/a:edge");

  async function told(words: readonly string[]): Promise<unknown> {
    const { findings, notSeen } = await collectAudit(audit(await read(words), { now: 0 }));
    return [
      ...findings.map(({ ruleId, region }) => [ruleId, region.file.slice(root.length + 1), region.line]),
      notSeen,
    ];
  }

  it("do not hide what is beside and below them", async () => {
    program("kustomize", prints(built));
    for (const word of [root, join(root, "kust")]) {
      expect(names(await read([word]))).toEqual(["kust/kustomization.yaml", "kust/other/beside.yaml", "kust/pod.yaml"]);
    }
  });

  it("are built by kubectl where there is no kustomize", async () => {
    program("kubectl", prints(built));
    const [kustomization] = await read([join(root, "kust")]);
    expect(kustomization).toMatchObject({ rendered: [{ kustomizations: [join(root, "kust/kustomization.yaml")] }] });
  });

  it("are named as not seen where there is neither, and their files are read", async () => {
    const file = join(root, "kust/kustomization.yaml");
    const why = "there is no kustomize and no kubectl in PATH to build it";
    expect(await told([join(root, "kust")])).toEqual([
      ["tag-moving", "kust/other/beside.yaml", 4],
      ["image-placeholder", "kust/pod.yaml", 4],
      [{ file, what: "kustomization", why }],
    ]);
  });

  it("are named as not seen where the program fails, and are findings where they were named themselves", async () => {
    program("kustomize", `process.stderr.write("no such base"); process.exitCode = 3`);
    const notSeen = [{ why: "kustomize could not build it: it ended with 3: no such base" }];
    expect(await collectAudit(audit(await read([root]), { now: 0 }))).toMatchObject({ isUnreadable: false, notSeen });
    const named = await collectAudit(audit(await read([join(root, "kust")]), { now: 0 }));
    expect(named).toMatchObject({ isUnreadable: true, notSeen });
    expect(named.findings.find(({ ruleId }) => ruleId === "render-failed")?.message).toBe(
      "kustomize could not render the kustomization: it ended with 3: no such base",
    );
  });

  it("are read file by file if nothing is to be rendered", async () => {
    program("kustomize", "process.exit(1)");
    const inputs = await read([root], { render: false });
    expect(inputs.map((input) => input.kind)).toEqual(["text", "text", "text"]);
  });

  it("of Flux, and templates of them, are no kustomizations", async () => {
    rmSync(join(root, "kust"), { recursive: true });
    write("flux/kustomization.yaml", "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\n");
    expect(names(await read([root]))).toEqual(["flux/kustomization.yaml"]);
  });

  it.each([
    "https://github.com/acme/base?ref=v1",
    "git@github.com:acme/base.git",
    "github.com/acme/base//deploy",
    "ssh://git@example.com/base",
  ])("that build upon the network are not built: %s", async (address) => {
    program("kustomize", `require("node:fs").writeFileSync(${JSON.stringify(join(root, "called"))}, "")`);
    rmSync(join(root, "kust"), { recursive: true });
    write("top/kustomization.yaml", "resources: [../base]\n");
    write("base/kustomization.yaml", `resources: [${JSON.stringify(address)}]\n`);
    const notSeen = (await read([root])).filter((input) => input.kind === "notSeen");
    expect(notSeen).toMatchObject([
      { file: join(root, "base/kustomization.yaml"), why: expect.stringContaining("only with --remote-bases") },
      { file: join(root, "top/kustomization.yaml") },
    ]);
    expect(existsSync(join(root, "called"))).toBe(false);
  });

  it.each([
    [undefined, "none"],
    [true, "undefined"],
  ])("reach nothing on the network, unless it is asked for: %s", async (remoteBases, protocols) => {
    const file = join(root, "environment");
    const words = "process.env.GIT_ALLOW_PROTOCOL + ' ' + ('HTTPS_PROXY' in process.env)";
    program("kustomize", `require("node:fs").writeFileSync(${JSON.stringify(file)}, ${words})`);
    await read([root], { remoteBases });
    expect(readFileSync(file, "utf8")).toBe(`${protocols} ${remoteBases === undefined}`);
  });

  it.each([
    "configurations: [ADDRESS]",
    "crds: [ADDRESS]",
    "openapi: {path: ADDRESS}",
    "configMapGenerator: [{name: a, files: [x=ADDRESS]}]",
    "configMapGenerator: [{name: a, files: [ADDRESS]}]",
    "configMapGenerator: [{name: a, envs: [ADDRESS]}]",
    "secretGenerator: [{name: a, env: ADDRESS}]",
    "secretGenerator: [{name: a, files: [ADDRESS]}]",
    "replacements: [{path: ADDRESS}]",
    "patches: [{path: ADDRESS}]",
    "patches: [ADDRESS]",
    "patchesJson6902: [{path: ADDRESS}]",
    "patchesStrategicMerge: [ADDRESS]",
    "transformers: [ADDRESS]",
    "generators: [ADDRESS]",
    "validators: [ADDRESS]",
    "Components: [ADDRESS]",
    "transformers: [settings.yaml]",
    "generators: [plugins]",
    "transformers: [settings]",
    "generators: ['{kind: ConfigMapGenerator,\n\n files: [x=ADDRESS]}']",
  ])("that take files from the network are not built, nor what builds upon them: %s", async (line) => {
    const address = "http://127.0.0.1:9/x";
    program("kustomize", `require("node:fs").writeFileSync(${JSON.stringify(join(root, "called"))}, "")`);
    rmSync(join(root, "kust"), { recursive: true });
    write("top/kustomization.yaml", "resources: [../base]\n");
    write("base/kustomization.yaml", `${line.replace("ADDRESS", address)}\n`);
    write("base/settings.yaml", `kind: PatchTransformer\npath: ${address}\n`);
    write("base/settings/kustomization.yaml", "resources: [../settings.yaml]\n");
    write("base/plugins/kustomization.yaml", `resources: [${address}]\n`);
    const why = `it builds on ${address}, which is fetched only with --remote-bases`;
    for (const folder of ["", "base", "top"]) {
      const inputs = await read([join(root, folder)]);
      const told = { kind: "notSeen", file: join(root, folder || "base", "kustomization.yaml"), why };
      expect(inputs).toContainEqual(expect.objectContaining(told));
      expect(inputs.filter(({ kind }) => kind === "unreadable")).toEqual([]);
    }
    expect(existsSync(join(root, "called"))).toBe(false);
  });

  it("say an address in their annotations and patches without asking for it", async () => {
    program("kustomize", "");
    write(
      "kust/kustomization.yaml",
      "commonAnnotations: {path: 'https://example.com/'}\npatches: [{patch: 'path: https://a.example/'}]\n",
    );
    expect((await read([root])).filter(({ kind }) => kind === "notSeen")).toEqual([]);
  });

  it.each([
    "helmCharts: [{name: web, repo: 'https://charts.example.com'}]",
    "helmChartInflationGenerator: [{chartName: web}]",
    "generators: [chart.yaml]",
  ])("that make objects of charts are not seen, which is no error: %s", async (line) => {
    write("kust/kustomization.yaml", `${line}\n`);
    write("kust/chart.yaml", "apiVersion: builtin\nkind: HelmChartInflationGenerator\nmetadata: {name: web}\n");
    const inputs = await read([join(root, "kust")]);
    expect(inputs).toContainEqual(expect.objectContaining({ kind: "notSeen", why: expect.stringContaining("helm") }));
    expect(inputs.filter(({ kind }) => kind === "unreadable")).toEqual([]);
  });

  it("name no login of an address", async () => {
    write("kust/kustomization.yaml", "resources: ['https://ann:sesame@example.com/base.git']\n");
    const notSeen = (await read([root])).flatMap((input) => (input.kind === "notSeen" ? input.why : []));
    expect(notSeen).toEqual(["it builds on https://example.com/base.git, which is fetched only with --remote-bases"]);
  });
});

describe("a program", () => {
  const environment = () => ({ PATH: programs });

  it("that does not end is ended", async () => {
    program("slow", "setInterval(() => {}, 1000)");
    const output = await outputOf("slow", [], { environment: environment(), timeout: 200 });
    expect(output).toEqual({ kind: "failed", problem: "did not end within 0.2 seconds" });
  });

  it("is run without a shell and has no input", async () => {
    program("echo-words", "process.stdin.resume().on('end', () => console.log(process.argv.slice(2).join('|')))");
    const output = await outputOf("echo-words", ["$(id)", "; ls"], { environment: environment() });
    expect(output.kind === "output" && output.bytes.toString()).toBe("$(id)|; ls\n");
  });

  it("that prints without end is ended", async () => {
    program(
      "flood",
      "const b = Buffer.alloc(1 << 20); const go = () => { while (process.stdout.write(b)); process.stdout.once('drain', go) }; go()",
    );
    const output = await outputOf("flood", [], { environment: environment() });
    expect(output).toEqual({ kind: "failed", problem: "printed more than 64 MiB" });
  });
});
