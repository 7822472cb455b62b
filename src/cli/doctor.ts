import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import { diskSpaceOf } from "../node/doctor/disk-space.ts";
import { type DoctorWorld, diagnose } from "../node/doctor/index.ts";
import { createEmbeddedImageService } from "../node/embedded-image-service.ts";
import { openPullRecords } from "../node/pull-records/index.ts";
import { decide } from "../policy/decide.ts";
import { createProbe } from "../registry/probe/index.ts";
import { systemClock } from "../support/clock.ts";
import { socketOption } from "./daemon.ts";
import { type CaseOptions, casesOf } from "./doctor-cases.ts";
import { diagnosisLines, exitStatus, type ShownDiagnosis, shownDiagnosis } from "./doctor-view.ts";
import {
  credentialProviderOptions,
  examples,
  type LoginFlags,
  loginOptions,
  type OutputOptions,
  outputOption,
  type PlatformOptions,
  platformOption,
  type RegistryFlags,
  type RootOptions,
  registryOptions,
  rootOption,
} from "./options.ts";
import { print } from "./output.ts";
import { clusterOption, loadPolicy, type PolicyOptions, policyOption } from "./policy-option.ts";
import { warnOn } from "./printing.ts";
import { machineHosts, registryClient, registrySettings } from "./registry.ts";
import { repeatedOption } from "./repeated-option.ts";
import { openStore } from "./store.ts";
import { interruption, paintFor, type Surroundings } from "./surroundings.ts";

type CommonOptions = RootOptions & OutputOptions & PlatformOptions & RegistryFlags & LoginFlags & PolicyOptions;

interface DoctorOptions extends CommonOptions, CaseOptions {}

export function define(command: Command, surroundings: Surroundings): void {
  credentialProviderOptions(registryOptions(loginOptions(command, surroundings)))
    .argument("<image|pod/name...>", "images, or pods: those of the manifests that -f names, or else the daemon's")
    .addOption(
      repeatedOption(
        "-f, --filename <file>",
        "manifests with the pods, their Secrets and service accounts; may be repeated",
      ),
    )
    .option("-n, --namespace <namespace>", "of the pods", "default")
    .addOption(socketOption())
    .addOption(policyOption())
    .addOption(clusterOption())
    .addOption(platformOption())
    .addOption(outputOption())
    .addOption(rootOption())
    .addHelpText(
      "after",
      examples(
        [
          "pulley doctor registry.acme.io/team/app:1.2",
          "each step of a pull, and what to do about the first that fails",
        ],
        [
          "pulley doctor pod/web -f web.yaml -n prod -o json",
          "the same for every image of a pod, with its pull secrets",
        ],
      ),
    )
    .action((words: string[], options: DoctorOptions) => doctor(words, options, surroundings));
}

async function doctor(words: readonly string[], options: DoctorOptions, surroundings: Surroundings): Promise<void> {
  const policy = await loadPolicy(options, surroundings);
  const signal = interruption();
  const { cases, notes } = await casesOf(words, options, surroundings, signal);
  const registry = registryClient(options);
  const { root, platform } = options;
  const probe = createProbe(registrySettings(options), { environment: surroundings.environment });
  // A store that does not exist yet is not made for a question.
  const store = existsSync(join(root, "oci-layout")) ? await openStore(root, surroundings) : undefined;
  try {
    const images = store
      ? createEmbeddedImageService({ store, registry, platform, clock: systemClock })
      : { status: () => Promise.resolve(undefined), facts: () => Promise.resolve(undefined) };
    const records = openPullRecords(root, {}, systemClock);
    const world: DoctorWorld = {
      ...{ probe, registry, decide, platform, signal },
      facts: { images, records, policy, hosts: machineHosts(options, warnOn(surroundings)), clock: systemClock },
      disk: () => diskSpaceOf(root),
      loginNotes: () => notes,
    };
    const diagnoses: ShownDiagnosis[] = [];
    for (const { question, pod } of cases) diagnoses.push(shownDiagnosis(await diagnose(question, world), pod));
    await show(diagnoses, options, surroundings);
    process.exitCode = exitStatus(diagnoses);
  } finally {
    probe.close();
    await store?.close();
    await registry.close();
  }
}

async function show(
  diagnoses: readonly ShownDiagnosis[],
  { output }: DoctorOptions,
  surroundings: Surroundings,
): Promise<void> {
  const { stdout } = surroundings;
  const paint = paintFor(stdout, surroundings);
  const width = stdout.isTTY ? (stdout.columns ?? 80) : Number.POSITIVE_INFINITY;
  const lines = () => diagnoses.flatMap((each) => [...diagnosisLines(each, paint, width), ""]).slice(0, -1);
  await print(output, { apiVersion: "pulley.dev/v1alpha1", images: diagnoses }, lines, surroundings);
}
