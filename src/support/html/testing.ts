/** What tests of pages look at. */

/** Names and attribute names of all tags, in order: what a text may not change. */
export function structureOf(page: string): string[] {
  const body = page.slice(page.indexOf("<body>")).replace(/<script>[^]*?<\/script>/g, "<script>");
  return [...body.matchAll(/<(\/?[a-z][a-z0-9]*)((?:\s+[a-z-]+(?:="[^"]*")?)*)\s*>|</g)].map(
    ([whole, name, attributes = ""]) => {
      if (name === undefined) throw new Error(`a stray < at ${whole}`);
      return [name, ...[...attributes.matchAll(/\s([a-z-]+)(?:="[^"]*")?/g)].map(([, key]) => key)].join(" ");
    },
  );
}

/** Variables of the style, in each of its themes. */
export function themesOf(style: string): readonly ReadonlyMap<string, string>[] {
  return [...style.matchAll(/:root \{([^}]*)\}/g)].map(
    ([, variables = ""]) =>
      new Map(
        [...variables.matchAll(/--([a-z]+): (#[0-9a-f]{6})/g)].map(([, key = "", value = ""]) => [key, value] as const),
      ),
  );
}

/** WCAG 2.2's contrast ratio of two colours `#rrggbb`. */
export function contrast(a: string, b: string): number {
  const [high = 0, low = 0] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return (high + 0.05) / (low + 0.05);
}

function luminance(colour: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
