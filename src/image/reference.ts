/**
 * References to images, by the grammar of distribution/reference v0.6.0 (the version that Kubernetes 1.36 uses):
 *
 *     reference      = name [ ":" tag ] [ "@" digest ]
 *     name           = [ domain "/" ] remote-name
 *     domain         = host [ ":" port ]
 *     host           = domain-name | "[" IPv6 "]"
 *     domain-name    = component { "." component },  component = letters, digits, inner hyphens
 *     remote-name    = path-component { "/" path-component }
 *     path-component = alphanumeric { separator alphanumeric },  alphanumeric = a-z and 0-9
 *     separator      = "." | "_" | "__" | one or more "-"
 *     tag            = word character, then up to 127 of word characters, "." and "-"
 *     digest         = algorithm ":" hexadecimal
 *
 * A name is normalised as Docker does it: no domain means docker.io, one component there means library/….
 */
import { errorText, PulleyError } from "../support/errors.ts";
import { quote } from "../support/go.ts";
import type { Digest } from "./digest.ts";
import { digestProblem } from "./digest.ts";

declare const checked: unique symbol;
export type Tag = string & { readonly [checked]: "tag" };

/** A repository in a registry. Frozen, and always well formed. */
export interface Repository {
  /** Host and port as in the normalised name: `docker.io`, `localhost:5000`, `[::1]:5000`. */
  readonly registry: string;
  /** Path within the registry: `library/nginx`. */
  readonly path: string;
  /** `registry/path`: the normalised name, `docker.io/library/nginx`. */
  readonly name: string;
}

/** A parsed reference. Frozen, and always well formed. */
export interface Reference {
  /** As it was written. */
  readonly given: string;
  readonly repository: Repository;
  readonly tag: Tag | undefined;
  readonly digest: Digest | undefined;
}

/** A text that is no reference. */
export interface InvalidName {
  readonly kind: "invalid";
  /** As it was written. */
  readonly given: string;
  /** Why it is none, in distribution/reference's words. */
  readonly problem: string;
}

/** What a container says is its image: a reference with the tag that it implies, or a text that is none. */
export type ImageName = (Reference & { readonly kind?: undefined }) | InvalidName;

const domainComponent = "(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])";
const host = `(?:${domainComponent}(?:\\.${domainComponent})*|\\[[a-fA-F0-9:]+\\])`;
const domain = `${host}(?::[0-9]+)?`;
const pathComponent = "[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*";
const remoteName = `${pathComponent}(?:/${pathComponent})*`;
const tag = "[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}";
const digestPart = "[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}";
const grammar = new RegExp(`^(?:(${domain})/)?(${remoteName})(?::(${tag}))?(?:@(${digestPart}))?$`);
const identifier = /^[a-f0-9]{64}$/;
const tagGrammar = new RegExp(`^${tag}$`);

const defaultDomain = "docker.io";
const officialPrefix = "library/";
const longestPath = 255;
/** More characters than any reference has; the grammar is not run over texts that are longer. */
const longestText = 65_536;

/**
 * Parses and normalises a reference.
 * @throws PulleyError `REFERENCE_INVALID`, its message in distribution/reference's words
 */
export function parseReference(text: string): Reference {
  if (text.length > longestText) throw invalid("invalid reference format");
  if (identifier.test(text)) {
    throw invalid(`invalid repository name (${text}), cannot specify 64-byte hexadecimal strings`);
  }
  const { registry, remainder } = splitDomain(text);
  const remote = beforeFirst(remainder, ":");
  if (remote.toLowerCase() !== remote) {
    throw invalid(`invalid reference format: repository name (${printable(remote)}) must be lowercase`);
  }
  const normalised = `${registry}/${remainder}`;
  const match = grammar.exec(normalised);
  if (match === null) {
    throw invalid(
      grammar.test(normalised.toLowerCase()) ? "repository name must be lowercase" : "invalid reference format",
    );
  }
  const [, domainPart, pathPart = "", parsedTag, digest] = match;
  if (pathPart.length > longestPath) throw invalid("repository name must not be more than 255 characters");
  const problem = digest === undefined ? undefined : digestProblem(digest);
  if (problem !== undefined) throw invalid(problem);
  return Object.freeze({
    given: text,
    repository: domainPart === undefined ? splitName(pathPart) : repositoryOf(domainPart, pathPart),
    tag: parsedTag as Tag | undefined,
    digest: digest as Digest | undefined,
  });
}

/** Reads the image of a container and gives it the tag that it implies (k8s pkg/util/parsers/parsers.go). */
export function readImageName(image: string): ImageName {
  try {
    return withImpliedTag(parseReference(image));
  } catch (error) {
    return { kind: "invalid", given: image, problem: errorText(error) };
  }
}

