import { describe, expect, it } from "vitest";
import { PulleyError } from "../../support/errors.ts";
import { manualClock } from "../../support/manual-clock.ts";
import type { ProviderRequest } from "./plugin.ts";
import { createProvider, type ProviderNote } from "./provider.ts";
import type { ProviderResponse } from "./response.ts";
import type { ServiceAccounts } from "./service-accounts.ts";
import type { CredentialProvider, TokenAttributes } from "./types.ts";

const pod = { namespace: "prod", name: "web", uid: "pod-1", serviceAccountName: "puller" };
const attributes: TokenAttributes = {
  serviceAccountTokenAudience: "sts",
  cacheType: "ServiceAccount",
  requireServiceAccount: true,
  requiredServiceAccountAnnotationKeys: ["acme.io/role"],
  optionalServiceAccountAnnotationKeys: ["acme.io/region"],
};

interface Given extends Partial<CredentialProvider> {
  readonly accounts?: ServiceAccounts;
  readonly answer?: (
    question: ProviderRequest,
    time: number,
  ) => Partial<ProviderResponse> | Promise<Partial<ProviderResponse>>;
}

function providerWith({ accounts = cluster(), answer = () => ({}), ...changed }: Given = {}) {
  const clock = manualClock(1_000_000);
  const asked: ProviderRequest[] = [];
  const notes: ProviderNote[] = [];
  const config: CredentialProvider = {
    name: "plugin",
    matchImages: ["r.io", "*.acme.io/team"],
    defaultCacheDuration: 0,
    apiVersion: "credentialprovider.kubelet.k8s.io/v1",
    args: [],
    env: [],
    tokenAttributes: undefined,
    ...changed,
  };
  const provider = createProvider(config, {
    clock,
    accounts,
    say: (note) => notes.push(note),
    ask: async (question) => {
      asked.push(question);
      const auth = [{ pattern: "r.io", username: "u", password: `p${asked.length}` }];
      return { cacheKeyType: "Image", cacheDuration: undefined, auth, ...(await answer(question, asked.length)) };
    },
  });
  return {
    clock,
    asked,
    notes,
    passwords: async (image: string, whose: typeof pod | "nobody" = pod) => {
      const found = await provider.provide(image, whose === "nobody" ? undefined : whose);
      return found.map(([location, login]) => {
        const secret = login.reveal();
        return `${location} ${secret.kind === "password" ? secret.password : ""} ${login.origin?.kind}`;
      });
    },
  };
}

/** A cluster with one account, whose tokens are numbered. */
function cluster(given: { annotations?: Record<string, string>; uid?: string } = {}): ServiceAccounts {
  let tokens = 0;
  return {
    account: async (namespace, name) =>
      namespace === "prod" && name === "puller"
        ? { uid: given.uid ?? "sa-1", annotations: given.annotations ?? { "acme.io/role": "pull", other: "x" } }
        : undefined,
    token: async () => {
      tokens += 1;
      return `token-${tokens}`;
    },
  };
}

describe("a credential provider", () => {
  it.each([
    ["r.io/app", true],
    ["eu.acme.io/team/app", true],
    ["eu.acme.io/other", false],
    ["a.b.acme.io/team/app", false],
    ["r.io:5000/app", false],
    ["evil-r.io/app", false],
  ])("is asked about %s: %s", async (image, isAsked) => {
    const { passwords, asked } = providerWith();
    const found = await passwords(image);
    expect([asked.length, found.length]).toEqual(isAsked ? [1, 1] : [0, 0]);
  });

  it("gives logins that are the node's", async () => {
    expect(await providerWith().passwords("r.io/app")).toEqual(["r.io p1 node"]);
  });

  it("that fails contributes nothing, and says why", async () => {
    const { passwords, notes } = providerWith({
      answer: () => Promise.reject(new PulleyError("CREDENTIAL_HELPER_FAILED", "broken")),
    });
    expect(await passwords("r.io/app")).toEqual([]);
    expect(notes).toEqual([{ kind: "problem", provider: "plugin", message: "broken" }]);
  });

  it("whose answer is good for something unknown contributes nothing", async () => {
    const { passwords, notes } = providerWith({ answer: () => ({ cacheKeyType: "Tag" }) });
    expect(await passwords("r.io/app")).toEqual([]);
    expect(notes[0]?.message).toBe('credential provider plugin did not return a valid cacheKeyType: "Tag"');
  });

  it("is run once for all who ask about an image at the same time", async () => {
    let release = (): void => undefined;
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    const { passwords, asked } = providerWith({ answer: () => gate.then(() => ({})) });
    const all = Promise.all([passwords("r.io/app"), passwords("r.io/app"), passwords("r.io/other")]);
    release();
    expect(await all).toEqual([["r.io p1 node"], ["r.io p1 node"], ["r.io p2 node"]]);
    expect(asked.map(({ image }) => image)).toEqual(["r.io/app", "r.io/other"]);
  });
});

