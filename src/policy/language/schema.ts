/** The language: the one schema that policies are checked with and that editors and clusters are given. */
import { z } from "zod";
import { closingOf } from "./closing.ts";
import { isExposed } from "./mirror.ts";
import {
  apiGroup,
  duration,
  expiry,
  expression,
  fieldPath,
  images,
  lastDay,
  list,
  mirrors,
  moment,
  names,
  objectName,
  platforms,
  sentence,
  size,
  timeZone,
  windows,
} from "./schema-values.ts";
import { utc } from "./time-zone.ts";

export const apiVersion = "pulley.dev/v1alpha1";
export const kind = "ImagePullPolicy";

const labelText = z.string().max(63).meta({ description: "The value of a label." });
const labelKey = z
  .string()
  .min(1)
  .max(317)
  .meta({ description: "The key of a label.", examples: ["app"] });

const labelRequirement = z.discriminatedUnion("operator", [
  z.strictObject({
    key: labelKey,
    operator: z.enum(["In", "NotIn"]).meta({ description: "NotIn also holds where there is no such label." }),
    values: list("The values that are looked for.", labelText),
  }),
  z.strictObject({
    key: labelKey,
    operator: z.enum(["Exists", "DoesNotExist"]).meta({ description: "Whether there is such a label." }),
  }),
]);

function labelSelector(description: string) {
  return z
    .strictObject({
      matchLabels: z
        .record(labelKey, labelText)
        .optional()
        .meta({ description: "Labels that must be there with these values." }),
      matchExpressions: list("Requirements that must all hold.", labelRequirement).optional(),
    })
    .refine((selector) => Object.keys(selector).length > 0, nothingSaid)
    .meta({ description });
}

const nothingSaid = "says nothing; leave it out, or give it one of its keys";

/** What can be said of the workload alone. */
const workloadMatch = {
  namespaces: names("Patterns for the workload's namespace.", "prod-*", "!prod-sandbox").optional(),
  labels: labelSelector("A label selector over the labels of the workload's pods.").optional(),
  clusters: names(
    "Patterns for the cluster's name. No cluster is listed where its name is not known.",
    "eu-*",
  ).optional(),
};

/** What can be said of an image as it is written. */
const imageMatch = {
  images: images(
    "Patterns for the normalised name, docker.io/library/nginx: * stays within a segment, ** crosses segments, ! excludes. A host alone stands for everything in that registry.",
  ).optional(),
  tags: names(
    "Patterns for the tag; latest is one where neither tag nor digest is written.",
    "latest",
    "*-snapshot",
  ).optional(),
  pinned: z.boolean().optional().meta({ description: "Whether the reference carries a digest." }),
};

const containerMatch = {
  containers: names("Patterns for the container's name.", "istio-*").optional(),
  expression: expression(
    "CEL over image (given, name, registry, repository, tag, digest), container (name, kind), workload (kind, namespace, name, labels, annotations) and cluster. Where it fails, what refuses or withholds counts as matching, and everything else as not.",
  ).optional(),
};

function match(description: string) {
  return z
    .strictObject({
      ...imageMatch,
      ...workloadMatch,
      imageLabels: labelSelector(
        "A label selector over the labels in the image's own config, which are known once it has been resolved.",
      ).optional(),
      ...containerMatch,
    })
    .refine((given) => Object.keys(given).length > 0, nothingSaid)
    .meta({ description });
}

const pull = z
  .strictObject({
    policy: z
      .enum(["Always", "IfNotPresent", "Never"])
      .optional()
      .meta({ description: "Replaces the container's imagePullPolicy." }),
    checkEvery: duration(
      "Under Always: a copy that a registry confirmed within this time is used without asking again.",
    ).optional(),
    whenUnreachable: z.enum(["Fail", "UseCached"]).optional().meta({
      default: "Fail",
      description:
        "What to do if no registry can be reached. Refusals, missing images and certificates that do not verify are never taken for that.",
    }),
    maxStaleness: duration("A copy that was last confirmed longer ago than this, or never, is not used.").optional(),
  })
  .refine((given) => Object.keys(given).length > 0, nothingSaid)
  .meta({ description: "How fresh the local copy must be." });