/**
 * As {@link readImageName}, for those who can do nothing with a text that is no reference.
 * @throws PulleyError `REFERENCE_INVALID`, its message in Kubernetes' words
 */
export function parseImageName(image: string): Reference {
  const name = readImageName(image);
  if (name.kind !== "invalid") return name;
  throw new PulleyError("REFERENCE_INVALID", invalidNameText(name));
}

/** Why a text is no reference, in Kubernetes' words. */
export function invalidNameText({ given, problem }: InvalidName): string {
  return `couldn't parse image name ${quote(given.slice(0, longestText))}: ${problem}`;
}

/** The same reference with the tag `latest` where it has neither tag nor digest (k8s pkg/util/parsers/parsers.go). */
export function withImpliedTag(reference: Reference): Reference {
  if (reference.tag !== undefined || reference.digest !== undefined) return reference;
  return Object.freeze({ ...reference, tag: "latest" as Tag });
}

/** The reference as it was written, with the tag that it implies: not normalised. */
export function givenWithTag(reference: Reference): string {
  return hasImpliedTag(reference) ? `${reference.given}:${reference.tag}` : reference.given;
}

/** The reference as it was written: without a tag that was only implied. */
export function asWritten(reference: Reference): Reference {
  return hasImpliedTag(reference) ? Object.freeze({ ...reference, tag: undefined }) : reference;
}

/** Whether a tag was only implied: neither it nor a digest is written. */
export function hasImpliedTag({ given, tag: own, digest }: Reference): boolean {
  return digest === undefined && !given.endsWith(`:${own}`);
}

/** The normalised text: `docker.io/library/nginx:1.27@sha256:…`. */
export function canonicalText(reference: Reference): string {
  const { repository, tag: ownTag, digest } = reference;
  return `${repository.name}${ownTag === undefined ? "" : `:${ownTag}`}${digest === undefined ? "" : `@${digest}`}`;
}

/** Whether a text is a normalised name with either a tag or a digest. */
export function isCanonicalName(text: string): boolean {
  try {
    const reference = parseReference(text);
    return (reference.tag === undefined) !== (reference.digest === undefined) && canonicalText(reference) === text;
  } catch {
    return false;
  }
}

/** The short name that people write: without `docker.io/`, and without `library/` where that is all that is left. */
export function familiarName(repository: Repository): string {
  if (repository.registry !== defaultDomain) return repository.name;
  const short = repository.path.slice(officialPrefix.length);
  return repository.path.startsWith(officialPrefix) && !short.includes("/") ? short : repository.path;
}

/** The whole reference with that short name: `nginx:1.27`. */
export function familiarText(reference: Reference): string {
  const { repository } = reference;
  return `${familiarName(repository)}${canonicalText(reference).slice(repository.name.length)}`;
}

/** @throws PulleyError `REFERENCE_INVALID` */
export function parseTag(text: string): Tag {
  if (!isTag(text)) throw invalid("invalid tag format");
  return text;
}

export function isTag(text: string): text is Tag {
  return tagGrammar.test(text);
}

function splitDomain(text: string): { registry: string; remainder: string } {
  const slash = text.indexOf("/");
  const first = slash < 0 ? "" : text.slice(0, slash);
  const isDomain = first !== "" && (/[.:]/.test(first) || first === "localhost" || first.toLowerCase() !== first);
  let registry = isDomain ? first : defaultDomain;
  let remainder = isDomain ? text.slice(slash + 1) : text;
  if (registry === "index.docker.io") registry = defaultDomain;
  if (registry === defaultDomain && !remainder.includes("/")) remainder = officialPrefix + remainder;
  return { registry, remainder };
}

/**
 * A host with an underscore is no domain by the grammar, but the whole is a remote name by it, and so accepted by
 * Kubernetes; containerd asks the host all the same.
 */
function splitName(name: string): Repository {
  const slash = name.indexOf("/");
  return repositoryOf(name.slice(0, slash), name.slice(slash + 1));
}

function repositoryOf(registry: string, path: string): Repository {
  return Object.freeze({ registry, path, name: `${registry}/${path}` });
}

function beforeFirst(text: string, separator: string): string {
  const at = text.indexOf(separator);
  return at < 0 ? text : text.slice(0, at);
}

/** As it is, except that what would disturb a terminal or a log is escaped. */
function printable(text: string): string {
  return quote(text).slice(1, -1);
}

function invalid(message: string): PulleyError {
  return new PulleyError("REFERENCE_INVALID", message);
}
