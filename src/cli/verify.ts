import type { Command } from "commander";
import { hostPlatform } from "../image/index.ts";
import { openPulls } from "../pull/index.ts";
import { createRepairer } from "../scrub/index.ts";
import { type ImageStore, type UnfitLayer, unfitLayers, type Verified } from "../store/index.ts";
import { systemClock } from "../support/clock.ts";
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
import { exitStatusOf, type Faulty, verifiedLines, verifiedValue } from "./verify-view.ts";

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
    const faulty = options.repair ? await repair(store, found, options, signal, io) : found;
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

async function repair(
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
