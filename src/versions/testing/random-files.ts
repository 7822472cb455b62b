/** Files at random that say images: values, kustomizations, Compose files and lists, in the styles in which people write them. */
import fc from "fast-check";

/** Decides: one of the items. */
type Draw = <Item>(...items: readonly [Item, ...Item[]]) => Item;

export interface RandomFile {
  readonly name: string;
  readonly text: string;
}

export const randomFile: fc.Arbitrary<RandomFile> = fc.gen().map((generate) => {
  const draw: Draw = (...items) => items[generate(fc.nat, { max: items.length - 1 })] ?? items[0];
  const { name, lines } = draw(valuesFile, kustomization, composeFile, list)(draw);
  const noise = () => draw([], [], [], ["# image: nginx:1.25"], ["", "# {{ tag }}"]);
  const text = [...noise(), ...lines.flatMap((line) => [line, ...noise()]), ...draw([], [""], ["# end"])].join("\n");
  return { name, text: draw("", "", "\ufeff") + text.replaceAll("\n", draw("\n", "\n", "\r\n")) };
});

const digests = ["ab", "01"].map((part) => `sha256:${part.repeat(32)}`);

function valuesFile(draw: Draw): { name: string; lines: string[] } {
  const lines = times(draw(1, 2, 3, 4), (index) => {
    const key = draw("image", "image", "sidecarImage");
    return draw(blockImage, flowImage, wholeImage, pairImage)(draw, `part${index}`, key);
  });
  return { name: draw("values.yaml", "values-prod.yaml"), lines: [...draw([], ["replicas: 3"]), ...lines.flat()] };
}

function blockImage(draw: Draw, parent: string, key: string): string[] {
  const indent = draw("  ", "    ");
  const below = indent + draw("  ", " ");
  const entries = inSomeOrder(draw, [
    `repository: ${quoted(draw, repository(draw))}`,
    `tag: ${value(draw, tag(draw))}${comment(draw)}`,
    ...draw([], ["pullPolicy: Always"]),
    ...draw([], [], [`digest: ${quoted(draw, draw("", ...digests))}`]),
  ]);
  return [`${parent}:`, `${indent}${key}:${comment(draw)}`, ...entries.map((entry) => below + entry)];
}

function flowImage(draw: Draw, parent: string, key: string): string[] {
  const entries = inSomeOrder(draw, [
    `repository: ${repository(draw)}`,
    `tag: "${tag(draw)}"`,
    ...draw([], ["x: [1, 2]"]),
  ]);
  return [`${parent}: {${key}: {${entries.join(draw(", ", " , "))}}}${comment(draw)}`];
}

function wholeImage(draw: Draw, parent: string, key: string): string[] {
  const digest = draw("", "", `@${digests[0]}`);
  return [`${parent}:`, `  ${key}: ${quoted(draw, `${repository(draw)}:${tag(draw)}${digest}`)}${comment(draw)}`];
}

function pairImage(draw: Draw, parent: string): string[] {
  return [`${parent}:`, `  image: ${repository(draw)}`, `  imageTag: ${value(draw, tag(draw))}${comment(draw)}`];
}

function kustomization(draw: Draw): { name: string; lines: string[] } {
  const entries = times(draw(1, 2, 3), () => {
    const entry = inSomeOrder(draw, [
      `name: ${repository(draw)}`,
      `newTag: ${quoted(draw, tag(draw))}`,
      ...draw([], [`newName: ${repository(draw)}`]),
      ...draw([], [], [`digest: ${digests[0]}`]),
    ]);
    return draw(true, false)
      ? [`- {${entry.join(", ")}}`]
      : entry.map((line, index) => `${index === 0 ? "- " : "  "}${line}${comment(draw)}`);
  });
  return { name: "kustomization.yaml", lines: ["namePrefix: a-", "images:", ...entries.flat()] };
}

function composeFile(draw: Draw): { name: string; lines: string[] } {
  const services = times(draw(1, 2, 3), (index) => {
    const own = `${repository(draw)}:${draw(tag(draw), `\${TAG:-${tag(draw)}}`, `${tag(draw)}-\${KIND:-a}`)}`;
    const image = `${own}${draw("", "", `@${digests[0]}`)}`;
    return [
      `  web${index}:`,
      ...draw([], ["    ports: ['80:80']"]),
      `    image: ${draw(image, `"${image}"`, `'${image}'`)}`,
    ];
  });
  return { name: "compose.yaml", lines: ["services:", ...services.flat()] };
}

function list(draw: Draw): { name: string; lines: string[] } {
  const lines = times(draw(1, 2, 4), () => {
    const image = `${repository(draw)}${draw("", `:${tag(draw)}`, `:${tag(draw)}`, `:${tag(draw)}@${digests[0]}`)}`;
    return draw(image, `  ${image} # ${image}`, `   3 ${image}`, `${image} ${repository(draw)}:${tag(draw)}`);
  });
  return { name: "images.txt", lines };
}

function repository(draw: Draw): string {
  return draw("nginx", "q.io/a", "localhost:5000/team/app", "docker.io/library/nginx", "ghcr.io/a/b_c/d--e");
}

function tag(draw: Draw): string {
  return draw("1.25", "v1", "1.25-alpine3.19", "20240101", "latest", "2024-01-01");
}

function value(draw: Draw, text: string): string {
  return draw(text, quoted(draw, text));
}

function quoted(draw: Draw, text: string): string {
  return draw(`"${text}"`, `'${text}'`);
}

function comment(draw: Draw): string {
  return draw("", "", " # why", "  # {{ .Values.tag }}");
}

function inSomeOrder(draw: Draw, items: readonly string[]): string[] {
  return draw([...items], [...items].reverse());
}

function times<Item>(count: number, make: (index: number) => Item): Item[] {
  return Array.from({ length: count }, (_, index) => make(index));
}
