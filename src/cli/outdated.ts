import { type Command, InvalidArgumentError, Option } from "commander";
import { formatPlatform, hostPlatform, parsePlatform } from "../image/index.ts";
import { imageFieldsIn } from "../policy/index.ts";
import { PulleyError } from "../support/errors.ts";
import {
  type AskedImage,
  type Outdated,
  type OutdatedImage,
  type OutdatedReport,
  openOutdated,
  type UsedImages,
  unknownImage,
  usedImages,
} from "../versions/index.ts";
import { type ClusterFlags, clusterOptions, isClusterWanted, secretsOption } from "./cluster-option.ts";
import { type CommandIo, type Io, viewOf } from "./io.ts";
import { refuseSharedLogin } from "./logins.ts";
import {
  type CredentialProviderFlags,
  credentialProviderOptions,
  examples,
  type FilenameFlags,
  filenameOption,
  type LoginFlags,
  loginOptions,
  outputOption,
  type RegistryFlags,
  type RootOptions,
  readPlatform,
  registryHostOptions,
  repeatedOption,
  rootOption,
  runtimeOption,
} from "./options.ts";
import { openLive } from "./outdated-clusters.ts";
import { type FixStep, fixOutdated, fixSteps } from "./outdated-fix.ts";
import { imagesNamed, storedImages, withRunning, withStored } from "./outdated-images.ts";
import { openJudging } from "./outdated-registry.ts";
import { sourcesOf } from "./outdated-sources.ts";
import { type FailOn, failures, statusOf } from "./outdated-status.ts";
import { csvLines, explanationLines, markdownLines, outdatedLines } from "./outdated-view.ts";
import { print } from "./output.ts";
import { clusterOption, loadPolicy, type PolicyOptions, policyOption, timeOption } from "./policy-option.ts";
import { printLines, warnOn } from "./printing.ts";
import { printProblems } from "./problems.ts";

const outputs = ["text", "json", "yaml", "csv", "markdown"] as const;

interface OutdatedOptions
  extends FilenameFlags,
    PolicyOptions,
    LoginFlags,
    CredentialProviderFlags,
    RegistryFlags,
    RootOptions,
    ClusterFlags {
  readonly output: (typeof outputs)[number];
  readonly failOn?: readonly FailOn[];
  readonly platform?: readonly string[];
  readonly placeholder?: readonly string[];
  readonly age?: true;
  readonly all?: boolean;
  readonly explain?: string;
  readonly fix?: FixStep;
  readonly diff?: true;
  readonly store?: true;
  readonly runtime?: string;
  readonly render: boolean;
  readonly remoteBases?: true;
  readonly secrets?: true;
  /** Milliseconds since the epoch. */
  readonly at?: number;
}

export function define(command: Command, io: CommandIo): void {
  registryHostOptions(loginOptions(command, io))
    .argument(
      "[path|image...]",
      "Files, directories, charts, kustomizations, lists of images (*.txt), - for standard input, or images (default: the current directory)",
    )
    .addOption(filenameOption())
    .addOption(outputOption(outputs))
    .addOption(
      new Option(
        "--fail-on <what>",
        "Exit with status 1 if an image is behind by such a step or a larger one, is missing, or has moved under its tag; can be repeated",
      )
        .choices([...failures])
        .argParser(readFailOn),
    )
    .option(
      "--explain <image>",
      "Show how the tag of this image is read, and which tags are passed over for what reason",
    )
    .addOption(
      new Option(
        "--fix <step>",
        "Write the newest patch or minor version into the files, or the digest that the tag of a pinned image has now, changing nothing else",
      ).choices([...fixSteps]),
    )
    .option("--diff", "With --fix, print what it would change, as a diff, and write nothing")
    .option("--all", "Also list the images that are up to date")
    .option("--age", "Also find out when the images were built; takes two requests for each")
    .addOption(
      repeatedOption(
        "--platform <os/arch>",
        "Offer only tags that have an image for this platform; can be repeated (default: what nodeSelector, node affinity or Compose's platform say)",
        { read: (text) => formatPlatform(readPlatform(text)) },
      ),
    )
    .option("--store", "Also judge the images of this machine: those of --root, or of --runtime")
    .addOption(runtimeOption("Also judge the images of the container runtime at this socket"))
    .addOption(rootOption())
    .addOption(
      repeatedOption(
        "--placeholder <pattern>",
        "Image name that is a placeholder, such as app-*, in addition to the known ones; can be repeated",
      ),
    )
    .option("--no-render", "Do not render charts and kustomizations; read their files as they are")
    .option("--remote-bases", "Let kustomize download remote bases")
    .addOption(policyOption())
    .addOption(clusterOption())
    .addOption(timeOption());
  clusterOptions(command).addOption(secretsOption());
  credentialProviderOptions(command)
    .addHelpText(
      "after",
      examples(
        ["pulley outdated deploy/", "List what is behind, gone or moved among the images of a directory"],
        [
          "pulley outdated --context production --fail-on major --fail-on missing",
          "Fail if what runs in a cluster is a major version behind or gone",
        ],
        [
          "kubectl get pods -A -o yaml | pulley outdated -",
          "Read what kubectl prints, where there is no access to the cluster",
        ],
      ),
    )
    .action(io.withStatus((words: string[], options: OutdatedOptions) => outdated(words, options, io)));
}

