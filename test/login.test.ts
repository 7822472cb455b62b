/** What `pulley login` keeps, other programs read; and Pulley pulls with it. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { afterAll, beforeAll, expect, test } from "vitest";
import { callPulley } from "../src/cli/testing/call.ts";
import { type DockerRegistry, describeWith, run, startDockerRegistry } from "./tools.ts";

const login = { username: "me", password: "p:a$s s" };

describeWith(["docker-registry", "perl", "skopeo", "crane"], "a login of pulley login", ({ skopeo, crane }) => {
  let registry: DockerRegistry;
  let folder: string;
  const environment = () => ({ DOCKER_CONFIG: folder, XDG_RUNTIME_DIR: folder, XDG_CONFIG_HOME: folder });
  const logIn = (password: string) =>
    callPulley(
      ["login", "-u", login.username, "--password-stdin", registry.host],
      environment(),
      Readable.from([Buffer.from(password)]),
    );

  beforeAll(async () => {
    registry = await startDockerRegistry({ htpasswd: login });
    folder = await mkdtemp(join(tmpdir(), "pulley-login-"));
  });
  afterAll(async () => {
    await registry?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  test("is refused by the registry if it is wrong, and then kept nowhere", async () => {
    const ended = await logIn("wrong");
    expect(ended.stderr).toContain("unauthorized: incorrect username or password");
    expect(ended).toMatchObject({ status: 1, stdout: "" });
  });

  test("is read by skopeo, crane and pulley, until pulley logout", async () => {
    expect(await logIn(login.password)).toMatchObject({ status: 0, stdout: "Login Succeeded\n" });
    const file = join(folder, "config.json");
    const named = await run(skopeo, ["login", "--get-login", "--authfile", file, registry.host]);
    expect(named.trim()).toBe(login.username);
    const catalog = () => run(crane, ["catalog", "--insecure", registry.host], environment());
    expect(await catalog()).toBe("");
    expect(await callPulley(["login", registry.host], environment())).toMatchObject({ status: 0 });
    const out = await callPulley(["logout", registry.host], environment());
    expect(out.stdout).toBe(`Removing login credentials for ${registry.host}\n`);
    await expect(catalog()).rejects.toThrow(/UNAUTHORIZED/);
  });

  test("of skopeo is forgotten by pulley logout, and the other way round", async () => {
    const authfile = join(folder, "auth.json");
    const { username, password } = login;
    const args = ["login", "--tls-verify=false", "--authfile", authfile, "-u", username, "-p", password];
    await run(skopeo, [...args, registry.host]);
    const out = await callPulley(["logout", "--authfile", authfile, registry.host], environment());
    expect(out.stdout).toBe(`Removing login credentials for ${registry.host}\n`);
    expect((await logIn(password)).status).toBe(0);
    await run(skopeo, ["logout", "--authfile", join(folder, "config.json"), registry.host]);
    const again = await callPulley(["logout", registry.host], environment());
    expect(again.stdout).toBe(`Not logged in to ${registry.host}\n`);
  });
});
