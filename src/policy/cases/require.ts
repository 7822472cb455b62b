/** What an image must be. */
import type { ImageFacts } from "../types.ts";
import { type Case, type Expected, now, pinned, policyOf, requestFor, unknown } from "./case.ts";

const mebibyte = 1024 * 1024;

function image(size: number, ...platforms: readonly string[]): ImageFacts {
  return { labels: {}, size, platforms };
}

function mislabelled(itself: string, takenFor: string): ImageFacts {
  return { ...image(1, takenFor), mislabelled: { itself, takenFor } };
}

const small = image(100 * mebibyte, "linux/amd64", "linux/arm64");

/** Requirements, an image, what is known of it, and what it says that is wrong; `true`: nothing; `?`: not known yet. */
const table: readonly (readonly [object, string, ImageFacts | undefined, string | true])[] = [
  [{ tag: true }, "nginx", undefined, "neither tag nor digest"],
  [{ tag: true }, "nginx:latest", undefined, true],
  [{ tag: true }, "nginx:1.27", undefined, true],
  [{ tag: true }, `nginx${pinned}`, undefined, true],
  [{ tag: true }, "localhost:5000/nginx", undefined, "neither tag nor digest"],
  [{ tag: false }, "nginx", undefined, true],
  [{ notTags: ["latest"] }, "nginx", undefined, "the tag latest is not allowed"],
  [{ notTags: ["latest"] }, "nginx:latest", undefined, "the tag latest is not allowed"],
  [{ notTags: ["latest"] }, `nginx:latest${pinned}`, undefined, "the tag latest is not allowed"],
  [{ notTags: ["latest"] }, `nginx${pinned}`, undefined, true],
  [{ notTags: ["latest", "*-rc*"] }, "nginx:1.0-rc1", undefined, "the tag 1.0-rc1 is not allowed"],
  [{ notTags: ["*", "!v*"] }, "nginx:v1", undefined, true],
  [{ notTags: ["*", "!v*"] }, "nginx:1", undefined, "the tag 1 is not allowed"],
  [{ digest: true }, "nginx:1", undefined, "it has no digest"],
  [{ digest: true }, `nginx:1${pinned}`, undefined, true],
  [{ digest: false }, "nginx:1", undefined, true],
  [{ maxSize: "100Mi" }, "nginx:1", undefined, "?"],
  [{ maxSize: "100Mi" }, "nginx:1", small, true],
  [{ maxSize: "100Mi" }, "nginx:1", image(100 * mebibyte + 1), "it has 104857601 bytes, more than 100Mi"],
  [{ maxSize: "100M" }, "nginx:1", small, "more than 100M"],
  [{ maxSize: 104857600 }, "nginx:1", small, true],
  [{ maxSize: "0.5Gi" }, "nginx:1", small, true],
  [{ platforms: ["linux/amd64"] }, "nginx:1", undefined, "?"],
  [{ platforms: ["linux/amd64"] }, "nginx:1", small, true],
  [{ platforms: ["linux/amd64", "linux/arm64/v8"] }, "nginx:1", small, true],
  [{ platforms: ["linux/x86_64"] }, "nginx:1", small, true],
  [{ platforms: ["linux/amd64", "linux/s390x"] }, "nginx:1", small, "not offered for linux/s390x"],
  [{ platforms: ["linux/arm/v7"] }, "nginx:1", image(1, "linux/arm"), true],
  [{ platforms: ["linux/amd64"] }, "nginx:1", image(1), "not offered for linux/amd64"],
  [{ truePlatform: true }, "nginx:1", undefined, "?"],
  [{ truePlatform: true }, "nginx:1", small, true],
  [
    { truePlatform: true },
    "nginx:1",
    mislabelled("linux/arm64", "linux/amd64"),
    "it says itself that it is for linux/arm64, not for linux/amd64",
  ],
  [{ truePlatform: false }, "nginx:1", mislabelled("linux/arm64", "linux/amd64"), true],
  [{ platforms: ["linux/amd64"] }, "nginx:1", mislabelled("linux/arm64", "linux/amd64"), true],
  [{ tag: true, maxSize: "1Gi" }, "nginx", undefined, "neither tag nor digest"],
  [{ tag: true, maxSize: "1Gi" }, "nginx:1", undefined, "?"],
];

function expectedOf(says: string | true): Expected {
  const rules = { require: "p/sane" };
  if (says === true) return { action: "Pull", rules, pending: [] };
  if (says === "?") return { action: "Pull", rules, pending: ["require"] };
  return { action: "Refuse", reason: "RequirementNotMet", says, rules, pending: [] };
}

const each = table.map(
  ([required, name, facts, says]): Case => ({
    name: `${name} is to be ${JSON.stringify(required)}${facts === undefined ? "" : `, known: ${JSON.stringify(facts)}`}`,
    policy: policyOf([{ name: "sane", require: required }]),
    request: requestFor(name, { pullPolicy: "IfNotPresent" }),
    facts: facts === undefined ? unknown : { ...unknown, image: facts },
    now,
    expected: expectedOf(says),
  }),
);

const both = policyOf([
  { name: "tagged", require: { tag: true } },
  { name: "elsewhere", match: { images: ["quay.io"] }, require: { digest: true } },
  { name: "small", require: { maxSize: "1Mi", notTags: ["latest"] } },
]);

const accumulated: readonly Case[] = [
  {
    name: "requirements of all matching rules hold, and every one that is not met is named",
    policy: both,
    request: requestFor("nginx"),
    facts: { ...unknown, image: small },
    now,
    expected: {
      action: "Refuse",
      reason: "RequirementNotMet",
      says: "by p/small: the tag latest is not allowed; use the tag of a version; it has 104857600 bytes",
      rules: { require: ["p/tagged", "p/small"] },
    },
  },
  {
    name: "what is met by one rule can be pending by another",
    policy: both,
    request: requestFor("nginx:1"),
    facts: unknown,
    now,
    expected: { action: "Pull", rules: { require: ["p/tagged", "p/small"] }, pending: ["require"] },
  },
  {
    name: "requirements that may not be meant for the image are pending",
    policy: policyOf([
      { name: "sane", match: { imageLabels: { matchLabels: { a: "b" } } }, require: { digest: true } },
    ]),
    request: requestFor("nginx:1"),
    facts: unknown,
    now,
    expected: { action: "Pull", rules: { require: "p/sane" }, pending: ["require"] },
  },
  {
    name: "requirements that are met anyway are not pending",
    policy: policyOf([
      { name: "sane", match: { imageLabels: { matchLabels: { a: "b" } } }, require: { digest: true } },
    ]),
    request: requestFor(`nginx:1${pinned}`),
    facts: unknown,
    now,
    expected: { action: "Pull", rules: { require: "p/sane" }, pending: [] },
  },
  {
    name: "a denial comes before what is required",
    policy: policyOf([{ name: "both", admit: "Deny", require: { digest: true } }]),
    request: requestFor("nginx:1"),
    facts: unknown,
    now,
    expected: { action: "Refuse", reason: "ImageDenied", rules: { admit: "p/both", require: "p/both" } },
  },
  {
    name: "what is required comes before Never",
    policy: policyOf([{ name: "both", pull: { policy: "Never" }, require: { digest: true } }]),
    request: requestFor("nginx:1"),
    facts: { presence: "absent" },
    now,
    expected: { action: "Refuse", reason: "RequirementNotMet", pullPolicy: "Never" },
  },
];

export const requireCases: readonly Case[] = [...each, ...accumulated];
