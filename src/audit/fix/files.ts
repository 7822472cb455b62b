/** Applies fixes to files: writes them, shows them as a diff, or only counts them. */
import { realpathSync } from "node:fs";
import { isPulleyError, type PulleyError } from "../../support/errors.ts";
import type { Fix } from "../types.ts";
import { unifiedDiff } from "./diff.ts";
import { type FixPlan, planFixes, type RefusedFix } from "./plan.ts";
import { expectText, replaceFile } from "./replace-file.ts";

/** A text to fix. */
export interface FixInput {
  /** Path as given by the user, or `-` for standard input. */
  readonly file: string;
  /** As it was read, a byte order mark included. */
  readonly text: string;
}

export interface FixedFile {
  readonly file: string;
  /** The new text of the file. */
  readonly text: string;
  readonly fixes: readonly Fix[];
  /** Unified, as git prints it. */
  readonly diff: string;
  /** Notes about the writing, one sentence each. */
  readonly notes: readonly string[];
}

export interface FixReport {
  /** Files that were changed, or would be, in the order of the inputs. */
  readonly changed: readonly FixedFile[];
  /** Fixes that were not made, each with the reason. */
  readonly refused: readonly RefusedFix[];
  /** Files that were not written: they have changed since, are not UTF-8 or cannot be written. */
  readonly failures: readonly PulleyError[];
}

export interface FixOptions {
  readonly mode: "fix" | "diff" | "check";
  /** How the fixes of one text are planned, where it is not YAML. */
  readonly plan?: (text: string, file: string, fixes: readonly Fix[]) => FixPlan;
}

/**
 * Applies fixes to files (`fix`), or returns what they would change (`diff`, `check`). A file without a fix is not
 * touched. Nothing is written before all is planned, and a file that fails does not stop the others.
 * Standard input is never written: its new text is in the report.
 */
export async function fixFiles(
  inputs: readonly FixInput[],
  fixes: readonly Fix[],
  { mode, plan = planFixes }: FixOptions,
): Promise<FixReport> {
  const failures: PulleyError[] = [];
  const changed: FixedFile[] = [];
  const plans = distinct(inputs, fixes).map((input) => ({
    input,
    plan: plan(input.text, input.file, input.fixes),
  }));
  for (const { input, plan: own } of plans) {
    if (own.edits.length === 0) continue;
    try {
      const state = input.file === "-" ? undefined : await expectText(input.file, input.text);
      const notes = state !== undefined && mode === "fix" ? await replaceFile(state, own.text) : [];
      changed.push(fixedFile(input, own, notes));
    } catch (error) {
      if (!isPulleyError(error)) throw error;
      failures.push(error);
    }
  }
  return { changed, refused: plans.flatMap((each) => each.plan.refused), failures };
}

interface PlannedFile extends FixInput {
  readonly fixes: Fix[];
}

/** Each file once, whatever paths lead to it, with the fixes for all of its paths. */
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

/** With symbolic links resolved; a path that cannot be resolved fails when it is read. */
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
