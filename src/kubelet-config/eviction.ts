/** The eviction thresholds of a configuration (k8s pkg/kubelet/eviction/helpers.go). */
import { parseGoDuration, quote } from "../support/go.ts";
import { parseQuantity } from "../support/quantity.ts";
import {
  type EvictionSignal,
  type EvictionThreshold,
  evictionSignals,
  type ThresholdValue,
} from "./eviction-threshold.ts";
import type { GivenConfiguration, Texts } from "./types.ts";

export interface FieldProblem {
  /** Keys from the root to what is wrong. */
  readonly path: readonly string[];
  readonly message: string;
}

/** k8s pkg/kubelet/eviction/defaults_linux.go */
const defaultHard: Texts = new Map([
  ["memory.available", "100Mi"],
  ["nodefs.available", "10%"],
  ["nodefs.inodesFree", "5%"],
  ["imagefs.available", "15%"],
  ["imagefs.inodesFree", "5%"],
]);

type EvictionReading<Value> = { readonly value: Value | undefined } | { readonly problem: string };

type Refuse = (path: readonly string[], message: string) => undefined;

/** The thresholds that a configuration means, and all that is wrong with them in the kubelet's words. */
export function evictionThresholds(given: GivenConfiguration): {
  readonly thresholds: readonly EvictionThreshold[];
  readonly problems: readonly FieldProblem[];
} {
  const problems: FieldProblem[] = [];
  const refuse: Refuse = (path, message) => {
    problems.push({ path, message });
    return undefined;
  };
  const reclaims = valuesOf("evictionMinimumReclaim", given.evictionMinimumReclaim, readReclaim, refuse);
  const periods = valuesOf("evictionSoftGracePeriod", given.evictionSoftGracePeriod, readPeriod, refuse);
  const hard = valuesOf("evictionHard", hardTexts(given), readThreshold, refuse);
  const soft = valuesOf("evictionSoft", given.evictionSoft, readThreshold, refuse);
  const thresholds: EvictionThreshold[] = [...hard].map(([signal, { value, text }]) => ({
    signal,
    value,
    text,
    gracePeriod: undefined,
    minimumReclaim: reclaims.get(signal),
  }));
  for (const [signal, { value, text }] of soft) {
    const gracePeriod = periods.get(signal);
    if (gracePeriod !== undefined) {
      thresholds.push({ signal, value, text, gracePeriod, minimumReclaim: reclaims.get(signal) });
    } else if (!given.evictionSoftGracePeriod?.has(signal)) {
      refuse(["evictionSoft", signal], `grace period must be specified for the soft eviction threshold ${signal}`);
    }
  }
  return { thresholds, problems };
}

/** Signals that the configuration does not name have no threshold, unless the defaults are to be merged. */
function hardTexts({ evictionHard, mergeDefaultEvictionSettings }: GivenConfiguration): Texts {
  if (evictionHard === undefined) return defaultHard;
  return mergeDefaultEvictionSettings === true ? new Map([...defaultHard, ...evictionHard]) : evictionHard;
}

function valuesOf<Value>(
  field: string,
  texts: Texts = new Map(),
  read: (signal: EvictionSignal, text: string) => EvictionReading<Value>,
  refuse: Refuse,
): Map<EvictionSignal, Value> {
  const values = new Map<EvictionSignal, Value>();
  for (const [name, text] of texts) {
    const signal = evictionSignals.find((known) => known === name);
    if (signal === undefined) {
      refuse([field, name], `unsupported eviction signal ${name}`);
      continue;
    }
    const result = read(signal, text);
    if ("problem" in result) refuse([field, name], result.problem);
    else if (result.value !== undefined) values.set(signal, result.value);
  }
  return values;
}

function readThreshold(
  signal: EvictionSignal,
  text: string,
): EvictionReading<Pick<EvictionThreshold, "value" | "text">> {
  // Both mean that there is no threshold.
  if (text === "0%" || text === "100%") return { value: undefined };
  const share = readShare(text);
  if (share !== undefined) {
    if ("problem" in share) return share;
    if (share.value < 0) return { problem: `eviction percentage threshold ${signal} must be >= 0%: ${text}` };
    if (share.value > 1) return { problem: `eviction percentage threshold ${signal} must be <= 100%: ${text}` };
    return { value: { text, value: { kind: "share", share: share.value } } };
  }
  const quantity = parseQuantity(text);
  if ("problem" in quantity) return quantity;
  if (!(quantity.value > 0)) return { problem: `eviction threshold ${signal} must be positive: ${text}` };
  return { value: { text, value: { kind: "quantity", quantity: quantity.value } } };
}

function readReclaim(signal: EvictionSignal, text: string): EvictionReading<ThresholdValue> {
  const share = readShare(text);
  if (share !== undefined) {
    if ("problem" in share) return share;
    if (share.value > 0) return { value: { kind: "share", share: share.value } };
    return { problem: `eviction percentage minimum reclaim ${signal} must be positive: ${text}` };
  }
  const quantity = parseQuantity(text);
  if ("problem" in quantity) return quantity;
  if (quantity.value < 0) return { problem: `negative eviction minimum reclaim specified for ${signal}` };
  return { value: { kind: "quantity", quantity: quantity.value } };
}

function readPeriod(_signal: EvictionSignal, text: string): EvictionReading<number> {
  const duration = parseGoDuration(text);
  if ("problem" in duration) return duration;
  if (duration.milliseconds >= 0) return { value: duration.milliseconds };
  return { problem: `invalid eviction grace period specified: ${text}, must be a positive value` };
}

/** `undefined` for what is no percentage. */
function readShare(text: string): { readonly value: number } | { readonly problem: string } | undefined {
  if (!text.endsWith("%")) return undefined;
  const number = text.replace(/%+$/, "");
  if (/^[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$/.test(number)) return { value: Number(number) / 100 };
  return { problem: `strconv.ParseFloat: parsing ${quote(number)}: invalid syntax` };
}
