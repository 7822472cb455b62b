/** Which objects a kubelet's decoders know, and what they say of others (k8s apimachinery pkg/runtime/error.go). */
import { quote } from "../support/go.ts";
import type { ManifestDocument } from "./documents.ts";

export interface Scheme {
  /** As a kubelet names it: the line of its source that makes it, which is that of 1.36. */
  readonly name: string;
  /** Kinds by `apiVersion`. */
  readonly kinds: ReadonlyMap<string, readonly string[]>;
}

const group = "kubelet.config.k8s.io";
const configurations = ["KubeletConfiguration", "SerializedNodeConfigSource", "CredentialProviderConfig"];
const exchanged = ["CredentialProviderRequest", "CredentialProviderResponse"];

/** Of its own configuration file. */
export const kubeletScheme: Scheme = {
  name: "pkg/kubelet/apis/config/scheme/scheme.go:33",
  kinds: new Map([
    [`${group}/v1beta1`, configurations],
    [`${group}/v1`, ["CredentialProviderConfig"]],
  ]),
};

/** Of the configuration of credential providers, and of what is said to them. */
export const credentialProviderScheme: Scheme = {
  name: "pkg/credentialprovider/plugin/plugin.go:69",
  kinds: new Map([
    [`${group}/v1beta1`, configurations],
    [`${group}/v1`, ["CredentialProviderConfig"]],
    [`${group}/v1alpha1`, ["CredentialProviderConfig"]],
    ...["v1", "v1beta1", "v1alpha1"].map(
      (version) => [`credentialprovider.kubelet.k8s.io/${version}`, exchanged] as const,
    ),
  ]),
};

/** Why a document is none that the scheme knows, in the decoder's words. */
export function kubeletDecodeProblem({ apiVersion, kind }: ManifestDocument, scheme: Scheme): string | undefined {
  if (scheme.kinds.get(apiVersion)?.includes(kind)) return undefined;
  const [its, version] = [kind, apiVersion].map((text) => quote(text.slice(0, 200)));
  return `no kind ${its} is registered for version ${version} in scheme ${quote(scheme.name)}`;
}
