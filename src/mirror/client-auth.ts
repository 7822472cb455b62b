/** The login that a client sends, for the registry that the content comes from. */
import { PulleyError } from "../support/errors.ts";
import { Login } from "../support/login.ts";

export interface ClientAuth {
  /** Absent: anonymous. */
  readonly login: Login | undefined;
}

const source = "the login that the mirror was given";

/** Characters: longer than any password or token that registries give out. */
const longest = 12 * 1024;

/**
 * Reads the header `Authorization`. Basic without name and password counts as none: skopeo sends it without a login.
 * @throws PulleyError `REGISTRY_UNAUTHORIZED` for what cannot be read; its text shows nothing of it
 */
export function readClientAuth(authorization: string | undefined): ClientAuth {
  if (authorization === undefined) return { login: undefined };
  const [, scheme = "", value = ""] = /^\s*([A-Za-z]+)\s+(\S+)\s*$/.exec(authorization.slice(0, longest + 1)) ?? [];
  if (authorization.length > longest) throw unreadable();
  switch (scheme.toLowerCase()) {
    case "basic":
      return readBasic(value);
    case "bearer":
      return { login: new Login(source, { kind: "registryToken", token: value }) };
    default:
      throw unreadable();
  }
}

function readBasic(value: string): ClientAuth {
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(value)) throw unreadable();
  const text = Buffer.from(value, "base64").toString("utf8");
  const colon = text.indexOf(":");
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what no login has
  if (colon < 0 || /[\x00-\x1f\x7f]/.test(text)) throw unreadable();
  const [username, password] = [text.slice(0, colon), text.slice(colon + 1)];
  if (username === "" && password === "") return { login: undefined };
  // docker and containerd send an identity token as the password of this user.
  if (username === "<token>") return { login: new Login(source, { kind: "identityToken", token: password }) };
  return { login: new Login(source, { kind: "password", username, password }) };
}

function unreadable(): PulleyError {
  return new PulleyError("REGISTRY_UNAUTHORIZED", "the header Authorization is neither Basic nor Bearer as it must be");
}
