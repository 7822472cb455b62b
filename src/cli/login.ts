import type { Command } from "commander";
import {
  clientFiles,
  type HelperDeps,
  type LoginFile,
  loginFilePath,
  type NamedServer,
  openLoginFile,
  parseServer,
  readClientFile,
  secretFor,
  serverOf,
  storedLogin,
  storeLogin,
} from "../credentials/index.ts";
import { systemClock } from "../support/clock.ts";
import { atPlace, isPulleyError, PulleyError } from "../support/errors.ts";
import { homeFolder } from "../support/home.ts";
import { Login, type LoginSecret } from "../support/login.ts";
import type { CommandIo, Io } from "./io.ts";
import { authfileOption, examples, type RegistryFlags, registryHostOptions } from "./options.ts";
import { printLine, printLines, warnOn } from "./printing.ts";
import { promptFor } from "./prompt.ts";
import { registryClient } from "./registry.ts";
import { readPassword } from "./typed-login.ts";

interface LoginOptions extends RegistryFlags {
  readonly username?: string;
  readonly password?: string;
  readonly passwordStdin?: true;
  readonly authfile?: string;
}

type Password = Extract<LoginSecret, { kind: "password" }>;

export function define(command: Command, io: CommandIo): void {
  registryHostOptions(command)
    .argument("[server]", "Registry, as HOST or HOST:PORT (default: Docker Hub)")
    .option("-u, --username <user>", "User name (default: asked for on the terminal)")
    .option(
      "-p, --password <password>",
      "Password or access token; visible to other users in the process list, so prefer --password-stdin",
    )
    .option("--password-stdin", "Read the password from standard input")
    .addOption(authfileOption())
    .addHelpText(
      "after",
      examples(
        ["pulley login registry.acme.io", "Ask for user name and password, check them, and store them as docker does"],
        [
          "pulley login --username ci --password-stdin registry.acme.io < token",
          "Log in from a script, without the password in the process list",
        ],
      ),
    )
    .action(io.withStatus((server: string | undefined, options: LoginOptions) => logIn(server, options, io)));
}

async function logIn(words: string | undefined, options: LoginOptions, io: Io): Promise<number> {
  checkOptions(options, io);
  const server = parseServer(words ?? "docker.io");
  const { registry } = server;
  const keeping = helperDeps(io);
  const file = await openLoginFile(loginFile(options, io));
  if (server.path !== "") {
    warnOn(io)(`the login is stored for all of ${registry}: docker's login files have none for /${server.path}`);
  }
  const show = async (login: LoginSecret) => {
    const isAsked = await showTo(server, new Login("typed", login), options);
    if (!isAsked) warnOn(io)(`${registry} does not ask for a login, so this one could not be checked`);
  };
  if (options.username === undefined && options.password === undefined) {
    const known = await keptLogin(file, registry, io);
    if (known !== undefined && (await isStillGood(known, show, io))) {
      printLine("stdout", "Login Succeeded", io);
      return 0;
    }
  }
  const login = await askForLogin(server, options, io);
  await show(login);
  const helper = await storeLogin(file, registry, login, keeping);
  if (helper === undefined) printLines("stderr", storedInTheClear(file.path), io);
  if (helper === undefined && file.isOpen) {
    warnOn(io)(`other users can read ${file.path}: run chmod 600 ${file.path}`);
  }
  await warnOfOthers(file, registry, options, io);
  printLine("stdout", "Login Succeeded", io);
  return 0;
}

/** The stored login. If a credential helper fails, the user can still type one. */
async function keptLogin(file: LoginFile, registry: string, io: Io): Promise<LoginSecret | undefined> {
  try {
    return await storedLogin(file, registry, helperDeps(io));
  } catch (error) {
    if (!isPulleyError(error, "CREDENTIAL_HELPER_FAILED") || io.stdin.isTTY !== true) throw error;
    warnOn(io)(error.message);
    return undefined;
  }
}

/** The path of the login file. */
export function loginFile({ authfile }: { readonly authfile?: string }, { environment }: Io): string {
  return loginFilePath({ environment, home: homeFolder(), uid: process.getuid?.(), authFile: authfile });
}

