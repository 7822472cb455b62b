import { describe, test } from "vitest";
import { tool } from "./programs.ts";

/** Programs that do for root alone what the tests need of them. */
const forRoot: readonly string[] = ["containerd", "mount"];

/**
 * A group of tests that need real programs. Where one is missing, or root for one of them, the group is one skipped test
 * that says which, and the end of the test run lists it.
 */
export function describeWith<Name extends string>(
  names: readonly Name[],
  title: string,
  body: (paths: Readonly<Record<Name, string>>) => void,
): void {
  const found = names.map((name) => [name, tool(name)] as const);
  const missing: string[] = found.filter(([, path]) => path === undefined).map(([name]) => name);
  if (process.getuid?.() !== 0 && names.some((name) => forRoot.includes(name))) missing.push("root");
  describe(title, () => {
    if (missing.length > 0) {
      test("needs what is not here", (context) => context.skip(`needs ${missing.join(" and ")}`));
    } else {
      body(Object.fromEntries(found) as Record<Name, string>);
    }
  });
}
