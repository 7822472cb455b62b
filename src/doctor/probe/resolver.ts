/** The system's resolver, as far as it explains why a name is not found: `resolv.conf(5)`. */

export interface ResolverConfiguration {
  readonly servers: readonly string[];
  /** Domains that are tried behind a name. */
  readonly search: readonly string[];
}

/** As the C library reads it: of `search` and `domain` lines the last one counts, and of servers the first three. */
export function parseResolverConfiguration(text: string): ResolverConfiguration {
  const servers: string[] = [];
  let search: readonly string[] = [];
  for (const line of text.split("\n").slice(0, 1000)) {
    const [keyword, ...values] = line
      .replace(/[#;].*$/, "")
      .trim()
      .split(/\s+/);
    if (keyword === "nameserver" && values[0] !== undefined && servers.length < 3) servers.push(values[0]);
    if (keyword === "search") search = values;
    if (keyword === "domain") search = values.slice(0, 1);
  }
  return { servers, search };
}
