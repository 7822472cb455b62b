/** The output of `pulley explain`, as JSON and as text. */
import { type ImageName, invalidNameText } from "../image/index.ts";
import { type Decision, type TraceStep, type Warning, warningText } from "../policy/index.ts";
import { type Paint, printable } from "../support/terminal.ts";
import type { ImageRequest, Position } from "../workload/index.ts";

/** The explanation of one container. Stable: a part of the public interface, versioned by `apiVersion`. */
export interface Explanation {
  readonly source: Position | null;
  readonly workload: { readonly kind: string; readonly namespace: string; readonly name: string };
  readonly container: ImageRequest["container"];
  readonly image: ExplainedImage;
  readonly pullPolicy: Decision["pullPolicy"];
  readonly decision: {
    readonly action: Decision["action"];
    readonly reason: string | null;
    readonly message: string;
    readonly sources: readonly string[];
  };
  readonly trace: readonly TraceStep[];
  /** Subjects that are decided again by what the image says of itself, once it has been resolved. */
  readonly pending: Decision["pending"];
  /** The logins that would be tried, and the Secrets of the pod without a login for the registry; only if it may be asked. */
  readonly login?: { readonly tried: readonly string[]; readonly notes: readonly string[] };
  /** What rules on trial would refuse. */
  readonly warnings: readonly Warning[];
  /** The answer of the registry; only with `--check`. */
  readonly check?: { readonly digest: string | null; readonly message: string };
  /** The `pulley doctor` command for the pull; only if it may fail. */
  readonly next?: string;
}

export interface ExplainedImage {
  readonly given: string;
  readonly name: string | null;
  readonly tag: string | null;
  readonly digest: string | null;
  /** Why the name does not parse, in distribution/reference's words. */
  readonly error?: string;
}

export function explanation(request: ImageRequest, decision: Decision): Explanation {
  const { kind, namespace, name } = request.workload;
  return {
    source: request.source ?? null,
    workload: { kind, namespace, name },
    container: request.container,
    image: explainedImage(request.image),
    pullPolicy: decision.pullPolicy,
    decision: {
      action: decision.action,
      reason: decision.action === "Refuse" ? decision.reason : null,
      message: decision.message,
      sources: decision.action === "Check" || decision.action === "Pull" ? decision.sources : [],
    },
    trace: decision.trace,
    pending: decision.pending,
    warnings: decision.trial.warnings,
  };
}

function explainedImage(image: ImageName): ExplainedImage {
  const { given } = image;
  if (image.kind === "invalid") return { given, name: null, tag: null, digest: null, error: invalidNameText(image) };
  const { repository, tag, digest } = image;
  return { given, name: repository.name, tag: tag ?? null, digest: digest ?? null };
}

/** The explanation of one container, subject by subject. */
export function explanationLines(answer: Explanation, paint: Paint): string[] {
  const { source, workload, container, image, pullPolicy, decision, login, check, next } = answer;
  const place = source === null ? "" : paint("dim", printable(`${source.file}:${source.line}:${source.column}  `));
  const name = workload.namespace === "" ? workload.name : `${workload.namespace}/${workload.name}`;
  const owner = `${workload.kind} ${name}, ${containerWords[container.kind]} ${container.name}`;
  const verdict = `${decision.action}${decision.reason === null ? "" : ` ${decision.reason}`}`;
  const tone = decision.action === "Refuse" ? "red" : "green";
  const full =
    image.name === null
      ? []
      : [
          [
            "image",
            `${image.name}${image.tag === null ? "" : `:${image.tag}`}${image.digest === null ? "" : `@${image.digest}`}`,
          ],
        ];
  return [
    `${place}${paint("bold", printable(image.given))}  ${paint("dim", printable(owner))}`,
    `  ${paint(tone, verdict)}: ${printable(decision.message)}`,
    ...[
      ...full,
      ["pull policy", `${pullPolicy.value}, from ${originOf(pullPolicy)}: ${pullPolicy.because}`],
      ...answer.trace
        .filter(({ subject }) => subject !== "pull")
        .map(({ subject, rule, because }) => [subject, rule === null ? because : `${because} (rule ${rule})`]),
      ...(login === undefined ? [] : loginRows(login)),
      ...answer.warnings.map((warning) => ["warning", warningText(warning)]),
      ...(check === undefined ? [] : [["check", check.message]]),
      ...(next === undefined ? [] : [["next", next]]),
    ].map(([title = "", text = ""]) => `    ${paint("dim", title.padEnd(12))} ${printable(text)}`),
  ];
}

function loginRows({ tried, notes }: NonNullable<Explanation["login"]>): string[][] {
  return [["login", tried.length === 0 ? "none" : tried.join(", then ")], ...notes.map((note) => ["", note])];
}

const containerWords: Readonly<Record<ImageRequest["container"]["kind"], string>> = {
  container: "container",
  initContainer: "init container",
  ephemeralContainer: "ephemeral container",
  imageVolume: "image volume",
};

function originOf({ from, program }: Decision["pullPolicy"]): string {
  switch (from) {
    case "manifest":
      return "the manifest";
    case "default":
      return program === undefined ? "Kubernetes' default" : `${program}'s default`;
    case "rule":
      return "a rule";
  }
}
