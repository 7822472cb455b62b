/** `/healthz` and `/readyz`, as Kubernetes' components answer them (k8s apiserver pkg/server/healthz). */
import { type Answer, type Asked, plain } from "../support/read-only-server.ts";
import type { Health } from "./health.ts";

/** `undefined` for every other path. */
export async function healthAnswer(health: Health, { path, query }: Asked): Promise<Answer | undefined> {
  const kind = path === "/healthz" ? "alive" : path === "/readyz" ? "ready" : undefined;
  if (kind === undefined) return undefined;
  const { ok, lines } = await health[kind]();
  const name = path.slice(1);
  if (!ok) return plain(503, [...lines, `${name} check failed`].join("\n"));
  return plain(200, query.has("verbose") ? [...lines, `${name} check passed`].join("\n") : "ok");
}
