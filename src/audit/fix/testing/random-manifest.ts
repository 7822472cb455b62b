/** Pods at random, in all the styles in which YAML and JSON can be written. */
import fc from "fast-check";

/** Decides: one of the items. */
type Draw = <Item>(...items: readonly [Item, ...Item[]]) => Item;

/** How one document is written. */
interface Style {
  readonly draw: Draw;
  /** Spaces before the list of containers, and before the dashes of its items. */
  readonly dash: string;
  /** Anchors of images that were written so far. */
  readonly anchors: string[];
}

/** A text of one to three pods, or of a list of them. */
export const randomManifest: fc.Arbitrary<string> = fc.gen().map((generate) => {
  const draw: Draw = (...items) => items[generate(fc.nat, { max: items.length - 1 })] ?? items[0];
  return draw(yamlText, yamlText, yamlText, jsonText)(draw);
});

function yamlText(draw: Draw): string {
  const documents = times(draw(1, 1, 2, 3), () =>
    podText({ draw, dash: " ".repeat(draw(1, 2, 2, 3, 4)), anchors: [] }),
  );
  const marker = draw("---", "---   # next", "--- ", "...\n---", "...\n# between\n---");
  const head = draw("", "", "# head\n", "---\n", "%YAML 1.1\n---\n", "\n\n");
  const text = head + documents.join(`\n${marker}\n`) + draw("\n", "\n", "", "\n\n", "\n...\n");
  return draw("", "", "\ufeff") + text.replaceAll("\n", draw("\n", "\n", "\r\n"));
}

function podText(style: Style): string {
  const { draw, dash } = style;
  return [
    "apiVersion: v1",
    draw("kind: Pod", '"kind": Pod', "kind:   'Pod'  # what it is", "? kind\n: Pod"),
    draw("metadata: {name: x}", `metadata:\n${dash}name: x`, `metadata:\n${dash}labels: {a: "}"}\n\n${dash}name: x`),
    draw("spec:", "spec: # here", "spec: &spec"),
    draw("", `${dash}restartPolicy: Never\n`, `${dash}# note: {\n`) +
      `${dash}containers:${draw("", "  # all of them")}`,
    ...times(draw(1, 2, 3, 4), () => draw(blockItem, blockItem, blockItem, flowItem, linesItem, jsonItem)(style)),
    ...draw([], [`${dash}tolerations: []`], ["# the end"]),
  ].join("\n");
}

function blockItem(style: Style): string {
  const { draw, dash } = style;
  const gap = draw(" ", "   ", "\n");
  const indent = gap === "\n" ? `${dash}${draw(" ", "  ", "     ")}` : `${dash} ${gap}`;
  const opening = gap === "\n" ? `${dash}-${draw("", " # one", " !!map")}\n${indent}` : `${dash}-${gap}`;
  return opening + blockEntries(style, indent).join(`\n${indent}`);
}

function blockEntries(style: Style, indent: string): string[] {
  const { draw } = style;
  const image = [entry(draw, indent, "image", ...imageValue(style, indent))];
  const name = [entry(draw, indent, "name", ...value(draw, indent, randomName(draw), false))];
  const text = draw("Always", "IfNotPresent", "Never", "always");
  const policy = draw(
    [],
    [],
    [entry(draw, indent, "imagePullPolicy", ...value(draw, indent, text, true))],
    [`imagePullPolicy:${draw("", " ~", " null", " # later", ' ""', " &p", " yes")}`],
  );
  const other = draw(
    [],
    ["tty: true"],
    ["args:", "- a", "-   - b", `- "c: ${draw("{", "#")}"`],
    ["env: [{name: A, value: 'x, y'}, {name: B}]"],
    [`command: ["a",\n${indent}  'b'] # c`],
    [`args:\n${indent}  - |\n${indent}    image: no\n\n${indent}     # text\n${indent}  - last`],
    [`workingDir: "a\n\n${indent}  b"`],
  );
  return inSomeOrder(draw, image, name, policy, other).flatMap((line) =>
    draw([line], [line], [line], ["# above", line], [line, "", "# below"]),
  );
}

/** How a value is written, and whether there can be a comment behind it. */
type Written = readonly [text: string, takesComment: boolean];

function imageValue({ draw, anchors }: Style, indent: string): Written {
  const [text, takesComment] = value(draw, indent, randomImage(draw), true);
  const anchor = `i${anchors.length}`;
  switch (draw("own", "own", "own", "tag", "anchor", anchors.length > 0 ? "alias" : "own")) {
    case "alias":
      return [`*${draw("i0", anchors.at(-1) ?? "i0")}`, true];
    case "anchor":
      anchors.push(anchor);
      return [`&${anchor} ${text}`, takesComment];
    case "tag":
      return [`!!str ${text}`, takesComment];
    default:
      return [text, takesComment];
  }
}

