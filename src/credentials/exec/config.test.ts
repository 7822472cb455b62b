import { createHash } from "node:crypto";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { isPulleyError } from "../../support/errors.ts";
import { readProviderConfig } from "./config.ts";
import type { GivenProvider, GivenTokenAttributes } from "./types.ts";
import { validateProviders } from "./validation.ts";

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "pulley-providers-"));
});

afterEach(() => rm(folder, { recursive: true }));

const provider = `
- name: ecr-credential-provider
  matchImages: ["*.dkr.ecr.*.amazonaws.com", "public.ecr.aws:443/team"]
  defaultCacheDuration: 12h
  apiVersion: credentialprovider.kubelet.k8s.io/v1
  args: [get-credentials]
  env:
    - { name: AWS_PROFILE, value: node }
  tokenAttributes:
    serviceAccountTokenAudience: sts.example.com
    cacheType: ServiceAccount
    requireServiceAccount: true
    requiredServiceAccountAnnotationKeys: [example.com/role]
`;

const document = (providers: string, version = "v1") =>
  `apiVersion: kubelet.config.k8s.io/${version}\nkind: CredentialProviderConfig\nproviders:${providers}`;

const plain = (name: string) =>
  `\n- {name: ${name}, matchImages: [r.io], defaultCacheDuration: 0s, apiVersion: credentialprovider.kubelet.k8s.io/v1}\n`;

async function write(text: string, name = "config.yaml"): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, text);
  return path;
}

async function problemOf(path: string): Promise<string> {
  const error = await readProviderConfig(path).catch((thrown: unknown) => thrown);
  if (!isPulleyError(error, "INPUT_INVALID", "INPUT_UNREADABLE", "USAGE")) throw new Error(`no problem: ${error}`);
  return error.message.replaceAll(folder, "");
}

