import type { Position } from "./types.ts";

/** Something wrong with an input, with its place; a warning where the API server would only warn. */
export interface Problem {
  readonly source: Position;
  /** One sentence; where the API server would say it, in its words: `spec.containers[0].image: Required value`. */
  readonly message: string;
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
