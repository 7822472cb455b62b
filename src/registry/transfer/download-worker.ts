/** A download thread: receives, hashes and writes one blob after another, each from beginning to end. */
import { type MessagePort, parentPort, workerData } from "node:worker_threads";
import { systemClock } from "../../support/clock.ts";
import type { Authorization, Granted, LoginDemand } from "../auth/authorization.ts";
import { openSession } from "../session.ts";
import { createTransport } from "../transport.ts";
import { downloadBlob } from "./download.ts";
import { type FromThread, type JobResult, resultOf, type ThreadSettings, type ToThread, toError } from "./messages.ts";

const settings: ThreadSettings = workerData;
if (parentPort !== null) serve(parentPort, settings);

function serve(port: MessagePort, { transport: transportSettings, stallTimeout, leastRate }: ThreadSettings): void {
  const transport = createTransport(transportSettings, process.env);
  const pace = { clock: systemClock, random: Math.random };
  const jobs = new Map<number, AbortController>();
  const questions = new Map<number, (result: JobResult<Granted | undefined>) => void>();
  let questionsAsked = 0;

  const send = (message: FromThread) => port.postMessage(message);

  async function authorize(job: number, refusal: LoginDemand | undefined): Promise<Granted | undefined> {
    questionsAsked += 1;
    const question = questionsAsked;
    const result = await new Promise<JobResult<Granted | undefined>>((resolve) => {
      questions.set(question, resolve);
      send({ kind: "authorize", question, job, refusal });
    });
    if (!result.ok) throw toError(result.failure);
    return result.value;
  }

  async function start({ job, endpoint, target }: ToThread & { kind: "start" }): Promise<void> {
    const controller = new AbortController();
    jobs.set(job, controller);
    const authorization: Authorization = {
      current: async () => (await authorize(job, undefined))?.header,
      answer: (refusal) => authorize(job, refusal),
    };
    const work = downloadBlob(openSession(endpoint, authorization, transport), target, {
      pace,
      stallTimeout,
      leastRate,
      timers: systemClock,
      signal: controller.signal,
      onProgress: (progress) => send({ kind: "progress", job, progress }),
      onReceived: () => send({ kind: "free", job }),
    });
    const result = await resultOf(work.then(() => undefined));
    jobs.delete(job);
    send({ kind: "ended", job, result });
  }

  port.on("message", (message: ToThread) => {
    switch (message.kind) {
      case "start":
        void start(message);
        break;
      case "stop":
        jobs.get(message.job)?.abort(toError(message.failure));
        break;
      case "authorization":
        questions.get(message.question)?.(message.result);
        questions.delete(message.question);
        break;
    }
  });
}
