/** jangbu: an event-sourced ledger for prepaid cash wallets, over libjangbu-json. docs/bindings.md. */
import { setTimeout as sleep } from "node:timers/promises";
import { Closed, Failed, JangbuError, LibraryNotFound, Refused } from "./errors.js";
import { library, roomy } from "./library.js";
import { ASKS, OPS } from "./made.js";
import { commandLines, directoryText, notDeep, optionsText, queryText, read, readLines } from "./text.js";

export { Closed, Failed, JangbuError, LibraryNotFound, Refused };

const MOST = 8192; // commands of one call, as the library commits them
const ASKING = 4; // questions of one ledger at a time: more wait here, not in the threads
const LOOK_MS = 20; // who follows looks this often for what other processes commit
const OPENING = Symbol("opening");

/** One command of a call is at fault, and the others can be carried out without it. */
const ONE_AT_FAULT = ["E_USAGE", "E_KEY"];

/** The error of one request: its lines are counted for itself. */
function failed(failure, own) {
  if (failure instanceof Error) {
    return failure;
  }
  if (failure === null) {
    return new Error("an answer is missing");
  }
  return new Failed("lines_done" in failure ? { ...failure, lines_done: own.length } : failure, own);
}

const outcome = (answer) => {
  if (!answer.ok) {
    throw new Refused(answer);
  }
  return answer;
};

/** A list, row by row through its pages; nothing is asked before the first is taken. */
class Pages {
  #rows;
  #ask;

  constructor(rows, ask) {
    this.#rows = rows;
    this.#ask = ask;
  }

  async *pages() {
    let cursor = null;
    do {
      const page = await this.#ask(cursor);
      yield page;
      cursor = page.next;
    } while (cursor !== null);
  }

  async *[Symbol.asyncIterator]() {
    for await (const page of this.pages()) {
      yield* page[this.#rows];
    }
  }
}

/** A ledger, open. Nothing it does blocks the loop; what is submitted while a commit is under way shares the next one. */
export class Ledger {
  #library;
  #handle;
  #lang;
  #integers;
  #closing = null;
  #stopped = false;
  #waiting = []; // requests: {lines, n, options, resolve, reject}
  #submitting = null;
  #asking = 0;
  #turns = []; // who waits to ask
  #grown = new Set(); // who waits for the log to grow
  commits = 0;

