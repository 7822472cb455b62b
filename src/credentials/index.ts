/** Where logins come from: Secrets, login files, helpers, credential providers. */
export { clientFiles, clientLogins, readClientFile, secretFor } from "./client-logins.ts";
export { type NamedServer, parseServer, serverOf } from "./docker-server.ts";
export { type CredentialProviders, openCredentialProviders } from "./exec/index.ts";
export type { PluginRun } from "./exec/plugin.ts";
export type { ProviderNote } from "./exec/provider.ts";
export { givenAccounts, type ServiceAccountFacts, type ServiceAccounts } from "./exec/service-accounts.ts";
export type { HelperDeps } from "./helper.ts";
export { decodeGoBase64 } from "./kubelet-config.ts";
export { type LoginFile, loginFilePath, openLoginFile } from "./login-file.ts";
export { nodeFileLogins } from "./node-files.ts";
export { commandLineLogin, loginsFor, secretNotes } from "./pull-secrets.ts";
export { entriesFor, removeLogin, storedLogin, storeLogin } from "./stored-logins.ts";
export type { LoginSource, SecretNotes } from "./types.ts";
