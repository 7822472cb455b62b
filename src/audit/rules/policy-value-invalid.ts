import { pullPolicies } from "../../workload/requests.ts";
import type { PullPolicy } from "../../workload/types.ts";
import type { Subject } from "../subject.ts";
import { type Check, shown } from "./check.ts";

/** `always`: Kubernetes spells its pull policies in one way only. */
export const policyValueInvalid: Check = (subject) => {
  const { written, words } = subject;
  const message = invalidPolicyValue(subject);
  if (written === undefined || message === undefined) return undefined;
  const { Always, IfNotPresent, Never } = words.values;
  const meant = whatWasMeant(written.text, words);
  return {
    at: written.at,
    message,
    advice: meant === undefined ? `Write ${Always}, ${IfNotPresent} or ${Never}.` : `Write ${words.values[meant]}.`,
    change: meant === undefined ? undefined : { what: "pullPolicy", value: meant },
  };
};

/** What is wrong with a pull policy that is not one of the format's. */
export function invalidPolicyValue({ written, words, unresolved }: Subject): string | undefined {
  if (written === undefined || written.meaning !== undefined || unresolved === "template") return undefined;
  if (written.text.includes("{{") || written.text.includes("${")) return undefined;
  const { Always, IfNotPresent, Never } = words.values;
  const all = [Always, IfNotPresent, Never, ...words.others];
  return `${words.field} is ${shown(written.text)}, which is none of ${all.slice(0, -1).join(", ")} and ${all.at(-1)}, so ${words.reader} refuses it`;
}

/** The policy that the text is, letters and separators aside; or that Compose calls so. */
function whatWasMeant(text: string, words: Subject["words"]): PullPolicy | undefined {
  const letters = lettersOf(text);
  if (letters === "missing") return "IfNotPresent";
  return pullPolicies.find((policy) => [lettersOf(policy), lettersOf(words.values[policy])].includes(letters));
}

function lettersOf(text: string): string {
  return text.toLowerCase().replace(/[\s_-]/g, "");
}
