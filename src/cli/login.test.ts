import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough, Readable } from "node:stream";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Registry, startRegistry } from "../../examples/world/registry.ts";
import { writeScript } from "../credentials/testing.ts";
import { callPulley } from "./testing/call.ts";

const password = "Hunter2hunter2";
const auth = Buffer.from(`ann:${password}`).toString("base64");

let registry: Registry;
let folder: string;

beforeAll(async () => {
  const access = { users: { ann: password }, repositories: { "shop/web": ["ann"] } };
  registry = await startRegistry({ access });
});
afterAll(() => registry.close());
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "pulley-login-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const config = () => join(folder, "config.json");
const environment = () => ({ DOCKER_CONFIG: folder, XDG_RUNTIME_DIR: folder, XDG_CONFIG_HOME: folder });
const call = (words: readonly string[], stdin?: Readable) => callPulley(words, environment(), stdin);
const typedIn = (text: string) => Readable.from([Buffer.from(text)]);

/** A terminal at which somebody types, and how it was set when they did. */
function terminal(...lines: readonly string[]) {
  const stream = new PassThrough();
  const raw: boolean[] = [];
  let left = lines;
  const answer = () => {
    const [line, ...rest] = left;
    left = rest;
    if (line !== undefined) stream.write(line);
  };
  stream.on("resume", () => setTimeout(answer, 1));
  return { stdin: Object.assign(stream, { isTTY: true, setRawMode: (on: boolean) => raw.push(on) }), raw };
}

describe("pulley login", () => {
  it("asks the registry, keeps the login and says so in docker's words", async () => {
    const ended = await call(["login", "-u", "ann", "--password-stdin", registry.host], typedIn(`${password}\n`));
    expect(ended).toMatchObject({ status: 0, stdout: "Login Succeeded\n" });
    expect(ended.stderr).toContain(`WARNING! Your credentials are stored unencrypted in '${config()}'.`);
    expect(JSON.parse(readFileSync(config(), "utf8"))).toEqual({ auths: { [registry.host]: { auth } } });
    expect(statSync(config()).mode & 0o777).toBe(0o600);
  });

  it("keeps nothing that the registry refuses", async () => {
    const ended = await call(["login", "-u", "ann", "--password-stdin", registry.host], typedIn("Wrong7wrong7"));
    expect(ended).toMatchObject({ status: 1, stdout: "" });
    expect(ended.stderr).toContain(`login to ${registry.host}: unauthorized: incorrect username or password`);
    expect(ended.stderr).not.toContain("Wrong7");
    expect(() => statSync(config())).toThrow(/ENOENT/);
  });

  it("asks for what is missing on a terminal, the password without showing it", async () => {
    const { stdin, raw } = terminal("ann\n", `wrong\u0015${password}x\u007f\r`);
    const ended = await call(["login", registry.host], stdin);
    expect(ended.stderr).toMatch(/^Username: Password: \n/);
    expect(ended).toMatchObject({ status: 0, stdout: "Login Succeeded\n" });
    expect(raw).toEqual([true, false]);
    expect(JSON.parse(readFileSync(config(), "utf8")).auths[registry.host]).toEqual({ auth });
  });

  it("refuses a user name with a colon before it asks for the password", async () => {
    const { stdin, raw } = terminal("ann:x\n", `${password}\r`);
    const ended = await call(["login", registry.host], stdin);
    expect(ended.stderr).toContain("error: a user name cannot contain a colon");
    expect(ended.status).toBe(2);
    expect(raw).toEqual([]);
  });

  it.each(["login", "logout"])("is told where the file cannot be: %s", async (command) => {
    writeFileSync(config(), "{}");
    const words = command === "login" ? ["-u", "ann", "-p", password] : [];
    const ended = await callPulley([command, ...words, registry.host], { DOCKER_CONFIG: config() });
    expect(ended.stderr).toContain(
      `error: cannot write ${config()}/config.json: ${config()} is a file, and not a folder`,
    );
    expect(ended.stderr).not.toContain("fault in Pulley");
    expect(ended).toMatchObject({ status: 2, stdout: "" });
  });

  it("takes what was typed ahead, and ends with Ctrl-C", async () => {
    const ahead = terminal(`ann\n${password}\n`);
    expect(await call(["login", registry.host], ahead.stdin)).toMatchObject({ status: 0 });
    rmSync(config());
    const given = terminal("secr\u0003");
    const ended = await call(["login", "-u", "ann", registry.host], given.stdin);
    expect(ended).toMatchObject({ status: 1, stdout: "" });
    expect(given.raw).toEqual([true, false]);
  });

  it("tries what is kept before it asks, and asks where that has ended", async () => {
    await call(["login", "-u", "ann", "--password-stdin", registry.host], typedIn(password));
    const again = await call(["login", registry.host]);
    expect(again).toMatchObject({ status: 0, stdout: "Login Succeeded\n" });
    expect(again.stderr).toBe("Authenticating with existing credentials... [Username: ann]\n");

    const old = Buffer.from("ann:old").toString("base64");
    writeFileSync(config(), JSON.stringify({ auths: { [registry.host]: { auth: old } } }));
    const { stdin } = terminal("ann\n", `${password}\r`);
    const ended = await call(["login", registry.host], stdin);
    expect(ended.stderr).toMatch(/Login did not succeed, error: .*unauthorized: incorrect username or password/);
    expect(ended.stdout).toBe("Login Succeeded\n");
    expect(await call(["login", registry.host], typedIn(""))).toMatchObject({ status: 0 });
  });

  it("asks on a terminal where the helper cannot give what it keeps, and nowhere else", async () => {
    writeFileSync(config(), JSON.stringify({ credHelpers: { [registry.host]: "broken" } }));
    writeScript(join(folder, "bin", "docker-credential-broken"), `cat > /dev/null; [ "$1" = store ] || exit 1`);
    const withHelper = { ...environment(), PATH: `${join(folder, "bin")}:/usr/bin:/bin` };
    const { stdin } = terminal("ann\n", `${password}\r`);
    const ended = await callPulley(["login", registry.host], withHelper, stdin);
    expect(ended.stderr).toMatch(/^warning: credential helper broken, asked for .*: ended with 1\nUsername: /);
    expect(ended).toMatchObject({ status: 0, stdout: "Login Succeeded\n" });
    const script = await callPulley(["login", registry.host], withHelper);
    expect(script).toMatchObject({ status: 3, stdout: "" });
  });

  it("warns of a file that others may read, and of one that is read before it", async () => {
    writeFileSync(config(), "{}", { mode: 0o644 });
    const podman = join(folder, "containers", "auth.json");
    const authfile = ["--authfile", podman];
    await call(["login", "-u", "ann", "--password-stdin", registry.host, ...authfile], typedIn(password));
    const { stderr } = await call(["login", "-u", "ann", "--password-stdin", registry.host], typedIn(password));
    expect(stderr).toContain(`warning: other users can read ${config()}: run chmod 600 ${config()}`);
    expect(stderr).toContain(
      `warning: ${podman} also has a login for ${registry.host}, and takes precedence over ${config()}`,
    );
  });

  it("has no options for layers, which it never fetches", async () => {
    expect((await call(["login", "--help"])).stdout).not.toContain("layer");
  });

  it("warns of a password on the command line", async () => {
    const ended = await call(["login", "-u", "ann", "-p", password, registry.host]);
    expect(ended.stderr).toContain("Using --password via the CLI is insecure. Use --password-stdin.");
    expect(ended.stderr).not.toContain(password);
    expect(ended.stdout).toBe("Login Succeeded\n");
  });

  it("names the whole registry that a path is in", async () => {
    const server = `https://${registry.host}/shop`;
    const ended = await call(["login", "-u", "ann", "--password-stdin", `${registry.host}/shop`], typedIn(password));
    expect(ended.stderr).toContain(`the login is stored for all of ${registry.host}`);
    expect(await call(["login", server])).toMatchObject({ status: 0 });
  });

  it.each([
    [["login", "r.io"], "cannot perform an interactive login from a non TTY device"],
    [["login", "--password-stdin", "r.io"], "must provide --username with --password-stdin"],
    [["login", "-u", "a", "-p", "b", "--password-stdin"], "--password and --password-stdin are mutually exclusive"],
    [["login", "-u", "", "r.io"], "username is empty"],
    [["login", "-u", "a", "-p", "", "r.io"], "password is empty"],
    [["login", "-u", "a", "--password-stdin", "r.io"], "password is empty"],
    [["login", "-u", "a:b", "-p", "c"], "a user name cannot contain a colon"],
    [["login", "registry"], "registry is not the host of a registry"],
  ])("is refused: %j", async (words, message) => {
    const ended = await call(words);
    expect(ended.stderr).toContain(`error: ${message}`);
    expect(ended).toMatchObject({ status: 2, stdout: "" });
  });
});

