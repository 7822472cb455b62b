/** The text of a hosts.toml. */
import type { HostSettings } from "../host-settings.ts";
import type { HostsText, HostText } from "./convert.ts";

/**
 * @param from the files that it was made of, for its first line
 * @param certificates what lies in containers' certs.d for a host, which containerd does not look into
 */
export function hostsToml(
  { hosts, server }: HostsText,
  from: readonly string[],
  certificates: (host: string) => Pick<HostSettings, "authorities" | "own">,
): string {
  // A file without a table of a host is one that containerd 1.6 refuses.
  const tables = hosts.length > 0 ? hosts : [server];
  const blocks = [
    [`# Made of ${from.map((file) => file.replaceAll(/[\p{C}]/gu, "?")).join(", ")} by pulley hosts import.`],
    [`server = ${text(server.address)}`, ...settings(server, certificates)],
    ...tables.map((host) => [
      `[host.${text(host.address)}]`,
      ...settings(host, certificates).map((line) => `  ${line}`),
    ]),
  ];
  return `${blocks.map((lines) => lines.join("\n")).join("\n\n")}\n`;
}

function settings(host: HostText, certificates: Parameters<typeof hostsToml>[2]): string[] {
  const { authorities, own } = certificates(host.host);
  return [
    ...(host.digestOnly ? ['capabilities = ["pull"]'] : []),
    ...(host.overridePath ? ["override_path = true"] : []),
    ...(host.insecure ? ["skip_verify = true"] : []),
    ...(authorities.length > 0 ? [`ca = [${authorities.map(text).join(", ")}]`] : []),
    ...(own.length > 0
      ? [`client = [${own.map((pair) => `[${text(pair.certificate)}, ${text(pair.key)}]`).join(", ")}]`]
      : []),
  ];
}

/** A basic string of TOML: JSON's escapes are among its own. */
function text(value: string): string {
  return JSON.stringify(value).replaceAll("\u007f", "\\u007f");
}
