import type { Command } from "commander";
import { defineBlastRadius } from "./fleet-blast-radius.ts";
import { defineRbac } from "./fleet-rbac.ts";
import { defineReport } from "./fleet-report.ts";
import { defineServe } from "./fleet-serve.ts";
import type { CommandIo } from "./io.ts";

export function define(command: Command, io: CommandIo): void {
  defineReport(command, io);
  defineBlastRadius(command, io);
  defineServe(command, io);
  defineRbac(command, io);
}
