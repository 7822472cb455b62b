import { describe, expect, it } from "vitest";
import { errorText, isPulleyError, PulleyError } from "../support/errors.ts";
import { FailingRegistries } from "./failing-registries.ts";

type Code = ConstructorParameters<typeof PulleyError>[0];

function registries() {
  const failing = new FailingRegistries();
  const asked: string[] = [];
  const ask = async (path: string, code?: Code, address = "https://q.io") => {
    const work = async () => {
      asked.push(path);
      if (code !== undefined) throw new PulleyError(code, `${path} has failed`);
      return path;
    };
    return failing
      .asking(address, { path }, work)
      .catch((error: unknown) => `${isPulleyError(error) ? error.code : ""}: ${errorText(error)}`);
  };
  return { ask, asked };
}

describe("a registry that fails again and again", () => {
  it.each<Code>(["REGISTRY_RATE_LIMITED", "REGISTRY_UNAVAILABLE", "REGISTRY_UNREACHABLE", "REGISTRY_STALLED"])(
    "with %s is asked eight times, and its failure is told from then on",
    async (code) => {
      const { ask, asked } = registries();
      for (let at = 0; at < 8; at += 1) await ask(`team/a${at}`, code);
      const message = `${code}: not asked, because 8 requests in a row have failed: team/a7 has failed`;
      expect(await ask("team/b")).toBe(message);
      expect(asked).toHaveLength(8);
      expect(await ask("team/b", undefined, "https://r.io")).toBe("team/b");
    },
  );

  it.each<[what: string, code: Code | undefined]>([
    ["an answer", undefined],
    ["a refusal", "REGISTRY_UNAUTHORIZED"],
    ["a repository that is not there", "REGISTRY_NOT_FOUND"],
  ])("is asked on after %s", async (_, code) => {
    const { ask, asked } = registries();
    for (let at = 0; at < 7; at += 1) await ask("a", "REGISTRY_UNAVAILABLE");
    await ask("a", code);
    for (let at = 0; at < 7; at += 1) await ask("a", "REGISTRY_UNAVAILABLE");
    expect(await ask("a")).toBe("a");
    expect(asked).toHaveLength(16);
  });

  it("in one project may answer in another, but who has too many requests has them for all", async () => {
    const { ask } = registries();
    for (let at = 0; at < 8; at += 1) await ask(`proxy/a${at}`, "REGISTRY_UNAVAILABLE");
    expect(await ask("own/b")).toBe("own/b");
    for (let at = 0; at < 8; at += 1) await ask(`other/a${at}`, "REGISTRY_RATE_LIMITED");
    expect(await ask("own/b")).toMatch(/^REGISTRY_RATE_LIMITED: not asked/);
  });

  it("is not blamed for a call that was cancelled", async () => {
    const { ask } = registries();
    for (let at = 0; at < 9; at += 1) await ask("a", "CANCELLED");
    expect(await ask("a")).toBe("a");
  });
});
