/** Whose workloads they are: the file of teams. */
import { Option } from "commander";
import { readTeams, type Team } from "../fleet/index.ts";
import { PulleyError } from "../support/errors.ts";
import { plural } from "../support/format.ts";
import { type InputText, readInputFile } from "./inputs.ts";
import type { Io } from "./io.ts";
import { printProblems } from "./problems.ts";
import type { InputFiles } from "./watched-input.ts";

export function teamsOption(what: string): Option {
  return new Option("--teams <file>", `File that says whose the workloads are: ${what}`);
}

/** @throws PulleyError `INPUT_INVALID`, after every mistake was printed with its place; `INPUT_UNREADABLE` */
export function teamsIn(path: string | undefined, io: Io): readonly Team[] {
  return path === undefined ? [] : loadTeams(path, io).teams;
}

/** A file of teams, and how it is read again. */
export interface LoadedTeams {
  readonly teams: readonly Team[];
  readonly files: InputFiles<readonly Team[]>;
}

/** For commands that watch the file. Throws as {@link teamsIn}. */
export function loadTeams(path: string, io: Io): LoadedTeams {
  const read = () => [readInputFile(path)];
  const parse = (texts: readonly InputText[]) => {
    const all = texts.map(({ file, text }) => readTeams(text, file));
    return { value: all.flatMap(({ teams }) => teams), problems: all.flatMap(({ problems }) => problems) };
  };
  const first = read();
  const { value: teams, problems } = parse(first);
  if (problems.length === 0) return { teams, files: { what: `the file of teams ${path}`, first, read, parse } };
  printProblems({ problems }, io);
  throw new PulleyError("INPUT_INVALID", `the file of teams ${path} has ${plural(problems.length, "problem")}`);
}
