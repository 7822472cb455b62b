import { homedir } from "node:os";
import { join } from "node:path";
import { type Command, InvalidArgumentError, Option } from "commander";
import { formatPlatform, hostPlatform, type Platform, parsePlatform } from "../image/platform.ts";
import { type ContentSharing, contentSharings } from "../node/content-sharing.ts";
import { parseSize } from "../policy/language/size.ts";
import { defaultLeastRate } from "../registry/deadlines.ts";
import { errorText } from "../support/errors.ts";
import type { Login } from "../support/login.ts";
import { repeatedOption } from "./repeated-option.ts";
import type { Surroundings } from "./surroundings.ts";
import { readTypedLogin, type TypedLoginFlags } from "./typed-login.ts";

export interface RootOptions {
  readonly root: string;
}

/** Where images are kept: `--root`, `PULLEY_ROOT`, or the usual place for root or for the user. */
export function rootOption(): Option {
  return new Option("--root <folder>", "the store's folder")
    .env("PULLEY_ROOT")
    .default(defaultRoot(), "the user's data folder, or /var/lib/pulley for root");
}

function defaultRoot(): string {
  if (process.getuid?.() === 0) return "/var/lib/pulley";
  const data = process.env["XDG_DATA_HOME"];
  return join(data === undefined || data === "" ? join(homedir(), ".local", "share") : data, "pulley");
}

export type OutputFormat = "text" | "json" | "yaml";

export interface OutputOptions {
  readonly output: OutputFormat;
}

export function outputOption(): Option {
  return new Option("-o, --output <format>", "how to print").choices(["text", "json", "yaml"]).default("text");
}

export interface RegistryFlags extends HostsFlags {
  readonly plainHttp?: true;
  /** Bytes a second. */
  readonly leastRate?: number;
  readonly certDir?: readonly string[];
  readonly allowRedirect?: readonly string[];
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
    "folders of containerd's hosts.toml files, as its config_path: separated by colons, none if empty",
  )
    .env("PULLEY_HOSTS_DIR")
    .default(hostsDir);
}

const certDirs = ["/etc/docker/certs.d", "/etc/containers/certs.d"];

/** How registries are spoken to. */
export function registryOptions(command: Command): Command {
  return command
    .addOption(hostsDirOption())
    .addOption(
      new Option("--least-rate <bytes>", "bytes a second that a layer has to come at over five minutes, 0: any")
        .argParser(readRate)
        .default(defaultLeastRate, "1Ki"),
    )
    .addOption(
      repeatedOption(
        "--allow-redirect <host>",
        "a host, with or without a port, to which every registry may redirect, on loopback and link-local addresses, too; may be repeated",
      ),
    )
    .addOption(new Option("--plain-http", "speak plain HTTP with every registry, not only with those on loopback"))
    .addOption(
      repeatedOption(
        "--cert-dir <folder>",
        "a folder with certificates for registries, laid out as docker's certs.d: <host:port>/*.crt, *.cert, *.key; may be repeated",
        { values: certDirs, words: certDirs.join(", ") },
      ),
    );
}

function readRate(text: string): number {
  if (text === "0") return 0;
  const size = parseSize(text);
  if ("problem" in size) throw new InvalidArgumentError(size.problem);
  return size.value.bytes;
}

/** With which login. */
export function loginOptions(command: Command, surroundings: Surroundings): Command {
  return command
    .hook("preAction", async (_command, called) => {
      const given: LoginFlags = called.opts();
      const inputs = [called.args, called.opts()["filename"], called.opts()["policy"]];
      const typed = await readTypedLogin(given, called.getOptionValueSource("creds") === "cli", inputs, surroundings);
      if (typed !== undefined) called.setOptionValue("typedLogin", typed);
    })
    .option("--username <user>", "the user of the login to use, whose password --password-stdin reads")
    .option("--password-stdin", "read that password from standard input: it is in no list of processes")
    .addOption(
      new Option(
        "--creds <user:password>",
        "the login to use; everybody on the machine sees it in the list of processes, unless it comes from the environment",
      ).env("PULLEY_CREDS"),
    )
    .addOption(new Option("--authfile <file>", "a docker or containers login file").env("REGISTRY_AUTH_FILE"));
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
      "a CredentialProviderConfig as the kubelet's, or a folder of them",
    )
    .option("--image-credential-provider-bin-dir <folder>", "where the programs of the credential providers are");
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

export function platformOption(): Option {
  const host = hostPlatform(process.platform, process.arch);
  return new Option("--platform <os/arch>", "the platform to pull for, with a variant where it has one: linux/arm/v7")
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

/** The examples at the end of a command's help. */
export function examples(...lines: readonly (readonly [call: string, purpose: string])[]): string {
  return `\nExamples:\n${lines.map(([call, purpose]) => `  # ${purpose}\n  ${call}`).join("\n\n")}\n`;
}
