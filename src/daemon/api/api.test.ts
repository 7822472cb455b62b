import { setMaxListeners } from "node:events";
import { existsSync, mkdirSync, statSync, writeFileSync } from "node:fs";
import { createServer as createHttpServer, type IncomingMessage, request } from "node:http";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import type { NodeEvent } from "../../pods/index.ts";
import { fakeNode } from "../../pods/testing/fake-node.ts";
import { localImage } from "../../pull/testing/fake-images.ts";
import { podOf } from "../../pull/testing/pods.ts";
import { temporaryFolder } from "../../support/testing.ts";
import { listenOnSocket } from "../../support/unix-socket.ts";
import { createNodeClient, defaultSocket } from "./client.ts";
import { testApi } from "./testing/api.ts";
import { statusOf } from "./testing/statuses.ts";

interface Raw {
  readonly status: number | undefined;
  readonly body: string;
  readonly headers: IncomingMessage["headers"];
}

function ask(socketPath: string, path: string, method = "GET", body = ""): Promise<Raw> {
  return new Promise((resolve, reject) => {
    const sent = request({ socketPath, path, method, headers: { host: "x" } }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (piece: string) => {
        text += piece;
      });
      response.on("end", () => resolve({ status: response.statusCode, body: text, headers: response.headers }));
    });
    sent.once("error", reject);
    sent.end(body);
  });
}

function eventOf(name: string, reason: string, message: string, time = 1000): NodeEvent {
  const pod = { namespace: "default", name, uid: `uid-default-${name}` };
  return { time, type: "Normal", reason, message, pod, fieldPath: "spec.containers{main}" };
}

async function take<Item>(
  items: AsyncIterable<Item>,
  count: number,
  meanwhile?: (soFar: number) => void,
): Promise<Item[]> {
  const taken: Item[] = [];
  for await (const item of items) {
    taken.push(item);
    meanwhile?.(taken.length);
    if (taken.length === count) break;
  }
  return taken;
}

