import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, onTestFinished, test } from "vitest";
import { planFrom } from "./cuts.ts";
import { diceFrom } from "./dice.ts";
import { filler } from "./image-builder.ts";
import { cutting, type NetworkOptions, openNetwork, rough } from "./network.ts";

/** A server behind a network, both gone after the test. */
async function behind(serve: (socket: Socket) => void, options: NetworkOptions = {}) {
  const server = createServer({ allowHalfOpen: true }, (socket) => serve(socket.on("error", () => undefined)));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const network = await openNetwork((server.address() as AddressInfo).port, options);
  onTestFinished(async () => {
    await network.close();
    server.close();
  });
  return network;
}

interface Heard {
  readonly bytes: Buffer;
  readonly pieces: number;
  readonly outcome: string;
}

/** Says something and then hears everything, to the end or to whatever comes before it. */
async function hear(port: number, say = "ask"): Promise<Heard> {
  const socket = connect({ host: "127.0.0.1", port, allowHalfOpen: true });
  const pieces: Buffer[] = [];
  let outcome = "closed";
  socket.on("data", (piece: Buffer) => pieces.push(piece));
  socket.once("end", () => {
    outcome = "ended";
  });
  socket.once("error", (error: NodeJS.ErrnoException) => {
    outcome = error.code ?? "failed";
  });
  socket.end(say);
  await once(socket, "close").catch(() => undefined);
  return { bytes: Buffer.concat(pieces), pieces: pieces.length, outcome };
}

const content = filler(3_000_000, "network");

describe("a rough network", () => {
  test.each(Array.from({ length: 12 }, (_, at) => String(at)))("brings every byte in its order (%s)", async (seed) => {
    const { port } = await behind((socket) => socket.end(content), { seed });
    const { bytes, outcome, pieces } = await hear(port);
    expect(bytes.equals(content)).toBe(true);
    expect(outcome).toBe("ended");
    expect(pieces).toBeGreaterThan(3);
  });

  test("carries what the client says, and closes one way only where one way is closed", async () => {
    const { port } = await behind((socket) => {
      const said: Buffer[] = [];
      socket.on("data", (piece: Buffer) => said.push(piece));
      socket.once("end", () => socket.end(Buffer.concat(said)));
    });
    const question = filler(400_000, "question").toString("base64");
    const { bytes, outcome } = await hear(port, question);
    expect(bytes.toString() === question).toBe(true);
    expect(outcome).toBe("ended");
  });

  test("passes a reset on, after what was sent before it", async () => {
    const { port } = await behind((socket) =>
      socket.write("so far", () => void delay(20).then(() => socket.resetAndDestroy())),
    );
    const { bytes, outcome } = await hear(port);
    expect([bytes.toString(), outcome]).toEqual(["so far", "ECONNRESET"]);
  });

  test("resets a client whose server is not there", async () => {
    const gone = createServer();
    gone.listen(0, "127.0.0.1");
    await once(gone, "listening");
    const { port } = gone.address() as AddressInfo;
    gone.close();
    await once(gone, "close");
    const network = await openNetwork(port);
    onTestFinished(() => network.close());
    expect((await hear(network.port)).outcome).toMatch(/ECONNRESET|EPIPE/);
  });

  test("lets the server know that a client has gone", async () => {
    let closed = false;
    const { port } = await behind((socket) => {
      socket.once("close", () => {
        closed = true;
      });
      socket.once("end", () => socket.end());
      socket.resume();
    });
    const client = connect(port, "127.0.0.1");
    client.write("ask");
    await once(client, "connect");
    client.destroy();
    await expect.poll(() => closed).toBe(true);
  });
});

test("a server does not go on for a client that has gone", async () => {
  const endless = 400;
  let sent = 0;
  let closed = false;
  const { port } = await behind((socket) => {
    const more = (error?: Error | null) => {
      if (error) return;
      sent += 1;
      if (sent < endless && !socket.destroyed) socket.write(Buffer.alloc(1_000_000), more);
    };
    socket.once("close", () => {
      closed = true;
    });
    socket.resume();
    more();
  });
  const client = connect(port, "127.0.0.1");
  await once(client, "data");
  client.destroy();
  await expect.poll(() => closed).toBe(true);
  expect(sent).toBeLessThan(endless);
});

describe("a network that breaks off", () => {
  test("breaks so many connections and no more, and spoils no byte", async () => {
    const profile = { ...cutting, breaks: 0.8, mostBreaks: 15 };
    const { port } = await behind((socket) => socket.end(content), { profile, seed: "breaks" });
    const all: Heard[] = [];
    for (let connection = 0; connection < 40; connection += 1) all.push(await hear(port));
    const broken = all.filter(({ bytes }) => bytes.length < content.length);
    expect(broken).toHaveLength(profile.mostBreaks);
    for (const { bytes } of all) expect(bytes.equals(content.subarray(0, bytes.length))).toBe(true);
  });
});

describe("a plan", () => {
  const planned = (seed: string, profile = rough) => {
    const plan = planFrom(diceFrom(seed), profile);
    const pieces = Array.from({ length: 300 }, () => plan.length());
    return { break: plan.break, late: plan.late(), pieces, waits: pieces.map((length) => plan.wait(length)) };
  };

  test("is the same for the same seed, and another one for another", () => {
    expect(planned("one", cutting)).toEqual(planned("one", cutting));
    expect(planned("one")).not.toEqual(planned("other"));
  });

  test("breaks off as a machine does and as a program does", () => {
    const ends = Array.from({ length: 100 }, (_, at) => planned(String(at), cutting).break?.how);
    expect(new Set(ends)).toEqual(new Set([undefined, "reset", "end"]));
  });

  test("has pieces of every kind of length, and no more waits than its patience", () => {
    const plans = Array.from({ length: 200 }, (_, at) => planned(String(at)));
    const lengths = plans.flatMap(({ pieces }) => pieces);
    for (const length of [1, 1460, 16_384, 65_536, 131_071, 131_072, 131_073, 262_144, 1 << 20]) {
      expect(lengths).toContain(length);
    }
    expect(Math.min(...lengths)).toBe(1);
    expect(Math.max(...lengths)).toBe(1 << 20);
    for (const { late, waits } of plans) {
      expect(late + waits.reduce((sum, wait) => sum + wait, 0)).toBeLessThanOrEqual(rough.patience);
    }
  });
});
