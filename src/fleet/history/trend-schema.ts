/** The JSON Schema of `pulley fleet trend -o json`, for programs that read it. */
import { z } from "zod";
import { count, countFields, scoreField } from "../schema-parts.ts";
import { periodNames } from "./trend.ts";

const period = z
  .strictObject({
    from: z.iso.date().meta({ description: "Its first day, in UTC." }),
    open: z.strictObject(countFields).meta({ description: "What was open at its end, or is now." }),
    opened: count("Items that were found anew in it."),
    fixed: count("Items that were fixed in it."),
    meanSecondsToFix: z
      .int()
      .nonnegative()
      .nullable()
      .meta({ description: "Of those that were fixed in it, from when they were found; null: none was." }),
    score: scoreField,
  })
  .meta({ description: "A day, a week from Monday, or a month." });

const series = z
  .strictObject({
    team: z
      .string()
      .nullable()
      .meta({ description: "The team's name; null for the whole fleet, and by team for what is nobody's." }),
    periods: z.array(period).meta({ description: "The oldest first." }),
  })
  .meta({ description: "The fleet, or a team, over time." });

export const trendSchema = z
  .strictObject({
    apiVersion: z.literal("pulley.dev/v1alpha1").meta({ description: "The version of this format." }),
    kind: z.literal("FleetTrend").meta({ description: "What it is." }),
    by: z.enum(periodNames).meta({ description: "How long a period is." }),
    series: z.array(series).meta({ description: "One for the whole fleet, or with --teams one for each team." }),
  })
  .meta({
    title: "FleetTrend",
    description: "How much was open, found and fixed over time, as pulley fleet trend -o json prints it.",
  });

/** JSON Schema (draft 2020-12). All fields are required, and there are no others. */
export function trendJsonSchema(): Record<string, unknown> {
  return { ...z.toJSONSchema(trendSchema, { io: "input", target: "draft-2020-12" }) };
}
