/** A strict reader of Prometheus' text format 0.0.4: whatever is not exactly as the format has it throws. */
export interface Family {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly samples: readonly Sample[];
}

export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const metricName = "[a-zA-Z_:][a-zA-Z0-9_:]*";
const helpLine = new RegExp(`^# HELP (${metricName}) ((?:[^\\\\\\n]|\\\\\\\\|\\\\n)+)$`);
const typeLine = new RegExp(`^# TYPE (${metricName}) (counter|gauge|histogram|summary|untyped)$`);
const sampleLine = new RegExp(`^(${metricName})(?:\\{(.*)\\})? (\\S+)$`);
const labelPart = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\\\|\\"|\\n)*)"(,|$)/y;
const numberText = /^(?:[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?|[+-]?Inf|NaN)$/;

export function readExposition(text: string): ReadonlyMap<string, Family> {
  if (!text.endsWith("\n")) throw new Error("the last line has no line break");
  const families = new Map<string, Family & { samples: Sample[] }>();
  let help: { name: string; text: string } | undefined;
  let current: (Family & { samples: Sample[] }) | undefined;
  for (const line of text.slice(0, -1).split("\n")) {
    if (line === "") continue;
    const [, helpName, helpText] = helpLine.exec(line) ?? [];
    const [, typeName, type] = typeLine.exec(line) ?? [];
    if (helpName !== undefined && helpText !== undefined) {
      if (families.has(helpName)) throw new Error(`a second HELP of ${helpName}`);
      help = { name: helpName, text: helpText };
      current = undefined;
    } else if (typeName !== undefined && type !== undefined) {
      if (help?.name !== typeName) throw new Error(`TYPE of ${typeName} without its HELP in front`);
      if (families.has(typeName)) throw new Error(`a second TYPE of ${typeName}`);
      current = { name: typeName, type, help: help.text, samples: [] };
      families.set(typeName, current);
    } else {
      if (current === undefined) throw new Error(`a sample without a family: ${line}`);
      current.samples.push(readSample(line, current));
    }
  }
  for (const family of families.values()) checkFamily(family);
  return families;
}

function readSample(line: string, { name: family, type }: Family): Sample {
  const [, name = "", labelText, valueText = ""] = sampleLine.exec(line) ?? [];
  const suffixes =
    type === "histogram" ? ["_bucket", "_sum", "_count"] : type === "summary" ? ["", "_sum", "_count"] : [""];
  if (!suffixes.some((suffix) => name === family + suffix)) throw new Error(`no sample of ${family}: ${line}`);
  if (!numberText.test(valueText)) throw new Error(`no number: ${line}`);
  const value = Number(valueText.replace("Inf", "Infinity"));
  return { name, labels: labelText === undefined ? {} : readLabels(labelText, line), value };
}

function readLabels(text: string, line: string): Record<string, string> {
  const labels: Record<string, string> = {};
  for (labelPart.lastIndex = 0; labelPart.lastIndex < text.length; ) {
    const [, key, value] = labelPart.exec(text) ?? [];
    if (key === undefined || value === undefined) throw new Error(`labels that cannot be read: ${line}`);
    if (key in labels) throw new Error(`the label ${key} twice: ${line}`);
    labels[key] = value.replace(/\\(["\\n])/g, (_, escaped: string) => (escaped === "n" ? "\n" : escaped));
  }
  return labels;
}

function checkFamily({ name, type, samples }: Family): void {
  const seen = new Set(samples.map((sample) => JSON.stringify([sample.name, Object.entries(sample.labels).sort()])));
  if (seen.size < samples.length) throw new Error(`${name}: a sample twice`);
  if (type === "counter" && samples.some(({ value }) => !(value >= 0)))
    throw new Error(`${name}: counts below nothing`);
  if (type === "histogram") checkHistogram(name, samples);
}

function checkHistogram(name: string, samples: readonly Sample[]): void {
  const groups = new Map<string, Sample[]>();
  for (const sample of samples) {
    const { le: _, ...labels } = sample.labels;
    const key = JSON.stringify(Object.entries(labels).sort());
    groups.set(key, [...(groups.get(key) ?? []), sample]);
  }
  for (const group of groups.values()) {
    const buckets = group.filter((sample) => sample.name === `${name}_bucket`);
    const count = group.find((sample) => sample.name === `${name}_count`)?.value;
    const bounds = buckets.map(({ labels }) => Number(labels["le"]?.replace("Inf", "Infinity")));
    if (bounds.some(Number.isNaN) || bounds.some((bound, at) => at > 0 && bound <= (bounds[at - 1] ?? 0)))
      throw new Error(`${name}: buckets out of order`);
    if (buckets.some(({ value }, at) => at > 0 && value < (buckets[at - 1]?.value ?? 0)))
      throw new Error(`${name}: buckets that do not add up`);
    if (bounds.at(-1) !== Number.POSITIVE_INFINITY || buckets.at(-1)?.value !== count)
      throw new Error(`${name}: the last bucket does not hold all`);
    if (!group.some((sample) => sample.name === `${name}_sum`)) throw new Error(`${name}: no sum`);
  }
}
