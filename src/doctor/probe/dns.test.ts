import { expect, it } from "vitest";
import { parseResolverConfiguration } from "./dns.ts";

it.each([
  ["", [], []],
  ["nameserver 10.0.0.53\nsearch acme.io corp.acme.io\n", ["10.0.0.53"], ["acme.io", "corp.acme.io"]],
  ["# nameserver 1.1.1.1\n; search x\nnameserver 10.0.0.1 # first\n", ["10.0.0.1"], []],
  ["domain acme.io\nsearch a b\nsearch c\n", [], ["c"]],
  ["search a\ndomain acme.io\n", [], ["acme.io"]],
  ["nameserver 1\nnameserver 2\nnameserver 3\nnameserver 4\noptions ndots:5\n", ["1", "2", "3"], []],
  ["nameserver\n  nameserver\t10.0.0.1\r\n", ["10.0.0.1"], []],
])("%j", (text, servers, search) => {
  expect(parseResolverConfiguration(text)).toEqual({ servers, search });
});