function value(draw: Draw, indent: string, text: string, canBePlain: boolean): Written {
  const quoted = [JSON.stringify(text), `'${text.replaceAll("'", "''")}'`] as const;
  const block = `${draw(">-", "|-", ">-  # c")}\n${indent}${draw(" ", "  ", "    ")}${text}${draw("", "\n", "\n\n")}`;
  const written = draw(canBePlain ? text : quoted[0], canBePlain ? text : quoted[1], ...quoted, block);
  return [written, written !== block];
}

function entry(draw: Draw, indent: string, key: string, text: string, takesComment: boolean): string {
  const label = draw(key, key, key, `"${key}"`, `'${key}'`);
  const colon = draw(`${label}: `, `${label}: `, `${label} :   `, `? ${label}\n${indent}: `);
  const comment = draw("", "", "", "  # why", " #", `   # why\n${indent}      # and so on`);
  const below = takesComment && draw(true, false, false, false, false);
  return `${below ? `${label}:\n${indent}  ` : colon}${text}${takesComment ? comment : ""}`;
}

function flowItem({ draw, dash }: Style): string {
  const gap = draw("", " ");
  return `${dash}- {${gap}${flowPairs(draw).join(draw(", ", ",", " , "))}${gap}}`;
}

function linesItem({ draw, dash }: Style): string {
  const pairs = flowPairs(draw);
  const lines = pairs.map((pair, index) => {
    const isLast = index === pairs.length - 1;
    return `${dash}     ${pair}${isLast ? draw("", ",", " # last") : draw(",", " ,", ",  # note, with a comma")}`;
  });
  return `${dash}- {${draw("", " # opens")}\n${lines.join("\n")}\n${dash}  }`;
}

function flowPairs(draw: Draw): string[] {
  const keyQuote = draw("", "", '"', "'");
  const valueQuote = keyQuote === "" ? draw("", "'", '"') : draw(keyQuote, '"');
  const colon = keyQuote === "" ? ": " : draw(": ", ":", " : ");
  const pair = (key: string, text: string) => `${keyQuote}${key}${keyQuote}${colon}${valueQuote}${text}${valueQuote}`;
  const policy = draw([], [], [pair("imagePullPolicy", draw("Always", "Never"))]);
  const other = draw([], ["args: [a, '}', \"]\", {b: c}]"], ["tty: true"], ['"x": {y: {}}']);
  return inSomeOrder(draw, [pair("image", randomImage(draw))], [`name: ${draw("a", "'it''s'", '"{"')}`], policy, other);
}

/** JSON in the place of a list item of YAML; its lines have to be indented. */
function jsonItem({ draw, dash }: Style): string {
  return `${dash}-${draw(" ", "   ")}${JSON.stringify(jsonContainer(draw), null, draw(0, 0, 1)).replaceAll("\n", `\n${dash}  `)}`;
}

function jsonText(draw: Draw): string {
  const items = times(draw(1, 2, 3), () => ({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: randomName(draw) },
    spec: {
      containers: times(draw(1, 2), () => jsonContainer(draw)),
      volumes: draw([], [{ name: "v", image: { reference: randomImage(draw) } }]),
    },
  }));
  const root = draw<object>({ apiVersion: "v1", kind: "List", items }, items[0] ?? {});
  const text = JSON.stringify(root, null, draw<number | string>(0, 1, 2, 4, "\t"));
  return draw("", "", "\ufeff") + (text + draw("", "\n", "\n\n", "  \n")).replaceAll("\n", draw("\n", "\r\n"));
}

function jsonContainer(draw: Draw): object {
  const name = { name: randomName(draw) };
  const image = { image: randomImage(draw) };
  const policy = draw({}, {}, { imagePullPolicy: draw("Always", "Never", "") });
  const other = draw({}, { args: ['"', "}", '{"image":"x"}', "\\"] }, { tty: true });
  return Object.assign({}, ...inSomeOrder<object>(draw, [name], [image], [policy], [other]));
}

function randomImage(draw: Draw): string {
  return draw("nginx", "nginx:1.27", "registry.example.com:5000/team/app:v1", "busybox:latest", "ghcr.io/a/b_c/d--e");
}

function randomName(draw: Draw): string {
  return draw(
    "a",
    "web-1",
    "größe",
    "日本語 🐳",
    "it's",
    'say "hi"',
    "x # y",
    "no: yes",
    "yes",
    "12",
    "- a",
    "{a}",
    "&b",
  );
}

function inSomeOrder<Item>(draw: Draw, ...[a, b, c, d]: readonly [Item[], Item[], Item[], Item[]]): Item[] {
  return draw([a, b, c, d], [b, a, c, d], [d, c, b, a], [b, d, a, c], [c, d, b, a]).flat();
}

function times<Item>(count: number, make: () => Item): Item[] {
  return Array.from({ length: count }, make);
}