describe("the daemon's socket", () => {
  it("is for its owner alone, and is gone when the daemon has ended", async () => {
    const { socket, close } = await testApi();
    expect(statSync(socket).mode & 0o777).toBe(0o600);
    await close();
    expect(existsSync(socket)).toBe(false);
    await expect(createNodeClient(socket).status()).rejects.toMatchObject({ code: "DAEMON_UNREACHABLE" });
  });

  it("takes the place of one that a daemon left behind, and not of one that is in use", async () => {
    const { socket } = await testApi();
    const server = createServer();
    onTestFinished(() => void server.close());
    await expect(listenOnSocket(server, socket, 0o600)).rejects.toThrow(/another process listens/);
    const file = join(temporaryFolder(), "file");
    writeFileSync(file, "");
    await expect(listenOnSocket(server, file, 0o600)).rejects.toThrow(/not a socket/);
    const long = join(temporaryFolder(), "x".repeat(120), "s");
    await expect(listenOnSocket(server, long, 0o600)).rejects.toThrow(/too long/);
    const dead = join(temporaryFolder(), "deep", "dead.sock");
    const first = createServer();
    await listenOnSocket(first, dead, 0o660);
    expect(statSync(dead).mode & 0o777).toBe(0o660);
    expect(statSync(join(dead, "..")).mode & 0o777).toBe(0o700);
    // The socket was moved, so that its server does not take it away: as if the process had been killed.
    await new Promise((resolve) => first.close(resolve));
    expect(existsSync(dead)).toBe(true);
    await listenOnSocket(server, dead, 0o600);
    expect(statSync(dead).mode & 0o777).toBe(0o600);
  });

  it("is where the user is expected to look for it", () => {
    expect(defaultSocket({}, 0)).toBe("/run/pulley/node.sock");
    expect(defaultSocket({ XDG_RUNTIME_DIR: "/run/user/7" }, 7)).toBe("/run/user/7/pulley/node.sock");
    expect(defaultSocket({ HOME: "/home/me" }, 7)).toBe("/home/me/.local/state/pulley/node.sock");
  });

  it("only tells, and says what is wrong with a request", async () => {
    const { socket } = await testApi({ pods: [statusOf({ containers: [{}] })] });
    const wrong = async (path: string, method?: string) => {
      const { status, body } = await ask(socket, path, method);
      return `${status} ${body.trim()}`;
    };
    expect(await wrong("/v1alpha1/pods", "DELETE")).toMatch(/^405 only GET/);
    expect(await wrong("/v1alpha1/pods", "POST")).toMatch(/^405/);
    expect(await wrong("/v1alpha1/nothing")).toMatch(/^404 .*NotFound/);
    expect(await wrong("/v2/pods")).toMatch(/^404/);
    expect(await wrong("/v1alpha1/pods/default/web/more")).toMatch(/^404/);
    expect(await wrong("/v1alpha1/pods/default/api")).toContain(
      '"message":"pods \\"api\\" not found","reason":"NotFound"',
    );
    expect(await wrong("/v1alpha1/pods?labelSelector=a==b==c")).toMatch(/^400 .*unable to parse/);
    expect(await wrong("/v1alpha1/pods?labels=a")).toMatch(/^400 .*unknown parameter/);
    expect(await wrong("/v1alpha1/pods?watch&watch")).toMatch(/^400 .*twice/);
    expect(await wrong("/v1alpha1/logs?pod=web&container=main&tailLines=-1")).toMatch(/^400 .*tailLines must be/);
    expect(await wrong(`/v1alpha1/pods?namespace=${"x".repeat(2000)}`)).toMatch(/^400 .*too long/);
    expect(await wrong(`/${"x".repeat(5000)}`)).toMatch(/^414/);
    expect((await ask(socket, "/v1alpha1/pods", "HEAD")).body).toBe("");
  });

  it("says whether the daemon is alive and ready", async () => {
    let broken = true;
    const check = async () => {
      if (broken) throw new Error("no runtime, and https://user:canary@acme.io");
    };
    const { socket } = await testApi({
      ready: [
        { name: "runtime", check },
        { name: "store", check: () => undefined },
      ],
    });
    expect(await ask(socket, "/healthz")).toMatchObject({ status: 200, body: "ok\n" });
    const failed = await ask(socket, "/readyz");
    expect(failed.status).toBe(503);
    expect(failed.body).toBe("[+]ping ok\n[-]runtime failed\n[+]store ok\nreadyz check failed\n");
    broken = false;
    expect(await ask(socket, "/readyz")).toMatchObject({ status: 200, body: "ok\n" });
    expect((await ask(socket, "/readyz?verbose")).body).toContain("readyz check passed");
  });
});

