/** The file of teams, read strictly: what is misspelt would leave somebody without their items. */
import { z } from "zod";
import { keyPosition, type Pattern, parseNamePattern } from "../policy/index.ts";
import { problemsOf as schemaProblems } from "../policy/language/issues.ts";
import { type ManifestDocument, type Problem, plain, readValues } from "../workload/index.ts";
import type { ReadTeams, Team } from "./teams.ts";

const pattern = z
  .string()
  .min(1)
  .transform((text, context): Pattern => {
    const parsed = parseNamePattern(text);
    if ("value" in parsed) return parsed.value;
    context.addIssue({ code: "custom", message: parsed.problem });
    return z.NEVER;
  });

const requirement = z.discriminatedUnion("operator", [
  z.strictObject({ key: z.string().min(1), operator: z.enum(["In", "NotIn"]), values: z.array(z.string()).min(1) }),
  z.strictObject({ key: z.string().min(1), operator: z.enum(["Exists", "DoesNotExist"]) }),
]);

const nothingSaid = "says nothing; leave it out, or give it one of its keys";

const selector = z
  .strictObject({
    matchLabels: z.record(z.string().min(1), z.string()).optional(),
    matchExpressions: z.array(requirement).min(1).optional(),
  })
  .refine((given) => Object.keys(given).length > 0, nothingSaid);

const team = z
  .strictObject({
    name: z.string().min(1).max(100),
    contact: z.string().min(1).max(200).optional(),
    namespaces: z.array(pattern).min(1).optional(),
    labels: selector.optional(),
  })
  .refine(
    ({ namespaces, labels }) => namespaces !== undefined || labels !== undefined,
    "has neither namespaces nor labels: nothing would be its own",
  );

const file = z.strictObject({ teams: z.array(team).min(1).max(1000) });

/** The keys of the file, by how deep they are: for those that are misspelt. */
const keys: Readonly<Record<string, readonly string[]>> = {
  "": ["teams"],
  teams: ["name", "contact", "namespaces", "labels"],
  labels: ["matchLabels", "matchExpressions"],
  matchExpressions: ["key", "operator", "values"],
};

/** Reads YAML or JSON. @param name the file, for the places of mistakes */
export function readTeams(text: string, name: string): ReadTeams {
  const input = readValues(text, name);
  const [root] = input.values;
  const start = input.text.position(0);
  const refuse = (message: string): ReadTeams => ({ teams: [], problems: [{ source: start, message }] });
  if (input.problems.length > 0) return { teams: [], problems: input.problems };
  if (input.values.length !== 1 || root?.kind !== "mapping") return refuse("the file must be one object with teams");
  const document: ManifestDocument = { apiVersion: "", kind: "", source: start, root, text: input.text };
  const { data, error } = file.safeParse(plain(root));
  if (error !== undefined) {
    const known = (path: readonly PropertyKey[]) => keys[path.findLast((key) => typeof key === "string") ?? ""] ?? [];
    return { teams: [], problems: schemaProblems(error.issues, document, known) };
  }
  const teams = data.teams.map(
    ({ name: own, contact = null, namespaces, labels }): Team => ({ name: own, contact, namespaces, labels }),
  );
  const problems = namedTwice(teams, document);
  return { teams: problems.length === 0 ? teams : [], problems };
}

function namedTwice(teams: readonly Team[], document: ManifestDocument): Problem[] {
  return teams.flatMap(({ name }, at) => {
    const first = teams.findIndex((each) => each.name === name);
    if (first === at) return [];
    const message = `teams[${at}].name: ${name} is the name of teams[${first}], too`;
    return [{ source: keyPosition(document, ["teams", at, "name"]), message }];
  });
}
