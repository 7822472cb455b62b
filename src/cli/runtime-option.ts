import { isAbsolute } from "node:path";
import { InvalidArgumentError, Option } from "commander";

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
