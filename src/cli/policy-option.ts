/** The policy that a command goes by. */
import { Option } from "commander";
import { kubernetesOnly, type Policy } from "../policy/types.ts";
import { PulleyError } from "../support/errors.ts";
import { plural } from "../support/plural.ts";
import { readManifestFiles } from "./inputs.ts";
import { printProblems } from "./problems.ts";
import type { Surroundings } from "./surroundings.ts";

export interface PolicyOptions {
  readonly policy?: string;
}

export function policyOption(): Option {
  return new Option("--policy <path>", "a policy file, or a folder of them; without it, Kubernetes' own behaviour").env(
    "PULLEY_POLICY",
  );
}

/** @throws PulleyError `INPUT_INVALID`, after every problem was printed with its place; `INPUT_UNREADABLE` */
export async function loadPolicy({ policy: path }: PolicyOptions, surroundings: Surroundings): Promise<Policy> {
  if (path === undefined) return kubernetesOnly;
  // The language takes longer to load than many commands take: only those who have a policy pay for it.
  const { readPolicy } = await import("../policy/language/read.ts");
  const { policy, problems, warnings } = readPolicy(readManifestFiles(path));
  printProblems({ problems, warnings }, surroundings);
  if (problems.length === 0) return policy;
  throw new PulleyError("INPUT_INVALID", `the policy ${path} has ${plural(problems.length, "problem")}`);
}