const when = z
  .strictObject({
    pull: windows(
      "When registries may be asked, by the clock on the wall of the time zone; always, if absent.",
    ).optional(),
    closed: list(
      "Times in which no registry is asked, whatever the windows say: for freezes.",
      z.strictObject({
        from: moment("The first day, or the moment at which it begins."),
        until: moment("The last day, or the moment at which it ends."),
      }),
    ).optional(),
    timeZone: timeZone("Whose clock it is, by its name in the IANA database; UTC if absent.").optional(),
    otherwise: z.enum(["UseCached", "Deny"]).default("UseCached").meta({
      description:
        "Outside of the windows, where a registry would have to be asked: UseCached uses the copy on the node and refuses where there is none that may be used; Deny refuses.",
    }),
  })
  .superRefine(({ pull: open, closed = [], timeZone: zone = utc }, context) => {
    if (open === undefined && closed.length === 0) {
      context.addIssue({ code: "custom", message: "says nothing of times; give it pull or closed" });
    }
    for (const [index, { from: first, until }] of closed.entries()) {
      const closing = closingOf(first, until, zone);
      if (closing.from < closing.until) continue;
      const message = `it ends before it begins, on ${first.text}`;
      context.addIssue({ code: "custom", path: ["closed", index, "until"], message });
    }
  })
  .meta({ description: "When images may be pulled.", anyOf: [{ required: ["pull"] }, { required: ["closed"] }] });

const from = z
  .strictObject({
    mirrors: mirrors("Registries that have the same repositories, asked before the one in the image's name."),
    order: z.enum(["Listed", "Fastest"]).default("Listed").meta({
      description: "Whether the mirrors are tried as listed, or the one that answers fastest comes first.",
    }),
    origin: z.enum(["Fallback", "Never"]).default("Fallback").meta({
      description: "Whether the registry in the image's name is asked after the mirrors.",
    }),
    plainHttp: z.boolean().optional().meta({
      description:
        "Allows mirrors with http:// that are not on this machine: anybody on the way can change what they send.",
    }),
  })
  .superRefine(({ mirrors: addresses, plainHttp }, context) => {
    if (plainHttp === true) return;
    for (const [index, address] of addresses.entries()) {
      if (!isExposed(address)) continue;
      const message = "plain HTTP is for this machine only; write https://, or allow it with plainHttp: true";
      context.addIssue({ code: "custom", path: ["mirrors", index], message });
    }
  })
  .meta({ description: "Where images come from." });

const requirements = z
  .strictObject({
    tag: z.boolean().optional().meta({ description: "A tag or a digest is written; an implied latest is neither." }),
    notTags: names("Tags that must not be used; the implied latest counts.", "latest").optional(),
    digest: z.boolean().optional().meta({ description: "The reference carries a digest." }),
    maxSize: size("The most that an image may have to transfer.").optional(),
    platforms: platforms("Platforms that the image must all offer.").optional(),
    truePlatform: z
      .boolean()
      .optional()
      .meta({ description: "The image's own config names the platform for which its index has it." }),
  })
  .refine((given) => Object.keys(given).length > 0, nothingSaid)
  .meta({ description: "What an image must be. The requirements of all matching rules hold together." });

const subjects = ["admit", "pull", "when", "from", "require"] as const;

const rule = z
  .strictObject({
    name: objectName("Names the rule in traces and exemptions; once in a document.", "our-registries"),
    mode: z.enum(["Enforce", "Warn"]).optional().meta({
      default: "Enforce",
      description:
        "Warn puts the rule on trial: it decides nothing, and a warning says each time what it would refuse.",
    }),
    match: match("Which images the rule is about; absent: all.").optional(),
    admit: z.enum(["Allow", "Deny"]).optional().meta({ description: "Whether the image may be used at all." }),
    message: sentence("What people are told when the rule denies.", "Images come from registry.acme.io.").optional(),
    pull: pull.optional(),
    when: when.optional(),
    from: from.optional(),
    require: requirements.optional(),
  })
  .refine((given) => subjects.some((subject) => given[subject] !== undefined), {
    message: `speaks on nothing; give it one of ${subjects.join(", ")}`,
  })
  .meta({ description: "On each subject the first matching rule that speaks on it decides." });

