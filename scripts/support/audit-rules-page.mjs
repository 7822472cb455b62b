// The page about the rules of the audit: what the program's own table says, with examples that the audit itself judged.
import { StepError } from "./say.mjs";

/** @typedef {typeof import("../../src/audit/rules.ts")} RuleModule */
/** @typedef {typeof import("../../src/audit/audit.ts")} AuditModule */
/** @typedef {import("../../src/audit/rules.ts").Rule} Rule */
/** @typedef {import("../../src/audit/rules.ts").Profile} Profile */
/** @typedef {[found: string, notFound: string, profile?: Profile]} Example */

/** Fields of a container that a rule finds something in, and what they would better be. @type {Record<string, Example>} */
const examples = {
  "reference-invalid": ["image: registry.example.com/Web:1.4", "image: registry.example.com/web:1.4"],
  "image-missing": ["imagePullPolicy: Always", "image: registry.example.com/web:1.4"],
  "tag-missing": ["image: registry.example.com/web", "image: registry.example.com/web:1.4"],
  "tag-moving": [
    "image: registry.example.com/web:main\nimagePullPolicy: Always",
    "image: registry.example.com/web:1.4\nimagePullPolicy: IfNotPresent",
  ],
  "digest-missing": ["image: registry.example.com/web:1.4", `image: registry.example.com/web@${digest()}`, "offline"],
  "registry-missing": ["image: nginx:1.27", "image: docker.io/library/nginx:1.27"],
  "policy-value-invalid": [
    "image: registry.example.com/web:1.4\nimagePullPolicy: always",
    "image: registry.example.com/web:1.4\nimagePullPolicy: Always",
  ],
  "policy-ignored": [
    "image: registry.example.com/web:1.4\npullPolicy: Always",
    "image: registry.example.com/web:1.4\nimagePullPolicy: Always",
  ],
  "policy-missing-surprises": [
    `image: registry.example.com/web:latest@${digest()}`,
    `image: registry.example.com/web:latest@${digest()}\nimagePullPolicy: IfNotPresent`,
  ],
  "moving-tag-not-always": [
    "image: registry.example.com/web:main\nimagePullPolicy: IfNotPresent",
    "image: registry.example.com/web:main\nimagePullPolicy: Always",
  ],
  "always-needless": [
    `image: registry.example.com/web@${digest()}\nimagePullPolicy: Always`,
    `image: registry.example.com/web@${digest()}\nimagePullPolicy: IfNotPresent`,
  ],
  "not-always": [
    "image: registry.example.com/web:1.4",
    "image: registry.example.com/web:1.4\nimagePullPolicy: Always",
    "always",
  ],
  "always-needs-registry": [
    "image: registry.example.com/web:1.4\nimagePullPolicy: Always",
    "image: registry.example.com/web:1.4\nimagePullPolicy: IfNotPresent",
    "offline",
  ],
  never: [
    "image: registry.example.com/web:1.4\nimagePullPolicy: Never",
    "image: registry.example.com/web:1.4\nimagePullPolicy: IfNotPresent",
  ],
};

/** The page; `origin` says where it comes from. @type {(rules: RuleModule, auditing: AuditModule, origin: string) => Promise<string>} */
export async function auditRulesPage({ profiles, ruleTable }, auditing, origin) {
  const unknown = Object.keys(examples).filter((id) => !Object.hasOwn(ruleTable, id));
  if (unknown.length > 0) throw new StepError(`there are examples of rules that do not exist: ${unknown.join(", ")}`);
  const sections = [];
  for (const [id, rule] of Object.entries(ruleTable)) {
    const example = examples[id];
    if (example !== undefined) await judge(id, example, auditing);
    sections.push(section(id, rule, profiles, example));
  }
  return `# The rules of the audit

${origin}

\`pulley audit\` looks at each container by these rules. A profile says how severe each is: \`recommended\` gives every image the pull policy that fits it, \`always\` wants every start checked by the registry, \`offline\` wants no start to need one. \`--rule ID=SEVERITY\` changes a single rule.

To leave out one finding, write \`# pulley:ignore RULE REASON\` on its line or on the line above it, or \`# pulley:ignore-file RULE REASON\` for a whole file. To begin with findings that are there already, keep them in a file with \`--baseline FILE --update-baseline\`.

| rule | ${profiles.join(" | ")} |
|---|${profiles.map(() => "---|").join("")}
${Object.entries(ruleTable)
  .map(([id, { severity }]) => `| [${id}](#${id}) | ${profiles.map((profile) => severity[profile]).join(" | ")} |`)
  .join("\n")}

${sections.join("\n\n")}
`;
}

/** @type {(id: string, rule: Rule, profiles: readonly Profile[], example: Example | undefined) => string} */
function section(id, { title, why, advice, severity }, profiles, example) {
  const severities = profiles.map((profile) => `${profile}: ${severity[profile]}`).join(" · ");
  const parts = [`## ${id}`, `**${title}.** ${why}`, `What to do: ${advice}`, severities];
  if (example !== undefined) {
    const [bad, good] = example;
    parts.push(`\`\`\`yaml\n# found\n${bad}\n---\n# not found\n${good}\n\`\`\``);
  }
  return parts.join("\n\n");
}

/** An example that the audit does not see as the page does would mislead. @type {(id: string, example: Example, auditing: AuditModule) => Promise<void>} */
async function judge(id, [bad, good, profile = "recommended"], { audit, collectAudit }) {
  for (const fields of [bad, good]) {
    const expected = fields === bad;
    /** @type {import("../../src/audit/input.ts").TextInput} */
    const input = { kind: "text", file: "example.yaml", text: pod(fields), expectManifests: true, mayBePatch: false };
    const { findings } = await collectAudit(audit([input], { profile, now: 0 }));
    if (findings.some(({ ruleId }) => ruleId === id) !== expected) {
      throw new StepError(`the audit ${expected ? "does not find" : "finds"} ${id} in its example:\n${fields}`);
    }
  }
}

/** @param {string} fields */
function pod(fields) {
  const container = `name: web\n${fields}`.replaceAll(/^/gm, "      ").replace(/^ {6}/, "    - ");
  return `apiVersion: v1\nkind: Pod\nmetadata: { name: web, namespace: prod }\nspec:\n  containers:\n${container}\n`;
}

function digest() {
  return `sha256:${"0123456789abcdef".repeat(4)}`;
}
