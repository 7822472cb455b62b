import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { parseReference } from "../image/index.ts";
import { manualClock } from "../support/manual-clock.ts";
import { clientFiles, clientLogins } from "./client-logins.ts";
import { writeScript } from "./testing.ts";

let folder: string;
const path = (name: string) => join(folder, name);

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "pulley-client-"));
});

afterEach(() => rm(folder, { recursive: true }));

async function write(name: string, content: unknown): Promise<void> {
  await mkdir(dirname(path(name)), { recursive: true });
  await writeFile(path(name), typeof content === "string" ? content : JSON.stringify(content));
}

/** Helpers answer with their own name and the server that they were asked for. */
async function writeHelper(
  name: string,
  script = `printf '{"Username":"${name}","Secret":"%s"}' "$(cat)"`,
): Promise<void> {
  writeScript(path(`bin/docker-credential-${name}`), script);
}

interface Settings {
  readonly environment?: NodeJS.ProcessEnv;
  readonly authFile?: string;
}

async function ask(image: string, { environment, authFile }: Settings = {}) {
  const variables = { XDG_RUNTIME_DIR: path("run"), PATH: `${path("bin")}:/usr/bin:/bin`, ...environment };
  const source = clientLogins(
    { environment: variables, home: path("home"), uid: 1000, authFile },
    { clock: manualClock() },
  );
  const logins = await source.logins(parseReference(image).repository);
  expect(logins.length).toBeLessThan(2);
  return logins[0];
}

async function usernameFor(image: string, settings?: Settings): Promise<string | undefined> {
  const secret = (await ask(image, settings))?.reveal();
  return secret?.kind === "password" ? secret.username : undefined;
}

const user = (username: string) => ({ username, password: "p" });
const config = "home/.docker/config.json";

describe("the files", () => {
  const home = "/home/me";
  const paths = (environment: NodeJS.ProcessEnv, uid?: number, authFile?: string) =>
    clientFiles({ environment, home, uid, authFile }).map((file) => file.path);

  test.each([
    [
      "as a login shell has them",
      { XDG_RUNTIME_DIR: "/run/user/1000" },
      [
        "/run/user/1000/containers/auth.json",
        "/home/me/.config/containers/auth.json",
        "/home/me/.docker/config.json",
        "/home/me/.dockercfg",
      ],
    ],
    [
      "moved by variables",
      { XDG_RUNTIME_DIR: "/r", XDG_CONFIG_HOME: "/c", DOCKER_CONFIG: "/d" },
      ["/r/containers/auth.json", "/c/containers/auth.json", "/d/config.json", "/home/me/.dockercfg"],
    ],
    [
      "without a runtime folder",
      { XDG_RUNTIME_DIR: "" },
      [
        "/run/containers/1000/auth.json",
        "/home/me/.config/containers/auth.json",
        "/home/me/.docker/config.json",
        "/home/me/.dockercfg",
      ],
    ],
    ["with one named", { REGISTRY_AUTH_FILE: "/a.json", DOCKER_CONFIG: "/d" }, ["/a.json"]],
  ])("%s", (_name, environment, expected) => {
    expect(paths(environment, 1000)).toEqual(expected);
  });

  test("one that is named on the command line comes before the variable's", () => {
    expect(paths({ REGISTRY_AUTH_FILE: "/a.json" }, 1000, "/b.json")).toEqual(["/b.json"]);
  });

  test("are read in their order, and the first that has a login decides", async () => {
    const files = ["run/containers/auth.json", "home/.config/containers/auth.json", config, "home/.dockercfg"];
    for (const file of files.toReversed()) {
      await write(
        file,
        file.endsWith("cfg") ? { "r.io": user(file) } : { auths: { "r.io": user(file), "other.io": {} } },
      );
      expect(await usernameFor("r.io/a")).toBe(file);
    }
    expect(await usernameFor("other.io/a")).toBeUndefined();
    expect((await ask("r.io/a"))?.source).toBe(path("run/containers/auth.json"));
  });

  test("need not be there", async () => {
    expect(await ask("r.io/a")).toBeUndefined();
  });

  test("are all passed over for one that is named", async () => {
    await write(config, { auths: { "r.io": user("me") } });
    await write("named.json", { auths: { "s.io": user("named") } });
    expect(await usernameFor("r.io/a", { authFile: path("named.json") })).toBeUndefined();
    expect(await usernameFor("s.io/a", { environment: { REGISTRY_AUTH_FILE: path("named.json") } })).toBe("named");
  });

  test("one that is named has to be there", async () => {
    await expect(ask("r.io/a", { authFile: path("absent.json") })).rejects.toMatchObject({
      code: "CREDENTIALS_INVALID",
      message: expect.stringMatching(/^\S+absent\.json: cannot be read: ENOENT/),
    });
  });

  test("one that cannot be read is not passed over", async () => {
    await mkdir(path(config), { recursive: true });
    await expect(ask("r.io/a")).rejects.toMatchObject({ code: "CREDENTIALS_INVALID" });
  });

  test("a pipe in its place is waited for by nobody", async () => {
    await mkdir(dirname(path(config)), { recursive: true });
    execFileSync("mkfifo", [path(config)]);
    await expect(ask("r.io/a")).rejects.toMatchObject({
      code: "CREDENTIALS_INVALID",
      message: expect.stringContaining("a pipe (fifo), and not a file"),
    });
  });

  test.each(["{", " ".repeat(1024 * 1024 + 1)])("one that is wrong is not passed over", async (content) => {
    await write(config, content);
    await expect(ask("r.io/a")).rejects.toMatchObject({
      code: "CREDENTIALS_INVALID",
      message: expect.stringContaining(path(config)),
    });
  });
});

