import type { UnreadableInput } from "../input.ts";
import type { Output } from "./program.ts";

/** The input that says that a chart or kustomization could not be rendered, by which program, and why. */
export function renderFailed(
  file: string,
  what: "chart" | "kustomization",
  programs: readonly string[],
  output: Exclude<Output, { kind: "output" }>,
  byHand: string,
): UnreadableInput {
  const names = programs.join(" or ");
  if (output.kind === "missing") {
    return {
      kind: "unreadable",
      file,
      rule: "render-failed",
      message: `this is a ${what}, and there is no ${names} in PATH to render it`,
      advice: `Install ${names}, or render it where there is one: ${byHand}.`,
    };
  }
  return {
    kind: "unreadable",
    file,
    rule: "render-failed",
    message: `${programs.at(-1) ?? what} could not render the ${what}: it ${output.problem}`,
    advice: `See what it says when it is run by hand: ${byHand}.`,
  };
}