function readFailOn(text: string, known: readonly FailOn[] = []): readonly FailOn[] {
  const wanted = failures.find((each) => each === text);
  if (wanted === undefined) throw new InvalidArgumentError(`Allowed choices are ${failures.join(", ")}.`);
  return [...known, wanted];
}

async function outdated(words: readonly string[], options: OutdatedOptions, io: CommandIo): Promise<number> {
  refuseConflicts(options);
  const policy = await loadPolicy(options, io);
  const live = openLive(options, io);
  const used = await usedImages(namedInputs(words, options), {
    stdin: io.stdin,
    environment: io.environment,
    render: options.render,
    remoteBases: options.remoteBases,
    imageFields: imageFieldsIn(policy),
    placeholders: options.placeholder,
    live: live.objects(),
  });
  printInputProblems(used, io);
  const { store, runtime, explain } = options;
  const stored = store || runtime !== undefined ? await storedImages(options, io) : [];
  const all = withRunning(withStored(used.images, stored), live.running());
  const asked = explain === undefined ? all : imagesNamed(all, explain);
  refuseSharedLogin(
    asked.map(({ used: { image } }) => image),
    options,
  );
  const signal = io.interruption();
  const { registry, pages, onProgress } = openJudging(options, io);
  try {
    const now = options.at ?? Date.now();
    const call = openOutdated(asked, {
      registry,
      sourcesFor: await sourcesOf(used.pods, { policy, now }, options, io),
      policy,
      now,
      platforms: (options.platform ?? []).map(parsePlatform),
      machine: hostPlatform(process.platform, process.arch),
      ages: options.age === true,
      pages,
      signal,
      onProgress,
    });
    const judged = await call.judge();
    const images = [...judged, ...used.unknown.map(unknownImage)];
    let written = 0;
    if (options.fix !== undefined) {
      const { standardInput } = used;
      const fix = { step: options.fix, diff: options.diff === true, standardInput };
      written = await fixOutdated(asked, judged, call, fix, io);
    } else if (explain === undefined || options.output !== "text") await printReport(images, now, options, io);
    else for (const [at, one] of asked.entries()) await printExplanation(one, judged[at], call, now, io);
    const status = statusOf(images, {
      hasProblems: used.problems.length > 0,
      failOn: options.failOn ?? [],
      unread: live.failures(),
    });
    return Math.max(written, status);
  } finally {
    await registry.close();
  }
}

/** @throws PulleyError `USAGE` */
function refuseConflicts({ fix, diff, explain, output }: OutdatedOptions): void {
  const refuse = (message: string, advice: string) => new PulleyError("USAGE", message, { advice });
  if (diff && fix === undefined) throw refuse("--diff is given without --fix", "Write --fix minor --diff, say.");
  if (fix === undefined) return;
  if (explain !== undefined) throw refuse("--fix and --explain cannot be used together", "Give one of them.");
  if (output !== "text") throw refuse(`--fix has no output as ${output}`, "Leave out --output.");
}

/** Without a word, the current directory, as for an audit; or what is to be explained or is here. */
function namedInputs(words: readonly string[], options: OutdatedOptions): readonly string[] {
  const { filename = [], store, runtime, explain } = options;
  const named = [...words, ...filename];
  if (named.length > 0) return named;
  if (isClusterWanted(options)) return [];
  if (explain !== undefined) return [explain];
  return store || runtime !== undefined ? [] : ["."];
}

function printInputProblems({ problems, notes, notSeen }: UsedImages, io: Io): void {
  printProblems({ problems, warnings: notes }, io);
  for (const { file, what, why } of notSeen) warnOn(io)(`${file}: this ${what} was not read: ${why}`);
}

async function printReport(
  images: readonly OutdatedImage[],
  now: number,
  { output, all = false }: OutdatedOptions,
  io: Io,
): Promise<void> {
  const report: OutdatedReport = { apiVersion: "pulley.dev/v1alpha1", images };
  switch (output) {
    case "csv":
      printLines("stdout", csvLines(images), io);
      break;
    case "markdown":
      printLines("stdout", markdownLines(images), io);
      break;
    default:
      await print(
        output,
        report,
        () => outdatedLines(images, { ...viewOf(io, Number.POSITIVE_INFINITY), all, now }),
        io,
      );
  }
}

async function printExplanation(
  asked: AskedImage,
  image: OutdatedImage | undefined,
  call: Outdated,
  now: number,
  io: Io,
): Promise<void> {
  if (image === undefined) return;
  const nothing = { reading: undefined, tags: 0, passedOver: [] };
  const told = image.error === null ? await call.explain(asked, image) : nothing;
  printLines(
    "stdout",
    [...explanationLines(image, told, { ...viewOf(io, Number.POSITIVE_INFINITY), all: true, now }), ""],
    io,
  );
}
