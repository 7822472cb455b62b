/** Times in which nothing is pulled, by the calendar: a freeze over the holidays, a launch. */
import { type Moment, parseMoment } from "./moment.ts";
import type { Parsed } from "./parsed.ts";
import type { Closing, TimeZone } from "./types.ts";

const day = 86_400_000;

/** A moment with the text that it was written as. */
export interface WrittenMoment {
  readonly text: string;
  readonly moment: Moment;
}

export function parseWrittenMoment(text: string): Parsed<WrittenMoment> {
  const parsed = parseMoment(text);
  return "problem" in parsed ? parsed : { value: { text, moment: parsed.value } };
}

/** Days are whole days by the clock on the wall of the time zone: the last one counts. */
export function closingOf(from: WrittenMoment, until: WrittenMoment, timeZone: TimeZone): Closing {
  return {
    text: `${from.text} until ${until.text}`,
    from: from.moment.kind === "instant" ? from.moment.at : firstInstant(from.moment.midnight, timeZone),
    until: until.moment.kind === "instant" ? until.moment.at : firstInstant(until.moment.midnight + day, timeZone),
  };
}

/**
 * When a day begins: the first instant from which on the clock does not show the day before. An hour that comes twice
 * belongs to the day that it shows; where midnight itself is left out, the day begins after the gap.
 *
 * @param wall what the clock on the wall shows, read as if it were UTC
 */
function firstInstant(wall: number, { offsetAt }: TimeZone): number {
  const offsets = [offsetAt(wall - day), offsetAt(wall + day)];
  const early = wall - Math.max(...offsets);
  return early + offsetAt(early) >= wall ? early : wall - Math.min(...offsets);
}
