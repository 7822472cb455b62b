const units: Readonly<Record<string, number>> = {
  ...{ h: 3_600_000, m: 60_000, s: 1000, ms: 1 },
  ...{ us: 1e-3, µs: 1e-3, μs: 1e-3, ns: 1e-6 },
};

const shape = /^([+-]?)(0|(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:ms|us|µs|μs|ns|h|m|s))+)$/;

/** Milliseconds of what Go's `time.ParseDuration` accepts, `1m30s` or `-.5h`; `undefined` for anything else. */
export function goDuration(text: string): number | undefined {
  const [, sign = "", parts] = shape.exec(text) ?? [];
  if (parts === undefined) return undefined;
  let milliseconds = 0;
  for (const [, number, unit = ""] of parts.matchAll(/([0-9.]+)([a-zµμ]+)/g)) {
    milliseconds += Number(number) * (units[unit] ?? 0);
  }
  return sign === "-" ? -milliseconds : milliseconds;
}
