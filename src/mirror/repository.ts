/** Which repository of which registry a request means. */
import { parseReference, type Repository } from "../image/index.ts";
import { isPulleyError, PulleyError } from "../support/errors.ts";
import { quote } from "../support/go.ts";

/** Characters of a name (distribution-spec 1.1: clients limit host and name together to 255). */
const longestName = 255;

/**
 * The repository of a name in a URL. With `?ns=`, as containerd sends it to a mirror, the registry is
 * that one and the name is a path there. Without it, the name is what people write before a tag: a first part that is a
 * host names the registry (`docker.io/library/nginx`, `quay.io/acme/app`), and otherwise it is Docker Hub's. Clients do
 * not let a colon into a path; there a port is written after an underscore, `localhost_5000/app`, as in a folder of
 * containerd's hosts.
 * @param namespace the value of `ns`, `undefined` if there is none
 * @throws PulleyError `REFERENCE_INVALID`
 */
export function repositoryOf(name: string, namespace: string | undefined): Repository {
  const text = namespace === undefined ? withPort(name) : `${namespace}/${name}`;
  if (text.length > longestName) throw invalid(name, `has more than ${longestName} characters`);
  const { repository, tag, digest } = parse(text, name);
  if (tag !== undefined || digest !== undefined) throw invalid(name, "is not the name of a repository");
  if (namespace !== undefined && repository.registry !== normalisedHost(namespace)) {
    throw new PulleyError("REFERENCE_INVALID", `${quote(namespace.slice(0, longestName))} is not a registry's host`);
  }
  return repository;
}

function parse(text: string, name: string): ReturnType<typeof parseReference> {
  try {
    return parseReference(text);
  } catch (error) {
    if (!isPulleyError(error)) throw error;
    throw invalid(name, `is not the name of a repository: ${error.message}`);
  }
}

function withPort(name: string): string {
  return name.replace(/^((?:[a-z0-9-]+\.)+[a-z0-9-]+|localhost)_([0-9]{1,5})\//, "$1:$2/");
}

function normalisedHost(namespace: string): string {
  return namespace === "index.docker.io" ? "docker.io" : namespace;
}

function invalid(name: string, why: string): PulleyError {
  return new PulleyError("REFERENCE_INVALID", `${quote(name.slice(0, longestName))} ${why}`);
}
