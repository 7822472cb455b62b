/** `pulley audit --fix`, `--diff` and `--check`: each file is fixed as soon as it is audited. */
import {
  type AuditFile,
  containerKey,
  type Finding,
  type Fix,
  fixFiles,
  type NotSeen,
  notSeenWords,
  type PinRequest,
  pinImages,
  placeholderTest,
  type RuleId,
  readText,
  type TextInput,
  withoutPlaceholder,
} from "../audit/index.ts";
import { canonicalText, type Digest, type Reference } from "../image/index.ts";
import { imageFieldsIn, type Policy } from "../policy/index.ts";
import { errorText, PulleyError } from "../support/errors.ts";
import { plural } from "../support/format.ts";
import { printable } from "../support/terminal.ts";
import { showFixed } from "./fixed-file.ts";
import type { Io } from "./io.ts";
import { commandLogins } from "./logins.ts";
import type { LoginFlags, RegistryFlags } from "./options.ts";
import { printLine, printLines } from "./printing.ts";
import { registryClient } from "./registry.ts";

/** Images resolved in parallel. */
const resolvedAtOnce = 8;

export interface FixFlags extends RegistryFlags, LoginFlags {
  readonly fix?: true;
  readonly diff?: true;
  readonly check?: true;
  readonly pin?: true;
  readonly placeholder?: readonly string[];
}

export interface Fixing {
  /** Files that were changed, or would be. */
  readonly files: number;
  /** Findings that no fix takes away. */
  readonly left: readonly Finding[];
}

/** Prints the files that change on standard output, and what could not be fixed on standard error. */
export async function fixing(
  files: AsyncIterable<AuditFile>,
  flags: FixFlags,
  policy: Policy,
  io: Io,
): Promise<Fixing> {
  const mode = flags.fix ? "fix" : flags.diff ? "diff" : "check";
  const pins = flags.pin ? createPins(flags, policy, io) : undefined;
  const left: Finding[] = [];
  const sum = { files: 0, fixes: 0 };
  const notSeen: NotSeen[] = [];
  try {
    for await (const { file, input: text, findings, notSeen: unseen } of files) {
      if (unseen !== undefined) notSeen.push(unseen);
      const fixable = text?.kind === "text" && text.original === undefined && !text.isOutside && text.file === file;
      const pinned = fixable && pins !== undefined ? await pins.fixesFor(text) : [];
      left.push(...findings.filter((finding) => !fixable || !isMended(finding, pinned)));
      if (!fixable) continue;
      const fixes = [...findings.flatMap(({ fix }) => (fix && !isPinned(fix, pinned) ? fix : [])), ...pinned];
      const { changed, refused, failures } = await fixFiles([text], fixes, { mode });
      for (const each of changed) await showFixed(each, flags, io);
      const lines = [
        ...refused.map(({ fix, reason }) => `${file}: not done: ${fix.description}: ${printable(reason)}`),
        ...failures.flatMap(({ message, advice }) => [printable(message), `  ${printable(advice)}`]),
      ];
      printLines("stderr", lines, io);
      sum.files += changed.length;
      sum.fixes += changed.reduce((count, each) => count + each.fixes.length, 0);
    }
  } finally {
    await pins?.close();
  }
  const would = mode === "fix" ? "made" : "to make";
  printLine(
    "stderr",
    `${plural(sum.fixes, "change")} in ${plural(sum.files, "file")} ${would}; left for people: ${plural(left.length, "finding")}${notSeenWords(notSeen)}`,
    io,
  );
  return { files: sum.files, left };
}

/** Rules whose findings a digest fixes: the name alone does not say which image it is. */
const mendedByPin: readonly RuleId[] = ["tag-missing", "tag-moving", "digest-missing"];

function isMended(finding: Finding, pins: readonly Fix[]): boolean {
  return (finding.fix !== undefined && finding.fix.isPartial !== true) || isMendedBy(pins, finding);
}

function isMendedBy(pins: readonly Fix[], { ruleId, region }: Finding): boolean {
  if (!mendedByPin.some((rule) => rule === ruleId)) return false;
  const edits = pins.flatMap((pin) => pin.edits);
  return edits.some(({ start, end }) => start <= region.end && end >= region.start);
}

/** A pin writes the whole image, with its tag, so that nothing else needs to. */
function isPinned(fix: Fix, pins: readonly Fix[]): boolean {
  const pinned = pins.flatMap(({ changes }) => changes);
  return fix.changes.some(({ start, key }) => pinned.some((change) => change.start === start && change.key === key));
}

interface DigestPins {
  fixesFor(input: TextInput): Promise<readonly Fix[]>;
  close(): Promise<void>;
}

/** Asks each registry for each image once, whatever the number of files. */
function createPins(flags: FixFlags, policy: Policy, io: Io): DigestPins {
  const imageFields = imageFieldsIn(policy);
  const registry = registryClient(flags);
  const logins = commandLogins(flags, io);
  const known = new Map<string, Promise<Digest>>();
  const placeholderIn = placeholderTest(flags.placeholder);
  const ask = async (reference: Reference): Promise<Digest> => {
    const { repository, tag } = reference;
    if (tag === undefined) throw new PulleyError("INTERNAL", `${reference.given} has no tag`);
    const [login] = await logins.logins(repository);
    return (await registry.resolve({ repository, version: tag }, { login })).digest;
  };
  const resolve = (reference: Reference) => {
    const name = canonicalText(reference);
    const answer = known.get(name) ?? ask(reference);
    known.set(name, answer);
    return answer;
  };
  return {
    fixesFor: async ({ text, file, replacedImages, replacedContainers = [], ...options }) => {
      const { text: source, subjects } = readText(text, file, { ...options, imageFields });
      const asking = subjects.map((subject) => withoutPlaceholder(subject, placeholderIn, replacedImages));
      const variable = asking.filter(
        ({ fields, unresolved }) => fields.withDefaults !== undefined || unresolved === "variable",
      );
      const requests = asking.flatMap(({ fields, request }): PinRequest[] => {
        const isElsewhere = fields.image && replacedContainers.includes(containerKey(fields.image));
        return !fields.image || isElsewhere ? [] : [{ source, field: fields.image, image: request.image.given }];
      });
      const { fixes, refused, failures } = await pinImages(requests, { resolve, parallel: resolvedAtOnce });
      const left = [
        ...variable.map(({ request: { image } }) => ({ image: image.given, reason: "the image has a variable in it" })),
        ...refused.map(({ request, reason }) => ({ image: request.image, reason })),
        ...failures.map(({ image, error }) => ({ image, reason: errorText(error) })),
      ];
      const lines = left.map(({ image, reason }) => `${file}: not pinned: ${printable(image)}: ${printable(reason)}`);
      printLines("stderr", lines, io);
      return fixes;
    },
    close: () => registry.close(),
  };
}
