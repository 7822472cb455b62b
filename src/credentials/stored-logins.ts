/** Keeping a person's logins where docker keeps them: with a credential helper if one is configured, or else in the file. */
import { removeMember, setMember } from "../support/json-edit.ts";
import type { LoginSecret } from "../support/login.ts";
import { helperFor, secretFor } from "./client-logins.ts";
import type { DockerConfig } from "./docker-config.ts";
import { helperServersOf, hostOf, type NamedServer, pathOf, serverOf } from "./docker-server.ts";
import { askHelper, eraseFromHelper, type HelperDeps, storeInHelper } from "./helper.ts";
import type { LoginFile } from "./login-file.ts";

/** The login to a registry, should there be one. @throws PulleyError `CREDENTIAL_HELPER_FAILED` */
export async function storedLogin(
  { config }: LoginFile,
  registry: string,
  deps: HelperDeps,
): Promise<LoginSecret | undefined> {
  const helper = helperFor(config, registry);
  if (helper === undefined) return secretFor(config.logins, { registry, path: "" });
  for (const server of helperServersOf(registry)) {
    const secret = await askHelper(helper, server, deps);
    if (secret !== undefined) return secret;
  }
  return undefined;
}

/**
 * Keeps a login to a registry. Beside a helper, the file has an entry without a login, as docker leaves it: so none that
 * stood there before stays.
 * @returns the helper that keeps it; `undefined` if the file does, which does not encrypt it
 * @throws PulleyError `CREDENTIAL_HELPER_FAILED`, `OUTPUT_UNWRITABLE`
 */
export async function storeLogin(
  file: LoginFile,
  registry: string,
  login: Extract<LoginSecret, { kind: "password" }>,
  deps: HelperDeps,
): Promise<string | undefined> {
  const server = serverOf(registry);
  const helper = helperFor(file.config, registry);
  if (helper !== undefined) await storeInHelper(helper, server, login, deps);
  const auth = Buffer.from(`${login.username}:${login.password}`).toString("base64");
  await file.change(({ text }) => setMember(text, ["auths", server], helper === undefined ? { auth } : {}));
  return helper;
}

/**
 * Forgets the login to a registry, under every name that docker and podman have for the whole of it; or podman's for a
 * path in it, which no helper has. As docker does, it asks a helper for no login, so one that cannot give any forgets
 * them too.
 * @returns whether there was one
 * @throws PulleyError as {@link storeLogin}; if it is the helper that fails, the file has forgotten the login
 */
export async function removeLogin(
  file: LoginFile,
  { registry, path }: NamedServer,
  deps: HelperDeps,
): Promise<boolean> {
  const helper = path === "" ? helperFor(file.config, registry) : undefined;
  let kept = entriesFor(file.config, { registry, path }).length > 0;
  if (kept) {
    await file.change(({ config, text }) =>
      entriesFor(config, { registry, path }).reduce((rest, entry) => removeMember(rest, ["auths", entry]), text),
    );
  }
  if (helper === undefined) return kept;
  for (const server of helperServersOf(registry)) {
    const had = await eraseFromHelper(helper, server, deps);
    kept ||= had;
  }
  return kept;
}

/** The places of a file that mean just this registry, or this path in it. */
export function entriesFor({ locations }: DockerConfig, { registry, path }: NamedServer): readonly string[] {
  return locations.filter((location) => hostOf(location) === hostOf(registry) && pathOf(location) === path);
}
