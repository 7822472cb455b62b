/** What a kubelet checks in a credential provider configuration (k8s pkg/credentialprovider/plugin/config.go). */
import { formatDuration, goUrlProblem, quote } from "../../support/go.ts";
import { duplicate, forbidden, invalid, notSupported, required } from "../../workload/index.ts";
import { parseLocation } from "../keyring.ts";
import {
  type CredentialProvider,
  type GivenProvider,
  type GivenTokenAttributes,
  type ProtocolVersion,
  protocolVersions,
  type TokenCacheType,
  tokenCacheTypes,
} from "./types.ts";

/** What is wrong, in the kubelet's words; its paths name no positions. */
export function validateProviders(providers: readonly GivenProvider[]): readonly string[] {
  if (providers.length === 0) return [`${required("providers")}: at least 1 item in plugins is required`];
  const seen = new Set<string>();
  return providers.flatMap((provider) => {
    const again = seen.has(provider.name) ? [duplicate("providers.name", provider.name)] : [];
    seen.add(provider.name);
    return [...nameProblems(provider.name), ...again, ...validateProvider(provider)];
  });
}

/** The provider, once {@link validateProviders} has found nothing wrong with it. */
export function completeProvider(given: GivenProvider): CredentialProvider | undefined {
  const { apiVersion, defaultCacheDuration, tokenAttributes } = given;
  if (!isProtocolVersion(apiVersion) || defaultCacheDuration === undefined) return undefined;
  const complete = { ...given, apiVersion, defaultCacheDuration };
  if (tokenAttributes === undefined) return { ...complete, tokenAttributes };
  const { cacheType, requireServiceAccount } = tokenAttributes;
  if (!isTokenCacheType(cacheType) || requireServiceAccount === undefined) return undefined;
  return { ...complete, tokenAttributes: { ...tokenAttributes, cacheType, requireServiceAccount } };
}

function nameProblems(name: string): string[] {
  const problem = (detail: string) => invalid("providers.name", quote(name.slice(0, 200)), detail);
  const problems: string[] = [];
  if (name === "") problems.push(required("providers.name"));
  if (name.includes("/")) problems.push(problem("provider name cannot contain '/'"));
  if (/[\s\0]/.test(name)) problems.push(problem("provider name cannot contain spaces"));
  if (name === ".") problems.push(problem("provider name cannot be '.'"));
  if (name === "..") problems.push(problem("provider name cannot be '..'"));
  return problems;
}

function validateProvider(provider: GivenProvider): string[] {
  const { apiVersion, matchImages, defaultCacheDuration: duration, tokenAttributes } = provider;
  const problems: string[] = [];
  if (apiVersion === "") problems.push(required("providers.apiVersion"));
  else if (!isProtocolVersion(apiVersion)) {
    problems.push(notSupported("providers.apiVersion", apiVersion, protocolVersions));
  }
  if (matchImages.length === 0) {
    problems.push(`${required("providers.matchImages")}: at least 1 item in matchImages is required`);
  }
  for (const pattern of matchImages) {
    // Patterns that are documented are taken, also where Go's parser no longer takes them.
    const problem = parseLocation(pattern) === undefined ? goUrlProblem(pattern.slice(0, 200)) : undefined;
    if (problem === undefined) continue;
    const why = `match image is invalid: ${problem}`;
    problems.push(invalid("providers.matchImages", quote(pattern.slice(0, 200)), why));
  }
  if (duration === undefined) problems.push(required("providers.defaultCacheDuration"));
  else if (duration < 0) {
    const why = "defaultCacheDuration must be greater than or equal to 0";
    problems.push(invalid("providers.defaultCacheDuration", quote(formatDuration(duration)), why));
  }
  return [...problems, ...(tokenAttributes ? validateTokenAttributes(tokenAttributes, apiVersion) : [])];
}