describe("a client of the daemon", () => {
  it("is told of the pods of a node, with what was decided", async () => {
    const { node, run } = fakeNode();
    await run([podOf({ containers: [{ image: "acme.io/app:1" }, { image: "Bad//Name", name: "other" }] })], 2);
    await node.stop();
    const { client } = await testApi({ pods: node.pods() });
    const [pod] = await client.pods();
    expect(pod?.metadata).toMatchObject({
      namespace: "default",
      name: "web",
      creationTimestamp: "1970-01-01T00:00:00Z",
    });
    const [main, other] = pod?.status.containerStatuses ?? [];
    expect(main?.state).toEqual({ prepared: {} });
    expect(main?.decision).toMatchObject({ action: "Pull", pullPolicy: { value: "IfNotPresent", from: "default" } });
    expect(other?.state.waiting?.reason).toBe("InvalidImageName");
    expect(other?.decision).toMatchObject({ action: "Refuse", reason: "InvalidImageName" });
    expect(await client.pod("default", "web")).toEqual(pod);
  });

  it("gets only what it asks for", async () => {
    const pods = [
      statusOf({ name: "a", labels: { app: "web", env: "prod" }, containers: [{}] }),
      statusOf({ name: "b", namespace: "kube-system", labels: { app: "web" }, containers: [{}] }),
      statusOf({ name: "c", labels: { app: "db", env: "test" }, containers: [{}] }),
    ];
    const { client } = await testApi({ pods, images: [localImage("acme.io/app:1").image] });
    const names = async (query: Parameters<typeof client.pods>[0]) =>
      (await client.pods(query)).map(({ metadata }) => metadata.name).join("");
    expect(await names({})).toBe("abc");
    expect(await names({ namespace: "default" })).toBe("ac");
    expect(await names({ labelSelector: "app=web" })).toBe("ab");
    expect(await names({ labelSelector: "app in (web, db),env" })).toBe("ac");
    expect(await names({ labelSelector: "env!=prod" })).toBe("bc");
    expect(await names({ labelSelector: "env notin (prod,test)" })).toBe("b");
    expect(await names({ labelSelector: "!env" })).toBe("b");
    expect((await client.images()).map(({ repoTags }) => repoTags)).toEqual([["acme.io/app:1"]]);
    expect(await client.status()).toMatchObject({ version: "1.2.3", node: "node-1", pods: { Pending: 3 }, images: 1 });
  });

  it("hears of pods as they change, and of none that it did not ask for", async () => {
    const first = statusOf({ name: "a", containers: [{}] });
    const { client, say } = await testApi({
      pods: [first, statusOf({ name: "x", namespace: "other", containers: [{}] })],
    });
    const second = statusOf({ name: "b", containers: [{}] });
    const changes = await take(client.watchPods({ namespace: "default" }), 4, (soFar) => {
      if (soFar === 1) say({ kind: "pod", status: { ...first, phase: "Prepared" } });
      if (soFar === 2) say({ kind: "pod", status: second });
      if (soFar === 3) say({ kind: "removed", pod: first.pod });
    });
    expect(changes.map(({ type, object }) => `${type} ${object.metadata.name} ${object.status.phase}`)).toEqual([
      "ADDED a Pending",
      "MODIFIED a Prepared",
      "ADDED b Pending",
      "DELETED a Prepared",
    ]);
  });

  it("that reads slowly is told the newest of each pod, and costs no more than that", async () => {
    const status = statusOf({ containers: [{}], annotations: { big: "x".repeat(100_000) } });
    const { client, say } = await testApi({ pods: [status] });
    const watch = client.watchPods()[Symbol.asyncIterator]();
    await watch.next();
    for (let number = 1; number <= 2000; number += 1) {
      say({ kind: "pod", status: { ...status, message: `${number}` } });
      if (number % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    let [seen, last] = [0, ""];
    while (last !== "2000") {
      const { value } = await watch.next();
      last = value?.object.status.message ?? "2000";
      seen += 1;
    }
    await watch.return?.();
    expect(seen).toBeLessThan(1000);
  });

  it("hears of events as they happen", async () => {
    const { client, events } = await testApi({ events: [eventOf("web", "Pulling", "Pulling image")] });
    const changes = await take(client.watchEvents({ pod: "web" }), 3, (soFar) => {
      if (soFar === 1) events.add(eventOf("other", "Pulling", "Pulling image"));
      if (soFar === 1) events.add(eventOf("web", "Pulled", "done", 2000));
      if (soFar === 2) events.add(eventOf("web", "Pulling", "Pulling image", 5000));
    });
    expect(
      changes.map(({ type, object }) => `${type} ${object.reason} x${object.count} ${object.lastTimestamp}`),
    ).toEqual([
      "ADDED Pulling x1 1970-01-01T00:00:01Z",
      "ADDED Pulled x1 1970-01-01T00:00:02Z",
      "MODIFIED Pulling x2 1970-01-01T00:00:05Z",
    ]);
  });

  it("reads and follows a container's log", async () => {
    const folder = join(temporaryFolder(), "main");
    mkdirSync(folder);
    writeFileSync(join(folder, "1.log"), "2024-05-01T12:00:00Z stdout F new\n");
    writeFileSync(join(folder, "0.log"), "2024-05-01T11:00:00Z stdout F old\n");
    const state = { kind: "running", startedAt: 1 } as const;
    const running = statusOf({ containers: [{ state, logPath: join(folder, "1.log"), restartCount: 1 }] });
    const { client, say } = await testApi({ pods: [running] });
    const read = async (query: object) => {
      let text = "";
      for await (const piece of client.logs({ namespace: "default", pod: "web", container: "main", ...query }))
        text += piece.toString();
      return text;
    };
    expect(await read({})).toBe("new\n");
    expect(await read({ timestamps: true, tailLines: 1 })).toBe("2024-05-01T12:00:00Z new\n");
    expect(await read({ sinceSeconds: 1 })).toBe("");
    expect(await read({ previous: true })).toBe("old\n");
    const following = read({ follow: true });
    writeFileSync(join(folder, "1.log"), "2024-05-01T12:00:00Z stdout F newer\n", { flag: "a" });
    const ended = {
      kind: "terminated",
      exitCode: 0,
      reason: "Completed",
      message: "",
      startedAt: 1,
      finishedAt: 2,
    } as const;
    const containers = running.containers.map((container) => ({ ...container, state: ended }));
    say({ kind: "pod", status: { ...running, containers } });
    expect(await following).toBe("new\nnewer\n");
  });

  it.each<[{ name?: string; container?: string; previous?: boolean }, string, string]>([
    [{ name: "api" }, "NOT_ON_NODE", 'pods "api" not found'],
    [{ container: "x" }, "DAEMON_REFUSED", "container x is not valid for pod web"],
    [{}, "DAEMON_REFUSED", 'container "main" in pod "web" is waiting to start: trying and failing to pull image'],
    [{ previous: true }, "DAEMON_REFUSED", 'previous terminated container "main" in pod "web" not found'],
  ])("is told why there is no log: %j", async ({ name = "web", ...query }, code, message) => {
    const state = { kind: "waiting", reason: "ImagePullBackOff", message: "" } as const;
    const { client } = await testApi({ pods: [statusOf({ containers: [{ state }] })] });
    const log = client.logs({ namespace: "default", container: "main", pod: name, ...query });
    await expect(take(log, 1)).rejects.toMatchObject({ code, message });
  });

  it("says what is at fault where the other end is no daemon", async () => {
    const folder = temporaryFolder();
    await expect(createNodeClient(join(folder, "none")).pods()).rejects.toThrow(/there is no such socket/);
    writeFileSync(join(folder, "file"), "");
    await expect(createNodeClient(join(folder, "file")).pods()).rejects.toMatchObject({ code: "DAEMON_UNREACHABLE" });
    const answers: Record<string, string> = { "/v1alpha1/pods": "<html>", "/v1alpha1/status": '{"kind":"X"}' };
    const server = createHttpServer((asked, response) => response.end(answers[asked.url ?? ""]));
    await listenOnSocket(server, join(folder, "strange.sock"), 0o600);
    onTestFinished(() => void server.close());
    const client = createNodeClient(join(folder, "strange.sock"));
    await expect(client.pods()).rejects.toMatchObject({ code: "DAEMON_FAILED" });
    await expect(client.status()).rejects.toThrow(/does not answer as it should: apiVersion/);
  });

  it("is asked to come back where too many are told of what changes, and may when others have left", async () => {
    const leaving = new AbortController();
    setMaxListeners(0, leaving.signal);
    const { socket } = await testApi({ pods: [statusOf({ containers: [{}] })] });
    const first = createNodeClient(socket, leaving.signal);
    const watches = Array.from({ length: 100 }, () => first.watchPods()[Symbol.asyncIterator]());
    await Promise.all(watches.map((watch) => watch.next()));
    const another = () => take(createNodeClient(socket).watchPods(), 1);
    await expect(another()).rejects.toMatchObject({ code: "DAEMON_REFUSED", message: "too many requests stay open" });
    leaving.abort();
    await expect
      .poll(() =>
        another().then(
          () => "told",
          () => "refused",
        ),
      )
      .toBe("told");
  });

  it("hears of it when the daemon ends in the middle", async () => {
    const { client, close } = await testApi({ pods: [statusOf({ containers: [{}] })] });
    const watch = client.watchPods()[Symbol.asyncIterator]();
    await watch.next();
    const next = watch.next().catch((error: unknown) => error);
    await close();
    expect(await next).toMatchObject({ code: "DAEMON_UNREACHABLE" });
  });

  it("may leave", async () => {
    const leaving = new AbortController();
    const { client } = await testApi({ signal: leaving.signal });
    const next = client.watchEvents()[Symbol.asyncIterator]().next();
    setTimeout(() => leaving.abort(), 20);
    await expect(next).rejects.toThrow();
  });
});