describe("pulley logout", () => {
  it("forgets the login, and says so in docker's words", async () => {
    await call(["login", "-u", "ann", "--password-stdin", registry.host], typedIn(password));
    const ended = await call(["logout", registry.host]);
    expect(ended).toMatchObject({ status: 0, stdout: `Removing login credentials for ${registry.host}\n`, stderr: "" });
    expect(JSON.parse(readFileSync(config(), "utf8"))).toEqual({ auths: {} });
    expect((await call(["logout", registry.host])).stdout).toBe(`Not logged in to ${registry.host}\n`);
  });

  it("of a path in a registry leaves the registry's, and says so", async () => {
    writeFileSync(config(), JSON.stringify({ auths: { "r.io": { auth }, "r.io/team": { auth } } }));
    const ended = await call(["logout", "r.io/team"]);
    expect(ended).toMatchObject({ status: 0, stdout: "Removing login credentials for r.io/team\n" });
    expect(ended.stderr).toBe("warning: the login for all of r.io is kept: remove it with pulley logout r.io\n");
    expect(JSON.parse(readFileSync(config(), "utf8"))).toEqual({ auths: { "r.io": { auth } } });
    expect((await call(["logout", "r.io/team"])).stdout).toBe("Not logged in to r.io/team\n");
  });

  it("means Docker Hub where no registry is named", async () => {
    const hub = "https://index.docker.io/v1/";
    expect((await call(["logout"])).stdout).toBe(`Not logged in to ${hub}\n`);
    writeFileSync(config(), JSON.stringify({ auths: { [hub]: { auth } } }));
    expect((await call(["logout"])).stdout).toBe(`Removing login credentials for ${hub}\n`);
  });
});