  constructor(opening, opened) {
    if (opening !== OPENING) {
      throw new TypeError("Ledger.open and Ledger.init make a ledger");
    }
    ({ library: this.#library, handle: this.#handle, lang: this.#lang, integers: this.#integers, info: this.ledgerInfo, directory: this.directory } = opened);
  }

  static async open(directory, options = {}) {
    const { integers = "number", ...own } = options;
    const lang = own.lang;
    if (integers !== "number" && integers !== "bigint") {
      throw new TypeError('integers must be "number" or "bigint"');
    }
    const [path, text] = [directoryText(directory, lang), optionsText(own, lang)];
    const found = library(lang);
    const opened = await found.open(path, text);
    if (opened.status !== 0) {
      throw new Failed(read(opened.text, "mixed", lang).error);
    }
    return new Ledger(OPENING, { library: found, handle: opened.handle, lang, integers, info: read(opened.text, integers, lang), directory });
  }

  static init(directory, { currency, exponent, utc_offset, key_file, ...options } = {}) {
    return Ledger.open(directory, { ...options, init: { currency, exponent, utc_offset, key_file } });
  }

  get closed() {
    return this.#closing !== null;
  }

  #look() {
    if (this.#closing !== null) {
      throw new Closed(this.#lang);
    }
  }

  // ---- commands

  async submit(commands, options = {}) {
    this.#look();
    const many = Array.isArray(commands);
    const given = many ? Array.from(commands) : [commands]; // a hole is undefined then, which is no command
    const [lines, text] = [commandLines(given, this.#lang), optionsText(options, this.#lang)];
    if (given.length === 0) {
      return [];
    }
    const answers = await new Promise((resolve, reject) => {
      this.#waiting.push({ lines, n: given.length, options: text, resolve, reject });
      this.#submitting ??= this.#submitAll();
    });
    return many ? answers : outcome(answers[0]);
  }

  /** Lines in, lines out, as `jangbu apply` has them. */
  async apply(lines, options = {}) {
    this.#look();
    const [text, said] = [optionsText(options, this.#lang), String(lines)];
    if (!roomy()) {
      notDeep(said, this.#lang);
    }
    while (this.#submitting !== null) {
      await this.#submitting;
    }
    this.#look();
    const call = this.#call(said, text);
    const rest = () => this.#submitAll();
    this.#submitting = call.then(rest, rest);
    const { status, text: answers } = await call;
    if (status !== 0) {
      const found = readLines(answers, "mixed", this.#lang);
      throw new Failed(found.at(-1).error, found.slice(0, -1));
    }
    return answers;
  }

  async #call(lines, options) {
    this.commits += 1;
    const answered = await this.#library.apply(this.#handle, lines, options);
    this.#tell();
    return answered;
  }

  /** Those at the front with the same options, as many as go into one call. */
  #take() {
    let n = 0, end = 0;
    while (end < this.#waiting.length && this.#waiting[end].options === this.#waiting[0].options && (end === 0 || n + this.#waiting[end].n <= MOST)) {
      n += this.#waiting[end].n;
      end += 1;
    }
    return this.#waiting.splice(0, end);
  }

  async #submitAll() {
    await null; // what is submitted in the same turn of the loop goes together
    try {
      while (this.#waiting.length > 0) {
        const taken = this.#take();
        const { answers, failure } = await this.#submitted(taken);
        for (const request of this.#settle(taken, answers, failure)) {
          const own = await this.#submitted([request]);
          this.#settle([request], own.answers, own.failure);
        }
      }
    } finally {
      this.#submitting = null;
    }
  }

  /** The answers of one call, and why there are not more of them. Nothing is thrown. */
  async #submitted(taken) {
    let answers = [];
    try {
      const { status, text } = await this.#call(taken.map((r) => r.lines).join(""), taken[0].options);
      // A bigint where a number is not exact: what is done is not thrown away for that.
      answers = readLines(text, this.#integers === "bigint" ? "bigint" : "mixed", this.#lang);
      return { failure: status === 0 ? null : answers.pop().error, answers };
    } catch (error) {
      return { failure: error, answers };
    }
  }

  /** Those that are neither done nor at fault are returned: the fault stays with the one that has it. */
  #settle(taken, answers, failure) {
    const alone = [];
    let place = 0;
    for (const request of taken) {
      const { n, resolve, reject } = request;
      const own = answers.slice(place, place + n);
      place += n;
      if (own.length === n) {
        resolve(own);
      } else if (own.length === 0 && taken.length > 1 && ONE_AT_FAULT.includes(failure?.status)) {
        alone.push(request);
      } else {
        reject(failed(failure, own));
      }
    }
    return alone;
  }

  // ---- queries

  async #asked(query) {
    this.#look();
    if (this.#asking >= ASKING) {
      await new Promise((turn) => this.#turns.push(turn));
    } else {
      this.#asking += 1;
    }
    try {
      const { status, text } = await this.#library.ask(this.#handle, query);
      if (status !== 0) {
        throw new Failed(read(text, "mixed", this.#lang).error);
      }
      return text;
    } finally {
      const next = this.#turns.shift();
      if (next) {
        next();
      } else {
        this.#asking -= 1;
      }
    }
  }

  async #one(ask, members) {
    const integers = ask === "queries" && this.#integers === "number" ? "mixed" : this.#integers; // bounds of members are wider
    return read(await this.#asked(queryText(ask, members, this.#lang)), integers, this.#lang);
  }

  async #list(ask, members) {
    return readLines(await this.#asked(queryText(ask, members, this.#lang)), this.#integers, this.#lang);
  }

  #pages(rows, ask, members) {
    this.#look();
    queryText(ask, members, this.#lang); // what is wrong with it is said here
    return new Pages(rows, (cursor) => this.#one(ask, cursor === null ? members : { ...members, cursor, as_of: undefined }));
  }

  static {
    for (const [method, op] of Object.entries(OPS)) {
      Ledger.prototype[method] = function (members = {}) {
        return this.submit({ op, ...members });
      };
    }
    for (const [method, [ask, how, rows]] of Object.entries(ASKS)) {
      Ledger.prototype[method] = {
        one: function (members = {}) { return this.#one(ask, members); },
        list: function (members = {}) { return this.#list(ask, members); },
        pages: function (members = {}) { return this.#pages(rows, ask, members); },
      }[how];
    }
    const once = Ledger.prototype.wait;
    /** No thread waits: the loop looks, and hears what this ledger commits. */
    Ledger.prototype.wait = async function ({ timeout_us = 1000000, ...members } = {}) {
      queryText("wait", { timeout_us, ...members }, this.#lang);
      const until = Date.now() + Number(timeout_us) / 1000;
      for (;;) {
        const grown = await once.call(this, { ...members, timeout_us: 0 });
        if (grown.more || Date.now() >= until) {
          return grown;
        }
        if (this.#stopped) {
          throw new Closed(this.#lang);
        }
        await this.#more(Math.min(LOOK_MS, until - Date.now()));
      }
    };
  }

  /** Returns when this ledger has committed something, or the time is over. */
  async #more(ms) {
    const over = new AbortController();
    const told = () => over.abort();
    this.#grown.add(told);
    try {
      await sleep(ms, null, { signal: over.signal });
    } catch {
      // told
    } finally {
      this.#grown.delete(told);
    }
  }

  #tell() {
    for (const told of this.#grown) {
      told();
    }
  }

  /** Every event behind that number, or behind the cursor of another, as long as the ledger is open. */
  async *follow(after = null, { cursor, wallet, people } = {}) {
    let behind = cursor !== undefined ? { cursor } : { after: after ?? (await this.head()).seq };
    while (!this.#stopped) {
      let page;
      try {
        page = await this.feed({ ...behind, wallet, people, limit: 1000 });
      } catch (error) {
        if (error instanceof Closed) {
          return;
        }
        throw error;
      }
      yield* page.rows;
      behind = { cursor: page.next };
      if (!page.more && !this.#stopped) {
        await this.#more(LOOK_MS);
      }
    }
  }

  /** Ends every `follow` and `wait` of this ledger, those that begin later, too. */
  stopFollowing() {
    this.#stopped = true;
    this.#tell();
  }

  // ---- the end

  /** What was submitted is carried out, questions that run are answered, who follows is ended. More than once is allowed. */
  close() {
    this.#closing ??= this.#end();
    return this.#closing;
  }

  async #end() {
    this.stopFollowing();
    while (this.#submitting !== null) {
      await this.#submitting;
    }
    while (this.#asking > 0) {
      await sleep(1);
    }
    await this.#library.close(this.#handle);
    this.#handle = null;
  }

  [Symbol.asyncDispose ?? Symbol.for("asyncDispose")]() {
    return this.close();
  }
}

/** Commands as objects, to be submitted together: `command.charge({wallet: "W1", charge: "C1", amount: 1000})`. */
export const command = Object.fromEntries(Object.entries(OPS).map(([method, op]) => [method, (members) => ({ op, ...members })]));
