/** Renders charts with helm, and splits the output by template. */
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import type { AuditInput } from "../input.ts";
import { textInput } from "./files.ts";
import { asPath, outputOf, type ProgramOptions, renderFailure } from "./program.ts";

const largestTemplate = 1024 * 1024;
const options = { expectManifests: false, mayBePatch: false };

/** The manifests of a chart with its own values; if it cannot be rendered, an input that says why. */
export async function* renderChart(
  folder: string,
  chartFile: string,
  programs: ProgramOptions,
): AsyncGenerator<AuditInput> {
  // A library chart cannot be rendered: other charts use it.
  if (/^type:[ \t]*["']?library\b/m.test(readTemplate(chartFile) ?? "")) return;
  const output = await outputOf("helm", ["template", "pulley-audit", asPath(folder)], programs);
  if (output.kind !== "output") {
    yield renderFailure(chartFile, "chart", ["helm"], output, `helm template ${folder} | pulley audit -`);
    return;
  }
  const whole = textInput(chartFile, output.bytes, options);
  if (whole.kind !== "text") yield whole;
  else yield* partsOf(whole.text, folder, chartFile);
}

interface TemplateOutput {
  readonly template: string;
  readonly text: string;
}

/** Helm writes `# Source: chart/templates/file.yaml` at the head of each manifest. */
function* partsOf(output: string, folder: string, chartFile: string): Generator<AuditInput> {
  for (const { template, text } of bySource(output)) {
    // The name before the first slash is that of the chart, not of its folder.
    const file = join(folder, template.slice(template.indexOf("/") + 1));
    const original = readTemplate(file);
    yield {
      kind: "text",
      text,
      ...options,
      scope: folder,
      ...(original === undefined ? { file: chartFile, original: "" } : { file, original }),
    };
  }
}

/** Adjacent manifests of one template stay together, so that fingerprints can count equal findings. */
function* bySource(output: string): Generator<TemplateOutput> {
  const source = /^---\r?\n# Source: (.+)\r?$/gm;
  let open: { template: string; start: number } | undefined;
  for (let match = source.exec(output); match !== null; match = source.exec(output)) {
    const template = match[1] ?? "";
    if (template === open?.template) continue;
    if (open !== undefined) yield { template: open.template, text: output.slice(open.start, match.index) };
    open = { template, start: match.index };
  }
  if (open !== undefined) yield { template: open.template, text: output.slice(open.start) };
}

function readTemplate(file: string): string | undefined {
  try {
    const stat = statSync(file);
    return stat.isFile() && stat.size <= largestTemplate ? readFileSync(file, "utf8") : undefined;
  } catch {
    return undefined;
  }
}
