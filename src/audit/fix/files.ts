/** Fixing files: to be written, to be shown as a diff, or only to be told of. */
import { realpathSync } from "node:fs";
import { isPulleyError, type PulleyError } from "../../support/errors.ts";
import type { Fix } from "../types.ts";
import { unifiedDiff } from "./diff.ts";
import { type FixPlan, planFixes, type RefusedFix } from "./plan.ts";
import { expectText, replaceFile } from "./replace-file.ts";

/** A text that fixes are for. */
export interface FixInput {
  /** Path as given by the user, or `-` for standard input. */
  readonly file: string;
  /** As it was read, a byte order mark included. */
  readonly text: string;
}

export interface FixedFile {
  readonly file: string;
  /** What the file has now, or would have. */
  readonly text: string;
  readonly fixes: readonly Fix[];
  /** Unified, as git prints it. */
  readonly diff: string;
  /** What is worth knowing about how it was written, a sentence each. */
  readonly notes: readonly string[];
}

export interface FixReport {
  /** Files that were changed, or that would be, in the order in which they were given. */
  readonly changed: readonly FixedFile[];
  /** Fixes that were not made, each with the reason. */
  readonly refused: readonly RefusedFix[];
  /** Files that were left alone because they changed meanwhile, are not UTF-8 or cannot be written. */
  readonly failures: readonly PulleyError[];
}

/**
 * Makes fixes in files (`fix`), or tells what they would make of them (`diff`, `check`). A file without a fix is not
 * touched. Nothing is written before all is planned, and one file that fails does not keep another from its fixes.
 * Standard input is never written: its new text is in the report.
 */
export async function fixFiles(
  inputs: readonly FixInput[],
  fixes: readonly Fix[],
  { mode }: { readonly mode: "fix" | "diff" | "check" },
): Promise<FixReport> {
  const failures: PulleyError[] = [];
  const changed: FixedFile[] = [];
  const plans = distinct(inputs, fixes).map((input) => ({
    input,
    plan: planFixes(input.text, input.file, input.fixes),
  }));
  for (const { input, plan } of plans) {
    if (plan.edits.length === 0) continue;
    try {
      const state = input.file === "-" ? undefined : await expectText(input.file, input.text);
      const notes = state !== undefined && mode === "fix" ? await replaceFile(state, plan.text) : [];
      changed.push(fixedFile(input, plan, notes));
    } catch (error) {
      if (!isPulleyError(error)) throw error;
      failures.push(error);
    }
  }
  return { changed, refused: plans.flatMap(({ plan }) => plan.refused), failures };
}

interface PlannedFile extends FixInput {
  readonly fixes: Fix[];
}

/** Each file once, whatever names it is given by, with the fixes for all of its names. */
function distinct(inputs: readonly FixInput[], fixes: readonly Fix[]): PlannedFile[] {
  const byName = new Map<string, Fix[]>();
  for (const fix of fixes) {
    const name = fix.edits[0]?.file ?? "";
    const others = byName.get(name);
    if (others === undefined) byName.set(name, [fix]);
    else others.push(fix);
  }
  const files: (PlannedFile & { readonly path: string })[] = [];
  for (const { file, text } of inputs) {
    const own = byName.get(file) ?? [];
    byName.delete(file);
    if (own.length === 0) continue;
    const path = pathOf(file);
    const known = files.findLast((other) => other.path === path && other.text === text);
    if (known === undefined) files.push({ file, text, path, fixes: own });
    else known.fixes.push(...own);
  }
  return files;
}

/** With symbolic links followed; what cannot be followed fails when it is read. */
function pathOf(file: string): string {
  try {
    return file === "-" ? file : realpathSync(file);
  } catch {
    return file;
  }
}

function fixedFile({ file, text }: FixInput, plan: FixPlan, notes: readonly string[]): FixedFile {
  return { file, text: plan.text, fixes: plan.made, diff: unifiedDiff(file, text, plan.edits), notes };
}
