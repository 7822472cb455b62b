import { describe, test } from "vitest";
import { tool } from "./programs.ts";

/**
 * A group of tests that need real programs. Where one is missing, the group is one skipped test that says which, and
 * the end of the test run lists it.
 */
export function describeWith<Name extends string>(
  names: readonly Name[],
  title: string,
  body: (paths: Readonly<Record<Name, string>>) => void,
): void {
  const found = names.map((name) => [name, tool(name)] as const);
  const missing = found.filter(([, path]) => path === undefined).map(([name]) => name);
  describe(title, () => {
    if (missing.length > 0) {
      test("needs programs that are not installed", (context) => context.skip(`needs ${missing.join(" and ")}`));
    } else {
      body(Object.fromEntries(found) as Record<Name, string>);
    }
  });
}
