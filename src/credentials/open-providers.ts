import type { CredentialProviders, ProviderOptions } from "./exec/index.ts";

/**
 * Opens the credential providers of a configuration. What runs them is loaded only now: few have any.
 * @throws PulleyError `USAGE`, `INPUT_UNREADABLE`, `INPUT_INVALID` in the kubelet's words, where it would not start
 */
export async function openCredentialProviders(options: ProviderOptions): Promise<CredentialProviders> {
  const { openCredentialProviders: open } = await import("./exec/index.ts");
  return open(options);
}
