/** The report formats, by the values of `--output`. */
import { github, gitlab } from "./ci-annotations.ts";
import type { Format } from "./format.ts";
import { html } from "./html.ts";
import { json } from "./json.ts";
import { junit } from "./junit.ts";
import { sarif } from "./sarif.ts";
import { text } from "./text.ts";

export type { AuditCounts, Format, FormatContext, RuleDescription } from "./format.ts";

export const formats = { text, json, sarif, junit, github, gitlab, html } as const satisfies Record<string, Format>;

export type FormatName = keyof typeof formats;
