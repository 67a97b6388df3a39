/** Commands, queries and options as JSON text, and answers read. Whatever no ledger could take is said here, before anything is done. */
import { say } from "./errors.js";
import { COMMAND_KINDS, QUERY_KINDS } from "./made.js";

const LIMIT = 1n << 63n;
const DEEPEST = 100;
const WANT = { text: ["a string", "문자열"], int: ["a whole number or a bigint", "정수 또는 bigint"], bool: ["true or false", "true 또는 false"], day: ["a string", "문자열"],
  instant: ["a string or a Date", "문자열 또는 Date"], when: ["a number, a string or a Date", "수, 문자열 또는 Date"], actor: ["an object, like {id: \"kim\"}", "{id: \"kim\"} 같은 객체"],
  value: ["a number or a string", "수 또는 문자열"], list: ["an array", "배열"] };

function shown(value) {
  const text = typeof value === "string" ? JSON.stringify(value) : typeof value === "object" && value !== null ? Object.prototype.toString.call(value) : String(value);
  return `${typeof value} ${text.length <= 60 ? text : text.slice(0, 57) + "..."}`;
}

const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date);

function number(value, member, lang) {
  if (typeof value === "bigint") {
    if (value < -LIMIT || value >= LIMIT) {
      throw new RangeError(say("range", lang, { member }));
    }
    return value.toString();
  }
  if (!Number.isInteger(value)) {
    throw new TypeError(say("fraction", lang, { member, given: String(value) }));
  }
  if (!Number.isSafeInteger(value)) {
    throw new RangeError(say("unsafe", lang, { member, given: String(value) }));
  }
  return String(value === 0 ? 0 : value);
}

function text(value, member, lang) {
  if (!value.isWellFormed()) {
    throw new TypeError(say("surrogate", lang, { member }));
  }
  if (value.includes("\0")) {
    throw new TypeError(say("nul", lang, { member }));
  }
  return JSON.stringify(value);
}

function time(value, member, lang) {
  if (Number.isNaN(value.getTime())) {
    throw new RangeError(say("date", lang, { member }));
  }
  return `"${value.toISOString()}"`;
}

/** A value of which nothing is known but that it will be JSON. */
function free(value, member, lang, depth = 0) {
  if (depth > DEEPEST) {
    throw new RangeError(say("deep", lang, { member }));
  }
  switch (typeof value) {
    case "number":
    case "bigint":
      return number(value, member, lang);
    case "string":
      return text(value, member, lang);
    case "boolean":
      return String(value);
    case "object":
      if (value === null) {
        return "null";
      }
      if (value instanceof Date) {
        return time(value, member, lang);
      }
      if (Array.isArray(value)) {
        return `[${Array.from(value, (v, i) => free(v, `${member}[${i}]`, lang, depth + 1)).join(",")}]`;
      }
      return object(value, lang, (v, name) => free(v, `${member}.${name}`, lang, depth + 1));
    default:
      throw new TypeError(say("type", lang, { member, want: WANT.text[lang === "ko" ? 1 : 0], given: shown(value) }));
  }
}

/** Members that are undefined are left out. */
function object(value, lang, of) {
  const members = [];
  for (const [name, v] of Object.entries(value)) {
    if (v !== undefined) {
      members.push(`${text(name, name, lang)}:${of(v, name)}`);
    }
  }
  return `{${members.join(",")}}`;
}

const FITS = {
  text: (v) => typeof v === "string", int: (v) => typeof v === "number" || typeof v === "bigint", bool: (v) => typeof v === "boolean", day: (v) => typeof v === "string",
  instant: (v) => typeof v === "string" || v instanceof Date, when: (v) => ["string", "number", "bigint"].includes(typeof v) || v instanceof Date,
  actor: isObject, value: (v) => ["string", "number", "bigint"].includes(typeof v), list: Array.isArray };

