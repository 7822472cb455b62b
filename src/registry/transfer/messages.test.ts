import { expect, it } from "vitest";
import { PulleyError } from "../../support/errors.ts";
import { afterAttempts, retryDecision } from "../retries.ts";
import { failureOf, toError } from "./messages.ts";

it("tells a thread which failures are worth another attempt, and which have had them", () => {
  const failure = new PulleyError("REGISTRY_UNAVAILABLE", "GET https://auth.example/token: 500 Internal Server Error");
  const sent = (error: unknown) => toError(structuredClone(failureOf(error)));
  expect(retryDecision(sent(failure)).again).toBe(true);
  expect(retryDecision(sent(afterAttempts(failure))).again).toBe(false);
  expect(sent(afterAttempts(failure))).toMatchObject({ code: failure.code, message: failure.message });
});
