/** The JSON Schema of `pulley outdated -o json`, for programs that read it. */
import { z } from "zod";

const digest = "A digest, sha256: and 64 hexadecimal digits.";

const image = z
  .object({
    given: z.string().meta({ description: "The image as it is written." }),
    name: z
      .string()
      .nullable()
      .meta({ description: "The normalised name, docker.io/library/nginx; null where the image is no reference." }),
    tag: z.string().nullable().meta({ description: "The tag; latest where neither tag nor digest is written." }),
    digest: z.string().nullable().meta({ description: "The digest that is written." }),
  })
  .meta({ description: "What is judged." });

const lag = z
  .object({
    tag: z.string().meta({ description: "The tag." }),
    runs: z.string().meta({ description: `The digest that is written or runs. ${digest}` }),
    now: z.string().meta({ description: `The digest that the tag has now. ${digest}` }),
  })
  .nullable()
  .meta({ description: "Where the tag has another digest now than the one that is written or runs." });

const position = z.object({
  file: z.string().meta({ description: "The path as it was given, or - for standard input." }),
  line: z.int().positive().meta({ description: "The line, counted from 1." }),
  column: z.int().positive().meta({ description: "The column, counted from 1." }),
});

const source = position.nullable().meta({ description: "Where the image is written; null where it is in no file." });

const workload = z
  .object({
    kind: z.string().meta({ description: "The workload's kind, Deployment." }),
    namespace: z.string().meta({ description: "Its namespace; empty where none is written." }),
    name: z.string().meta({ description: "Its name." }),
    container: z.string().meta({ description: "The container's name." }),
    cluster: z
      .string()
      .nullable()
      .meta({ description: "The context of the cluster that it was read from; null where it was read from a file." }),
    source,
  })
  .meta({ description: "A container that names the image." });

const error = z
  .object({
    code: z.string().meta({ description: "A code of the table of errors.", examples: ["REGISTRY_UNAUTHORIZED"] }),
    message: z.string().meta({ description: "What happened, and where." }),
    advice: z.string().meta({ description: "What to do about it." }),
  })
  .nullable()
  .meta({ description: "Why nothing can be said of the image." });

function tag(description: string) {
  return z.string().nullable().meta({ description });
}

const entry = z
  .object({
    image,
    status: z.enum(["current", "outdated", "moved", "missing", "unknown"]).meta({
      description:
        "current: nothing newer is offered. outdated: a newer tag of the family is. moved: the tag has another digest now. missing: the tag, the repository or the registry is gone. unknown: it cannot be told.",
    }),
    current: tag("The tag that is judged; null where it has no version, or is judged by digest alone."),
    patch: tag("The newest tag of the family with the same first two numbers; current where nothing is newer."),
    minor: tag("The newest tag of the family with the same first number; current where nothing is newer."),
    latest: tag("The newest tag of the family; current where nothing is newer."),
    distance: z
      .enum(["none", "patch", "minor", "major", "unknown"])
      .meta({ description: "The largest step from current to latest." }),
    lag,
    because: z.string().meta({ description: "One sentence: why the status is what it is." }),
    workloads: z.array(workload).meta({ description: "The containers that name the image." }),
    error,
    gone: z
      .enum(["tag", "digest", "repository", "registry"])
      .nullable()
      .meta({ description: "What is gone upstream." }),
    created: z.iso.datetime({ offset: true }).nullable().meta({
      description: "When the image was built, by its config; null where that is not known, or is a fixed date.",
    }),
    endOfLife: z.iso
      .date()
      .nullable()
      .meta({ description: "The last day on which the version is supported, by the policy." }),
    elsewhere: z
      .object({
        tag: z.string().meta({ description: "The tag." }),
        because: z.string().meta({ description: "What is other about it.", examples: ["on another base"] }),
      })
      .nullable()
      .meta({
        description:
          "A newer tag of another variant, where the family has none or ends before it. It is never offered.",
      }),
    places: z
      .array(position)
      .meta({ description: "Where the tag is written, and can be changed: in values and kustomizations, too." }),
    platforms: z
      .array(z.string().meta({ description: "One platform, linux/amd64." }))
      .meta({ description: "The platforms that the offered tags were looked up for; empty where none were." }),
  })
  .meta({ description: "One image, however many workloads name it." });

export const outdatedSchema = z
  .object({
    apiVersion: z.literal("pulley.dev/v1alpha1").meta({ description: "The version of this format." }),
    images: z.array(entry).meta({ description: "Each image once." }),
  })
  .meta({
    title: "Outdated",
    description: "Which newer versions exist of images, as pulley outdated -o json prints it. Fields may be added.",
  });

/** JSON Schema (draft 2020-12). All fields are required; unknown ones are allowed, for later versions may add some. */
export function outdatedJsonSchema(): Record<string, unknown> {
  return { ...z.toJSONSchema(outdatedSchema, { io: "input", target: "draft-2020-12" }) };
}
