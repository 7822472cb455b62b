/** An audit thread: audits one batch of inputs after another, each for itself. */
import { parentPort, workerData } from "node:worker_threads";
import { readPolicy } from "../../policy/language/read.ts";
import { standardsOf } from "../standards.ts";
import { auditInput } from "../text-audit.ts";
import type { Batch, BatchAudit, ThreadSettings } from "./messages.ts";

const { policyTexts, ...options }: ThreadSettings = workerData;
const standards = standardsOf({ ...options, policy: readPolicy(policyTexts).policy });

parentPort?.on("message", ({ number, inputs }: Batch) => {
  const answer: BatchAudit = { number, audits: inputs.map((input) => auditInput(input, standards)) };
  parentPort?.postMessage(answer);
});
