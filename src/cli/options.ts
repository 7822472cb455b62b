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

/** The directory of the store: `--root`, `PULLEY_ROOT`, or the default for root or for the user. */
export function rootOption(): Option {
  return new Option("--root <dir>", "Directory of the image store")
    .env("PULLEY_ROOT")
    .default(defaultRoot(), "/var/lib/pulley for root, else pulley in the user's data directory");
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

export function outputOption(formats: readonly string[] = ["text", "json", "yaml"]): Option {
  return new Option("-o, --output <format>", "Output format").choices([...formats]).default("text");
}

export interface RegistryFlags extends HostsFlags {
  readonly plainHttp?: true;
  /** Bytes per second. */
  readonly leastRate?: number;
  readonly certDir?: readonly string[];
  readonly allowRedirect?: readonly string[];
  readonly allowForeignLayers?: readonly string[];
}

export interface LoginFlags extends TypedLoginFlags {
  readonly creds?: string;
  /** The login of `--username`, once its password has been read. */
  readonly typedLogin?: Login;
  readonly authfile?: string;
}

export interface HostsFlags {
  readonly hostsDir?: string;
}

/** The `config_path` in containerd's documentation, and the default of its newer versions. */
const hostsDir = "/etc/containerd/certs.d";

/** Hosts of registries: the configuration for containerd applies to Pulley on the same machine. */
export function hostsDirOption(): Option {
  return new Option(
    "--hosts-dir <dirs>",
    "Directories with containerd's hosts.toml files (its config_path), separated by colons; empty: none",
  )
    .env("PULLEY_HOSTS_DIR")
    .default(hostsDir);
}

const certDirs = ["/etc/docker/certs.d", "/etc/containers/certs.d"];

/** Options for connections to registries. */
export function registryOptions(command: Command): Command {
  return registryHostOptions(command)
    .addOption(
      repeatedOption(
        "--allow-foreign-layers <host>",
        "Also download foreign layers from this host (HOST or HOST:PORT) if the image names it and the registry does not have them; can be repeated",
        { read: readHost },
      ),
    )
    .addOption(
      new Option(
        "--least-rate <bytes>",
        "Minimum download speed of a layer in bytes per second, averaged over 5 minutes; a slower download is stopped. 0: no minimum",
      )
        .argParser(readRate)
        .default(defaultLeastRate, "1Ki"),
    );
}

/** The ones for commands that pull no images. */
export function registryHostOptions(command: Command): Command {
  return command
    .addOption(hostsDirOption())
    .addOption(
      repeatedOption(
        "--allow-redirect <host>",
        "Follow redirects of every registry to this host (HOST or HOST:PORT), whatever its address; can be repeated",
        { read: readHost },
      ),
    )
    .addOption(
      new Option("--plain-http", "Use HTTP without TLS for every registry, not only for those on this machine"),
    )
    .addOption(
      repeatedOption(
        "--cert-dir <dir>",
        "Directory with certificates for registries, laid out like docker's certs.d: <host:port>/*.crt, *.cert, *.key; can be repeated",
        { usual: { values: certDirs, words: certDirs.join(", ") } },
      ),
    );
}

/** Parses HOST or HOST:PORT. */
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

/** Options for the login of the user. */
export function loginOptions(command: Command, io: Io): Command {
  return command
    .hook("preAction", async (_command, called) => {
      const given: LoginFlags = called.opts();
      const inputs = [called.args, ...["filename", "from", "policy", "teams"].map((name) => called.opts()[name])];
      const typed = await readTypedLogin(given, called.getOptionValueSource("creds") === "cli", inputs, io);
      if (typed !== undefined) called.setOptionValue("typedLogin", typed);
    })
    .option("--username <user>", "User name for the registry; needs --password-stdin")
    .option("--password-stdin", "Read the password from standard input")
    .addOption(
      new Option(
        "--creds <user:password>",
        "User name and password for the registry; use the environment variable where other users can see the process list",
      ).env("PULLEY_CREDS"),
    )
    .addOption(authfileOption());
}

export function authfileOption(): Option {
  return new Option("--authfile <file>", "Login file of docker or podman to use instead of the default ones").env(
    "REGISTRY_AUTH_FILE",
  );
}

/** Named as the flags of the kubelet. */
export interface CredentialProviderFlags {
  readonly imageCredentialProviderConfig?: string;
  readonly imageCredentialProviderBinDir?: string;
}

/** Options for credential providers. */
export function credentialProviderOptions(command: Command): Command {
  return command
    .option(
      "--image-credential-provider-config <path>",
      "CredentialProviderConfig of the kubelet: a file, or a directory of files",
    )
    .option("--image-credential-provider-bin-dir <dir>", "Directory with the credential provider programs");
}

export interface ContentSharingOptions {
  readonly contentSharing: ContentSharing;
}

/** Named as containerd's `content_sharing_policy`. */
export function contentSharingOption(): Option {
  return new Option(
    "--content-sharing <policy>",
    "Which repositories may use a blob that is in the store; isolated: only those that it was pulled from; shared: all that name its digest",
  )
    .choices([...contentSharings])
    .default("isolated");
}

export interface PlatformOptions {
  readonly platform: Platform;
}

export function platformOption(purpose = "Platform to pull images for"): Option {
  const host = hostPlatform(process.platform, process.arch);
  return new Option("--platform <os/arch>", `${purpose}, such as linux/arm64 or linux/arm/v7`)
    .argParser(readPlatform)
    .default(host, formatPlatform(host));
}

export function readPlatform(text: string): Platform {
  try {
    return parsePlatform(text);
  } catch (error) {
    throw new InvalidArgumentError(errorText(error));
  }
}

interface RepeatedOption {
  /** The default, and its text in the help. */
  readonly usual?: { readonly values: readonly string[]; readonly words: string };
  /** Parses each value; throws commander's `InvalidArgumentError` if it is invalid. */
  readonly read?: (value: string) => string;
}

/**
 * An option that can be repeated: its values become a list. Variadic options (commander's `<value...>`) are not used,
 * because they take the arguments behind them as values.
 */
export function repeatedOption(flags: string, description: string, { usual, read }: RepeatedOption = {}): Option {
  const option = new Option(flags, description).argParser((given: string, before: readonly string[] | undefined) => {
    const value = read?.(given) ?? given;
    return before === undefined || before === usual?.values ? [value] : [...before, value];
  });
  return usual === undefined ? option : option.default(usual.values, usual.words);
}

/** `-f`, as in kubectl. */
export interface FilenameFlags {
  readonly filename?: readonly string[];
}

/** Another way to give the arguments of a command, as kubectl's `-f`. */
export function filenameOption(): Option {
  return repeatedOption(
    "-f, --filename <file>",
    "File or directory to read, or - for standard input, same as an argument; can be repeated",
  );
}

/** The files given as arguments and with `-f`. @throws PulleyError `USAGE` if there are none */
export function namedFiles(words: readonly string[], { filename = [] }: FilenameFlags): readonly string[] {
  const named = [...words, ...filename];
  if (named.length > 0) return named;
  throw new PulleyError("USAGE", "there is no file and no image to read", {
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
    throw new InvalidArgumentError("it must be a socket, such as unix:///run/containerd/containerd.sock");
  }
  return path;
}

export type CommonOptions = RootOptions & OutputOptions & PlatformOptions & RegistryFlags & LoginFlags & PolicyOptions;

/** The options of the commands that decide on images as a node would. */
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
