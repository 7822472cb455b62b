/** A program that writes records into the log of a root folder until it is killed, for tests. */
import { openDecisionLog } from "../index.ts";
import { sampleRecord } from "./sample-record.ts";

const [, , root = ""] = process.argv;
const log = openDecisionLog(root);
for (let time = 1; ; time += 1) {
  log.append(sampleRecord(time));
  if (time % 7 === 0) await log.flush();
}
