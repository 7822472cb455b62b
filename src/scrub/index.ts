/** Keeping the store sound: what is damaged is found, and fetched again. */
export { createRepairer, type Repair, type Repairer, type RepairerOptions, type RepairFailure } from "./repair.ts";
export { runScrub, type ScrubbedBlob, type ScrubOptions } from "./scrub.ts";
export { type ScrubMemory, scrubMemory } from "./scrub-memory.ts";
