/** What `pulley node` is told of its mirror. */
import { type Command, InvalidArgumentError, Option } from "commander";
import type { DaemonOptions } from "../daemon/index.ts";
import { PulleyError } from "../support/errors.ts";
import { readInputFile } from "./inputs.ts";
import { repeatedOption } from "./repeated-option.ts";

export interface MirrorFlags {
  readonly mirror?: string;
  readonly mirrorCert?: string;
  readonly mirrorKey?: string;
  readonly mirrorPlainHttp?: true;
  readonly mirrorRegistries?: readonly string[];
  readonly mirrorOpen?: true;
  readonly mirrorPeerConnections?: number;
}

export function mirrorOptions(command: Command): Command {
  return command
    .addOption(new Option("--mirror <address>", "serve the images as a registry for reading there, as 127.0.0.1:5000"))
    .addOption(
      repeatedOption(
        "--mirror-registries <host>",
        "a registry that the mirror stands for; may be repeated (default: all)",
      ),
    )
    .option("--mirror-cert <file>", "the mirror's certificate chain in PEM, needed to serve other machines")
    .option("--mirror-key <file>", "the key of that certificate in PEM")
    .option("--mirror-plain-http", "serve other machines without TLS, on a network that protects it")
    .option("--mirror-open", "give everything to everybody who reaches it, without asking registries who may")
    .addOption(
      new Option(
        "--mirror-peer-connections <count>",
        "how many connections one address may have to it at once (default: 256)",
      ).argParser(readConnections),
    );
}

/** @throws PulleyError `USAGE`, `INPUT_UNREADABLE` */
export function readMirror(flags: MirrorFlags): DaemonOptions["mirror"] {
  const { mirror: address, mirrorCert, mirrorKey, mirrorPlainHttp, mirrorRegistries, mirrorOpen } = flags;
  const { mirrorPeerConnections: connectionsPerPeer } = flags;
  const others = [mirrorCert, mirrorKey, mirrorPlainHttp, mirrorRegistries, mirrorOpen, connectionsPerPeer];
  if (address === undefined) {
    if (others.every((flag) => flag === undefined)) return undefined;
    throw new PulleyError("USAGE", "something is said about the mirror, but not where it is to listen", {
      advice: "Give its address with --mirror, for example --mirror 127.0.0.1:5000.",
    });
  }
  return {
    address,
    tls: readTls(mirrorCert, mirrorKey),
    plainHttp: mirrorPlainHttp,
    registries: mirrorRegistries,
    openToAll: mirrorOpen,
    limits: connectionsPerPeer === undefined ? {} : { connectionsPerPeer },
  };
}

function readConnections(text: string): number {
  const count = /^[0-9]{1,6}$/.test(text) ? Number(text) : 0;
  if (count > 0) return count;
  throw new InvalidArgumentError("a number of connections, from 1 on, as 256");
}

function readTls(certificate: string | undefined, key: string | undefined) {
  if (certificate === undefined && key === undefined) return undefined;
  if (certificate === undefined || key === undefined) {
    throw new PulleyError("USAGE", "a certificate and its key belong together", {
      advice: "Give both --mirror-cert and --mirror-key.",
    });
  }
  return { certificate: readInputFile(certificate).text, key: readInputFile(key).text };
}
