import type { Command } from "commander";
import { defineBlastRadius } from "./fleet-blast-radius.ts";
import { defineRbac } from "./fleet-rbac.ts";
import { defineReport } from "./fleet-report.ts";
import type { CommandIo } from "./io.ts";

export function define(command: Command, io: CommandIo): void {
  defineReport(command, io);
  defineBlastRadius(command, io);
  defineRbac(command, io);
}
