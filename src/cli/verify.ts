import type { Command } from "commander";
import { hostPlatform } from "../image/index.ts";
import { openPulls } from "../pull/index.ts";
import { createRepairer, type Repair } from "../scrub/index.ts";
import { type ImageStore, type UnfitLayer, unfitLayers, type Verified } from "../store/index.ts";
import { systemClock } from "../support/clock.ts";
import { type ErrorCode, errorTable } from "../support/errors.ts";
import { plural } from "../support/format.ts";
import { printable } from "../support/terminal.ts";
import { type CommandIo, type Io } from "./io.ts";
import { personLogins } from "./logins.ts";
import {
  type CredentialProviderFlags,
  credentialProviderOptions,
  examples,
  type LoginFlags,
  loginOptions,
  type OutputOptions,
  outputOption,
  type RegistryFlags,
  type RootOptions,
  registryOptions,
  rootOption,
  runtimeOption,
} from "./options.ts";
import { print } from "./output.ts";
import { clusterOption, loadPolicy, type PolicyOptions, policyOption } from "./policy-option.ts";
import { printOver, warnOn } from "./printing.ts";
import { machineHosts, registryClient } from "./registry.ts";
import { withImages } from "./store.ts";

interface VerifyFlags
  extends RootOptions,
    OutputOptions,
    RegistryFlags,
    LoginFlags,
    CredentialProviderFlags,
    PolicyOptions {
  readonly repair?: true;
  readonly runtime?: string;
}

export function define(command: Command, io: CommandIo): void {
  credentialProviderOptions(registryOptions(loginOptions(command, io)))
    .option("--repair", "Download damaged and missing blobs again, by digest")
    .addOption(runtimeOption("Socket of containerd, to check its images instead of the store"))
    .addOption(policyOption())
    .addOption(clusterOption())
    .addOption(outputOption())
    .addOption(rootOption())
    .addHelpText(
      "after",
      examples(
        ["pulley verify", "Compare every blob with its digest, and every unpacked layer with its config"],
        ["pulley verify --repair", "Download damaged blobs again, from the same sources as a pull"],
        [
          "pulley verify --repair -o json |\n    jq -r '.blobs[] | select(.repair.repaired | not) | .neededBy[]' | sort -u",
          "List the images that could not be repaired",
        ],
      ),
    )
    .action(io.withStatus((options: VerifyFlags) => verifyStore(options, io)));
}

/** Exit status 1 if a blob is damaged or missing, and was not repaired. */
async function verifyStore(options: VerifyFlags, io: CommandIo): Promise<number> {
  const signal = io.interruption();
  return withImages(options, io, async (store) => {
    const { sound, found } = await readAll(store, signal, io);
    const faulty = options.repair ? await repairFaulty(store, found, options, signal, io) : found;
    // containerd has checked the layers when it unpacked them.
    const unfit = options.runtime === undefined ? await unpackAll(store, signal, io) : [];
    const lines = () => verifiedLines(sound, faulty, unfit);
    await print(options.output, verifiedValue(sound, faulty, unfit), lines, io);
    return exitStatusOf(faulty, unfit);
  });
}

async function readAll(store: ImageStore, signal: AbortSignal, io: Io) {
  const found: Verified[] = [];
  let sound = 0;
  const pace = async () => signal.throwIfAborted();
  try {
    for await (const blob of store.verify({ pace })) {
      if (blob.state === "sound") sound += 1;
      else found.push(blob);
      printOver(`${sound + found.length} blobs read`, io);
    }
  } finally {
    printOver("", io);
  }
  return { sound, found };
}

async function unpackAll(store: ImageStore, signal: AbortSignal, io: Io) {
  printOver("layers are unpacked to see whether they fit", io);
  try {
    const found: UnfitLayer[] = [];
    for await (const layer of unfitLayers(store, signal)) found.push(layer);
    return found;
  } finally {
    printOver("", io);
  }
}

async function repairFaulty(
  store: ImageStore,
  found: readonly Verified[],
  options: VerifyFlags,
  signal: AbortSignal,
  io: Io,
): Promise<readonly Faulty[]> {
  if (found.length === 0) return [];
  const policy = await loadPolicy(options, io);
  const logins = await personLogins(options, io);
  const registry = registryClient(options);
  try {
    const hosts = machineHosts(options, warnOn(io));
    const repairer = createRepairer({
      pulls: openPulls({ store, registry, platform: hostPlatform(process.platform, process.arch), clock: systemClock }),
      hosts,
      policy: () => policy,
      logins: () => logins,
    });
    return (await repairer.repair(found, signal)).map((repaired) => ({ ...repaired, repair: repaired }));
  } finally {
    await registry.close();
  }
}

// The output of `pulley verify`, as JSON and as text.

/** A damaged or missing blob. */
interface Faulty extends Verified {
  /** `undefined`: without `--repair`. */
  readonly repair?: Pick<Repair, "repaired" | "from" | "failures">;
}

function verifiedValue(sound: number, faulty: readonly Faulty[], unfit: readonly UnfitLayer[]): object {
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

function verifiedLines(sound: number, faulty: readonly Faulty[], unfit: readonly UnfitLayer[]): readonly string[] {
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
function exitStatusOf(faulty: readonly Faulty[], unfit: readonly UnfitLayer[]): 0 | 1 | 3 {
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
