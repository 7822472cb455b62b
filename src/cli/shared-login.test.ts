import { Readable } from "node:stream";
import { describe, expect, it } from "vitest";
import { refuse, tagRegistry } from "../versions/testing/tag-registry.ts";
import { callPulley } from "./testing/call.ts";

/** Registries that ask for a login. */
function asking() {
  return tagRegistry({}, (_, response) =>
    refuse(response, 401, "UNAUTHORIZED", { "www-authenticate": 'Basic realm="own"' }),
  );
}

describe.each([["pull"], ["run", "--once"], ["explain", "--check"], ["outdated"], ["doctor"]])(
  "pulley %s",
  (...words) => {
    it.each<[string, readonly string[], string]>([
      ["--creds", ["--creds", "own:geheim"], ""],
      ["--username", ["--username", "own", "--password-stdin"], "geheim\n"],
    ])("sends the login of %s to nobody where images are of several registries", async (_, flags, stdin) => {
      const [one, other] = [await asking(), await asking()];
      const images = [`${one.host}/app:1`, `${other.host}/app:1`];
      const { status, stderr } = await callPulley([...words, ...flags, ...images], {}, Readable.from([stdin]));
      expect([status, stderr]).toEqual([2, expect.stringContaining("the images are of 2 registries")]);
      expect([...one.asked, ...other.asked]).toEqual([]);
    });
  },
);
