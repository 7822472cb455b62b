import type { Command } from "commander";
import type { Verified } from "../store/index.ts";
import { examples, type OutputOptions, outputOption, type RootOptions, rootOption } from "./options.ts";
import { print } from "./output.ts";
import { withStore } from "./store.ts";
import type { Surroundings } from "./surroundings.ts";

type VerifyOptions = RootOptions & OutputOptions;

export function define(command: Command, surroundings: Surroundings): void {
  command
    .addOption(outputOption())
    .addOption(rootOption())
    .addHelpText(
      "after",
      examples(
        ["pulley verify", "read every blob and compare it with its digest; what is damaged is set aside"],
        [
          "pulley verify -o json | jq -r '.blobs[].neededBy[]' | sort -u | xargs -r pulley pull",
          "fetch what was damaged anew",
        ],
      ),
    )
    .action((options: VerifyOptions) => verifyStore(options, surroundings));
}

/** Exit status 1 if anything is damaged or missing: the answer is no. */
async function verifyStore(options: VerifyOptions, surroundings: Surroundings): Promise<void> {
  const faulty: Verified[] = [];
  let sound = 0;
  await withStore(options.root, surroundings, async (store) => {
    for await (const blob of store.verify()) {
      if (blob.state === "sound") sound += 1;
      else faulty.push(blob);
      if (surroundings.stderr.isTTY) surroundings.stderr.write(`\r${sound + faulty.length} blobs read`);
    }
    if (surroundings.stderr.isTTY) surroundings.stderr.write("\r\u001b[K");
  });
  const lines = () => [
    ...faulty.flatMap(({ digest, state, neededBy }) => [
      `${digest}: ${state}`,
      ...neededBy.map((name) => `  needed by ${name}: run pulley pull ${name}`),
    ]),
    `${sound} sound, ${faulty.length} damaged or missing`,
  ];
  await print(options.output, { apiVersion: "pulley.dev/v1alpha1", sound, blobs: faulty }, lines, surroundings);
  if (faulty.length > 0) process.exitCode = 1;
}
