/**
 * What keeps a text from taking more room than there is, before anything is made of it. A parser that goes down into
 * nine hundred brackets reaches the end of its stack, and a regular expression that is compiled there ends the process:
 * no `catch` sees that. So the tokens are counted while they are read, one after another, and what goes too deep is
 * refused before anybody goes down.
 */
import { CST, Lexer, Parser } from "yaml";
import { limitMessages, limits } from "./limits.ts";
import { SyntaxProblem } from "./problem.ts";

/**
 * Refuses a document with more characters that begin or end a value than limits allow: the values of it may be as many.
 * @throws SyntaxProblem
 */
export function refuseEndless(part: string, base: number): void {
  if (part.length <= limits.marks) return;
  let marks = 0;
  for (let at = 0; at < part.length; at += 1) {
    if (isMark(part.charCodeAt(at))) marks += 1;
    if (marks > limits.marks) throw new SyntaxProblem(base + at, limitMessages.document);
  }
}

function isMark(code: number): boolean {
  switch (code) {
    case 0x0a: // line feed
    case 0x2c: // ,
    case 0x2d: // -
    case 0x3a: // :
    case 0x3f: // ?
    case 0x5b: // [
    case 0x5d: // ]
    case 0x7b: // {
    case 0x7d: // }
      return true;
    default:
      return false;
  }
}

/**
 * The syntax tree of a part of a text, by the library's own lexer and parser, which go through a text without going down
 * into it: what they are inside of lies on a stack of their own, and its height is the depth, whatever the brackets in
 * strings and comments are.
 * @throws SyntaxProblem where it goes too deep, or on too long
 */
export function* boundedTokens(part: string, base: number): Generator<CST.Token> {
  const parser = new Parser();
  let tokens = 0;
  for (const lexeme of new Lexer().lex(part)) {
    const at = base + parser.offset;
    yield* parser.next(lexeme);
    tokens += 1;
    if (depthOf(parser) > limits.depth) throw new SyntaxProblem(at, limitMessages.depth);
    if (tokens > limits.tokens) throw new SyntaxProblem(at, limitMessages.document);
  }
  yield* parser.end();
}

/**
 * How many collections the parser is inside of. Below them on its stack lies the document; on top there may be a scalar
 * that is being read: in a block it lies there, in brackets it goes straight into the collection.
 */
function depthOf({ stack }: Parser): number {
  return stack.length - (CST.isCollection(stack.at(-1)) ? 1 : 2);
}

/** The library makes an error of each mistake, of which a broken text may have a million; only the first is told. */
export function withoutTraces<Result>(read: () => Result): Result {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    return read();
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}
