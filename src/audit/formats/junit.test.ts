import { expect, test } from "vitest";
import { printable } from "../../support/terminal.ts";
import { junit } from "./junit.ts";
import { everywhere, hostileTexts, printed, sample } from "./testing/sample.ts";
import { parseXml, type XmlElement } from "./testing/xml.ts";

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is left out
const forbidden = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])/g;

test.each(hostileTexts)("%j comes through without what XML cannot hold", async (text) => {
  const [suite] = parseXml(await printed(junit, [everywhere(text)])).children;
  const [testCase] = suite?.children ?? [];
  const [failure] = testCase?.children ?? [];
  const kept = text.replace(forbidden, "");
  expect(suite?.attributes["name"]).toBe(kept);
  expect(testCase?.attributes["classname"]).toBe(kept);
  expect(failure?.attributes["message"]).toBe(kept);
  // A file's name that has several lines is told in one.
  const place = /[\r\n]/.test(text) ? printable(text) : kept;
  expect(failure?.text).toBe(`${place}:10:28: ${kept}\n${kept}`);
});

test("a suite counts its tests and failures, and a note is none", async () => {
  const suites = parseXml(await printed(junit, sample)).children;
  expect(suites.map(({ attributes: { tests, failures } }) => [tests, failures])).toEqual([
    ["2", "2"],
    ["1", "0"],
    ["1", "1"],
  ]);
  for (const { attributes, children } of suites) {
    expect(attributes["tests"]).toBe(`${children.length}`);
    expect(attributes["failures"]).toBe(`${children.filter(hasFailed).length}`);
  }
});

test("tests of one name are told apart", async () => {
  const names = parseXml(
    await printed(
      junit,
      sample.slice(0, 1).flatMap((finding) => [finding, finding, finding]),
    ),
  )
    .children.flatMap(({ children }) => children)
    .map(({ attributes }) => attributes["name"]);
  const name = "tag-moving: Deployment prod/web, container nginx";
  expect(names).toEqual([name, `${name} (2)`, `${name} (3)`]);
});

test("nothing found is one test that passed", async () => {
  const [suite] = parseXml(await printed(junit, [])).children;
  expect(suite?.attributes).toMatchObject({ tests: "1", failures: "0" });
  expect(suite?.children[0]?.children).toEqual([]);
});

function hasFailed({ children }: XmlElement): boolean {
  return children.some(({ name }) => name === "failure");
}
