/** One direction of a connection through the network. */
import { once } from "node:events";
import type { Socket } from "node:net";
import { setTimeout as delay, setImmediate as turn } from "node:timers/promises";
import type { Plan } from "./cuts.ts";

/** Bytes that wait to be sent on before no more are read: the longest piece, and some. */
const mostWaiting = 2 * 1024 * 1024;
/** Bytes from which on something long is on its way, so that it is worth a moment to wait for a long piece of it. */
const long = 16 * 1024;

/**
 * Sends on what comes, piece by piece as planned, and ends as the source ends: closed, or reset.
 * @param onBreak told when the connection breaks off as planned
 */
export function pump(from: Socket, to: Socket, plan: Plan, onBreak = () => {}): void {
  const waiting: Buffer[] = [];
  let length = 0;
  let over: "ended" | "lost" | undefined;
  let wake = () => {};

  from.on("data", (bytes: Buffer) => {
    if (to.destroyed) return;
    waiting.push(bytes);
    length += bytes.length;
    if (length > mostWaiting) from.pause();
    wake();
  });
  const finish = (how: "ended" | "lost") => {
    over ??= how;
    wake();
  };
  from.once("end", () => finish("ended"));
  from.once("error", () => finish("lost"));
  from.once("close", () => finish("lost"));
  to.once("close", () => {
    wake();
    from.resume();
  });
  void sendOn();

  async function sendOn(): Promise<void> {
    const { break: breaking } = plan;
    let sent = 0;
    await something();
    await pause(plan.late());
    while (await something()) {
      const wanted = plan.length();
      await gather(wanted);
      const piece = take(breaking === undefined ? wanted : Math.min(wanted, breaking.at - sent));
      sent += piece.length;
      if (!to.write(piece)) await drained(to);
      if (breaking !== undefined && sent >= breaking.at) {
        onBreak();
        if (breaking.how === "reset") reset(to);
        else to.end();
        from.destroy();
        return;
      }
      await pause(plan.wait(piece.length));
    }
    if (over === "ended") to.end();
    else reset(to);
  }

  /** Waits for bytes. @returns false if none will come, or nobody is there for them */
  async function something(): Promise<boolean> {
    const isWaiting = () => length === 0 && over === undefined && !to.destroyed;
    while (isWaiting()) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
    return length > 0 && !to.destroyed;
  }

  /** Waits a moment for the rest of a long piece, as long as more of it comes. */
  async function gather(wanted: number): Promise<void> {
    let before = 0;
    const isGrowing = () => over === undefined && length >= long && length < wanted && length > before;
    while (isGrowing()) {
      before = length;
      await pause(plan.gather());
    }
  }

  function take(most: number): Buffer {
    const parts: Buffer[] = [];
    for (let left = most; left > 0; ) {
      const first = waiting.shift();
      if (first === undefined) break;
      parts.push(first.subarray(0, left));
      if (first.length > left) waiting.unshift(first.subarray(left));
      left -= first.length;
    }
    const piece = Buffer.concat(parts);
    length -= piece.length;
    if (length <= mostWaiting) from.resume();
    return piece;
  }
}

/**
 * Nothing but a reset: Node would end the connection first, so that the other side might see no more than that. One that
 * is being ended cannot be reset any more: libuv refuses it, Node forgets the handle, and the thread that it is in never
 * comes to its end.
 */
export function reset(socket: Socket): void {
  if (socket.writableEnded && !socket.writableFinished) {
    socket.destroy();
    return;
  }
  Object.assign(socket, { _final: (callback: () => void) => callback() });
  socket.resetAndDestroy();
}

/** Waits, if only for one turn, so that the other side can read what it was sent by itself. */
async function pause(milliseconds: number): Promise<void> {
  if (milliseconds > 0) await delay(milliseconds);
  else await turn();
}

/** Resolves when more may be written, or when nobody is there any more. */
async function drained(to: Socket): Promise<void> {
  const settled = new AbortController();
  const { signal } = settled;
  const quietly = (event: string) => once(to, event, { signal }).catch(() => undefined);
  if (!to.destroyed) await Promise.race([quietly("drain"), quietly("close")]);
  settled.abort();
}
