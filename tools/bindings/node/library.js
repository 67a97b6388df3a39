/** libjangbu-json by koffi: its calls take one text and give one text back, so there is nothing else to marshal. */
import { existsSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import koffi from "koffi";
import { LibraryNotFound, say } from "./errors.js";

const SONAME = "libjangbu-json.so.0";
const STACK = 1 << 20; // of calls that do not block the loop; koffi's 128 KB are too few for a text of two thousand levels

try {
  koffi.config({ ...koffi.config(), async_stack_size: Math.max(STACK, koffi.config().async_stack_size) });
} catch {
  // Another package has used koffi: its settings are fixed then, and deep texts are refused here.
}

/** Whether a text may nest as deep as the library reads, which says itself what is too deep. */
export const roomy = () => koffi.config().async_stack_size >= STACK;

/** JANGBU_LIBRARY alone, or beside this package, as the loader finds it, and where `cmake --install` puts it. */
function places() {
  const said = process.env.JANGBU_LIBRARY;
  if (said) {
    return [existsSync(said) && statSync(said).isDirectory() ? join(said, SONAME) : said];
  }
  const own = join(dirname(fileURLToPath(import.meta.url)), SONAME);
  return [own, SONAME, join("/usr/local/lib", SONAME)].filter((place) => place === SONAME || existsSync(place));
}

class Library {
  constructor(c) {
    const free = c.func("jb_json_text_free", "void", ["void *"]);
    const text = koffi.out(koffi.pointer(koffi.disposable("str", free))); // given back when it is a string
    const size = koffi.out(koffi.pointer("size_t"));
    const open = c.func("jb_json_open", "int", ["str", "str", koffi.out(koffi.pointer("void *")), text]);
    const apply = c.func("jb_json_apply", "int", ["void *", "str", "size_t", "str", text, size]);
    const ask = c.func("jb_json_ask", "int", ["void *", "str", "size_t", text, size]);
    this.waitEnd = c.func("jb_json_wait_end", "void", ["void *"]);
    const close = c.func("jb_json_close", "void *", ["void *"]);
    this.calls = { open: promisify(open.async), apply: promisify(apply.async), ask: promisify(ask.async) };
    this.close = promisify(close.async);
  }

  async open(directory, options) {
    const handle = [null], text = [null];
    const status = await this.calls.open(directory, options, handle, text);
    return { status, handle: handle[0], text: text[0] ?? "" };
  }

  async apply(handle, lines, options) {
    const text = [null];
    const status = await this.calls.apply(handle, lines, Buffer.byteLength(lines), options, text, [0]);
    return { status, text: text[0] ?? "" };
  }

  async ask(handle, query) {
    const text = [null];
    const status = await this.calls.ask(handle, query, Buffer.byteLength(query), text, [0]);
    return { status, text: text[0] ?? "" };
  }
}

const loaded = new Map();

/** libjangbu-json, loaded when it is first asked for. */
export function library(lang) {
  let why = "";
  for (const place of places()) {
    if (loaded.has(place)) {
      return loaded.get(place);
    }
    try {
      const found = new Library(koffi.load(place));
      loaded.set(place, found);
      return found;
    } catch (error) {
      why ||= error.message;
    }
  }
  throw new LibraryNotFound(say("library", lang, { soname: SONAME, why }));
}
