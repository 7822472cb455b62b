import { setImmediate as turn } from "node:timers/promises";
import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { coalesce, createSingleFlight, createTokenBucket, readAhead } from "./concurrency.ts";
import { manualClock } from "./manual-clock.ts";

function deferred<Value>() {
  let resolve: (value: Value) => void = () => undefined;
  let reject: (error: Error) => void = () => undefined;
  const promise = new Promise<Value>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}

describe("a single flight", () => {
  it("does the work once for all who ask while it goes on, and again afterwards", async () => {
    const singleFlight = createSingleFlight<number>();
    let runs = 0;
    const work = async () => {
      runs += 1;
      return runs;
    };
    expect(
      await Promise.all([singleFlight.join("a", work), singleFlight.join("a", work), singleFlight.join("b", work)]),
    ).toEqual([1, 1, 2]);
    expect(await singleFlight.join("a", work)).toBe(3);
    expect(singleFlight.has("a")).toBe(false);
  });

  it("gives a failure to everybody and then forgets it", async () => {
    const singleFlight = createSingleFlight<number>();
    const fail = async () => {
      throw new Error("no");
    };
    const results = await Promise.allSettled([singleFlight.join("a", fail), singleFlight.join("a", fail)]);
    expect(results.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    expect(await singleFlight.join("a", async () => 1)).toBe(1);
  });

  it("tells who joins late how far it is, then everybody the rest", async () => {
    const singleFlight = createSingleFlight<void, string>();
    const middle = deferred<void>();
    const end = deferred<void>();
    const heard: string[] = [];
    const first = singleFlight.join(
      "a",
      async ({ report }) => {
        report("half");
        middle.resolve();
        await end.promise;
        report("whole");
      },
      { onProgress: (progress) => heard.push(`first ${progress}`) },
    );
    await middle.promise;
    const second = singleFlight.join("a", async () => undefined, {
      onProgress: (progress) => heard.push(`second ${progress}`),
    });
    await Promise.resolve();
    end.resolve();
    await Promise.all([first, second]);
    expect(heard).toEqual(["first half", "second half", "first whole", "second whole"]);
  });

  it("lets one leave with its own reason and goes on for the others", async () => {
    const singleFlight = createSingleFlight<string>();
    const end = deferred<string>();
    const leaver = new AbortController();
    const leaving = singleFlight.join("a", () => end.promise, { signal: leaver.signal });
    const staying = singleFlight.join("a", () => end.promise);
    leaver.abort(new Error("impatient"));
    await expect(leaving).rejects.toThrow("impatient");
    end.resolve("done");
    expect(await staying).toBe("done");
  });

  it("aborts the work when the last leaves, who waits for its end, and starts again only after that", async () => {
    const singleFlight = createSingleFlight<string>();
    const order: string[] = [];
    const ended = deferred<void>();
    const controllers = [new AbortController(), new AbortController()];
    const began = deferred<void>();
    const waits = controllers.map(({ signal }) =>
      singleFlight.join(
        "a",
        async (task) => {
          began.resolve();
          await new Promise((resolve) => task.signal.addEventListener("abort", resolve));
          order.push("aborted");
          await ended.promise;
          order.push("ended");
          throw task.signal.reason;
        },
        { signal },
      ),
    );
    const [first, last] = waits.map((wait, at) =>
      wait.catch(() => {
        order.push(`${at} left`);
      }),
    );
    await began.promise;
    controllers[0]?.abort();
    await first;
    controllers[1]?.abort();
    await turn();
    expect(order).toEqual(["0 left", "aborted"]);
    const again = singleFlight.join("a", async () => {
      order.push("again");
      return "new";
    });
    await turn();
    ended.resolve();
    expect(await again).toBe("new");
    await last;
    expect(order).toEqual(["0 left", "aborted", "ended", "again", "1 left"]);
  });

  it("does not begin for a caller whose signal has aborted before", async () => {
    const singleFlight = createSingleFlight<string>();
    await expect(
      singleFlight.join("a", async () => "x", { signal: AbortSignal.abort(new Error("late")) }),
    ).rejects.toThrow("late");
    expect(singleFlight.has("a")).toBe(false);
  });
});

describe("a token bucket", () => {
  it("never lets in more than the burst and what has come back since", async () => {
    const asks = fc.array(fc.integer({ min: 0, max: 3000 }), { maxLength: 60 });
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 10 }),
        fc.integer({ min: 1, max: 10 }),
        asks,
        async (qps, burst, waits) => {
          const clock = manualClock();
          const bucket = createTokenBucket(qps, burst, clock);
          let accepted = 0;
          for (const wait of waits) {
            await clock.advance(wait, async () => undefined);
            if (bucket.tryAccept()) accepted += 1;
            expect(accepted).toBeLessThanOrEqual(burst + (clock.now() / 1000) * qps);
          }
        },
      ),
      { numRuns: 50 },
    );
  });

  it("is full again after burst / qps seconds, and not fuller after longer", async () => {
    const clock = manualClock();
    const bucket = createTokenBucket(5, 10, clock);
    const taken = () => Array.from({ length: 20 }, () => bucket.tryAccept()).filter(Boolean).length;
    expect(taken()).toBe(10);
    await clock.advance(2000);
    expect(taken()).toBe(10);
    await clock.advance(60_000);
    expect(taken()).toBe(10);
  });
});

