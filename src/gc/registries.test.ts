import { describe, expect, it } from "vitest";
import { parseReference, type Repository } from "../image/index.ts";
import type { RegistryClient } from "../registry/index.ts";
import { type ErrorCode, PulleyError } from "../support/errors.ts";
import { Login } from "../support/login.ts";
import { manualClock } from "../support/manual-clock.ts";
import { createRegistries } from "./registries.ts";
import type { CollectableImage } from "./types.ts";

const digest = parseReference(`a@sha256:${"a".repeat(64)}`).digest ?? expect.unreachable();

type Answer = ErrorCode | "has it" | "nothing";

/** Registries that answer as they are told, by repository; a login in the key counts for that login. */
function world(answers: Readonly<Record<string, Answer>>, logins: Readonly<Record<string, readonly string[]>> = {}) {
  const clock = manualClock(1_000_000);
  const asked: string[] = [];
  const resolve: RegistryClient["resolve"] = async ({ repository }, { login, signal }) => {
    const secret = login?.reveal();
    const user = secret?.kind === "password" ? `${secret.username}@` : "";
    asked.push(user + repository.name);
    const answer = answers[user + repository.name] ?? "REGISTRY_NOT_FOUND";
    if (answer === "has it") return { mediaType: "", digest, size: 1 };
    if (answer === "nothing") await clock.sleep(3_600_000, signal);
    throw new PulleyError(answer === "nothing" ? "INTERNAL" : answer, "no");
  };
  const registry = { resolve } as Pick<RegistryClient, "resolve"> as RegistryClient;
  const loginSource = {
    logins: async ({ name }: Repository) =>
      (logins[name] ?? []).map((username) => new Login("test", { kind: "password", username, password: "x" })),
  };
  return { clock, asked, registries: createRegistries({ registry, logins: loginSource, clock }) };
}

function imageFrom(...repositories: readonly string[]): CollectableImage {
  const sources = repositories.map((name) => ({ repository: parseReference(name).repository, digest }));
  return { id: "x", names: repositories, size: 1, pinned: false, sources };
}

describe("whether an image could be had again", () => {
  it.each<[Answer, string]>([
    ["has it", "offered"],
    ["REGISTRY_NOT_FOUND", "lost"],
    ["REGISTRY_UNAUTHORIZED", "refused"],
    ["REGISTRY_FORBIDDEN", "refused"],
    ["REGISTRY_UNREACHABLE", "unreachable"],
    ["REGISTRY_UNAVAILABLE", "unreachable"],
    ["REGISTRY_RATE_LIMITED", "unreachable"],
    ["REGISTRY_TLS", "unreachable"],
    // A web page that says 404 is no registry that says so.
    ["REGISTRY_PROTOCOL", "unreachable"],
  ])("its registry says %s: %s", async (answer, expected) => {
    const { registries, asked } = world({ "docker.io/library/a": answer });
    expect(await registries.presence(imageFrom("a"))).toBe(expected);
    expect(asked).toEqual(["docker.io/library/a"]);
  });

  it("nobody can say of an image without a name", async () => {
    expect(await world({}).registries.presence(imageFrom())).toBe("nameless");
  });

  it.each<[Answer, Answer, string]>([
    ["REGISTRY_NOT_FOUND", "has it", "offered"],
    ["REGISTRY_NOT_FOUND", "REGISTRY_NOT_FOUND", "lost"],
    ["REGISTRY_NOT_FOUND", "REGISTRY_UNREACHABLE", "unreachable"],
    ["REGISTRY_NOT_FOUND", "REGISTRY_FORBIDDEN", "refused"],
    ["REGISTRY_UNREACHABLE", "REGISTRY_FORBIDDEN", "refused"],
  ])("under two names, of which it is said %s and %s: %s", async (one, other, expected) => {
    const { registries } = world({ "a.io/x": one, "b.io/x": other });
    expect(await registries.presence(imageFrom("a.io/x", "b.io/x"))).toBe(expected);
  });

  it("is asked with every login that is known, until one is let in", async () => {
    const answers = { "bob@a.io/x": "REGISTRY_FORBIDDEN", "alice@a.io/x": "has it" } as const;
    const { registries, asked } = world(answers, { "a.io/x": ["bob", "alice", "carol"] });
    expect(await registries.presence(imageFrom("a.io/x"))).toBe("offered");
    expect(asked).toEqual(["bob@a.io/x", "alice@a.io/x"]);
  });

  it("is remembered for five minutes, of a registry that does not answer for all that it may have", async () => {
    const { registries, asked, clock } = world({ "a.io/x": "REGISTRY_UNREACHABLE", "b.io/x": "has it" });
    for (const name of ["a.io/x", "a.io/y", "a.io/z", "b.io/x", "b.io/x"]) await registries.presence(imageFrom(name));
    expect(asked).toEqual(["a.io/x", "b.io/x"]);
    await clock.advance(5 * 60_000);
    await registries.presence(imageFrom("a.io/x"));
    expect(asked).toEqual(["a.io/x", "b.io/x", "a.io/x"]);
  });

  it("is not waited for without end", async () => {
    const { registries, clock } = world({ "a.io/x": "nothing" });
    const answer = registries.presence(imageFrom("a.io/x"));
    await clock.advance(15_000);
    expect(await answer).toBe("unreachable");
    expect(clock.sleepers).toBe(0);
  });

  it("is given up when the collection is", async () => {
    const { registries, clock } = world({ "a.io/x": "nothing" });
    const stop = new AbortController();
    const answer = registries.presence(imageFrom("a.io/x"), stop.signal);
    await clock.advance(1);
    stop.abort(new Error("enough"));
    await expect(answer).rejects.toThrow("enough");
    expect(clock.sleepers).toBe(0);
  });
});