/** Without PULLEY_CREDS, which is not meant for helper programs. */
export function helperDeps({ environment }: Io): HelperDeps {
  const { PULLEY_CREDS: _, ...others } = environment;
  return { environment: others, clock: systemClock };
}

function checkOptions({ username, password, passwordStdin }: LoginOptions, io: Io): void {
  const refuse = (message: string, advice: string) => new PulleyError("USAGE", message, { advice });
  if (password !== undefined) {
    if (passwordStdin) throw refuse("--password and --password-stdin are mutually exclusive", "Give --password-stdin.");
    warnOn(io)("Using --password via the CLI is insecure. Use --password-stdin.");
  }
  if (passwordStdin && username === undefined) {
    throw refuse("must provide --username with --password-stdin", "Give both, or neither.");
  }
  if (username === "") throw refuse("username is empty", "Write --username USER.");
  if (username !== undefined) expectNoColon(username);
  if (password === "") throw refuse("password is empty", "Write it to standard input, with --password-stdin.");
}

/** @throws PulleyError `USAGE`, `CANCELLED`, never with the password */
async function askForLogin(
  { registry }: NamedServer,
  { username: given, password: typed, passwordStdin }: LoginOptions,
  io: Io,
): Promise<Password> {
  if (passwordStdin) {
    const password = await readPassword(io.stdin);
    return { kind: "password", username: given ?? "", password: present("password", password) };
  }
  if (given === undefined && io.stdin.isTTY && registry === "docker.io") {
    const words = "Log in with your Docker ID or email address, and a password or a personal access token.";
    printLine("errors", words, io);
  }
  const username = given ?? present("username", (await promptFor("Username: ", false, io)).trim());
  expectNoColon(username);
  const password = typed ?? present("password", await promptFor("Password: ", true, io));
  return { kind: "password", username, password };
}

/** HTTP basic authentication and login files end the user name at the first colon. */
function expectNoColon(username: string): void {
  if (!username.includes(":")) return;
  throw new PulleyError("USAGE", "a user name cannot contain a colon", { advice: "Give the password separately." });
}

function present(what: string, text: string): string {
  if (text !== "") return text;
  throw new PulleyError("USAGE", `${what} is empty`, { advice: "Run the command again, and give one." });
}

/** @returns whether the registry asked for a login @throws PulleyError `REGISTRY_UNAUTHORIZED`, or as any request */
async function showTo({ registry }: NamedServer, login: Login, options: LoginOptions): Promise<boolean> {
  const client = registryClient(options);
  try {
    return await client.logIn(registry, { login });
  } catch (error) {
    throw atPlace(`login to ${registry}`, error);
  } finally {
    await client.close();
  }
}

/** Whether the registry still accepts the stored login. */
async function isStillGood(login: LoginSecret, show: (login: LoginSecret) => Promise<void>, io: Io): Promise<boolean> {
  const whose = login.kind === "password" ? ` [Username: ${login.username}]` : "";
  printLine("stderr", `Authenticating with existing credentials...${whose}`, io);
  try {
    await show(login);
    return true;
  } catch (error) {
    if (!isPulleyError(error, "REGISTRY_UNAUTHORIZED") || io.stdin.isTTY !== true) throw error;
    printLine("stderr", `Login did not succeed, error: ${error.message}`, io);
    return false;
  }
}

/** The warning of docker. */
function storedInTheClear(path: string): readonly string[] {
  return [
    "",
    `WARNING! Your credentials are stored unencrypted in '${path}'.`,
    "Configure a credential helper to remove this warning. See",
    "https://docs.docker.com/go/credential-store/",
    "",
  ];
}

/** Podman's files take precedence over docker's: a login there would be used instead of the new one. */
async function warnOfOthers({ path }: LoginFile, registry: string, { authfile }: LoginOptions, io: Io): Promise<void> {
  const { environment } = io;
  for (const file of clientFiles({ environment, home: homeFolder(), uid: process.getuid?.(), authFile: authfile })) {
    if (file.path === path) return;
    const config = await readClientFile(file).catch(() => undefined);
    if (config !== undefined && secretFor(config.logins, { registry, path: "" }) !== undefined) {
      warnOn(io)(`${file.path} also has a login for ${serverOf(registry)}, and takes precedence over ${path}`);
    }
  }
}
