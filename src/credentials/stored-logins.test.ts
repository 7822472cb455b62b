import {
  chmodSync,
  chownSync,
  existsSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { systemClock } from "../support/clock.ts";
import { parseServer } from "./docker-server.ts";
import { loginFilePath, openLoginFile } from "./login-file.ts";
import { removeLogin, storedLogin, storeLogin } from "./stored-logins.ts";
import { writeScript } from "./testing.ts";

const hub = "https://index.docker.io/v1/";
const login = { kind: "password", username: "ann", password: `p:a$"s` } as const;
const auth = Buffer.from(`ann:p:a$"s`).toString("base64");

let folder: string;
const at = (name: string) => join(folder, name);
const read = (name = "config.json") => readFileSync(at(name), "utf8");

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "pulley-stored-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

function deps() {
  return { environment: { PATH: `${at("bin")}:/usr/bin:/bin` }, clock: systemClock };
}

/** A helper that keeps logins in files named by server, and tells what it was called for. */
function writeHelper(name = "box"): void {
  mkdirSync(at(name));
  const file = `${at(name)}/$(printf %s "$server" | tr '/:' '__')`;
  writeScript(
    at(`bin/docker-credential-${name}`),
    `input=$(cat); echo "$@" >> ${at("calls")}; server=$input
case $1 in
  store) server=$(printf %s "$input" | sed 's/.*"ServerURL":"\\([^"]*\\)".*/\\1/'); printf %s "$input" > "${file}" ;;
  get) [ -f "${file}" ] && cat "${file}" || { echo "credentials not found in native keychain"; exit 1; } ;;
  erase) [ -f "${file}" ] && rm "${file}" || { echo "credentials not found in native keychain"; exit 1; } ;;
esac`,
  );
}

async function store(registry: string, path = "config.json") {
  return storeLogin(await openLoginFile(at(path)), registry, login, deps());
}

async function remove(registry: string, path = "") {
  return removeLogin(await openLoginFile(at("config.json")), { registry, path }, deps());
}

describe("the file", () => {
  const paths = (environment: NodeJS.ProcessEnv, authFile?: string) =>
    loginFilePath({ environment, home: "/home/me", uid: 1000, authFile });

  it("is docker's, or the one that is named", () => {
    expect(paths({})).toBe("/home/me/.docker/config.json");
    expect(paths({ DOCKER_CONFIG: "/d" })).toBe("/d/config.json");
    expect(paths({ DOCKER_CONFIG: "/d", REGISTRY_AUTH_FILE: "/a.json" })).toBe("/a.json");
    expect(paths({ REGISTRY_AUTH_FILE: "/a.json" }, "/b.json")).toBe("/b.json");
  });

  it("is made for its owner alone, as is its folder", async () => {
    await store("r.io", "new/config.json");
    expect(statSync(at("new/config.json")).mode & 0o7777).toBe(0o600);
    expect(statSync(at("new")).mode & 0o7777).toBe(0o700);
    expect(JSON.parse(read("new/config.json"))).toEqual({ auths: { "r.io": { auth } } });
    expect(readdirSync(at("new"))).toEqual(["config.json"]);
  });

  it("keeps its mode, and says whether others may read it", async () => {
    for (const mode of [0o600, 0o640, 0o604]) {
      writeFileSync(at("config.json"), "{}");
      chmodSync(at("config.json"), mode);
      await store("r.io");
      expect(statSync(at("config.json")).mode & 0o7777).toBe(mode);
      expect((await openLoginFile(at("config.json"))).isOpen).toBe(mode !== 0o600);
    }
  });

  it.runIf(process.getuid?.() === 0)("keeps its owner", async () => {
    writeFileSync(at("config.json"), "{}");
    chownSync(at("config.json"), 65534, 65534);
    await store("r.io");
    expect(statSync(at("config.json"))).toMatchObject({ uid: 65534, gid: 65534 });
  });

  it("is written where the user's own link leads, and the link stays", async () => {
    mkdirSync(at("dotfiles"));
    writeFileSync(at("dotfiles/docker.json"), "{}");
    symlinkSync("dotfiles/docker.json", at("config.json"));
    await store("r.io");
    expect(lstatSync(at("config.json")).isSymbolicLink()).toBe(true);
    expect(read("dotfiles/docker.json")).toContain(auth);
  });

  it.runIf(process.getuid?.() === 0)("is not written behind somebody else's link", async () => {
    symlinkSync("elsewhere.json", at("config.json"));
    lchownSync(at("config.json"), 65534, 65534);
    await expect(store("r.io")).rejects.toMatchObject({ code: "OUTPUT_UNWRITABLE" });
    expect(existsSync(at("elsewhere.json"))).toBe(false);
  });

  it("keeps all else as it is, and in its order", async () => {
    const [before, after] = [
      '{\n  "z": 1.50,\n  "auths": {\n    "b": {"auth": "eDp5"}',
      '\n  },\n  "detachKeys": "x"\n}\n',
    ];
    writeFileSync(at("config.json"), before + after);
    await store("r.io");
    expect(read()).toBe(`${before},\n    "r.io": {\n      "auth": "${auth}"\n    }${after}`);
    await remove("r.io");
    expect(read()).toBe(before + after);
  });

  it("that is damaged is not written over", async () => {
    writeFileSync(at("config.json"), '{"auths": ');
    await expect(store("r.io")).rejects.toMatchObject({
      code: "CREDENTIALS_INVALID",
      advice: "Correct the file, or move it away: the next login makes a new one.",
    });
    expect(read()).toBe('{"auths": ');
  });
});

describe("logins at the same time", () => {
  it("are all kept, also one that came between the reading and the writing", async () => {
    const file = await openLoginFile(at("config.json"));
    const names = Array.from({ length: 12 }, (_, number) => `r${number}.io`);
    await Promise.all(names.map((name) => store(name)));
    await storeLogin(file, "late.io", login, deps());
    await removeLogin(await openLoginFile(at("config.json")), { registry: "r3.io", path: "" }, deps());
    const kept = Object.keys(JSON.parse(read()).auths).sort();
    expect(kept).toEqual([...names.filter((name) => name !== "r3.io"), "late.io"].sort());
    expect(readdirSync(folder)).toEqual(["config.json"]);
  });

  it("do not wait for one that was killed", async () => {
    writeFileSync(at(".pulley-lock-config.json"), "");
    utimesSync(at(".pulley-lock-config.json"), 1, 1);
    await store("r.io");
    expect(readdirSync(folder)).toEqual(["config.json"]);
  });
});

describe("a login", () => {
  it("to Docker Hub is kept under docker's word for it", async () => {
    expect(await store("docker.io")).toBeUndefined();
    expect(JSON.parse(read())).toEqual({ auths: { [hub]: { auth } } });
    expect(await storedLogin(await openLoginFile(at("config.json")), "docker.io", deps())).toEqual(login);
  });

  it("that is new comes before other spellings of its place", async () => {
    writeFileSync(at("config.json"), JSON.stringify({ auths: { "https://r.io": { username: "old", password: "x" } } }));
    await store("r.io");
    expect(await storedLogin(await openLoginFile(at("config.json")), "r.io", deps())).toEqual(login);
  });

  it("is removed under all names of the whole registry, and of no other", async () => {
    const auths = { "https://r.io": { auth }, "http://r.io/v1/": {}, "r.io": { auth }, "r.io/team": { auth } };
    writeFileSync(at("config.json"), JSON.stringify({ auths: { ...auths, "r.io.evil": { auth } } }));
    expect(await remove("r.io")).toBe(true);
    expect(Object.keys(JSON.parse(read()).auths)).toEqual(["r.io/team", "r.io.evil"]);
    expect(await remove("r.io")).toBe(false);
  });

  it("to a path in a registry is removed by itself", async () => {
    writeFileSync(at("config.json"), JSON.stringify({ auths: { "r.io": { auth }, "r.io/team": { auth } } }));
    expect(await remove("r.io", "team")).toBe(true);
    expect(Object.keys(JSON.parse(read()).auths)).toEqual(["r.io"]);
    expect(await remove("r.io", "team")).toBe(false);
  });

  it("that is not there makes no file", async () => {
    expect(await remove("r.io")).toBe(false);
    expect(existsSync(at("config.json"))).toBe(false);
  });
});

describe.each([
  ["credsStore", { credsStore: "box" }],
  ["credHelpers", { credsStore: "none", credHelpers: { "r.io": "box", [hub]: "box" } }],
])("a helper of %s", (_name, config) => {
  beforeEach(() => {
    writeHelper();
    writeFileSync(at("config.json"), JSON.stringify({ ...config, auths: { "r.io": { auth: "eDp5" } } }));
  });

  it("keeps the login, and the file nothing of it", async () => {
    expect(await store("r.io")).toBe("box");
    expect(JSON.parse(read())).toEqual({ ...config, auths: { "r.io": {} } });
    expect(JSON.parse(read("box/r.io"))).toEqual({ ServerURL: "r.io", Username: "ann", Secret: login.password });
    expect(read("calls")).toBe("store\n");
    expect(await storedLogin(await openLoginFile(at("config.json")), "r.io", deps())).toEqual(login);
  });

  it("forgets it", async () => {
    await store("r.io");
    expect(await remove("r.io")).toBe(true);
    expect(readdirSync(at("box"))).toEqual([]);
    expect(await remove("r.io")).toBe(false);
  });

  it("is told of Docker Hub in docker's word", async () => {
    await store("docker.io");
    expect(JSON.parse(read("box/https___index.docker.io_v1_"))).toMatchObject({ ServerURL: hub });
    expect(await remove("docker.io")).toBe(true);
  });

  it("that cannot give a login forgets it, as does the file", async () => {
    writeScript(at("bin/docker-credential-box"), `[ "$1" = erase ] || { echo "no agent" >&2; exit 1; }`);
    expect(await remove("r.io")).toBe(true);
    expect(JSON.parse(read())).toEqual({ ...config, auths: {} });
  });

  it("that cannot forget it is an error, and the file forgets", async () => {
    writeScript(at("bin/docker-credential-box"), "exit 1");
    await expect(remove("r.io")).rejects.toMatchObject({ code: "CREDENTIAL_HELPER_FAILED" });
    expect(JSON.parse(read())).toEqual({ ...config, auths: {} });
  });

  it("that fails is an error without the login, and the file stays", async () => {
    const before = read();
    writeScript(at("bin/docker-credential-box"), "cat >&2; exit 1");
    const failure = await store("r.io").catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: "CREDENTIAL_HELPER_FAILED" });
    expect(String(failure)).toContain("ended with 1: ");
    expect(String(failure)).not.toContain("p:a$");
    expect(read()).toBe(before);
  });
});

describe("a server", () => {
  it.each([
    ["docker.io", "docker.io", ""],
    ["index.docker.io", "docker.io", ""],
    [hub, "docker.io", ""],
    ["registry.acme.io:5000", "registry.acme.io:5000", ""],
    ["https://registry.acme.io/v2/", "registry.acme.io", ""],
    ["localhost", "localhost", ""],
    ["[::1]:5000", "[::1]:5000", ""],
    ["ghcr.io/acme", "ghcr.io", "acme"],
  ])("%s is %s", (text, registry, path) => expect(parseServer(text)).toEqual({ registry, path }));

  it.each(["", "registry", "a b", "ftp://r.io", "https://me:secret@r.io"])("is not %j", (text) => {
    expect(() => parseServer(text)).toThrow(expect.objectContaining({ code: "USAGE" }));
    expect(() => parseServer(text)).not.toThrow(/secret/);
  });
});
