/** Images as people paste them: with what browsers and other programs put in front of a name. */
import type { Command } from "commander";

const prefix = /^(https?|docker|oci):\/\/(.*)$/is;
const hubPage = /^hub\.docker\.com\/(?:_|r\/([^/]+))\/([^/?#]+).*$/i;

/** The name alone, and what was taken off; `undefined` where there is nothing to take off. */
export function withoutPrefix(word: string): { readonly image: string; readonly hint: string } | undefined {
  const [, scheme = "", rest = ""] = prefix.exec(word) ?? [];
  // What ends like a manifest is the address of one.
  if (rest === "" || /\.(ya?ml|json|txt)$/i.test(rest)) return undefined;
  const page = hubPage.exec(rest);
  const image = page === null ? rest.replace(/\/+$/, "") : `docker.io/${page[1] ?? "library"}/${page[2]}`;
  const plain = scheme.toLowerCase() === "http" ? "; --plain-http speaks HTTP with its registry" : "";
  const what =
    page === null ? `the name of an image has no ${scheme}:// in front` : "that is the address of a web page";
  return { image, hint: `${what}: ${image} is taken${plain}` };
}

/** Takes prefixes off the images among a command's arguments, and says so. */
export function cleanImages(command: Command, hint: (message: string) => void): void {
  const clean = (word: unknown): unknown => {
    if (Array.isArray(word)) return word.map(clean);
    const cleaned = typeof word === "string" ? withoutPrefix(word) : undefined;
    if (cleaned === undefined) return word;
    hint(cleaned.hint);
    return cleaned.image;
  };
  command.processedArgs = command.processedArgs.map((word, at) =>
    /image|name/.test(command.registeredArguments[at]?.name() ?? "") ? clean(word) : word,
  );
}
