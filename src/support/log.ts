import { withoutSecrets } from "./without-secrets.ts";

/** What a program that runs for long says about itself. Rooms are given a log; none of them makes one. */
export interface Log {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** The same log, with fields that are in each of its lines. */
  with(fields: LogFields): Log;
}

export const logLevels = ["debug", "info", "warn", "error"] as const;

export type LogLevel = (typeof logLevels)[number];

/** A field without a value is left out. */
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

/** Takes in a line that is finished but for its form. */
export type LogSink = (level: LogLevel, message: string, fields: LogFields) => void;

/** What is said by way of it has no credential in it: not in the message, nor in a field. */
export function logTo(sink: LogSink): Log {
  return logWith(sink, {});
}

function logWith(sink: LogSink, own: LogFields): Log {
  const say =
    (level: LogLevel) =>
    (message: string, fields: LogFields = {}) =>
      sink(level, withoutSecrets(message), clean({ ...own, ...fields }));
  return {
    debug: say("debug"),
    info: say("info"),
    warn: say("warn"),
    error: say("error"),
    with: (fields) => logWith(sink, { ...own, ...fields }),
  };
}

/** Says nothing. */
export const silentLog: Log = logTo(() => undefined);

/** For rooms that call a function with each line that they have to say. */
export function sayTo(log: Log): (line: string) => void {
  return (line) => log.info(line);
}

function clean(fields: LogFields): LogFields {
  const kept = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(
    kept.map(([key, value]) => [key, typeof value === "string" ? withoutSecrets(value) : value]),
  );
}
