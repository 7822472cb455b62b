import type { Check } from "./check.ts";

/** `imagePullPolicy` in a stack file, `pullPolicy` in a container: dropped without a word. */
export const policyIgnored: Check = ({ ignored, words, format, request }) => {
  if (ignored === undefined) return undefined;
  const { field, at } = ignored;
  const who = { kubernetes: "the API server", compose: "Compose", openfaas: "faas-cli" }[format];
  const what = { kubernetes: `an ${request.container.kind}`, compose: "a service", openfaas: "a function" }[format];
  const place = request.container.kind === "container" && format === "kubernetes" ? "a container" : what;
  return {
    at,
    message: `${who} knows no ${field} in ${place}, so the pull policy written here holds nowhere`,
    advice:
      format === "openfaas"
        ? `Set image_pull_policy for the provider, or, with Pulley as the provider, the annotation ${words.field}.`
        : `Call the field ${words.field}.`,
  };
};
