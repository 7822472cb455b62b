/** The login that a caller of PullImage sends, and how it is recorded. */

import { decodeGoBase64, type LoginSource } from "../../credentials/index.ts";
import type { Repository } from "../../image/index.ts";
import { credentialHash, type PullRecords } from "../../pull/index.ts";
import { PulleyError } from "../../support/errors.ts";
import { Login, type LoginSecret } from "../../support/login.ts";
import type { AuthConfig } from "../api/runtime/v1/api_pb.js";

const source = "the caller's credentials";

/** Names of Docker Hub in clients' files. */
const dockerHub = ["docker.io", "index.docker.io", "registry-1.docker.io"];

const advice = "Send the base64 of user:password, or the fields username and password.";

/**
 * A caller's login, only for the registry in the image's name. Mirrors never get it; they get the node's own logins.
 * @param mirrors the node's own logins
 * @throws PulleyError `CREDENTIALS_INVALID`, without any part of the credentials
 */
export function callerLogins(
  auth: AuthConfig | undefined,
  { registry }: Repository,
  mirrors: LoginSource | undefined,
): LoginSource {
  const secret = auth && secretOf(auth);
  const isOurs = secret !== undefined && isMeantFor(auth?.serverAddress ?? "", registry);
  const own = isOurs ? [withOrigin(secret)] : [];
  return {
    logins: async (repository) =>
      repository.registry === registry ? own : ((await mirrors?.logins(repository)) ?? []),
  };
}

/** containerd takes them in this order, and a password's trailing zeros off (containerd cri `ParseAuth`). */
function secretOf({ username, password, identityToken, auth, registryToken }: AuthConfig): LoginSecret | undefined {
  if (username !== "") return { kind: "password", username, password };
  if (identityToken !== "") return { kind: "identityToken", token: identityToken };
  if (auth !== "") return decodeAuth(auth);
  if (registryToken !== "") return { kind: "registryToken", token: registryToken };
  return undefined;
}

function decodeAuth(auth: string): LoginSecret {
  let text: string;
  try {
    text = decodeGoBase64(auth, "padded").toString("utf8");
  } catch (error) {
    throw new PulleyError("CREDENTIALS_INVALID", "the field auth of the credentials is not base64", {
      advice,
      cause: error,
    });
  }
  const colon = text.indexOf(":");
  if (colon < 0) {
    throw new PulleyError("CREDENTIALS_INVALID", "the field auth of the credentials has no user:password in it", {
      advice,
    });
  }
  return {
    kind: "password",
    username: text.slice(0, colon),
    password: text.slice(colon + 1).replace(/^\0+|\0+$/g, ""),
  };
}

function isMeantFor(serverAddress: string, registry: string): boolean {
  if (serverAddress === "") return true;
  const address = serverAddress.includes("://") ? serverAddress : `https://${serverAddress}`;
  // As it is written: a port that the scheme implies is part of a registry's name where it stands there.
  const host = /^[a-z]+:\/\/([^/?#]*)/i.exec(address)?.[1]?.toLowerCase() ?? "";
  const wanted = registry.toLowerCase();
  return host === wanted || (dockerHub.includes(host) && dockerHub.includes(wanted));
}

/**
 * Pull records recognise a login by its hash. The coordinates are derived from it, so that no login passes for
 * another as two logins from one Secret would.
 */
function withOrigin(secret: LoginSecret): Login {
  const uid = credentialHash(new Login(source, secret));
  return new Login(source, secret, { kind: "secret", uid, namespace: "", name: "cri" });
}

/** Most logins that are recorded for one image until the server is restarted. */
const mostRecorded = 100;

/**
 * Pulley's own pull records, as pulls for a kubelet keep them. The kubelet keeps records of its own and asks to pull where
 * a pod has to show its credentials. Ours say what no kubelet can know: whether a caller whom a rule sends to the copy on
 * this machine has shown these credentials before; and Pulley's own pods must not take for preloaded what a kubelet pulled.
 *
 * A kubelet's credentials may be tokens that change every hour. So that records do not grow for ever, only the first of
 * them are written down; those after that are asked for again each time.
 */
export function callerRecords(records: PullRecords): PullRecords {
  const recorded = new Map<string, Set<string>>();

  function isRoomFor(login: Login, imageRef: string): boolean {
    const known = recorded.get(imageRef) ?? new Set();
    recorded.set(imageRef, known);
    if (known.size < mostRecorded) known.add(login.fingerprint());
    return known.has(login.fingerprint());
  }

  return {
    ...records,
    succeed: (image, imageRef, used) => {
      const kept = used === undefined || isRoomFor(used, imageRef) ? used : new Login(used.source, used.reveal());
      return records.succeed(image, imageRef, kept);
    },
  };
}