describe("an answer of a credential provider", () => {
  it.each<[type: string, same: number, sibling: number, elsewhere: number]>([
    ["Image", 1, 2, 2],
    ["Registry", 1, 1, 2],
    ["Global", 1, 1, 1],
  ])("for the %s is used again there", async (cacheKeyType, same, sibling, elsewhere) => {
    const runsFor = async (second: string) => {
      const { passwords, asked } = providerWith({
        defaultCacheDuration: 60_000,
        answer: () => ({ cacheKeyType }),
        matchImages: ["r.io", "q.io"],
      });
      await passwords("r.io/app");
      await passwords(second);
      return asked.length;
    };
    expect([await runsFor("r.io/app"), await runsFor("r.io/other"), await runsFor("q.io/app")]).toEqual([
      same,
      sibling,
      elsewhere,
    ]);
  });

  it.each<[said: number | undefined, byDefault: number, good: number]>([
    [undefined, 60_000, 60_000],
    [undefined, 0, -1],
    [0, 60_000, -1],
    [10_000, 60_000, 10_000],
    [10_000, 0, 10_000],
  ])("that says %s, where %s is the default, is good for %s ms", async (cacheDuration, defaultCacheDuration, good) => {
    const { passwords, asked, clock } = providerWith({ defaultCacheDuration, answer: () => ({ cacheDuration }) });
    await passwords("r.io/app");
    if (good >= 0) {
      await clock.advance(good);
      await passwords("r.io/app");
      expect(asked).toHaveLength(1);
      await clock.advance(1);
    }
    await passwords("r.io/app");
    expect(asked).toHaveLength(2);
  });

  it("is looked for under the image first, then its registry, then everything", async () => {
    // Each next run is made when what is more special has become too old, or was never there.
    const answers = [
      { cacheKeyType: "Global", cacheDuration: 100 },
      { cacheKeyType: "Registry", cacheDuration: 300 },
      { cacheKeyType: "Image", cacheDuration: 100 },
    ];
    const { passwords, clock } = providerWith({
      matchImages: ["r.io", "q.io"],
      answer: (_question, time) => answers[time - 1] ?? {},
    });
    expect(await passwords("q.io/app")).toEqual(["r.io p1 node"]);
    expect(await passwords("r.io/app")).toEqual(["r.io p1 node"]);
    await clock.advance(101);
    expect(await passwords("r.io/app")).toEqual(["r.io p2 node"]);
    expect(await passwords("r.io/other")).toEqual(["r.io p2 node"]);
    await clock.advance(301);
    expect(await passwords("r.io/app")).toEqual(["r.io p3 node"]);
    await clock.advance(101);
    expect(await passwords("r.io/app")).toEqual(["r.io p4 node"]);
  });
});

