import { expect, test } from "vitest";
import { render } from "./screen.mjs";

test.each([
  ["plain lines", "one\ntwo\n", ["one", "two"]],
  ["a line written again", "10%\r20%", ["20%"]],
  ["a shorter text over a longer one", "downloading\r\u001b[Kdone", ["done"]],
  ["a block painted again from its top", "a\nb\nc\n\u001b[3A\u001b[Jx\ny\n", ["x", "y"]],
  ["text beyond the end of a line", "\u001b[5Gx", ["    x"]],
  ["a hidden cursor", "\u001b[?25lx\u001b[?25h", ["x"]],
  ["characters of two code units", "😀\rx", ["x"]],
])("shows %s", (_, output, expected) => {
  expect(render(output).map((line) => line.map(({ text }) => text).join(""))).toEqual(expected);
});

test("keeps colour and weight until they end", () => {
  const [line] = render("\u001b[1;31ma\u001b[39mb\u001b[22mc\u001b[0md");
  expect(line?.map(({ style: { colour, bold } }) => [colour, bold ?? false])).toEqual([
    ["red", true],
    [undefined, true],
    [undefined, false],
    [undefined, false],
  ]);
});
