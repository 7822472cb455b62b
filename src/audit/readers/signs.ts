/** Telling a broken manifest, which is worth an error, from a file that is something else and only cannot be read here. */
import { basename } from "node:path";

/** Keys of a Kubernetes object, in YAML and in JSON, also in an item of a list. */
const apiVersion = /(?:^|[{,\n])[ \t]*(?:- +)*["']?apiVersion["']?[ \t]*:/;
const kind = /(?:^|[{,\n])[ \t]*(?:- +)*["']?kind["']?[ \t]*:/;
/** A mapping below `services` or `functions`, with images or what they are built from; pipelines have lists there. */
const groups =
  /(?:^|\n)["']?(?:services|functions)["']?[ \t]*:[ \t]*(?:#[^\n]*)?\r?\n(?:[ \t]*(?:#[^\n]*)?\r?\n)*[ \t]+["']?[\w.${}-]+["']?[ \t]*:/;
const images = /\n[ \t]+["']?(?:image|build|handler)["']?[ \t]*:/;

/** Whether a text, broken or not, means to be a manifest, a Compose file or a stack file. */
export function isMeantAsManifest(text: string): boolean {
  return (apiVersion.test(text) && kind.test(text)) || (groups.test(text) && images.test(text));
}

const settingsFile = /^(?:\.|(?:ts|js)config\b.*\.json$|.*\.(?:jsonc|json5|jsonl|ndjson)$)/i;
/** JSON, which may begin with comments. */
const json = /^\ufeff?(?:\s|\/\/[^\n]*|\/\*(?:[^*]|\*(?!\/))*\*\/)*[{["]/;
/** What only readers of that kind of YAML know: `!Ref`, `!vault`, `!reference [a, b]`. */
const ownTag = /(?:^|[\s[{,:-])![A-Za-z][\w.:/-]*(?=[\s[{,]|$)/m;

/** Whether a text that is not meant as a manifest can be told to be something else, and not just a broken text. */
export function isForeign(text: string, file: string, messages: readonly string[]): boolean {
  if (settingsFile.test(basename(file)) || json.test(text) || ownTag.test(text)) return true;
  return messages.every((message) => message.endsWith(" is here twice"));
}
