/** Whose workloads they are: the file of teams. */
import { Option } from "commander";
import { readTeams, type Team } from "../fleet/index.ts";
import { PulleyError } from "../support/errors.ts";
import { plural } from "../support/format.ts";
import { readInputFile } from "./inputs.ts";
import type { Io } from "./io.ts";
import { printProblems } from "./problems.ts";

export function teamsOption(what: string): Option {
  return new Option("--teams <file>", `File that says whose the workloads are: ${what}`);
}

/** @throws PulleyError `INPUT_INVALID`, after every mistake was printed with its place; `INPUT_UNREADABLE` */
export function teamsIn(path: string | undefined, io: Io): readonly Team[] {
  if (path === undefined) return [];
  const { file, text } = readInputFile(path);
  const { teams, problems } = readTeams(text, file);
  if (problems.length === 0) return teams;
  printProblems({ problems }, io);
  throw new PulleyError("INPUT_INVALID", `the file of teams ${path} has ${plural(problems.length, "problem")}`);
}
