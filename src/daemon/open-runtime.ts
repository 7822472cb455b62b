import type { openRuntime as Open, OpenedRuntime } from "./runtime.ts";

/** `openRuntime` of `runtime.ts`, loaded only when it is called: most commands start no containers. */
export async function openRuntime(...given: Parameters<typeof Open>): Promise<OpenedRuntime> {
  const { openRuntime: open } = await import("./runtime.ts");
  return open(...given);
}
