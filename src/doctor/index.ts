/** Why a pull fails, found out step by step. */
export { diagnose } from "./diagnose.ts";
export { diskSpaceOf } from "./local-steps.ts";
export { createProbe } from "./probe/index.ts";
export type { Diagnosis, DiagnosisRequest, DiagnosisStep, DoctorDeps } from "./types.ts";
