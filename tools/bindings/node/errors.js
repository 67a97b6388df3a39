/** What can go wrong. A refusal is the rules' answer, an error the machine's or the program's: docs/errors.md. */

const SENTENCES = {
  closed: ["the ledger is closed", "장부가 닫혀 있습니다"],
  library: ["{soname} was not found ({why}). Install jangbu (from a checkout: cmake --install build, then ldconfig), or set JANGBU_LIBRARY to the path of the file",
    "{soname} 파일을 찾지 못했습니다({why}). jangbu를 설치하거나(소스에서는 cmake --install build 다음에 ldconfig) JANGBU_LIBRARY에 파일의 경로를 지정하십시오"],
  object: ["{member} must be an object; not {given}", "{member} 항목은 객체여야 합니다. 받은 것: {given}"],
  command: ["a command is an object that names its op, like {op: \"charge\", ...}; not {given}", "명령은 {op: \"charge\", ...} 같은 객체여야 합니다. 받은 것: {given}"],
  type: ["{member} must be {want}; not {given}", "{member} 항목은 {want}이어야 합니다. 받은 것: {given}"],
  fraction: ["{member} is {given}: numbers are whole, money is counted in the currency's minor unit",
    "{member} 항목의 값: {given}. 수는 정수여야 하고, 금액은 통화의 최소 단위로 셉니다"],
  unsafe: ["{member} is {given}: a number beyond 2^53 - 1 is not exact, give it as a bigint", "{member} 항목의 값: {given}. 2^53 - 1을 넘는 수는 정확하지 않으니 bigint로 주십시오"],
  range: ["{member} is beyond 64 bits", "{member} 항목이 64비트를 넘습니다"],
  surrogate: ["{member} is no text that UTF-8 can say: it holds a lone surrogate", "{member} 항목에 짝이 없는 서로게이트가 들어 있어 UTF-8로 쓸 수 없습니다"],
  nul: ["{member} holds a NUL, which no text may", "{member} 항목에 NUL 문자가 들어 있습니다. 어떤 문자열에도 NUL은 쓸 수 없습니다"],
  deep: ["{member} is nested too deeply", "{member} 항목이 너무 깊이 중첩되어 있습니다"],
  date: ["{member} is a Date that is no time", "{member} 항목이 올바른 시각이 아닌 Date입니다"],
  inexact: ["the answer holds {given}, which is beyond 2^53 - 1: open the ledger with integers: \"bigint\"",
    "답에 2^53 - 1을 넘는 {given}이(가) 들어 있습니다. 장부를 integers: \"bigint\"로 여십시오"],
};

export const say = (what, lang, figures = {}) =>
  SENTENCES[what][lang === "ko" ? 1 : 0].replace(/\{(\w+)\}/g, (whole, name) => (name in figures ? figures[name] : whole));

/** All that this package throws, but for TypeError and RangeError, which are about arguments and integers. */
export class JangbuError extends Error {
  get name() {
    return this.constructor.name;
  }
}

/** The answer is no: `code` says why, `refusal` is all that was answered. */
export class Refused extends JangbuError {
  constructor(refusal) {
    super(refusal.message);
    this.refusal = refusal;
    this.code = refusal.code;
  }
}

/** The call did not work: `status` is its word, `error` all that was said. Of commands: `answers` of those that are final, and `linesDone`. */
export class Failed extends JangbuError {
  constructor(error, answers = []) {
    super(error.message);
    this.error = error;
    this.status = error.status;
    this.field = error.field;
    this.answers = answers;
    this.linesDone = error.lines_done;
  }
}

/** The ledger is closed. */
export class Closed extends Failed {
  constructor(lang) {
    super({ status: "E_USAGE", message: say("closed", lang) });
  }
}

/** libjangbu-json is not there, or is another one. The sentence says how to get it. */
export class LibraryNotFound extends JangbuError {}
