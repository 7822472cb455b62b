import type { FormatName } from "../audit/formats/index.ts";
import type { Profile, RuleId } from "../audit/index.ts";
import type { Severity } from "../audit/types.ts";
import type { LoginFlags, RegistryFlags } from "./options.ts";
import type { PolicyOptions } from "./policy-option.ts";
import type { FilenameFlags } from "./repeated-option.ts";

/** What `pulley audit` is asked to do. */
export interface AuditFlags extends PolicyOptions, RegistryFlags, LoginFlags, FilenameFlags {
  readonly output: FormatName | "yaml";
  readonly report?: string;
  readonly profile: Profile;
  readonly rule?: ReadonlyMap<RuleId, Severity | "off">;
  readonly movingTag?: readonly string[];
  readonly placeholder?: readonly string[];
  readonly failOn: Severity | "never";
  readonly baseline?: string;
  readonly updateBaseline?: true;
  readonly render: boolean;
  readonly remoteBases?: true;
  readonly fix?: true;
  readonly diff?: true;
  readonly check?: true;
  readonly pin?: true;
}