const exemption = z
  .strictObject({
    rules: list("Names of rules of this document.", objectName("The name of a rule.", "sane")),
    match: match("What the rules are lifted from."),
    owner: sentence("Who answers for it.", "team-payments"),
    reason: sentence("Why it is needed.", "Base image is being rebuilt, PAY-1182"),
    expires: expiry("Until when: the end of a day in UTC, or a moment. An expired exemption has no effect."),
  })
  .meta({ description: "Lifts rules for some images for some time." });

const versionSubjects = ["allow", "ignore", "suffix", "endOfLife", "moving"] as const;

const versionRule = z
  .strictObject({
    name: objectName("Names the entry where it decides; once in the list.", "postgres-stays").optional(),
    match: z
      .strictObject({ ...imageMatch, ...workloadMatch, ...containerMatch })
      .refine((given) => Object.keys(given).length > 0, nothingSaid)
      .optional()
      .meta({ description: "Which images the entry is about; absent: all." }),
    allow: z.enum(["patch", "minor", "major"]).optional().meta({
      default: "major",
      description: "The largest step that is offered: patch keeps the first two numbers of a version, minor the first.",
    }),
    ignore: names("Patterns for tags that are never offered.", "17.*", "*-rc*").optional(),
    suffix: z.enum(["Exact", "Newer"]).optional().meta({
      default: "Exact",
      description:
        "Exact keeps what stands behind the version. Newer also offers tags with higher numbers in it: alpine3.20 for alpine3.19.",
    }),
    endOfLife: lastDay("The last day of support, in UTC, of the versions that match.").optional(),
    moving: names("Patterns for tags that are judged by digest, not by number.", "edge", "nightly*").optional(),
  })
  .refine((given) => versionSubjects.some((subject) => given[subject] !== undefined), {
    message: `says nothing of versions; give it one of ${versionSubjects.join(", ")}`,
  })
  .meta({
    description:
      "Which newer versions pulley outdated offers. The first matching entry decides on each key; ignore and moving add up.",
    anyOf: versionSubjects.map((subject) => ({ required: [subject] })),
  });

const customResource = z
  .strictObject({
    apiGroup: apiGroup("The group of its API version.", "db.example.com"),
    kinds: list("Its kinds.", sentence("The name of a kind.", "Database")),
    images: list("Where its images are.", fieldPath("The path of a field with a whole image.", "spec.engine.image")),
  })
  .meta({
    description:
      "Images in the fields of a custom resource; their pull policy is read from imagePullPolicy beside them.",
  });

export const policySchema = z
  .strictObject({
    $schema: z.string().optional().meta({ description: "Where editors find this schema." }),
    apiVersion: z.literal(apiVersion).meta({ description: "The version of the language." }),
    kind: z.literal(kind).meta({ description: "What this document is." }),
    metadata: z
      .looseObject({ name: objectName("Names the policy in traces.", "production") })
      .meta({ description: "As of every Kubernetes object." }),
    spec: z
      .strictObject({
        selector: z
          .strictObject(workloadMatch)
          .refine((given) => Object.keys(given).length > 0, nothingSaid)
          .optional()
          .meta({ description: "Which workloads this document governs; absent: all." }),
        rules: list("Read from top to bottom.", rule).optional(),
        exemptions: list("Lift rules of this document.", exemption).optional(),
        versions: list("Which newer versions pulley outdated offers; read from top to bottom.", versionRule).optional(),
        customResources: list(
          "Custom resources with images in fields of their own, beside those that Pulley knows.",
          customResource,
        ).optional(),
      })
      .refine(
        ({ rules, versions }) => rules !== undefined || versions !== undefined,
        "has neither rules nor versions; give it one of them",
      )
      .meta({
        description:
          "The rules, the exemptions from them, and what is said of versions. One of rules and versions is needed.",
        anyOf: [{ required: ["rules"] }, { required: ["versions"] }],
      }),
    status: z.unknown().optional().meta({ description: "Written by clusters; not read." }),
  })
  .meta({ title: kind, description: "Which images may be pulled, how fresh they must be, when, and where from." });

export type PolicyInput = z.output<typeof policySchema>;
