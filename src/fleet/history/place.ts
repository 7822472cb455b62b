/** Where a history is: a file, or a database of PostgreSQL. */
import { isAbsolute, join } from "node:path";
import { PulleyError } from "../../support/errors.ts";
import { homeFolder } from "../../support/home.ts";

export type HistoryPlace =
  | { readonly kind: "file"; readonly path: string; readonly shown: string }
  /** `shown` is the same without secrets. */
  | { readonly kind: "postgres"; readonly url: string; readonly shown: string };

/**
 * @param given a path, or `postgres://user@host:port/database`
 * @param isTyped whether it was in the command line, which every user of the machine can read
 * @throws PulleyError `USAGE`, without what was given if there may be a password in it
 */
export function historyPlace(given: string, isTyped: boolean): HistoryPlace {
  if (!/^postgres(?:ql)?:/i.test(given)) return { kind: "file", path: given, shown: given };
  const url = URL.canParse(given) ? new URL(given) : undefined;
  if (url === undefined || url.hash !== "") {
    throw new PulleyError("USAGE", "the address of the history cannot be read", {
      advice:
        "Write it as postgres://user@host:port/database, with %-escapes for what is no letter or digit in a name.",
    });
  }
  if (isTyped && (url.password !== "" || url.searchParams.has("password"))) {
    throw new PulleyError(
      "USAGE",
      "there is a password in the address of the history: every user of this machine can see a command line",
      {
        advice:
          "Give the whole address in the environment, as PULLEY_HISTORY; or leave the password to PGPASSWORD or the file ~/.pgpass.",
      },
    );
  }
  const { username, host, pathname } = url;
  return {
    kind: "postgres",
    url: given,
    shown: `postgres://${username === "" ? "" : `${username}@`}${host}${pathname}`,
  };
}

/** The usual place: `pulley/history.db` in the user's folder for state (XDG Base Directory). */
export function usualHistoryPath(environment: NodeJS.ProcessEnv): string {
  const state = environment["XDG_STATE_HOME"] ?? "";
  return join(isAbsolute(state) ? state : join(homeFolder(), ".local", "state"), "pulley", "history.db");
}