describe("the entry for an image", () => {
  test.each([
    ["r.io", "r.io/a/b", true],
    ["https://r.io", "r.io/a/b", true],
    ["http://r.io/v2/", "r.io/a/b", true],
    ["https://r.io/other", "r.io/a/b", true],
    ["r.io/", "r.io/a/b", true],
    ["r.io/v1/", "r.io/a/b", true],
    ["r.io/v2", "r.io/a/b", true],
    ["r.io/a", "r.io/a/b", true],
    ["r.io/a/", "r.io/a/b", true],
    ["r.io/a/b", "r.io/a/b", true],
    ["r.io/a/b/c", "r.io/a/b", false],
    ["r.io/a", "r.io/ab", false],
    ["r.io/b", "r.io/a/b", false],
    ["r.io:5000", "r.io:5000/a", true],
    ["r.io", "r.io:5000/a", false],
    ["r.io:5000", "r.io/a", false],
    ["r.io", "evil-r.io/a", false],
    ["r.io", "r.io.evil.io/a", false],
    ["r.io", "sub.r.io/a", false],
    ["*.r.io", "sub.r.io/a", false],
    ["sub.r.io", "r.io/a", false],
    ["[::1]:5000", "[::1]:5000/a", true],
    ["https://index.docker.io/v1/", "nginx", true],
    ["index.docker.io", "nginx", true],
    ["docker.io", "nginx", true],
    ["registry-1.docker.io", "nginx", true],
    ["docker.io/library", "nginx", true],
    ["docker.io/team", "nginx", false],
    ["docker.io", "registry-1.docker.io/library/nginx", true],
    ["docker.io", "index.docker.io/library/nginx", true],
    ["docker.io", "docker.io.evil.io/library/nginx", false],
    ["hub.docker.io", "nginx", false],
  ])("%s for %s: %s", async (location, image, matches) => {
    await write(config, { auths: { [location]: user("me") } });
    expect(await usernameFor(image)).toBe(matches ? "me" : undefined);
  });

  test("is the one with the longest path, and the only one", async () => {
    await write(config, {
      auths: { "r.io": user("host"), "r.io/a/b": user("repository"), "r.io/a": user("namespace") },
    });
    expect(await usernameFor("r.io/a/b")).toBe("repository");
    expect(await usernameFor("r.io/a/c")).toBe("namespace");
    expect(await usernameFor("r.io/c")).toBe("host");
  });

  test("makes every pod of the machine its owner", async () => {
    await write(config, { auths: { "r.io": user("me") } });
    expect((await ask("r.io/a"))?.origin).toEqual({ kind: "node" });
  });

  test("is never one for another host", async () => {
    const host = fc.stringMatching(/^[a-z]{1,3}(\.[a-z]{1,3}){1,2}$/);
    await fc.assert(
      fc.asyncProperty(host, host, async (entry, asked) => {
        await write(config, { auths: { [entry]: user("me") } });
        expect((await usernameFor(`${asked}/a`)) === "me").toBe(entry === asked);
      }),
      { numRuns: 50 },
    );
  });
});

