// TypeScript from the proto files: each interface's code lies in the room that speaks it.
import { join } from "node:path";
import { capture, root } from "./run.mjs";
import { StepError } from "./say.mjs";

/** Folders of proto files, and where the code from them belongs. */
export const interfaces = { "proto/runtime": "src/cri/api", "proto/containerd": "src/store/containerd/api" };

/** Writes the code under a folder; the project's own, or one to compare with. @param {string} under */
export async function generated(under) {
  for (const [from, into] of Object.entries(interfaces)) {
    const template = {
      version: "v2",
      clean: true,
      plugins: [
        {
          local: "node_modules/.bin/protoc-gen-es",
          out: join(under, into),
          opt: ["target=js+dts", "import_extension=js"],
        },
      ],
    };
    const options = ["generate", "--template", JSON.stringify(template), "--path", from];
    const { status, output } = await capture("node_modules/.bin/buf", options, { cwd: root });
    if (status !== 0) throw new StepError(`buf generate --path ${from} ended with status ${status}:\n${output}`);
  }
}
