import { discard } from "./body.ts";
import type { Endpoint } from "./endpoint.ts";
import { statusFailure } from "./failure.ts";
import { always } from "./session.ts";
import type { Transport } from "./transport.ts";

/**
 * Asks whether anybody is there, by the address that every registry answers (distribution-spec "end-1"). A demand for a
 * login is an answer; one that says that the server is failing is not.
 * @throws PulleyError `REGISTRY_UNAVAILABLE`, `REGISTRY_UNREACHABLE`, `REGISTRY_TLS`, `REGISTRY_PROTOCOL`, `CANCELLED`
 */
export async function ping(
  { origin, registry, root = "/v2", host }: Endpoint,
  transport: Transport,
  now: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  const url = new URL(`${root}/`, origin);
  const answer = await transport.exchange({
    method: "GET",
    url,
    headers: { ...host?.headers, ...always },
    registry,
    host,
    audience: "registry",
    signal,
  });
  await discard(answer);
  if (answer.status >= 500) throw statusFailure(answer, Buffer.alloc(0), now);
}