describe("a credential helper", () => {
  const answerOf = async (image: string) => (await ask(image))?.reveal();

  test("of one host speaks for it, even where the file has a login", async () => {
    await writeHelper("one");
    await write(config, { auths: { "r.io": user("me"), "s.io": user("me") }, credHelpers: { "r.io": "one" } });
    expect(await answerOf("r.io/a")).toEqual({ kind: "password", username: "one", password: "r.io" });
    expect(await usernameFor("s.io/a")).toBe("me");
    expect((await ask("r.io/a"))?.source).toBe(`credential helper one (${path(config)})`);
  });

  test("for all speaks for those that have none of their own", async () => {
    await writeHelper("all");
    await writeHelper("one");
    await write(config, {
      auths: { "r.io": {}, "plain.io": user("me") },
      credsStore: "all",
      credHelpers: { "s.io": "one", "plain.io": "" },
    });
    expect(await usernameFor("r.io/a")).toBe("all");
    expect(await usernameFor("s.io/a")).toBe("one");
    expect(await usernameFor("plain.io/a")).toBe("me");
  });

  test("is not asked for a host that merely begins or ends with its own", async () => {
    await writeHelper("one");
    await write(config, { credHelpers: { "r.io": "one" } });
    expect(await ask("r.io.evil.io/a")).toBeUndefined();
    expect(await ask("evil-r.io/a")).toBeUndefined();
    expect(await ask("r.io:5000/a")).toBeUndefined();
  });

  test.each(["docker.io", "https://index.docker.io/v1/"])(
    "keeps the login to Docker Hub under docker's name (%s)",
    async (host) => {
      await writeHelper("one");
      await write(config, { credHelpers: { [host]: "one" } });
      expect(await answerOf("nginx")).toEqual({
        kind: "password",
        username: "one",
        password: "https://index.docker.io/v1/",
      });
    },
  );

  test("or under podman's", async () => {
    const script = `[ "$(cat)" = docker.io ] || { echo 'credentials not found'; exit 1; }; echo '{"Username":"me","Secret":"p"}'`;
    await writeHelper("one", script);
    await write(config, { credsStore: "one" });
    expect(await usernameFor("nginx")).toBe("me");
  });

  test("without a login leaves the word to the next file, not to this one", async () => {
    await writeHelper("none", "echo 'credentials not found in native keychain'; exit 1");
    await write(config, { auths: { "r.io": user("me") }, credsStore: "none" });
    expect(await ask("r.io/a")).toBeUndefined();
    await write("home/.dockercfg", { "r.io": user("legacy") });
    expect(await usernameFor("r.io/a")).toBe("legacy");
  });

  test("that fails ends the search, whatever else there is", async () => {
    await writeHelper("broken", "echo 'is locked' >&2; exit 1");
    await write(config, { auths: { "r.io": user("me") }, credsStore: "broken" });
    await write("home/.dockercfg", { "r.io": user("legacy") });
    await expect(ask("r.io/a")).rejects.toMatchObject({
      code: "CREDENTIAL_HELPER_FAILED",
      message: "credential helper broken, asked for r.io: ended with 1: is locked",
    });
  });
});
