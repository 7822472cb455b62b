import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import { createNodeClient, type SettingsObject } from "../daemon/index.ts";
import { createProbe, type DoctorDeps, diagnose, diskSpaceOf } from "../doctor/index.ts";
import { noImages, openPullRecords, openPulls } from "../pull/index.ts";
import { systemClock } from "../support/clock.ts";
import { socketOption, socketPath } from "./daemon.ts";
import { type CaseOptions, casesOf, podNameIn } from "./doctor-cases.ts";
import { settingsOfDaemon } from "./doctor-pods.ts";
import { diagnosisLines, exitStatus, type ShownDiagnosis, shownDiagnosis } from "./doctor-view.ts";
import { type CommandIo, type Io, viewOf } from "./io.ts";
import { refuseSharedLogin } from "./logins.ts";
import { withSettings } from "./node-settings.ts";
import { type CommonOptions, commonOptions, credentialProviderOptions, examples, repeatedOption } from "./options.ts";
import { print } from "./output.ts";
import { loadPolicy } from "./policy-option.ts";
import { warnOn } from "./printing.ts";
import { machineHosts, registryClient, registrySettings } from "./registry.ts";
import { openImages } from "./store.ts";

interface DoctorOptions extends CommonOptions, CaseOptions {}

export function define(command: Command, io: CommandIo): void {
  command
    .argument("<image|pod/name...>", "Images, or pods of the manifests given with -f, else of the node daemon")
    .addOption(
      repeatedOption(
        "-f, --filename <file>",
        "Manifest with the pods, their Secrets and service accounts; can be repeated",
      ),
    )
    .option("-n, --namespace <name>", "Namespace of the pods", "default")
    .addOption(socketOption());
  credentialProviderOptions(commonOptions(command, io))
    .addHelpText(
      "after",
      examples(
        [
          "pulley doctor registry.acme.io/team/app:1.2",
          "Check each step of a pull, with advice for the first that fails",
        ],
        ["pulley doctor pod/web -f web.yaml -n prod -o json", "Check every image of a pod, with its pull secrets"],
      ),
    )
    .action(
      io.withStatus((words: string[], options: DoctorOptions, called: Command) => doctor(words, options, called, io)),
    );
}

async function doctor(
  words: readonly string[],
  given: DoctorOptions,
  command: Command,
  io: CommandIo,
): Promise<number> {
  const signal = io.interruption();
  const daemon = await daemonOf(words, given, io, signal);
  const options = daemon === undefined ? given : { ...withSettings(given, command, daemon), daemon };
  const policy = await loadPolicy(options, io);
  const { cases, notes } = await casesOf(words, options, io, signal);
  refuseSharedLogin(
    cases.map(({ question }) => question.request.image),
    options,
  );
  const registry = registryClient(options);
  const { root, platform } = options;
  const probe = createProbe(registrySettings(options), { environment: io.environment });
  const runtime = daemon?.runtime;
  // A diagnosis does not create a store.
  const isThere = runtime !== undefined || existsSync(join(root, "oci-layout"));
  const store = isThere ? await openImages({ root, runtime }, io) : undefined;
  try {
    const images = store ? openPulls({ store, registry, platform, clock: systemClock }).images : noImages;
    const records = openPullRecords(root, {}, systemClock);
    const world: DoctorDeps = {
      probe,
      registry,
      policy,
      platform,
      signal,
      facts: { images, records, hosts: machineHosts(options, warnOn(io)), clock: systemClock },
      disk: () => diskSpaceOf(root),
      loginNotes: () => notes,
    };
    const diagnoses: ShownDiagnosis[] = [];
    for (const { question, pod } of cases) diagnoses.push(shownDiagnosis(await diagnose(question, world), pod));
    await show(diagnoses, options, io);
    return exitStatus(diagnoses);
  } finally {
    probe.close();
    await store?.close();
    await registry.close();
  }
}

/** The settings of the daemon if the arguments name its pods: its pulls fail with those settings. */
async function daemonOf(
  words: readonly string[],
  { filename, ...options }: DoctorOptions,
  io: Io,
  signal: AbortSignal,
): Promise<SettingsObject | undefined> {
  if (filename !== undefined || !words.some((word) => podNameIn(word) !== undefined)) return undefined;
  return settingsOfDaemon(createNodeClient(socketPath(options, io), signal));
}

async function show(diagnoses: readonly ShownDiagnosis[], { output }: DoctorOptions, io: Io): Promise<void> {
  const { paint, width } = viewOf(io, Number.POSITIVE_INFINITY);
  const lines = () => diagnoses.flatMap((each) => [...diagnosisLines(each, paint, width), ""]).slice(0, -1);
  await print(output, { apiVersion: "pulley.dev/v1alpha1", images: diagnoses }, lines, io);
}