describe("a credential provider configuration", () => {
  it("is read whole", async () => {
    const { providers } = await readProviderConfig(await write(document(provider)));
    expect(providers).toEqual([
      {
        name: "ecr-credential-provider",
        matchImages: ["*.dkr.ecr.*.amazonaws.com", "public.ecr.aws:443/team"],
        defaultCacheDuration: 12 * 3_600_000,
        apiVersion: "credentialprovider.kubelet.k8s.io/v1",
        args: ["get-credentials"],
        env: [{ name: "AWS_PROFILE", value: "node" }],
        tokenAttributes: {
          serviceAccountTokenAudience: "sts.example.com",
          cacheType: "ServiceAccount",
          requireServiceAccount: true,
          requiredServiceAccountAnnotationKeys: ["example.com/role"],
          optionalServiceAccountAnnotationKeys: [],
        },
      },
    ]);
  });

  it.each(["v1", "v1beta1", "v1alpha1"])("may be of version %s", async (version) => {
    const { providers } = await readProviderConfig(await write(document(plain("a"), version)));
    expect(providers.map(({ name }) => name)).toEqual(["a"]);
  });

  it("may be JSON", async () => {
    const entry = { name: "a", matchImages: ["r.io"], defaultCacheDuration: "1m" };
    const providers = [{ ...entry, apiVersion: "credentialprovider.kubelet.k8s.io/v1beta1" }];
    const text = JSON.stringify({
      apiVersion: "kubelet.config.k8s.io/v1",
      kind: "CredentialProviderConfig",
      providers,
    });
    expect((await readProviderConfig(await write(text, "config.json"))).providers).toMatchObject([
      { name: "a", defaultCacheDuration: 60_000 },
    ]);
  });

  it("may be a folder, read in the order of names and without what is below it", async () => {
    await write(document(plain("third")), "c.yml");
    await write(document(plain("first")), "a.yaml");
    await write(document(plain("second")), "b.json");
    await write("nonsense", "d.txt");
    await mkdir(join(folder, "e.yaml"));
    const { providers, hash } = await readProviderConfig(folder);
    expect(providers.map(({ name }) => name)).toEqual(["first", "second", "third"]);
    const expected = createHash("sha256");
    for (const name of ["first", "second", "third"]) {
      const text = document(plain(name));
      const length = Buffer.alloc(8);
      length.writeUInt32BE(text.length, 4);
      expected.update(length).update(text);
    }
    expect(hash).toBe(`sha256:${expected.digest("hex")}`);
  });

  it.each<[what: string, text: string, problem: string]>([
    ["nothing", "", "there is no CredentialProviderConfig in it"],
    [
      "another kind",
      "apiVersion: v1\nkind: Pod\n",
      'no kind "Pod" is registered for version "v1" in scheme "pkg/credentialprovider/plugin/plugin.go:69"',
    ],
    [
      "another kind of the kubelet's",
      "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n",
      'failed to decode "KubeletConfiguration" (wrong Kind)',
    ],

    [
      "another group",
      "apiVersion: acme.io/v1\nkind: CredentialProviderConfig\n",
      'no kind "CredentialProviderConfig" is registered for version "acme.io/v1" in scheme "pkg/',
    ],
    [
      "another version",
      "apiVersion: kubelet.config.k8s.io/v2\nkind: CredentialProviderConfig\n",
      'no kind "CredentialProviderConfig" is registered for version "kubelet.config.k8s.io/v2" in scheme "pkg/',
    ],
    ["an unknown field", document("\n- {nmae: a}\n"), '4:10: strict decoding error: unknown field "providers[0].nmae"'],
    [
      "a field of a newer version",
      document("\n- tokenAttributes: {}\n", "v1beta1"),
      '4:20: strict decoding error: unknown field "providers[0].tokenAttributes"',
    ],
    [
      "values of other types",
      document("\n- {name: 3, args: x, env: [{name: A, value: 1}]}\n"),
      "[4:10: json: cannot unmarshal number into Go struct field CredentialProvider.providers.name of type string, " +
        "4:19: json: cannot unmarshal string into Go struct field CredentialProvider.providers.args of type []string, " +
        "4:45: json: cannot unmarshal number into Go struct field ExecEnvVar.providers.env.value of type string]",
    ],
    [
      "a duration that is none",
      document("\n- {defaultCacheDuration: 7d}\n"),
      '4:26: time: unknown unit "d" in duration "7d"',
    ],
    ["a second document", `${document(plain("a"))}---\n${document(plain("b"))}`, "a second document: a kubelet reads"],
  ])("is refused that has %s", async (_what, text, problem) => {
    const found = await problemOf(await write(text));
    expect(found).toContain('error decoding config "/config.yaml": ');
    expect(found).toContain(problem);
  });

  it.each<[what: string, prepare: () => Promise<string>, problem: string]>([
    ["no path", async () => "", "credential provider config path is empty"],
    ["no file", async () => join(folder, "none"), 'unable to access path "/none": no such file or directory'],
    [
      "a folder without files",
      async () => {
        await write("", "readme.txt");
        return folder;
      },
      'no configuration files found in directory ""',
    ],
    [
      "one provider in two files",
      async () => {
        await write(document(plain("a")), "1.yaml");
        await write(document(plain("a")), "2.yaml");
        return folder;
      },
      'duplicate provider name "a" found in configuration file(s)',
    ],
    [
      "no providers",
      () => write(document(" []\n")),
      "failed to validate credential provider config: providers: Required value: at least 1 item in plugins is required",
    ],
    [
      "several faults",
      () => write(document("\n- {name: a/b}\n")),
      "failed to validate credential provider config: [" +
        "providers.name: Invalid value: \"a/b\": provider name cannot contain '/', providers.apiVersion: Required value, " +
        "providers.matchImages: Required value: at least 1 item in matchImages is required, " +
        "providers.defaultCacheDuration: Required value]",
    ],
  ])("is refused: %s", async (_what, prepare, problem) => {
    expect(await problemOf(await prepare())).toBe(problem);
  });
});

const sound: GivenProvider = {
  name: "a",
  matchImages: ["r.io"],
  defaultCacheDuration: 60_000,
  apiVersion: "credentialprovider.kubelet.k8s.io/v1",
  args: [],
  env: [],
  tokenAttributes: undefined,
};

const tokens: GivenTokenAttributes = {
  serviceAccountTokenAudience: "sts",
  cacheType: "Token",
  requireServiceAccount: true,
  requiredServiceAccountAnnotationKeys: [],
  optionalServiceAccountAnnotationKeys: [],
};

const withTokens = (attributes: Partial<GivenTokenAttributes>): Partial<GivenProvider> => ({
  tokenAttributes: { ...tokens, ...attributes },
});

