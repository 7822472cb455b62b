import { type ErrorCode, errorTable, isPulleyError, PulleyError } from "../../support/errors.ts";
import { discard } from "../body.ts";
import { type CallContext, openSession, sendWithRetry } from "../session.ts";
import type { Transport } from "../transport.ts";
import type { Authorization, LoginDemand } from "./authorization.ts";
import { parseChallenges } from "./challenge.ts";

/**
 * Shows a registry a login, by the address that every registry answers (distribution-spec "end-1").
 * @returns whether it has asked for one
 * @throws PulleyError `REGISTRY_UNAUTHORIZED` if it is refused, or as any request
 */
export async function logIn(
  context: CallContext,
  authorization: Authorization,
  transport: Transport,
): Promise<boolean> {
  const { endpoint } = context.session;
  const seen: DemandsSeen = { refusal: undefined, answered: false };
  const watched: Authorization = {
    account: authorization.account,
    current: authorization.current,
    answer: async (refusal) => {
      seen.refusal = refusal;
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
    await sendWithRetry({ ...context, session }, { method: "GET", what }, (status) => status === 200, discard);
  } catch (error) {
    throw refused(error, endpoint.origin, seen);
  }
  return seen.refusal !== undefined;
}

interface DemandsSeen {
  /** The last demand for a login. */
  refusal: LoginDemand | undefined;
  /** Whether one of them could be answered. */
  answered: boolean;
}

/** What to do about what is no demand for a login; the table's words are about images. */
const advices: Partial<Record<ErrorCode, string>> = {
  REGISTRY_FORBIDDEN: "The registry lets nobody in from here, or not with this login: sendWithRetry who runs it.",
  REGISTRY_NOT_FOUND: "Nothing answers as a registry there: check that the host and port are a registry's.",
  REGISTRY_RATE_LIMITED: "Wait, then log in again.",
  REGISTRY_UNAVAILABLE: "The registry is failing: log in again later, or tell who runs it.",
  REGISTRY_STALLED: "The registry stopped sending: check the network, then try again.",
};

/** A no to the login, in the words that docker has for it and people search for; what the registry says stands behind. */
function refused(error: unknown, home: string, { refusal, answered }: DemandsSeen): unknown {
  if (!isPulleyError(error)) return error;
  const { code, message, advice, retryAfter } = error;
  const failure = (words: string, what: string) =>
    new PulleyError(code, words, { advice: what, cause: error, ...(retryAfter !== undefined && { retryAfter }) });
  if (code !== "REGISTRY_UNAUTHORIZED") {
    return failure(message, advice === errorTable[code].advice ? (advices[code] ?? advice) : advice);
  }
  if (refusal !== undefined && refusal.origin !== home) {
    return failure(
      `the registry sends this on to ${refusal.origin}, which asks for a login, and was not shown this one: ${message}`,
      "A login goes to nobody but the host that it is for: log in to that host by its own name if it is the registry.",
    );
  }
  if (refusal !== undefined && parseChallenges(refusal.challenges).length === 0) {
    return failure(
      `the server refuses without saying which kind of login it asks for: ${message}`,
      "A registry says so in WWW-Authenticate: check that the host and port are a registry's, and what stands before it.",
    );
  }
  if (!answered) {
    return failure(
      `the registry asks for a kind of login that is not known here: ${message}`,
      "Pulley logs in with Basic, and with tokens (Bearer): sendWithRetry who runs the registry for one of them.",
    );
  }
  return failure(
    `unauthorized: incorrect username or password: ${message}`,
    /\bexpired\b/i.test(message)
      ? advice
      : "Check the user name, and whether the registry wants an access token as the password.",
  );
}
