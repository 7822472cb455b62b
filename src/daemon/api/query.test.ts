import { expect, it } from "vitest";
import { selects } from "../../policy/index.ts";
import { parseLabelSelector } from "./query.ts";

const labels = { app: "web", env: "prod", "acme.io/tier": "front", empty: "" };

it.each([
  ["", true],
  ["app=web", true],
  ["app==web", true],
  ["app = web", true],
  ["app=db", false],
  ["app!=db", true],
  ["none!=db", true],
  ["acme.io/tier=front", true],
  ["empty=", true],
  ["app=", false],
  ["app in (web,db)", true],
  ["app in ( db , web )", true],
  ["app in (db)", false],
  ["app notin (db),env=prod", true],
  ["none notin (db)", true],
  ["env,app", true],
  ["!env", false],
  ["! none", true],
  ["app in (web, db),env in (prod),!none", true],
])("%j holds: %s", (text, holds) => {
  const selector = parseLabelSelector(text);
  expect(selector && selects(selector, labels)).toBe(holds);
});

it.each([
  "a=b=c",
  "=b",
  "a,,b",
  "a in",
  "a in (b",
  "a in b)",
  "a b",
  "-a",
  "a=-b",
  "a>1",
  "!",
  "x".repeat(64),
  "a in (b),",
])("%j is no selector", (text) => {
  expect(parseLabelSelector(text)).toBeUndefined();
});

it.each(["a in (", "a=", "! ", "a/"])("a long text that begins with %j is refused at once", (beginning) => {
  const text = `${beginning}${"a,".repeat(500)}${"b ".repeat(500)}`;
  expect(parseLabelSelector(text)).toBeUndefined();
});
