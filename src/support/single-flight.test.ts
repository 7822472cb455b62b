import { setImmediate as turn } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { createFlights } from "./single-flight.ts";

function deferred<Value>() {
  let resolve: (value: Value) => void = () => undefined;
  let reject: (error: Error) => void = () => undefined;
  const promise = new Promise<Value>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}

describe("flights", () => {
  it("does the work once for all who ask while it goes on, and again afterwards", async () => {
    const flights = createFlights<number>();
    let runs = 0;
    const work = async () => {
      runs += 1;
      return runs;
    };
    expect(await Promise.all([flights.join("a", work), flights.join("a", work), flights.join("b", work)])).toEqual([
      1, 1, 2,
    ]);
    expect(await flights.join("a", work)).toBe(3);
    expect(flights.has("a")).toBe(false);
  });

  it("gives a failure to everybody and then forgets it", async () => {
    const flights = createFlights<number>();
    const fail = async () => {
      throw new Error("no");
    };
    const results = await Promise.allSettled([flights.join("a", fail), flights.join("a", fail)]);
    expect(results.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    expect(await flights.join("a", async () => 1)).toBe(1);
  });

  it("tells who joins late how far it is, then everybody the rest", async () => {
    const flights = createFlights<void, string>();
    const middle = deferred<void>();
    const end = deferred<void>();
    const heard: string[] = [];
    const first = flights.join(
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
    const second = flights.join("a", async () => undefined, {
      onProgress: (progress) => heard.push(`second ${progress}`),
    });
    await Promise.resolve();
    end.resolve();
    await Promise.all([first, second]);
    expect(heard).toEqual(["first half", "second half", "first whole", "second whole"]);
  });

  it("lets one leave with its own reason and goes on for the others", async () => {
    const flights = createFlights<string>();
    const end = deferred<string>();
    const leaver = new AbortController();
    const leaving = flights.join("a", () => end.promise, { signal: leaver.signal });
    const staying = flights.join("a", () => end.promise);
    leaver.abort(new Error("impatient"));
    await expect(leaving).rejects.toThrow("impatient");
    end.resolve("landed");
    expect(await staying).toBe("landed");
  });

  it("aborts the work when the last leaves, who waits for its end, and starts again only after that", async () => {
    const flights = createFlights<string>();
    const order: string[] = [];
    const ended = deferred<void>();
    const controllers = [new AbortController(), new AbortController()];
    const began = deferred<void>();
    const waits = controllers.map(({ signal }) =>
      flights.join(
        "a",
        async (crew) => {
          began.resolve();
          await new Promise((resolve) => crew.signal.addEventListener("abort", resolve));
          order.push("aborted");
          await ended.promise;
          order.push("ended");
          throw crew.signal.reason;
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
    const again = flights.join("a", async () => {
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
    const flights = createFlights<string>();
    await expect(flights.join("a", async () => "x", { signal: AbortSignal.abort(new Error("late")) })).rejects.toThrow(
      "late",
    );
    expect(flights.has("a")).toBe(false);
  });
});
