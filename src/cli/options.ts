import { isAbsolute, join } from "node:path";
import { type Command, InvalidArgumentError, Option } from "commander";
import { formatPlatform, hostPlatform, type Platform, parsePlatform } from "../image/index.ts";
import { parseSize } from "../policy/index.ts";
import { type ContentSharing, contentSharings } from "../pull/index.ts";
import { defaultLeastRate } from "../registry/index.ts";
import { errorText, PulleyError } from "../support/errors.ts";
import { homeFolder } from "../support/home.ts";
import type { Login } from "../support/login.ts";
import type { Io } from "./io.ts";
import { clusterOption, type PolicyOptions, policyOption } from "./policy-option.ts";
import { readTypedLogin, type TypedLoginFlags } from "./typed-login.ts";

export interface RootOptions {
  readonly root: string;
}

/** Where images are kept: `--root`, `PULLEY_ROOT`, or the usual place for root or for the user. */
export function rootOption(): Option {
  return new Option("--root <folder>", "the folder of the store")
    .env("PULLEY_ROOT")
    .default(defaultRoot(), "the user's data folder, or /var/lib/pulley for root");
}

function defaultRoot(): string {
  if (process.getuid?.() === 0) return "/var/lib/pulley";
  const data = process.env["XDG_DATA_HOME"];
  return join(data === undefined || data === "" ? join(homeFolder(), ".local", "share") : data, "pulley");
}

export type OutputFormat = "text" | "json" | "yaml";

export interface OutputOptions {
  readonly output: OutputFormat;
}

export function outputOption(): Option {
  return new Option("-o, --output <format>", "the format of the output")
    .choices(["text", "json", "yaml"])
    .default("text");
}

export interface RegistryFlags extends HostsFlags {
  readonly plainHttp?: true;
  /** Bytes a second. */
  readonly leastRate?: number;
  readonly certDir?: readonly string[];
  readonly allowRedirect?: readonly string[];
  readonly allowForeignLayers?: readonly string[];
}

export interface LoginFlags extends TypedLoginFlags {
  readonly creds?: string;
  /** The login of those two, once its password has been read. */
  readonly typedLogin?: Login;
  readonly authfile?: string;
}

export interface HostsFlags {
  readonly hostsDir?: string;
}

/** Where containerd's documentation has its `config_path`, and its newer versions look by themselves. */
const hostsDir = "/etc/containerd/certs.d";

/** Where registries are asked: what an operator has set up for containerd holds for Pulley on the same machine. */
export function hostsDirOption(): Option {
  return new Option(
    "--hosts-dir <folders>",
    "the folders with containerd's hosts.toml files (its config_path), separated by colons; empty: none",
  )
    .env("PULLEY_HOSTS_DIR")
    .default(hostsDir);
}

const certDirs = ["/etc/docker/certs.d", "/etc/containers/certs.d"];

/** How registries are spoken to. */
export function registryOptions(command: Command): Command {
  return registryHostOptions(command)
    .addOption(
      repeatedOption(
        "--allow-foreign-layers <host>",
        "ask this host (HOST or HOST:PORT), too, for foreign layers that a registry does not have, if the image names it; may be repeated",
        { read: readHost },
      ),
    )
    .addOption(
      new Option(
        "--least-rate <bytes>",
        "give up on a layer that arrives slower than this, in bytes a second over five minutes; 0: never",
      )
        .argParser(readRate)
        .default(defaultLeastRate, "1Ki"),
    );
}

/** How they are spoken to where nothing is pulled. */
export function registryHostOptions(command: Command): Command {
  return command
    .addOption(hostsDirOption())
    .addOption(
      repeatedOption(
        "--allow-redirect <host>",
        "let every registry redirect to this host (HOST or HOST:PORT), wherever it is; may be repeated",
        { read: readHost },
      ),
    )
    .addOption(
      new Option("--plain-http", "speak HTTP without TLS to every registry, not only to those on this machine"),
    )
    .addOption(
      repeatedOption(
        "--cert-dir <folder>",
        "a folder with the certificates of registries, as docker's certs.d has them: <host:port>/*.crt, *.cert, *.key; may be repeated",
        { usual: { values: certDirs, words: certDirs.join(", ") } },
      ),
    );
}

