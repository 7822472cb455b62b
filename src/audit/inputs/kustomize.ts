/** Kustomizations: rendered by kustomize, or by the kubectl that has it built in. */
import type { AuditInput } from "../input.ts";
import { textInput } from "./files.ts";
import { asPath, outputOf, type ProgramOptions } from "./program.ts";
import { renderFailed } from "./render-failed.ts";

/** The manifests of a kustomization; if there are none, an input that says why. */
export async function* renderKustomization(
  folder: string,
  file: string,
  programs: ProgramOptions,
): AsyncGenerator<AuditInput> {
  const path = asPath(folder);
  const first = await outputOf("kustomize", ["build", path], programs);
  const output = first.kind === "missing" ? await outputOf("kubectl", ["kustomize", path], programs) : first;
  if (output.kind !== "output") {
    const names =
      output.kind === "missing"
        ? ["kustomize", "kubectl"]
        : [first.kind === "missing" ? "kubectl kustomize" : "kustomize"];
    yield renderFailed(file, "kustomization", names, output, `kustomize build ${folder} | pulley audit -`);
    return;
  }
  const input = textInput(file, output.bytes, { expectManifests: true, mayBePatch: false });
  yield input.kind === "text" ? { ...input, original: "" } : input;
}