function known(kind, value, member, lang) {
  if (!FITS[kind](value)) {
    throw new TypeError(say("type", lang, { member, want: WANT[kind][lang === "ko" ? 1 : 0], given: shown(value) }));
  }
  return kind === "actor" ? object(value, lang, (v, name) => known("text", v, `${member}.${name}`, lang)) : free(value, member, lang);
}

function command(value, path, lang, depth = 0) {
  if (!isObject(value) || typeof value.op !== "string") {
    throw new TypeError(say("command", lang, { given: shown(value) }));
  }
  return object(value, lang, (v, name) => {
    const member = path + name;
    if (name === "commands" && Array.isArray(v)) {
      if (depth === DEEPEST) {
        throw new RangeError(say("deep", lang, { member }));
      }
      return `[${Array.from(v, (c, i) => command(c, `${member}[${i}].`, lang, depth + 1)).join(",")}]`;
    }
    return Object.hasOwn(COMMAND_KINDS, name) ? known(COMMAND_KINDS[name], v, member, lang) : free(v, member, lang);
  });
}

export function commandLines(commands, lang) {
  return Array.from(commands, (c, i) => command(c, commands.length === 1 ? "" : `[${i}].`, lang) + "\n").join("");
}

/** RangeError where a line nests deeper than commands do. */
export function notDeep(lines, lang) {
  let depth = 0;
  for (const [token] of lines.matchAll(/"(?:[^"\\\n]|\\.)*"|[[{}\]\n]/g)) {
    depth = token === "\n" ? 0 : depth + ("[{".includes(token) ? 1 : "]}".includes(token) ? -1 : 0);
    if (depth > DEEPEST) {
      throw new RangeError(say("deep", lang, { member: "apply" }));
    }
  }
}

export function queryText(ask, members, lang) {
  if (!isObject(members)) {
    throw new TypeError(say("object", lang, { member: ask, given: shown(members) }));
  }
  const own = object(members, lang, (v, name) => (Object.hasOwn(QUERY_KINDS, name) ? known(QUERY_KINDS[name], v, name, lang) : free(v, name, lang)));
  return `{"ask":"${ask}"${own === "{}" ? "}" : "," + own.slice(1)}`;
}

export function optionsText(options, lang) {
  if (!isObject(options)) {
    throw new TypeError(say("object", lang, { member: "options", given: shown(options) }));
  }
  return object(options, lang, (v, name) => free(v, name, lang));
}

export function directoryText(directory, lang) {
  if (typeof directory !== "string") {
    throw new TypeError(say("type", lang, { member: "directory", want: WANT.text[lang === "ko" ? 1 : 0], given: shown(directory) }));
  }
  text(directory, "directory", lang);
  return directory;
}

// ---- reading

const TOKENS = /"(?:[^"\\]|\\.)*"|-?\d+/g;
const LONG = /\d{16}/;

/** `integers`: "number", where one that is not exact is thrown; "mixed", where it is a bigint; "bigint", where all are. No number of an answer
 *  has a fraction, and no text a NUL: so bigints pass through JSON.parse as texts that begin with one. */
export function read(json, integers, lang) {
  if (integers !== "bigint" && !LONG.test(json)) {
    return JSON.parse(json);
  }
  const tagged = json.replace(TOKENS, (token) => {
    if (token[0] === '"' || (integers !== "bigint" && Number.isSafeInteger(Number(token)))) {
      return token;
    }
    if (integers === "number") {
      throw new RangeError(say("inexact", lang, { given: token }));
    }
    return `"\\u0000${token}"`;
  });
  return JSON.parse(tagged, (_, value) => (typeof value === "string" && value[0] === "\0" ? BigInt(value.slice(1)) : value));
}

/** The objects of a text that has one in each line; a newline stands nowhere else in it. */
export const readLines = (lines, integers, lang) => read(`[${lines.slice(0, -1).replaceAll("\n", ",")}]`, integers, lang);
