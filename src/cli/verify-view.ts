/** The output of `pulley verify`, as JSON and as text. */
import type { Repair } from "../scrub/index.ts";
import type { UnfitLayer, Verified } from "../store/index.ts";
import { type ErrorCode, errorTable } from "../support/errors.ts";
import { plural } from "../support/format.ts";
import { printable } from "../support/terminal.ts";

/** A damaged or missing blob. */
export interface Faulty extends Verified {
  /** `undefined`: without `--repair`. */
  readonly repair?: Pick<Repair, "repaired" | "from" | "failures">;
}

export function verifiedValue(sound: number, faulty: readonly Faulty[], unfit: readonly UnfitLayer[]): object {
  return {
    apiVersion: "pulley.dev/v1alpha1",
    sound,
    blobs: faulty.map(({ digest, state, neededBy, nameless = [], repair }) => ({
      digest,
      state,
      neededBy,
      nameless,
      ...(repair && {
        repair: { repaired: repair.repaired, from: repair.from ?? null, failures: repair.failures.map(failureValue) },
      }),
    })),
    unfit: unfit.map(({ layer, diffId, error, images }) => ({
      layer,
      diffId,
      code: error.code,
      message: error.message,
      neededBy: images,
    })),
  };
}

function failureValue({ image, code, message, advice }: Repair["failures"][number]): object {
  return { image, code: code ?? null, message, advice: advice ?? null };
}

export function verifiedLines(
  sound: number,
  faulty: readonly Faulty[],
  unfit: readonly UnfitLayer[],
): readonly string[] {
  const repaired = faulty.filter(({ repair }) => repair?.repaired).length;
  const asked = faulty.some(({ repair }) => repair !== undefined);
  const end = asked ? `; of those, ${repaired} are sound again` : "";
  return [
    ...[...faulty.flatMap(linesOf), ...unfit.flatMap(unfitLines)].map(printable),
    `${sound} sound, ${faulty.length} damaged, missing or unreadable${end}`,
    ...(unfit.length === 0 ? [] : [`${plural(unfit.length, "layer")} cannot be unpacked as the image says`]),
  ];
}

/** The registry has the same bytes: another download changes nothing. */
function unfitLines({ layer, error, images }: UnfitLayer): readonly string[] {
  return [
    `${layer}: does not fit its image: ${error.message}`,
    ...images.map((name) => `  needed by ${name}: whoever builds it has to build and push it again`),
  ];
}

function linesOf(blob: Faulty): readonly string[] {
  const { digest, state, neededBy, nameless = [], repair } = blob;
  if (repair?.repaired) return [`${digest}: ${state}; ${howRepaired(blob)}`];
  return [
    `${digest}: ${state}`,
    ...(repair?.failures ?? []).flatMap(({ image, message, advice }) => [
      `  not fetched with ${image}: ${message}`,
      ...(advice === undefined ? [] : [`    ${advice}`]),
    ]),
    ...neededBy.map((name) => `  needed by ${name}: ${whatToDo(blob, name)}`),
    ...nameless.map((id) => `  needed by ${id}, which has no name: load or build it again, or remove it`),
  ];
}

function howRepaired({ neededBy, nameless = [], repair }: Faulty): string {
  if (repair?.from !== undefined) return `fetched again with ${repair.from}`;
  return neededBy.length + nameless.length === 0 ? "no image needs it" : "made again of what is here";
}

function whatToDo({ state, repair }: Faulty, name: string): string {
  if (state === "unreadable") return "look after the disk, and give the store another one";
  if (repair === undefined) return "run pulley verify --repair";
  return `pull, load or build it again: pulley pull ${name}`;
}

/** 3 if the only failures are unreachable registries. */
export function exitStatusOf(faulty: readonly Faulty[], unfit: readonly UnfitLayer[]): 0 | 1 | 3 {
  if (unfit.length > 0) return 1;
  const left = faulty.filter(({ repair }) => !repair?.repaired);
  if (left.length === 0) return 0;
  const unreachable = (code: ErrorCode | undefined) => code !== undefined && errorTable[code].exit === 3;
  const allUnreachable = left.every(({ repair }) => {
    const failures = repair?.failures ?? [];
    return failures.length > 0 && failures.every(({ code }) => unreachable(code));
  });
  return allUnreachable ? 3 : 1;
}
