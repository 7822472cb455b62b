/**
 * Lists as bytes, read item by item. A page parsed as a whole leaves a string and some megabytes of objects that V8 lets
 * lie for long; items die young.
 */
import { jsonByte as code, isJsonSpace } from "../support/json-bytes.ts";
import { isRecord, type JsonRecord } from "../support/json-record.ts";

/**
 * Hands over the objects of `items`, in order.
 * @returns the list without its items; `undefined` if it is no JSON object, or has an item that is none
 */
export function parseList(bytes: Buffer, onItem: (item: JsonRecord) => void): JsonRecord | undefined {
  try {
    const items = findItems(bytes);
    if (items === undefined) return parseObject(bytes, 0, bytes.length);
    let at = items + 1;
    for (; bytes[skipSpace(bytes, at)] !== code.closeList; ) {
      const start = skipSpace(bytes, at);
      const end = endOfValue(bytes, start);
      const item = parseObject(bytes, start, end);
      if (item === undefined) return undefined;
      onItem(item);
      at = skipSpace(bytes, end);
      if (bytes[at] === code.comma) at += 1;
      else if (bytes[at] !== code.closeList) return undefined;
    }
    const head = `${bytes.toString("utf8", 0, items)}[${bytes.toString("utf8", skipSpace(bytes, at))}`;
    const document: unknown = JSON.parse(head);
    return isRecord(document) ? document : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function parseObject(bytes: Buffer, start: number, end: number): JsonRecord | undefined {
  const value: unknown = JSON.parse(bytes.toString("utf8", start, end));
  return isRecord(value) ? value : undefined;
}

/** Where the list `items` of the outermost object begins. */
function findItems(bytes: Buffer): number | undefined {
  let at = skipSpace(bytes, 0);
  if (bytes[at] !== code.open) return undefined;
  for (at = skipSpace(bytes, at + 1); bytes[at] === code.quote; ) {
    const end = endOfValue(bytes, at);
    const value = skipSpace(bytes, skipSpace(bytes, end) + 1);
    if (bytes.toString("utf8", at, end) === '"items"' && bytes[value] === code.openList) return value;
    at = skipSpace(bytes, skipSpace(bytes, endOfValue(bytes, value)) + 1);
  }
  return undefined;
}

/** What is between them is what JSON.parse looks at. @throws SyntaxError if it does not end */
function endOfValue(bytes: Buffer, start: number): number {
  let depth = 0;
  for (let at = start; at < bytes.length; at += 1) {
    const byte = bytes[at];
    if (byte === code.quote) {
      at = endOfString(bytes, at);
      if (depth === 0) return at + 1;
    } else if (byte === code.open || byte === code.openList) depth += 1;
    else if (byte === code.close || byte === code.closeList) {
      if (depth === 0) return at;
      depth -= 1;
      if (depth === 0) return at + 1;
    } else if (byte === code.comma && depth === 0) return at;
  }
  throw new SyntaxError("the list does not end");
}

function endOfString(bytes: Buffer, start: number): number {
  for (let at = start + 1; at < bytes.length; at += 1) {
    const byte = bytes[at];
    if (byte === code.quote) return at;
    if (byte === code.backslash) at += 1;
  }
  throw new SyntaxError("the list ends in a string");
}

function skipSpace(bytes: Buffer, start: number): number {
  let at = start;
  while (isJsonSpace(bytes[at])) at += 1;
  return at;
}
