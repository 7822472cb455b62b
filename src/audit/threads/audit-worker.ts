/** An audit thread: audits one batch of inputs after another, each for itself. */
import { parentPort, workerData } from "node:worker_threads";
import type { Policy } from "../../policy/index.ts";
import { auditConfig } from "../config.ts";
import { auditInput } from "../text-audit.ts";
import type { AuditThreadSettings, Batch, BatchAudit } from "./messages.ts";

const { policyTexts, cluster, ...options }: AuditThreadSettings = workerData;
const config = auditConfig({ ...options, policy: await policyIn(policyTexts) });

parentPort?.on("message", ({ number, inputs }: Batch) => {
  const answer: BatchAudit = { number, audits: inputs.map((input) => auditInput(input, config)) };
  parentPort?.postMessage(answer);
});

/** The policy language is slow to load, and most audits have no policy. */
async function policyIn(texts: AuditThreadSettings["policyTexts"]): Promise<Policy | undefined> {
  if (texts.length === 0) return undefined;
  const { readPolicy } = await import("../../policy/language/read.ts");
  return readPolicy(texts, cluster).policy;
}
