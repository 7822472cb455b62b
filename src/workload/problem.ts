import { quote } from "../support/go.ts";
import type { Position } from "./types.ts";
import type { Value } from "./value.ts";

/** Something wrong with an input, with its place; a warning where the API server would only warn. */
export interface Problem {
  readonly source: Position;
  /** One sentence; where the API server would say it, in its words: `spec.containers[0].image: Required value`. */
  readonly message: string;
}

/** Collects what is wrong with one object, each with the value that is wrong or lacks something. */
export interface ProblemReporter {
  problem(at: Value, message: string): void;
  warning(at: Value, message: string): void;
}

/** Thrown by the readers of YAML and JSON and caught where documents are told apart: what is wrong, and where. */
export class SyntaxProblem extends Error {
  /** Offset in the whole text. */
  readonly offset: number;

  constructor(offset: number, message: string) {
    super(message);
    this.name = "SyntaxProblem";
    this.offset = offset;
  }
}

/** What is wrong with a key that its mapping has already. */
export function keyTwice(name: string, offset: number): SyntaxProblem {
  return new SyntaxProblem(offset, `the key ${quote(name.slice(0, 200))} is here twice`);
}
