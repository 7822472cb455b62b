import { request } from "node:http";
import { expect, it, onTestFinished } from "vitest";
import { buildImage } from "../../examples/world/image-builder.ts";
import { startRegistry } from "../../examples/world/registry.ts";
import { realNode } from "../pods/testing/real-node.ts";
import { encodeRecord } from "../pull/decision-log/format.ts";
import { podOf } from "../pull/testing/pods.ts";
import { policyOf } from "../pull/testing/policies.ts";
import { type Handler, serve } from "../registry/testing.ts";
import { openLog } from "../support/log-output.ts";
import { Login } from "../support/login.ts";
import { painter } from "../support/terminal.ts";
import { testApi } from "./api/testing/api.ts";
import { createMetrics } from "./metrics/index.ts";
import { logSignals } from "./observability.ts";

/** Wherever a node tells what it does, neither this nor its base64 may be seen. */
const canary = "Canary7hunter2";
const encoded = Buffer.from(`ann:${canary}`).toString("base64").replaceAll("=", "");

function loginFor(who: string): Login {
  const origin = { kind: "secret", uid: `uid-${who}`, namespace: "default", name: who } as const;
  return new Login(`secret default/${who}`, { kind: "password", username: who, password: canary }, origin);
}

/** Registries that say again what they were sent, or send one to addresses that are logins themselves. */
const indiscreet: readonly (readonly [name: string, handler: Handler])[] = [
  ["a body", ({ headers }, response) => void response.writeHead(403).end(`you sent ${headers.authorization}`)],
  [
    "a registry's error",
    ({ headers }, response) => {
      const errors = [
        { code: "DENIED", message: `${headers.authorization} https://x:${canary}@acme.io/?sig=${canary}` },
      ];
      response.writeHead(500, { "content-type": "application/json" }).end(JSON.stringify({ errors }));
    },
  ],
  [
    "a challenge",
    (_asked, response) => void response.writeHead(401, { "www-authenticate": `Basic realm="${canary}"` }).end(),
  ],
  [
    "a redirect",
    (_asked, response) =>
      void response.writeHead(307, { location: `http://127.0.0.1:1/x?X-Signature=${canary}` }).end(),
  ],
  [
    "a token service",
    ({ headers, url = "" }, response) => {
      if (url.startsWith("/token"))
        response.writeHead(400).end(JSON.stringify({ token: canary, details: headers.authorization }));
      else
        response
          .writeHead(401, { "www-authenticate": `Bearer realm="http://${headers.host}/token",service="x"` })
          .end();
    },
  ],
];

it("what a node tells of itself has no login in it, wherever it tells it", async () => {
  const access = { users: { ann: canary }, repositories: { "team/app": ["ann"] } };
  const good = await startRegistry({ access, authentication: "bearer" });
  onTestFinished(() => good.close());
  good.addImage("team/app:1", await buildImage({ layers: [{ files: { "etc/app": "app\n" } }] }));
  const bad = await Promise.all(indiscreet.map(async ([, handler]) => (await serve(handler)).host));
  const hosts = [good.host, ...bad];
  const logins = Object.fromEntries(hosts.map((host) => [host, [loginFor("bob"), loginFor("ann")]]));
  const policy = policyOf(
    `{ name: near, match: { images: ["${good.host}/**"] }, from: { mirrors: ["http://${bad[1]}"] } }`,
  );
  const said: string[] = [];
  const api = await testApi();
  for (const [at, host] of hosts.entries()) {
    const { node, clock, settle, records } = await realNode({ logins, policy });
    const metrics = createMetrics({ version: "1", clock });
    node.onSignal(metrics.listeners.nodeSignal);
    for (const format of ["json", "text"] as const) {
      const stream = { write: (line: string) => said.push(line) };
      node.onSignal(logSignals(openLog({ format, level: "debug", stream, clock, paint: painter(false) })));
    }
    node.onSignal((signal) => {
      if (signal.kind === "event") api.events.add(signal.event);
      if (signal.kind === "pod") api.say(signal);
      said.push(JSON.stringify(signal));
    });
    const [state] = await settle(podOf({ name: `pod-${at}`, containers: [{ image: `${host}/team/app:1` }] }));
    expect(state).toBe(host === good.host ? "prepared" : "ImagePullBackOff");
    if (host === good.host) expect(records[0]?.outcome.login).toBe("secret default/ann");
    said.push(await metrics.text(), ...records.map(encodeRecord));
  }
  for (const path of ["pods", "events", "images", "status"]) said.push(await bodyOf(api.socket, `/v1alpha1/${path}`));
  expect(said.join("").match(/ErrImagePull/g)?.length).toBeGreaterThan(bad.length);
  for (const text of said) {
    expect(text).not.toContain(canary);
    expect(text).not.toContain(encoded);
  }
});

function bodyOf(socketPath: string, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const sent = request({ socketPath, path }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (piece: string) => {
        text += piece;
      });
      response.on("end", () => resolve(text));
    });
    sent.once("error", reject).end();
  });
}