test("runs one at a time, and each call gets a run that began after it", async () => {
  let [begun, running] = [0, 0];
  const call = coalesce(async () => {
    begun += 1;
    running += 1;
    expect(running).toBe(1);
    const own = begun;
    await new Promise((resolve) => setImmediate(resolve));
    running -= 1;
    return own;
  });
  const first = [call(), call()];
  await Promise.resolve();
  await Promise.resolve();
  const second = [call(), call(), call()];
  expect(await Promise.all([...first, ...second])).toEqual([1, 1, 2, 2, 2]);
  expect(await call()).toBe(3);
});

test("a run that fails does not keep the next from running", async () => {
  let runs = 0;
  const call = coalesce(async () => {
    runs += 1;
    if (runs === 1) throw new Error("the first");
    return runs;
  });
  await expect(call()).rejects.toThrow("the first");
  expect(await call()).toBe(2);
});

describe("sources that are read ahead", () => {
  async function all<Value>(values: AsyncIterable<Value>): Promise<Value[]> {
    const list: Value[] = [];
    for await (const value of values) list.push(value);
    return list;
  }

  it("are read at once, so many of them, and come in their order", async () => {
    const log: string[] = [];
    const gates = ["a", "b", "c"].map(() => deferred<void>());
    async function* source(name: string, at: number) {
      log.push(`${name} begins`);
      yield `${name}1`;
      await gates[at]?.promise;
      yield `${name}2`;
      log.push(`${name} ends`);
    }
    const read = all(readAhead(["a", "b", "c"].map(source), 2));
    await turn();
    expect(log).toEqual(["a begins", "b begins"]);
    gates[1]?.resolve();
    gates[2]?.resolve();
    await turn();
    expect(log).toEqual(["a begins", "b begins", "b ends", "c begins", "c ends"]);
    gates[0]?.resolve();
    expect(await read).toEqual(["a1", "a2", "b1", "b2", "c1", "c2"]);
  });

  it("end with the first failure of their order, and nothing is read after it", async () => {
    let later = 0;
    async function* failing() {
      yield 1;
      throw new Error("no");
    }
    async function* endless() {
      for (;;) {
        later += 1;
        yield later;
        await turn();
      }
    }
    await expect(all(readAhead([failing(), endless(), endless()], 2))).rejects.toThrow("no");
    await turn();
    const then = later;
    for (let turns = 0; turns < 5; turns += 1) await turn();
    expect(later).toBe(then);
  });
});
