/** Reports finished calls to a listener that counts them. */
import { type Clock, systemClock } from "../support/clock.ts";
import type { Method } from "./grpc/methods.ts";

/** One call that has ended. */
export interface RuntimeOperation {
  /** The method, `PullImage` or `pull_image`. */
  readonly operation: string;
  readonly milliseconds: number;
  readonly ok: boolean;
}

export interface OperationListener {
  readonly onOperation: ((operation: RuntimeOperation) => void) | undefined;
  readonly clock?: Pick<Clock, "now">;
}

/** @param operation the method's name, `PullImage` */
export async function observed<Answer>(
  operation: string,
  call: () => Promise<Answer>,
  listener: OperationListener,
): Promise<Answer> {
  const end = begin(operation, listener);
  try {
    const answer = await call();
    end(true);
    return answer;
  } catch (error) {
    end(false);
    throw error;
  }
}

/** The same method, whose calls are reported; of checked calls only those that were refused. */
export function observedMethod(operation: string, method: Method, listener: OperationListener): Method {
  if (listener.onOperation === undefined) return method;
  switch (method.kind) {
    case "unary":
      return {
        kind: "unary",
        answer: (request, call) => observed(operation, () => method.answer(request, call), listener),
      };
    case "checked":
      return {
        ...method,
        check: async (request, call) => {
          const end = begin(operation, listener);
          try {
            await method.check(request, call);
          } catch (error) {
            end(false);
            throw error;
          }
        },
      };
    case "serverStream":
      return {
        kind: "serverStream",
        answers: async function* (request, call) {
          const end = begin(operation, listener);
          let ok = false;
          try {
            yield* method.answers(request, call);
            ok = true;
          } finally {
            end(ok);
          }
        },
      };
  }
}

function begin(operation: string, { onOperation, clock = systemClock }: OperationListener): (ok: boolean) => void {
  const started = clock.now();
  return (ok) => onOperation?.({ operation, milliseconds: clock.now() - started, ok });
}