/** A host as addresses have it. */
function readHost(text: string): string {
  const address = `https://${text}`;
  const isHost = !/[\s/@?#*,]/.test(text) && URL.canParse(address);
  if (isHost) return new URL(address).host;
  throw new InvalidArgumentError("it must be a host, HOST or HOST:PORT; give the option once for each.");
}

function readRate(text: string): number {
  if (text === "0") return 0;
  const size = parseSize(text);
  if ("problem" in size) throw new InvalidArgumentError(size.problem);
  return size.value.bytes;
}

/** With which login. */
export function loginOptions(command: Command, io: Io): Command {
  return command
    .hook("preAction", async (_command, called) => {
      const given: LoginFlags = called.opts();
      const inputs = [called.args, called.opts()["filename"], called.opts()["policy"]];
      const typed = await readTypedLogin(given, called.getOptionValueSource("creds") === "cli", inputs, io);
      if (typed !== undefined) called.setOptionValue("typedLogin", typed);
    })
    .option("--username <user>", "the user name to log in with; --password-stdin reads the password")
    .option("--password-stdin", "read the password from standard input, where no list of processes shows it")
    .addOption(
      new Option(
        "--creds <user:password>",
        "the login to use; better in the environment, since everybody on a machine can read its command lines",
      ).env("PULLEY_CREDS"),
    )
    .addOption(authfileOption());
}

export function authfileOption(): Option {
  return new Option(
    "--authfile <file>",
    "the login file to use, of docker or podman, in the place of the usual ones",
  ).env("REGISTRY_AUTH_FILE");
}

/** Named as the kubelet's. */
export interface CredentialProviderFlags {
  readonly imageCredentialProviderConfig?: string;
  readonly imageCredentialProviderBinDir?: string;
}

/** Which programs to ask for logins. */
export function credentialProviderOptions(command: Command): Command {
  return command
    .option(
      "--image-credential-provider-config <path>",
      "the kubelet's CredentialProviderConfig: a file, or a folder of files",
    )
    .option("--image-credential-provider-bin-dir <folder>", "the folder with the programs of the credential providers");
}

export interface ContentSharingOptions {
  readonly contentSharing: ContentSharing;
}

/** Named as containerd's `content_sharing_policy`. */
export function contentSharingOption(): Option {
  return new Option(
    "--content-sharing <policy>",
    "isolated: what is here is used for a repository that has given it before; shared: for any that names its digest",
  )
    .choices([...contentSharings])
    .default("isolated");
}

export interface PlatformOptions {
  readonly platform: Platform;
}

export function platformOption(purpose = "the platform to pull for"): Option {
  const host = hostPlatform(process.platform, process.arch);
  return new Option("--platform <os/arch>", `${purpose}, as linux/arm64 or linux/arm/v7`)
    .argParser(readPlatform)
    .default(host, formatPlatform(host));
}

function readPlatform(text: string): Platform {
  try {
    return parsePlatform(text);
  } catch (error) {
    throw new InvalidArgumentError(errorText(error));
  }
}

interface RepeatedOption {
  /** What holds where it is not given, and how the help says it. */
  readonly usual?: { readonly values: readonly string[]; readonly words: string };
  /** What to make of each value; throws commander's `InvalidArgumentError` for one that is none. */
  readonly read?: (value: string) => string;
}

/**
 * An option with one value that may be given again: its values become a list. Options that take as many words as follow
 * (commander's `<value...>`) are not used, since they swallow the argument behind them.
 */
export function repeatedOption(flags: string, description: string, { usual, read }: RepeatedOption = {}): Option {
  const option = new Option(flags, description).argParser((given: string, before: readonly string[] | undefined) => {
    const value = read?.(given) ?? given;
    return before === undefined || before === usual?.values ? [value] : [...before, value];
  });
  return usual === undefined ? option : option.default(usual.values, usual.words);
}

/** `-f`, as kubectl has it. */
export interface FilenameFlags {
  readonly filename?: readonly string[];
}

/** Another way to name what the command's arguments name, for those whose fingers type kubectl's `-f`. */
export function filenameOption(): Option {
  return repeatedOption("-f, --filename <file>", "a file, a folder, or - to read, as an argument is; may be repeated");
}

/** What is named with `-f` and without. @throws PulleyError `USAGE` where nothing is */
export function namedFiles(words: readonly string[], { filename = [] }: FilenameFlags): readonly string[] {
  const named = [...words, ...filename];
  if (named.length > 0) return named;
  throw new PulleyError("USAGE", "no file and no image is named", {
    advice: "Name a manifest, a folder, - for standard input, or an image; --help shows how.",
  });
}

export function runtimeOption(purpose: string): Option {
  return new Option("--runtime <socket>", purpose).argParser(readSocket);
}

/** `unix:///run/containerd/containerd.sock`, or the path alone. */
function readSocket(text: string): string {
  const path = text.startsWith("unix://") ? text.slice("unix://".length) : text;
  if (!isAbsolute(path)) {
    throw new InvalidArgumentError("it is no socket: write it as unix:///run/containerd/containerd.sock");
  }
  return path;
}

export type CommonOptions = RootOptions & OutputOptions & PlatformOptions & RegistryFlags & LoginFlags & PolicyOptions;

/** What commands have in common that decide on images as a node would: the policy, the platform, the store, registries. */
export function commonOptions(command: Command, io: Io, platformPurpose?: string): Command {
  return registryOptions(loginOptions(command, io))
    .addOption(policyOption())
    .addOption(clusterOption())
    .addOption(platformOption(platformPurpose))
    .addOption(outputOption())
    .addOption(rootOption());
}

/** The examples at the end of a command's help. */
export function examples(...lines: readonly (readonly [call: string, purpose: string])[]): string {
  return `\nExamples:\n${lines.map(([call, purpose]) => `  # ${purpose}\n  ${call}`).join("\n\n")}\n`;
}
