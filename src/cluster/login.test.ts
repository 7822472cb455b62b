import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type ManualClock, manualClock } from "../support/manual-clock.ts";
import { openCluster } from "./api.ts";
import type { ClusterContext } from "./contexts.ts";
import { answer, type Handler, refuse, startStandIn } from "./testing/api-server.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "pulley-login-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function write(name: string, text: string): string {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
}

function program(text: string): string {
  const path = write("login", `#!/bin/sh\n${text}\n`);
  chmodSync(path, 0o755);
  return path;
}

const exec = (command: string, more: object = {}) => ({
  exec: { apiVersion: "client.authentication.k8s.io/v1", command, args: ["get-token"], ...more },
});

interface Call {
  readonly user: ClusterContext["user"];
  readonly handler?: Handler;
  readonly times?: number;
  readonly between?: (clock: ManualClock) => void;
}

/** What the server has seen of logins. */
async function logins({ user, handler, times = 1, between }: Call): Promise<readonly unknown[]> {
  const seen: unknown[] = [];
  const server = await startStandIn((request, response, url) => {
    seen.push(request.headers.authorization);
    if (handler === undefined) answer(response, {});
    else handler(request, response, url);
  }, user);
  const clock = manualClock(1_000_000);
  const api = openCluster(server.context, { environment: {}, userAgent: "pulley/test", clock });
  try {
    for (let time = 0; time < times; time += 1) {
      if (time > 0) between?.(clock);
      await api.get({ path: "/version" });
    }
    return seen;
  } finally {
    api.close();
    await server.stop();
  }
}

const credential = (token: string) =>
  `echo '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"${token}"}}'`;

describe("a login", () => {
  it.each([
    ["nobody", {}, undefined],
    ["a token", { token: "abc" }, "Bearer abc"],
    ["a name and a password", { username: "mia", password: "p" }, `Basic ${Buffer.from("mia:p").toString("base64")}`],
  ])("is %s", async (_title, user, header) => {
    expect(await logins({ user })).toEqual([header]);
  });

  it("is the token of a file, which stands before one in the kubeconfig", async () => {
    expect(await logins({ user: { token: "old", tokenFile: write("token", "from-file\n") } })).toEqual([
      "Bearer from-file",
    ]);
  });

  it("is read again where the server refuses it: the file may have been renewed", async () => {
    const tokenFile = write("token", "first");
    const handler: Handler = (request, response) => {
      if (request.headers.authorization !== "Bearer first") return answer(response, {});
      write("token", "second");
      refuse(response, 401, { message: "Unauthorized" });
    };
    expect(await logins({ user: { tokenFile }, handler })).toEqual(["Bearer first", "Bearer second"]);
  });

  it("is what a plugin prints, which is asked once for many requests, and told whom it is for", async () => {
    const command = program(
      `echo x >>${folder}/calls; echo "$KUBERNETES_EXEC_INFO $1" >${folder}/info; ${credential("t")}`,
    );
    expect(await logins({ user: exec(command), times: 3 })).toEqual(["Bearer t", "Bearer t", "Bearer t"]);
    expect(readFileSync(join(folder, "calls"), "utf8")).toBe("x\n");
    expect(readFileSync(join(folder, "info"), "utf8")).toBe(
      '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","spec":{"interactive":false}} get-token\n',
    );
  });

  it("of a plugin is asked for again where the server refuses it", async () => {
    const command = program(
      `echo x >>${folder}/calls; if [ $(wc -l <${folder}/calls) -gt 1 ]; then ${credential("new")}; else ${credential("old")}; fi`,
    );
    const handler: Handler = (request, response) =>
      request.headers.authorization === "Bearer old" ? refuse(response, 401, {}) : answer(response, {});
    expect(await logins({ user: exec(command), handler })).toEqual(["Bearer old", "Bearer new"]);
  });
});

describe("a plugin", () => {
  const failure = (user: ClusterContext["user"]) => logins({ user }).catch((error: unknown) => error);

  it("that is missing is named, with the kubeconfig's own advice", async () => {
    expect(await failure(exec("no-such-program", { installHint: "Install it with apt." }))).toMatchObject({
      code: "CREDENTIAL_HELPER_FAILED",
      message: 'context "test": getting credentials: exec: executable no-such-program not found',
      advice: "Install it with apt.",
    });
  });

  it("that fails is told in its own words, without secrets", async () => {
    const command = program("echo 'no session at https://me:hidden@sso.acme.io/?token=hidden' >&2; exit 1");
    const error = await failure(exec(command));
    expect(error).toMatchObject({ message: expect.stringMatching(/failed: no session at https:\/\/sso\.acme\.io/) });
    expect(String(error)).not.toContain("hidden");
  });

  it.each(["echo 'hidden token'", "echo '{}'"])("that prints no credential is not quoted: %s", async (text) => {
    const error = await failure(exec(program(text)));
    expect(error).toMatchObject({ message: expect.stringContaining("it printed no ExecCredential") });
    expect(String(error)).not.toContain("hidden");
  });
});
