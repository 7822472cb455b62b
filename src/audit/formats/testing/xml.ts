/** A reader of XML 1.0 that takes nothing that is not well formed: elements, attributes, text and references only. */
export interface XmlElement {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly XmlElement[];
  /** Its own text, without that of its children. */
  readonly text: string;
}

interface OpenElement extends XmlElement {
  readonly children: XmlElement[];
  text: string;
}

const token = /<([a-z-]+)((?: [a-z]+="[^"<]*")*)(\/?)>|<\/([a-z-]+)>|([^<]+)/y;
const declaration = '<?xml version="1.0" encoding="UTF-8"?>\n';

export function parseXml(xml: string): XmlElement {
  if (!xml.startsWith(declaration)) throw new Error("no declaration");
  if (/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u.test(xml)) throw new Error("a forbidden character");
  const document: OpenElement = { name: "", attributes: {}, children: [], text: "" };
  const open = [document];
  token.lastIndex = declaration.length;
  while (token.lastIndex < xml.length) {
    const at = token.lastIndex;
    const match = token.exec(xml);
    const parent = open.at(-1);
    if (match === null || parent === undefined) throw new Error(`not well formed at ${xml.slice(at, at + 60)}`);
    const [, name, attributes = "", empty, closed, text] = match;
    if (text !== undefined) parent.text += decoded(text);
    if (name !== undefined) {
      const element: OpenElement = { name, attributes: parseAttributes(attributes), children: [], text: "" };
      parent.children.push(element);
      if (empty === "") open.push(element);
    }
    if (closed !== undefined && open.pop()?.name !== closed) throw new Error(`${closed} closes what is not open`);
  }
  const [root] = document.children;
  if (open.length !== 1 || document.children.length !== 1 || root === undefined)
    throw new Error("not one whole element");
  return root;
}

function parseAttributes(text: string): Record<string, string> {
  return Object.fromEntries(
    [...text.matchAll(/([a-z]+)="([^"]*)"/g)].map(([, key = "", value = ""]) => [key, decoded(value)]),
  );
}

const entities: ReadonlyMap<string, string> = new Map([
  ["amp", "&"],
  ["lt", "<"],
  ["gt", ">"],
  ["quot", '"'],
]);

function decoded(text: string): string {
  if (text.includes("]]>")) throw new Error("]]> in text");
  return text.replace(/&(?:#(\d+)|([a-z]+));|&/g, (whole, number?: string, name?: string) => {
    const character = number === undefined ? entities.get(name ?? "") : String.fromCodePoint(Number(number));
    if (character === undefined) throw new Error(`${whole} is no reference`);
    return character;
  });
}