describe("a credential provider that is given tokens", () => {
  const tokenAttributes = attributes;

  it("gets the account's token and those annotations that it may see; its logins are the account's", async () => {
    const requests: unknown[] = [];
    const accounts: ServiceAccounts = {
      ...cluster({ annotations: { "acme.io/role": "pull", "acme.io/region": "eu", other: "x" } }),
      token: async (request) => {
        requests.push(request);
        return "token";
      },
    };
    const { passwords, asked } = providerWith({ tokenAttributes, accounts });
    expect(await passwords("r.io/app")).toEqual(["r.io p1 serviceAccount"]);
    expect(asked).toEqual([
      {
        image: "r.io/app",
        serviceAccountToken: "token",
        serviceAccountAnnotations: { "acme.io/role": "pull", "acme.io/region": "eu" },
      },
    ]);
    const asking = { namespace: "prod", name: "puller", audience: "sts", pod: { name: "web", uid: "pod-1" } };
    expect(requests).toEqual([asking]);
  });

  it.each<[what: string, given: Given, whose: typeof pod | "nobody", note: Partial<ProviderNote>]>([
    [
      "the pod has no account",
      {},
      { ...pod, serviceAccountName: "" },
      { kind: "detail", message: "Service account name is empty for pod prod/web" },
    ],
    [
      "it is no pod's pull",
      {},
      "nobody",
      { kind: "detail", message: "Service account name is empty for a pull that is no pod's" },
    ],
    [
      "an annotation is missing",
      { accounts: cluster({ annotations: {} }) },
      pod,
      { kind: "detail", message: "failed to get service account: required annotation acme.io/role not found" },
    ],
    [
      "there is no such account",
      {},
      { ...pod, serviceAccountName: "none" },
      {
        kind: "problem",
        message: 'failed to get service account: serviceaccount "none" not found in namespace "prod"',
      },
    ],
    [
      "nobody knows the account",
      { accounts: { ...cluster(), account: () => Promise.reject(new Error("no answer")) } },
      pod,
      { kind: "problem", message: "failed to get service account: no answer" },
    ],
    [
      "no token is issued for it",
      { accounts: { ...cluster(), token: () => Promise.reject(new Error("forbidden")) } },
      pod,
      { kind: "problem", message: "failed to get service account token: forbidden" },
    ],
    [
      "nobody issues tokens",
      { accounts: { account: cluster().account } },
      pod,
      {
        kind: "problem",
        message:
          "failed to get service account token: nobody issues tokens of prod/puller here, for this machine is in no cluster",
      },
    ],
  ])("is not asked where %s", async (_what, given, whose, note) => {
    const { passwords, asked, notes } = providerWith({ tokenAttributes, ...given });
    expect(await passwords("r.io/app", whose)).toEqual([]);
    expect(asked).toEqual([]);
    expect(notes).toEqual([{ provider: "plugin", ...note }]);
  });

  it.each<[what: string, whose: typeof pod | "nobody", accounts: ServiceAccounts]>([
    ["pods without an account", { ...pod, serviceAccountName: "" }, cluster()],
    ["pulls that are no pod's", "nobody", cluster()],
    ["machines where nobody issues tokens", pod, { account: cluster().account }],
  ])("and can do without is asked without for %s", async (_what, whose, accounts) => {
    const optional = { ...attributes, requireServiceAccount: false, requiredServiceAccountAnnotationKeys: [] };
    const { passwords, asked } = providerWith({ tokenAttributes: optional, accounts });
    expect(await passwords("r.io/app", whose)).toEqual(["r.io p1 node"]);
    expect(asked).toEqual([{ image: "r.io/app", serviceAccountToken: "", serviceAccountAnnotations: {} }]);
  });

  it.each([
    ["ServiceAccount", 1],
    ["Token", 2],
  ] as const)("keeps an answer for each %s: two pods of one account make %d runs", async (cacheType, runs) => {
    const { passwords, asked } = providerWith({
      tokenAttributes: { ...attributes, cacheType },
      defaultCacheDuration: 60_000,
    });
    await passwords("r.io/app");
    await passwords("r.io/app", { ...pod, name: "other", uid: "pod-2" });
    expect(asked).toHaveLength(runs);
  });

  it("keeps no answer for an account that was made anew, or annotated otherwise", async () => {
    let account = { uid: "sa-1", annotations: { "acme.io/role": "pull" } };
    const accounts: ServiceAccounts = { account: async () => account, token: async () => "token" };
    const given = { tokenAttributes, accounts, defaultCacheDuration: 60_000 };
    const { passwords, asked } = providerWith({ ...given, answer: () => ({ cacheKeyType: "Global" }) });
    await passwords("r.io/app");
    account = { ...account, uid: "sa-2" };
    await passwords("r.io/app");
    account = { ...account, annotations: { "acme.io/role": "other" } };
    await passwords("r.io/app");
    await passwords("r.io/app");
    expect(asked).toHaveLength(3);
  });

  it.each([
    ["ServiceAccount", []],
    ["Token", ["r.io token-1 serviceAccount"]],
  ] as const)(
    "may give the token back as the password only where it keeps it for the token alone: %s",
    async (cacheType, found) => {
      const { passwords, notes } = providerWith({
        tokenAttributes: { ...attributes, cacheType },
        answer: ({ serviceAccountToken }) => ({
          auth: [{ pattern: "r.io", username: "u", password: serviceAccountToken }],
        }),
      });
      expect(await passwords("r.io/app")).toEqual(found);
      expect(notes.map(({ message }) => message)).toEqual(
        found.length > 0
          ? []
          : [
              "credential provider plugin returned the service account token as the password which is not allowed when service account cache type is not set to 'Token'",
            ],
      );
    },
  );
});
