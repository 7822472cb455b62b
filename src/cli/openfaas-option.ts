/** The one setting of OpenFaaS that decides how its functions are pulled: no stack file has it. */
import { InvalidArgumentError, Option } from "commander";
import { suggestion } from "../policy/index.ts";
import { isPullPolicy, type PullPolicy, pullPolicies } from "../workload/index.ts";

export interface OpenfaasFlags {
  readonly openfaasImagePullPolicy: PullPolicy;
}

/** Where a provider starts without the setting, or with an empty one (faas-netes `image_pull_policy`). */
const usual: PullPolicy = "Always";

export function openfaasOption(): Option {
  return new Option(
    "--openfaas-image-pull-policy <policy>",
    `Pull policy that the OpenFaaS provider sets on every function, its image_pull_policy: ${pullPolicies.join(", ")}`,
  )
    .env("PULLEY_OPENFAAS_PULL_POLICY")
    .argParser(readPullPolicy)
    .default(usual);
}

/** Exactly as the provider reads it: it does not start with a value in another spelling. @throws InvalidArgumentError */
function readPullPolicy(text: string): PullPolicy {
  if (text === "") return usual;
  if (isPullPolicy(text)) return text;
  const all = `${pullPolicies.slice(0, -1).join(", ")} and ${pullPolicies.at(-1)}`;
  throw new InvalidArgumentError(`the provider knows ${all}${suggestion(text, pullPolicies)}`);
}
