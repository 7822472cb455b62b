/**
 * The files in which docker, podman and skopeo keep logins: `config.json`, `auth.json` and the legacy `.dockercfg`.
 * Read strictly: what is wrong is an error that names the file and the place, never what stands there.
 */
import { PulleyError } from "../support/errors.ts";
import { quote } from "../support/go.ts";
import { type Json, type JsonMembers, type JsonRules, parseJson } from "../support/json.ts";
import { JsonCursor } from "../support/json-cursor.ts";
import type { LoginSecret } from "../support/login.ts";

export interface DockerConfig {
  /** By location, as it is written: `https://index.docker.io/v1/`, `registry.acme.io/team`. */
  readonly logins: ReadonlyMap<string, LoginSecret>;
  /** Every location that has an entry, be it without a login: docker leaves such a one beside a credential helper. */
  readonly locations: readonly string[];
  /** The credential helper for every registry that {@link DockerConfig.credHelpers} does not name. */
  readonly credsStore: string | undefined;
  /** Credential helpers by registry; an empty name means none, whatever `credsStore` says. */
  readonly credHelpers: ReadonlyMap<string, string>;
}

const code = "CREDENTIALS_INVALID";
const empty: DockerConfig = { logins: new Map(), locations: [], credsStore: undefined, credHelpers: new Map() };

/** Reads `config.json` or `auth.json`. @param file its path, for messages @throws PulleyError `CREDENTIALS_INVALID` */
export function parseDockerConfig(bytes: Uint8Array, file: string): DockerConfig {
  const root = readRoot(bytes, file);
  if (root === undefined) return empty;
  const member = new JsonCursor(root, file, code).object("auths", "credsStore", "credHelpers");
  return {
    logins: readLogins(root.get("auths"), `${file}.auths`),
    locations: [...membersOf(root.get("auths"), `${file}.auths`).keys()],
    credsStore: member("credsStore").optional((store) => store.string()) || undefined,
    credHelpers: readHelpers(root.get("credHelpers"), `${file}.credHelpers`),
  };
}

/** Reads `.dockercfg`. @param file its path, for messages @throws PulleyError `CREDENTIALS_INVALID` */
export function parseDockercfg(bytes: Uint8Array, file: string): DockerConfig {
  return { ...empty, logins: readLogins(readRoot(bytes, file), file) };
}

/** `undefined` for an empty file, which docker and podman take for one without logins. */
function readRoot(bytes: Uint8Array, file: string): JsonMembers | undefined {
  const rules: JsonRules = { name: file, code, limit: bytes.byteLength };
  return bytes.every(isBlank) ? undefined : membersOf(parseJson(bytes, rules), file);
}

function readLogins(value: Json | undefined, at: string): ReadonlyMap<string, LoginSecret> {
  const logins = new Map<string, LoginSecret>();
  for (const [location, entry] of membersOf(value, at)) {
    const secret = readEntry(new JsonCursor(entry, `${at}[${shown(location)}]`, code));
    if (secret !== undefined) logins.set(location, secret);
  }
  return logins;
}

/** Where an entry holds several kinds of login, a token comes before a password, as docker has it. */
function readEntry(entry: JsonCursor): LoginSecret | undefined {
  const member = entry.objectOrEmpty("auth", "username", "password", "identitytoken", "registrytoken");
  const text = (key: Parameters<typeof member>[0]) => member(key).optional((here) => here.string()) ?? "";
  const [registryToken, identityToken, auth] = [text("registrytoken"), text("identitytoken"), text("auth")];
  if (registryToken !== "") return { kind: "registryToken", token: registryToken };
  if (identityToken !== "") return { kind: "identityToken", token: identityToken };
  if (auth !== "") return decodeAuth(auth, member("auth"));
  const [username, password] = [text("username"), text("password")];
  if (username === "" && password === "") return undefined;
  if (username === "") throw entry.failure("has a password but no username");
  return { kind: "password", username, password };
}

function decodeAuth(auth: string, at: JsonCursor): LoginSecret {
  const decoded = decodeBase64(auth.trim(), at);
  const colon = decoded.indexOf(":");
  if (colon < 1) throw at.failure("must be username:password in base64");
  // Some programs fill the password up with NUL, which docker therefore strips.
  const password = decoded.slice(colon + 1).replace(/^\0+|\0+$/g, "");
  return { kind: "password", username: decoded.slice(0, colon), password };
}

function decodeBase64(text: string, at: JsonCursor): string {
  if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2,3}={0,2})?$/.test(text)) throw at.failure("is not base64");
  return Buffer.from(text, "base64").toString();
}

function readHelpers(value: Json | undefined, at: string): ReadonlyMap<string, string> {
  const helpers = [...membersOf(value, at)];
  return new Map(helpers.map(([host, name]) => [host, new JsonCursor(name, `${at}[${shown(host)}]`, code).string()]));
}

/** The members of an object; none where there is no value. @throws PulleyError `CREDENTIALS_INVALID` */
function membersOf(value: Json | undefined, at: string): JsonMembers {
  if (value instanceof Map) return value;
  if (value === undefined || value === null) return new Map();
  throw new PulleyError(code, `${at}: must be an object`);
}

/** A location for messages: without a login that somebody wrote into it. */
function shown(location: string): string {
  return quote(location.slice(location.lastIndexOf("@") + 1).slice(0, 200));
}

function isBlank(byte: number): boolean {
  return byte === 0x20 || (byte >= 0x09 && byte <= 0x0d);
}
