import type { openRuntime as Open, OpenedRuntime } from "./runtime.ts";

/** As `openRuntime` of `runtime.ts`, which is loaded only now: most runs start nothing. */
export async function openRuntime(...given: Parameters<typeof Open>): Promise<OpenedRuntime> {
  const { openRuntime: open } = await import("./runtime.ts");
  return open(...given);
}