describe("a provider", () => {
  const at = "providers.tokenAttributes";

  it.each<[change: Partial<GivenProvider>, problems: readonly string[]]>([
    [{}, []],
    [{ tokenAttributes: tokens }, []],
    [{ name: "" }, ["providers.name: Required value"]],
    [{ name: "a b" }, ['providers.name: Invalid value: "a b": provider name cannot contain spaces']],
    [{ name: "a\n" }, ['providers.name: Invalid value: "a\\n": provider name cannot contain spaces']],
    [{ name: "." }, ["providers.name: Invalid value: \".\": provider name cannot be '.'"]],
    [{ name: ".." }, ["providers.name: Invalid value: \"..\": provider name cannot be '..'"]],
    [{ name: "../a" }, ["providers.name: Invalid value: \"../a\": provider name cannot contain '/'"]],
    [{ apiVersion: "" }, ["providers.apiVersion: Required value"]],
    [
      { apiVersion: "v1" },
      [
        'providers.apiVersion: Unsupported value: "v1": supported values: "credentialprovider.kubelet.k8s.io/v1", ' +
          '"credentialprovider.kubelet.k8s.io/v1alpha1", "credentialprovider.kubelet.k8s.io/v1beta1"',
      ],
    ],
    [{ matchImages: [] }, ["providers.matchImages: Required value: at least 1 item in matchImages is required"]],
    [
      { matchImages: ["r.io", "a b", "*.r.io", "r.io/%zz"] },
      [
        'providers.matchImages: Invalid value: "a b": match image is invalid: parse "https://a b": invalid character " " in host name',
        'providers.matchImages: Invalid value: "r.io/%zz": match image is invalid: parse "https://r.io/%zz": invalid URL escape "%zz"',
      ],
    ],
    [{ defaultCacheDuration: undefined }, ["providers.defaultCacheDuration: Required value"]],
    [
      { defaultCacheDuration: -60_000 },
      [
        'providers.defaultCacheDuration: Invalid value: "-1m0s": defaultCacheDuration must be greater than or equal to 0',
      ],
    ],
    [
      { tokenAttributes: tokens, apiVersion: "credentialprovider.kubelet.k8s.io/v1beta1" },
      [`${at}: Forbidden: tokenAttributes is only supported for credentialprovider.kubelet.k8s.io/v1 API version`],
    ],
    [
      withTokens({ serviceAccountTokenAudience: "", requireServiceAccount: undefined }),
      [`${at}.serviceAccountTokenAudience: Required value`, `${at}.requireServiceAccount: Required value`],
    ],
    [
      withTokens({ requireServiceAccount: false, requiredServiceAccountAnnotationKeys: ["a"] }),
      [
        `${at}.requiredServiceAccountAnnotationKeys: Forbidden: requireServiceAccount cannot be false when requiredServiceAccountAnnotationKeys is set`,
      ],
    ],
    [
      withTokens({
        requiredServiceAccountAnnotationKeys: ["B", "a"],
        optionalServiceAccountAnnotationKeys: ["a", "B"],
      }),
      [`${at}: Invalid value: ["B","a"]: annotation keys cannot be both required and optional`],
    ],
    [
      withTokens({ optionalServiceAccountAnnotationKeys: ["a", "a"] }),
      [`${at}.optionalServiceAccountAnnotationKeys: Duplicate value: "a"`],
    ],
    [
      withTokens({ cacheType: "" }),
      [
        `${at}.cacheType: Required value: cacheType is required to be set when tokenAttributes is specified. Supported values are: ServiceAccount, Token`,
      ],
    ],
    [
      withTokens({ cacheType: "Pod" }),
      [`${at}.cacheType: Unsupported value: "Pod": supported values: "ServiceAccount", "Token"`],
    ],
  ])("with %j", (change, problems) => {
    expect(validateProviders([{ ...sound, ...change }])).toEqual(problems);
  });

  it("must have a name of its own", () => {
    expect(validateProviders([sound, sound])).toEqual(['providers.name: Duplicate value: "a"']);
  });

  it.each<[key: string, problem: RegExp | undefined]>([
    ["role", undefined],
    ["Example.com/Role_1", undefined],
    ["", /name part must be non-empty/],
    ["/a", /prefix part must be non-empty/],
    ["a/b/c", /a qualified name must consist of .*with an optional DNS subdomain prefix and '\/'/],
    ["a".repeat(64), /name part must be no more than 63 characters/],
    ["-a", /name part must consist of alphanumeric/],
    ["a_b.io/x", /prefix part a lowercase RFC 1123 subdomain/],
  ])("may ask for the annotation %j: unless %s", (key, problem) => {
    const [found] = validateProviders([{ ...sound, ...withTokens({ optionalServiceAccountAnnotationKeys: [key] }) }]);
    if (problem === undefined) expect(found).toBeUndefined();
    else expect(found).toMatch(problem);
  });
});
