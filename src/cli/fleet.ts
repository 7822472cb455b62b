import type { Command } from "commander";
import { defineBlastRadius } from "./fleet-blast-radius.ts";
import { defineHistory } from "./fleet-history.ts";
import { defineRbac } from "./fleet-rbac.ts";
import { defineReport } from "./fleet-report.ts";
import { defineServe } from "./fleet-serve.ts";
import { defineTrend } from "./fleet-trend.ts";
import type { CommandIo } from "./io.ts";

export function define(command: Command, io: CommandIo): void {
  defineReport(command, io);
  defineBlastRadius(command, io);
  defineServe(command, io);
  defineHistory(command, io);
  defineTrend(command, io);
  defineRbac(command, io);
}
