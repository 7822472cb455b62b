/** The two forms of a log: JSON, a line each, for programs; text for people. */
import { pino } from "pino";
import type { Clock } from "./clock.ts";
import { type Log, type LogFields, type LogLevel, logLevels, logTo } from "./log.ts";
import { type Paint, printable, printableJson } from "./terminal.ts";

export type LogFormat = "json" | "text";

export interface LogOutput {
  readonly format: LogFormat;
  /** The least that is written. */
  readonly level: LogLevel;
  readonly stream: { write(text: string): unknown };
  readonly clock: Pick<Clock, "now">;
  /** For text; JSON has no colours. */
  readonly paint: Paint;
}

export function openLog(output: LogOutput): Log {
  switch (output.format) {
    case "json":
      return jsonLog(output);
    case "text":
      return textLog(output);
  }
}

/** `{"level":"info","time":"2026-11-24T21:53:48.123Z","message":"…"}`, and the fields behind. */
function jsonLog({ level, stream, clock }: LogOutput): Log {
  const logger = pino(
    {
      level,
      base: null,
      messageKey: "message",
      timestamp: () => `,"time":"${new Date(clock.now()).toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
    },
    { write: (line: string) => void stream.write(printableJson(line)) },
  );
  return logTo((at, message, fields) => logger[at](withoutReserved(fields), message));
}

/** A field must not be taken for what every line has. */
function withoutReserved(fields: LogFields): LogFields {
  const reserved = ["level", "time", "message"];
  return Object.fromEntries(
    Object.entries(fields).map(([key, value]) => [reserved.includes(key) ? `${key}_` : key, value]),
  );
}

const tones = { debug: "dim", info: "green", warn: "yellow", error: "red" } as const;

/** `2026-11-24T21:53:48.123Z info  the store is open  images=3` */
function textLog({ level, stream, clock, paint }: LogOutput): Log {
  const least = logLevels.indexOf(level);
  return logTo((at, message, fields) => {
    if (logLevels.indexOf(at) < least) return;
    const time = paint("dim", new Date(clock.now()).toISOString());
    const behind = Object.entries(fields).map(([key, value]) => `  ${paint("dim", `${key}=`)}${fieldText(value)}`);
    stream.write(`${time} ${paint(tones[at], at.padEnd(5))} ${printable(message)}${behind.join("")}\n`);
  });
}

function fieldText(value: LogFields[string]): string {
  const text = printable(String(value));
  return /^[^\s="]+$/.test(text) ? text : JSON.stringify(text);
}
