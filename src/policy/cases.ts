/**
 * The table of decisions: what is expected of every place that decides, and of the decision itself. Each expectation is
 * written down, or follows from a rule that is stated beside it, and never from the decision.
 */
import type { Case } from "./cases/case.ts";
import { copyCases } from "./cases/copies.ts";
import { fromCases } from "./cases/from.ts";
import { imageCases } from "./cases/images.ts";
import { kubernetesCases } from "./cases/kubernetes.ts";
import { matchCases } from "./cases/matches.ts";
import { orderCases } from "./cases/order.ts";
import { pullCases } from "./cases/pull.ts";
import { refusalCases } from "./cases/refusals.ts";
import { requireCases } from "./cases/require.ts";
import { trialCases } from "./cases/trial.ts";
import { whenCases } from "./cases/when.ts";

export type { Case, Expected } from "./cases/case.ts";

export const cases: readonly Case[] = [
  ...kubernetesCases,
  ...imageCases,
  ...matchCases,
  ...pullCases,
  ...whenCases,
  ...fromCases,
  ...requireCases,
  ...copyCases,
  ...orderCases,
  ...refusalCases,
  ...trialCases,
];
