/** The parts of the mirror that all of its answers need, put together once. */

import type { Descriptor } from "../image/index.ts";
import { createHoldings, type Holdings } from "../pull/index.ts";
import type { Fetched } from "../registry/index.ts";
import { createFlights, type Flights } from "../support/single-flight.ts";
import { type Access, createAccess } from "./access.ts";
import { createJudge, type Judge } from "./authorize-pull.ts";
import { createSettler, type Settler } from "./completion.ts";
import { createPending, type Pending } from "./incomplete-images.ts";
import { createSources, type Sources } from "./sources.ts";
import type { Ground } from "./types.ts";

export interface Workshop {
  readonly ground: Ground;
  readonly judge: Judge;
  readonly sources: Sources;
  readonly access: Access;
  readonly holdings: Holdings;
  readonly pending: Pending;
  readonly settler: Settler;
  /** Questions on their way: what a name stands for. */
  readonly heads: Flights<Descriptor, never>;
  /** Documents on their way. */
  readonly documents: Flights<Fetched, never>;
}

export function createWorkshop(ground: Ground): Workshop {
  const sources = createSources(ground);
  const holdings = createHoldings(ground.store);
  const pending = createPending(ground.store, ground.clock, ground.limits.pendingFor);
  return {
    ground,
    sources,
    judge: createJudge(ground),
    access: createAccess(ground, sources),
    holdings,
    pending,
    settler: createSettler(ground, holdings, pending),
    heads: createFlights(),
    documents: createFlights(),
  };
}
