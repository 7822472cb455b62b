import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { clientLogins } from "../src/credentials/index.ts";
import { parseReference } from "../src/image/index.ts";
import { manualClock } from "../src/support/manual-clock.ts";
import { type DockerRegistry, describeWith, run, startDockerRegistry } from "./tools.ts";

const login = { username: "me", password: "p:a$s s" };

describeWith(["docker-registry", "perl", "skopeo"], "a file that skopeo login has written", ({ skopeo }) => {
  let registry: DockerRegistry;
  let home: string;

  beforeAll(async () => {
    registry = await startDockerRegistry({ htpasswd: login });
    home = await mkdtemp(join(tmpdir(), "pulley-home-"));
  });

  afterAll(async () => {
    await registry?.stop();
    await rm(home, { recursive: true, force: true });
  });

  async function logIn(location: string): Promise<string> {
    const file = join(home, `${encodeURIComponent(location)}.json`);
    const { username, password } = login;
    await run(skopeo, ["login", "--tls-verify=false", "--authfile", file, "-u", username, "-p", password, location]);
    return file;
  }

  async function secretsFor(image: string, authFile: string): Promise<readonly unknown[]> {
    const source = clientLogins({ environment: {}, home, uid: undefined, authFile }, { clock: manualClock() });
    const logins = await source.logins(parseReference(image).repository);
    return logins.map((found) => found.reveal());
  }

  test("has the login for the registry", async () => {
    const file = await logIn(registry.host);
    expect(await secretsFor(`${registry.host}/team/app`, file)).toEqual([{ kind: "password", ...login }]);
    expect(await secretsFor("127.0.0.1:1/team/app", file)).toEqual([]);
  });

  test("has the login for a part of the registry", async () => {
    const file = await logIn(`${registry.host}/team`);
    expect(await secretsFor(`${registry.host}/team/app`, file)).toEqual([{ kind: "password", ...login }]);
    expect(await secretsFor(`${registry.host}/teams/app`, file)).toEqual([]);
  });
});
