import { malformed } from "./malformed.ts";

/** The longest of Keras's own models take 1 to 3 MB. `JSON.parse` takes up to a second and 200 MB over 8. */
const MAX_BYTES = 8 * 2 ** 20;
/** A model within a model within a model has 40; `JSON.parse` takes seconds over millions. */
const MAX_DEPTH = 200;

const [QUOTE, BACKSLASH, OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = [0x22, 0x5c, 0x5b, 0x5d, 0x7b, 0x7d];

/** Returns the value of a JSON text. @throws CollapsarError `malformed-checkpoint` where it is too long, too deep or none. */
export function parseJson(json: Uint8Array): unknown {
  if (json.length > MAX_BYTES) throw malformed(`${json.length} bytes of JSON, at most ${MAX_BYTES}`);
  if (depthOf(json) > MAX_DEPTH) throw malformed(`its JSON is nested more than ${MAX_DEPTH} deep`);
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(json));
  } catch (cause) {
    throw malformed("it is not JSON", cause);
  }
}

function depthOf(json: Uint8Array): number {
  let [depth, deepest, inString] = [0, 0, false];
  for (let i = 0; i < json.length; i++) {
    const byte = json[i]!;
    if (byte === QUOTE) inString = !inString;
    else if (inString && byte === BACKSLASH) i++;
    else if (!inString && (byte === OPEN_LIST || byte === OPEN_OBJECT)) deepest = Math.max(deepest, ++depth);
    else if (!inString && (byte === CLOSE_LIST || byte === CLOSE_OBJECT)) depth--;
  }
  return deepest;
}
