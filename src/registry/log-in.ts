import { isPulleyError, PulleyError } from "../support/errors.ts";
import { type Asking, ask } from "./ask.ts";
import type { Authorization } from "./authorization.ts";
import { discard } from "./body.ts";
import { openSession } from "./session.ts";
import type { Transport } from "./transport.ts";

/**
 * Shows a registry a login, by the address that every registry answers (distribution-spec "end-1").
 * @returns whether it has asked for one
 * @throws PulleyError `REGISTRY_UNAUTHORIZED` if it is refused, or as any request
 */
export async function logIn(asking: Asking, authorization: Authorization, transport: Transport): Promise<boolean> {
  const { endpoint } = asking.session;
  const seen = { asked: false, answered: false };
  const watched: Authorization = {
    current: authorization.current,
    answer: async (refusal) => {
      seen.asked = true;
      try {
        const granted = await authorization.answer(refusal);
        seen.answered ||= granted !== undefined;
        return granted;
      } catch (error) {
        seen.answered = true;
        throw error;
      }
    },
  };
  const session = openSession(endpoint, watched, transport);
  const what = new URL(`${endpoint.root ?? "/v2"}/`, endpoint.origin);
  try {
    await ask({ ...asking, session }, { method: "GET", what }, (status) => status === 200, discard);
  } catch (error) {
    throw refused(error, seen.answered);
  }
  return seen.asked;
}

/** A no to the login, in the words that docker has for it and people search for; what the registry says stands behind. */
function refused(error: unknown, answered: boolean): unknown {
  if (!isPulleyError(error, "REGISTRY_UNAUTHORIZED")) return error;
  const { code, message, advice } = error;
  if (!answered) {
    return new PulleyError(code, `the registry asks for a kind of login that is not known here: ${message}`, {
      advice: "Pulley logs in with Basic, and with tokens (Bearer): ask who runs the registry for one of them.",
    });
  }
  return new PulleyError(code, `unauthorized: incorrect username or password: ${message}`, {
    advice: /\bexpired\b/i.test(message)
      ? advice
      : "Check the user name, and whether the registry wants an access token as the password.",
  });
}
