// The page about the rules of the audit: what each rule says of itself, with its example as the audit itself sees it.
import { StepError } from "./say.mjs";

/** @typedef {typeof import("../../src/audit/index.ts")} AuditModule */
/** @typedef {import("../../src/audit/index.ts").Profile} Profile */
/** @typedef {import("../../src/audit/index.ts").Rule} Rule */

/** The page; `origin` says where it comes from. @type {(audit: AuditModule, origin: string) => Promise<string>} */
export async function auditRulesPage(auditModule, origin) {
  const { rules, profiles } = auditModule;
  for (const rule of rules) await verify(rule, auditModule);
  return `# The rules of the audit

${origin}

\`pulley audit\` checks each container by these rules. A profile sets their severities: with \`recommended\`, every image should have the pull policy that fits it; with \`always\`, the registry should check every start; with \`offline\`, no start should need a registry. \`--rule ID=SEVERITY\` changes one rule.

To ignore one finding, write \`# pulley:ignore RULE REASON\` on its line or on the line above it. \`# pulley:ignore-file RULE REASON\` holds for a whole file. To ignore the findings that a project already has, write them to a baseline with \`--baseline FILE --update-baseline\`.

| rule | ${profiles.join(" | ")} |
|---|${profiles.map(() => "---|").join("")}
${rules
  .map(({ id, meta }) => `| [${id}](#${id}) | ${profiles.map((profile) => meta.severity[profile]).join(" | ")} |`)
  .join("\n")}

${rules.map((rule) => section(rule, profiles)).join("\n\n")}
`;
}

/** @type {(rule: Rule, profiles: readonly Profile[]) => string} */
function section({ id, meta }, profiles) {
  const { title, why, advice, severity, fixable, example } = meta;
  const severities = profiles.map((profile) => `${profile}: ${severity[profile]}`).join(" · ");
  const facts = fixable ? `${severities} · \`--fix\` can correct it` : severities;
  const parts = [`## ${id}`, `**${title}.** ${why}`, `What to do: ${advice}`, facts];
  if (example !== undefined) {
    parts.push(`\`\`\`yaml\n# found\n${example.found}\n---\n# not found\n${example.notFound}\n\`\`\``);
  }
  return parts.join("\n\n");
}

/** An example that the audit does not see as the page does would mislead. @type {(rule: Rule, audit: AuditModule) => Promise<void>} */
async function verify({ id, meta: { example, fixable } }, { audit, collectAudit }) {
  if (example === undefined) return;
  const { found, notFound, profile = "recommended" } = example;
  for (const fields of [found, notFound]) {
    const expected = fields === found;
    /** @type {import("../../src/audit/index.ts").TextInput} */
    const input = { kind: "text", file: "example.yaml", text: pod(fields), expectManifests: true, mayBePatch: false };
    const { findings } = await collectAudit(audit([input], { profile, now: 0 }));
    const own = findings.filter(({ ruleId }) => ruleId === id);
    if (own.some(({ fix }) => fix !== undefined) !== (expected && fixable === true)) {
      throw new StepError(`whether --fix can correct ${id} is not as its example has it:\n${fields}`);
    }
    if (own.length > 0 !== expected) {
      throw new StepError(`the audit ${expected ? "does not find" : "finds"} ${id} in its example:\n${fields}`);
    }
  }
}

/** @param {string} fields */
function pod(fields) {
  const container = `name: web\n${fields}`.replaceAll(/^/gm, "      ").replace(/^ {6}/, "    - ");
  return `apiVersion: v1\nkind: Pod\nmetadata: { name: web, namespace: prod }\nspec:\n  containers:\n${container}\n`;
}
