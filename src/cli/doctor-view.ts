/** The output of `pulley doctor`, as JSON and as text. */
import type { Diagnosis, DiagnosisStep } from "../doctor/index.ts";
import { type Warning, warningText } from "../policy/index.ts";
import { hanging, type Paint, printable } from "../support/terminal.ts";
import type { Pod } from "../workload/index.ts";

/** One image's diagnosis. Stable: a part of the public interface, versioned by `apiVersion`. */
export interface ShownDiagnosis {
  readonly image: string;
  /** The pod with the image; `null` if only the image was given. */
  readonly pod: { readonly namespace: string; readonly name: string; readonly containers: readonly string[] } | null;
  /** `Unreachable`: no registry answered, so the cause is not known. */
  readonly verdict: "Healthy" | "CauseFound" | "Unreachable";
  readonly cause: ShownStep | null;
  readonly steps: readonly ShownStep[];
  /** What rules on trial would refuse. */
  readonly warnings: readonly Warning[];
}

export interface ShownStep {
  readonly step: DiagnosisStep["step"];
  readonly source: string | null;
  readonly status: DiagnosisStep["status"];
  readonly fact: string;
  readonly hints: readonly string[];
  readonly remedy: string | null;
  readonly code: string | null;
}

export function shownDiagnosis(
  { image, steps, cause, warnings }: Diagnosis,
  pod: ShownDiagnosis["pod"],
): ShownDiagnosis {
  const verdict = cause === undefined ? "Healthy" : cause.unanswered === true ? "Unreachable" : "CauseFound";
  const shown = { cause: cause === undefined ? null : shownStep(cause), steps: steps.map(shownStep) };
  return { image, pod, verdict, ...shown, warnings };
}

function shownStep({ step, source, status, fact, hints, remedy, code }: DiagnosisStep): ShownStep {
  return { step, source, status, fact, hints, remedy: remedy ?? null, code: code ?? null };
}

/** `0`: no problem; `1`: a cause was found; `3`: no registry answered. A cause takes precedence. */
export function exitStatus(diagnoses: readonly ShownDiagnosis[]): 0 | 1 | 3 {
  if (diagnoses.some(({ verdict }) => verdict === "CauseFound")) return 1;
  return diagnoses.some(({ verdict }) => verdict === "Unreachable") ? 3 : 0;
}

const tones = { ok: "green", failed: "red", skipped: "dim" } as const;

/** One line per step, with details below it; then the cause and the advice. */
export function diagnosisLines(diagnosis: ShownDiagnosis, paint: Paint, width: number): string[] {
  const { image, pod, steps, cause, warnings } = diagnosis;
  const owner = pod === null ? "" : `  pod ${pod.namespace}/${pod.name}, ${pod.containers.join(", ")}`;
  const several = new Set(steps.flatMap(({ source }) => source ?? [])).size > 1;
  const lines = [`${paint("bold", printable(image))}${paint("dim", printable(owner))}`];
  let source: string | null = null;
  for (const step of steps) {
    if (several && step.source !== source && step.source !== null)
      lines.push(`  ${paint("dim", printable(step.source))}`);
    source = step.source;
    lines.push(...stepLines(step, paint, width));
  }
  return [
    ...lines,
    "",
    ...verdictLines(diagnosis, paint, width),
    ...(cause === null ? otherFailures(steps, paint, width) : []),
    ...warnings.flatMap((warning) =>
      hanging("", `${paint("yellow", "Warning:")} ${printable(warningText(warning))}`, width),
    ),
  ];
}

function stepLines({ step, status, fact, hints }: ShownStep, paint: Paint, width: number): string[] {
  const prefix = `  ${paint(tones[status], status.padEnd(7))}  ${step.padEnd(14)}  `;
  const below = " ".repeat(27);
  return [
    ...hanging(prefix, printable(fact), width),
    ...hints.flatMap((hint) => hanging(below, paint("dim", printable(hint)), width)),
  ];
}

function verdictLines({ verdict, cause }: ShownDiagnosis, paint: Paint, width: number): string[] {
  if (cause === null) return [`${paint("green", "Nothing is wrong:")} the image can be pulled.`];
  const where = cause.source === null ? cause.step : `${cause.step} of ${cause.source}`;
  const title = verdict === "Unreachable" ? "The registry cannot be asked" : "The pull fails";
  return [
    ...hanging("", `${paint("red", `${title}, at ${printable(where)}:`)} ${printable(cause.fact)}`, width),
    // What decides is in the conclusion, too: a Secret that does not exist, or a clock that is wrong.
    ...cause.hints.slice(0, 3).flatMap((hint) => hanging("  ", printable(hint), width)),
    ...(cause.remedy === null ? [] : hanging("  ", printable(cause.remedy), width)),
  ];
}

/** Failures that do not stop the pull, such as that of a mirror. */
function otherFailures(steps: readonly ShownStep[], paint: Paint, width: number): string[] {
  return steps
    .filter(({ status }) => status === "failed")
    .flatMap(({ source, step, remedy }) =>
      hanging(
        "",
        `${paint("yellow", `But ${step} of ${printable(source ?? "this machine")} failed:`)} ${printable(remedy ?? "")}`,
        width,
      ),
    );
}

/** The `pulley doctor` command for a pull. A pod from standard input or the command line is given as its image. */
export function doctorCall(
  { namespace, name }: Pick<Pod, "namespace" | "name">,
  image: string,
  file: string | undefined,
): string {
  if (file === undefined || file === "-" || file === "command line") return `pulley doctor ${image}`;
  return `pulley doctor pod/${name} -n ${namespace} -f ${file}`;
}
