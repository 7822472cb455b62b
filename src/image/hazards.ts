import { quote } from "../support/go.ts";
import type { ContainerConfig } from "./config.ts";

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const control = /[\u0000-\u001f\u007f]/;
const largestId = 2n ** 31n - 1n;

/**
 * What in an image's configuration would endanger a host that used it as it is. Each of these has been an attack:
 * ids that overflow to root (CVE-2024-40635), a line break that ends up in /etc/passwd (CVE-2022-4318), a volume
 * outside of the container (CVE-2022-23648), a working directory that is a leaked descriptor (CVE-2024-21626).
 */
export function configHazards(config: ContainerConfig): readonly string[] {
  return [
    ...userHazards(config.user ?? ""),
    ...(config.env ?? []).flatMap(variableHazards),
    ...(config.volumes ?? []).flatMap((path) => pathHazards("volume", path)),
    ...pathHazards("working directory", config.workingDir ?? ""),
  ];
}

function userHazards(user: string): string[] {
  if (control.test(user)) return [`the user ${shown(user)} has a control character`];
  const beyond = user.split(":").some((id) => /^[0-9]+$/.test(id) && BigInt(id.slice(0, 20)) > largestId);
  return beyond ? [`the user ${shown(user)} has an id that is larger than ${largestId}`] : [];
}

/** Values may have several lines, as certificates do, save HOME's, which is written into /etc/passwd. */
function variableHazards(variable: string): string[] {
  const equals = variable.indexOf("=");
  const name = equals < 0 ? variable : variable.slice(0, equals);
  if (name === "" || control.test(name)) return [`the variable ${shown(variable)} has no sound name`];
  const forbidden = name === "HOME" ? control : /\0/;
  return forbidden.test(variable) ? [`the variable ${quote(name)} has a control character`] : [];
}

function pathHazards(kind: string, path: string): string[] {
  if (control.test(path)) return [`the ${kind} ${shown(path)} has a control character`];
  if (path.split("/").includes("..")) return [`the ${kind} ${shown(path)} leads upwards`];
  return /^\/+proc\/+(?:self|thread-self|[0-9]+)\//.test(path) ? [`the ${kind} ${shown(path)} is a process's own`] : [];
}

function shown(text: string): string {
  return quote(text.length > 100 ? `${text.slice(0, 100)}…` : text);
}
