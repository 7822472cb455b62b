/**
 * Credential providers: programs that a kubelet asks for logins (k8s staging/src/k8s.io/kubelet/config/v1
 * `CredentialProvider`).
 */

/** The versions of the protocol, as `apiVersion` of a provider names them. */
export const protocolVersions = [
  "credentialprovider.kubelet.k8s.io/v1",
  "credentialprovider.kubelet.k8s.io/v1alpha1",
  "credentialprovider.kubelet.k8s.io/v1beta1",
] as const;

export type ProtocolVersion = (typeof protocolVersions)[number];

/** For which of a service account's pulls one answer is good: for all, or only for those with the same token. */
export const tokenCacheTypes = ["ServiceAccount", "Token"] as const;

export type TokenCacheType = (typeof tokenCacheTypes)[number];

export interface CredentialProvider {
  /** Also the name of its program in the folder for these programs. */
  readonly name: string;
  /** Images that it is asked about: patterns as in a keyring. */
  readonly matchImages: readonly string[];
  /** Milliseconds for which an answer that says nothing of it is good; 0 for not at all. */
  readonly defaultCacheDuration: number;
  readonly apiVersion: ProtocolVersion;
  readonly args: readonly string[];
  /** Added to Pulley's own environment. */
  readonly env: readonly EnvironmentVariable[];
  /** Present: it is given a token of the pod's service account. */
  readonly tokenAttributes: TokenAttributes | undefined;
}

export interface EnvironmentVariable {
  readonly name: string;
  readonly value: string;
}

export interface TokenAttributes {
  readonly serviceAccountTokenAudience: string;
  readonly cacheType: TokenCacheType;
  /** Whether it is not asked for pods without a service account. */
  readonly requireServiceAccount: boolean;
  /** Annotations of the service account without which it is not asked. */
  readonly requiredServiceAccountAnnotationKeys: readonly string[];
  readonly optionalServiceAccountAnnotationKeys: readonly string[];
}

/** A provider as it is written: whatever may be missing is still missing. */
export interface GivenProvider {
  readonly name: string;
  readonly matchImages: readonly string[];
  /** Milliseconds. */
  readonly defaultCacheDuration: number | undefined;
  readonly apiVersion: string;
  readonly args: readonly string[];
  readonly env: readonly EnvironmentVariable[];
  readonly tokenAttributes: GivenTokenAttributes | undefined;
}

export interface GivenTokenAttributes {
  readonly serviceAccountTokenAudience: string;
  readonly cacheType: string;
  readonly requireServiceAccount: boolean | undefined;
  readonly requiredServiceAccountAnnotationKeys: readonly string[];
  readonly optionalServiceAccountAnnotationKeys: readonly string[];
}