function validateTokenAttributes(attributes: GivenTokenAttributes, apiVersion: string): string[] {
  const path = "providers.tokenAttributes";
  const { requireServiceAccount, cacheType, serviceAccountTokenAudience } = attributes;
  const { requiredServiceAccountAnnotationKeys: needed, optionalServiceAccountAnnotationKeys: optional } = attributes;
  const problems: string[] = [];
  if (serviceAccountTokenAudience === "") problems.push(required(`${path}.serviceAccountTokenAudience`));
  if (requireServiceAccount === undefined) problems.push(required(`${path}.requireServiceAccount`));
  if (apiVersion !== protocolVersions[0]) {
    problems.push(forbidden(path, `tokenAttributes is only supported for ${protocolVersions[0]} API version`));
  }
  if (requireServiceAccount === false && needed.length > 0) {
    const why = "requireServiceAccount cannot be false when requiredServiceAccountAnnotationKeys is set";
    problems.push(forbidden(`${path}.requiredServiceAccountAnnotationKeys`, why));
  }
  problems.push(
    ...keyProblems(`${path}.requiredServiceAccountAnnotationKeys`, needed),
    ...keyProblems(`${path}.optionalServiceAccountAnnotationKeys`, optional),
  );
  const both = [...new Set(needed)].filter((key) => optional.includes(key)).sort();
  if (both.length > 0) {
    const value = `[${both.map((key) => quote(key.slice(0, 200))).join(",")}]`;
    problems.push(invalid(path, value, "annotation keys cannot be both required and optional"));
  }
  return [...problems, ...cacheTypeProblems(`${path}.cacheType`, cacheType)];
}

function cacheTypeProblems(path: string, cacheType: string): string[] {
  if (cacheType === "") {
    const why = "cacheType is required to be set when tokenAttributes is specified. Supported values are: ";
    return [`${required(path)}: ${why}${tokenCacheTypes.join(", ")}`];
  }
  return isTokenCacheType(cacheType) ? [] : [notSupported(path, cacheType, tokenCacheTypes)];
}

function keyProblems(path: string, keys: readonly string[]): string[] {
  return keys.flatMap((key, position) => {
    const wrong = annotationKeyProblems(key).map((problem) => invalid(path, quote(key.slice(0, 200)), problem));
    return keys.indexOf(key) < position ? [...wrong, duplicate(path, key)] : wrong;
  });
}

function isProtocolVersion(text: string): text is ProtocolVersion {
  return protocolVersions.some((version) => version === text);
}

function isTokenCacheType(text: string): text is TokenCacheType {
  return tokenCacheTypes.some((type) => type === text);
}

/** Names of annotations (k8s apimachinery `IsQualifiedName`, which the case of letters does not matter to here). */

const nameText =
  "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric " +
  "character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is " +
  "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";

const prefixText =
  "prefix part a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must " +
  "start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is " +
  "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";

const namePattern = /^(?:[a-z0-9][-a-z0-9_.]*)?[a-z0-9]$/;
const prefixPattern = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/;

/** What is wrong with a key, in Kubernetes' words. */
export function annotationKeyProblems(key: string): readonly string[] {
  const parts = key.toLowerCase().split("/");
  if (parts.length > 2) {
    const form = nameText.replace("name part", "a qualified name");
    return [`${form} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`];
  }
  const name = parts.at(-1) ?? "";
  return [...(parts.length === 2 ? keyPrefixProblems(parts[0] ?? "") : []), ...keyNameProblems(name)];
}

function keyPrefixProblems(prefix: string): string[] {
  if (prefix === "") return ["prefix part must be non-empty"];
  const problems = prefix.length > 253 ? ["prefix part must be no more than 253 characters"] : [];
  return prefixPattern.test(prefix) ? problems : [...problems, prefixText];
}

function keyNameProblems(name: string): string[] {
  const problems: string[] = [];
  if (name === "") problems.push("name part must be non-empty");
  else if (name.length > 63) problems.push("name part must be no more than 63 characters");
  if (!namePattern.test(name)) problems.push(nameText);
  return problems;
}
