import { type Policy, readPolicy } from "../../policy/index.ts";

/** A policy of one document, `test`, with these rules: each in YAML on one line, `{ name: near, from: … }`. */
export function policyOf(...rules: readonly string[]): Policy {
  const lines = ["apiVersion: pulley.dev/v1alpha1", "kind: ImagePullPolicy", "metadata: { name: test }"];
  const text = [...lines, `spec: { rules: [${rules.join(", ")}] }`].join("\n");
  const { policy, problems } = readPolicy([{ file: "policy.yaml", text }]);
  const [problem] = problems;
  if (problem !== undefined) throw new Error(problem.message);
  return policy;
}
