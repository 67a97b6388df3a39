/** The Node binding, from inside. node.py runs it, gives it a directory and a part, and holds what it prints against the program. */
import { createInterface } from "node:readline";
import { readFileSync } from "node:fs";
import koffi from "koffi";

const [, , part, directory, ...more] = process.argv;
if (more[0] === "late") {
  await new Promise((told) => koffi.load("libc.so.6").func("int getpid()").async(told));
}
const { Closed, Failed, JangbuError, Ledger, LibraryNotFound, Refused, command } = await import("jangbu");
let failed = 0;

function check(name, ok, detail = "") {
  if (!ok) {
    failed += 1;
    console.error(`failed: ${name}: ${typeof detail === "string" ? detail : JSON.stringify(detail, (_, v) => (typeof v === "bigint" ? `${v}n` : v))}`);
  }
}

async function throws(name, kind, words, call) {
  try {
    check(name, false, `nothing is thrown, but ${JSON.stringify(await call())}`);
  } catch (e) {
    check(name, e instanceof kind && words.every((w) => `${e.code ?? ""} ${e.status ?? ""} ${e.message}`.includes(w)), `${e.name}: ${e.message}`);
    return e;
  }
}

async function withWallet(name, cash = 0) {
  const ledger = await Ledger.init(`${directory}/${name}`);
  await ledger.walletCreate({ wallet: "W", kind: "BUSINESS", name: "커피" });
  if (cash > 0) {
    await ledger.charge({ wallet: "W", charge: "first", amount: cash });
  }
  return ledger;
}

const camel = (name) => name.replace(/[._](\w)/g, (_, c) => c.toUpperCase());

const print = (object) => console.log(JSON.stringify(object, (_, v) => (typeof v === "bigint" ? Number(v) : v)));

/** Prints an answer of each op and query; node.py has their types. */
async function every() {
  const SAMPLE = JSON.parse(more[0]), ASKED = JSON.parse(more[1]);
  const ledger = await withWallet("every", 100000);
  const [forms, asks] = [await ledger.commands(), await ledger.queries()];
  for (const { op, required } of forms.ops) {
    const members = Object.fromEntries(required.map((name) => [name, SAMPLE[name]]));
    Object.assign(members, { forget: { person: "lee" }, "consume.reverse": { usage: "U" }, "wallet.create": { wallet: "V" } }[op] ?? (op.startsWith("biz.") ? { wallet: "W" } : {}));
    try {
      print({ op, answer: await ledger[camel(op)](members) });
    } catch (e) {
      print({ op, refusal: e.refusal, error: e.error });
    }
    check(`${op} as an object`, command[camel(op)](members).op === op);
  }
  for (const { ask, required } of asks.queries) {
    const members = Object.fromEntries(required.map((name) => [name, ASKED[name]]));
    try {
      let answer = await ledger[camel(ask)](ask === "biz" ? { wallet: "W" } : members);
      answer = answer.pages ? (await answer.pages().next()).value : answer;
      print({ ask, answer });
    } catch (e) {
      print({ ask, error: e.error ?? e.message });
    }
  }
  await ledger.close();
}

/** Lines from standard input, as commands; their answers to standard output. */
async function stream() {
  const ledger = await Ledger.open(directory);
  let batch = [];
  const flush = async () => {
    for (const answer of await ledger.submit(batch, { clock: "at" })) {
      console.log(JSON.stringify(answer));
    }
    batch = [];
  };
  let number = 0;
  for await (const line of createInterface({ input: process.stdin })) {
    const [how, text] = [line[0], line.slice(1)];
    if (how === "c") {
      batch.push(JSON.parse(text));
    } else {
      await flush();
      process.stdout.write(await ledger.apply(text + "\n", { clock: "at" }));
    }
    if (batch.length >= [1, 7, 100, 400][number % 4]) {
      number += 1;
      await flush();
    }
  }
  await flush();
  await ledger.close();
}

async function wrong() {
  const ledger = await withWallet("wrong", 50000);
  const head = (await ledger.head()).seq;
  const ok = command.charge({ wallet: "W", charge: "ok", amount: 1000 });
  const charge = (members) => ({ op: "charge", wallet: "W", charge: "C", amount: 1000, ...members });
  const endless = [];
  endless.push(endless);
  const group = { op: "atomic", commands: [] };
  group.commands.push(group);
  for (const [name, kind, words, bad] of [
    ["a fraction", TypeError, ["amount", "1.5", "whole"], charge({ amount: 1.5 })], ["NaN", TypeError, ["amount", "NaN"], charge({ amount: NaN })],
    ["infinity", TypeError, ["amount"], charge({ amount: Infinity })], ["true", TypeError, ["amount", "boolean"], charge({ amount: true })],
    ["a text for money", TypeError, ["amount"], charge({ amount: "5" })], ["null", TypeError, ["amount"], charge({ amount: null })],
    ["2^53", RangeError, ["amount", "bigint"], charge({ amount: 2 ** 53 })], ["2^63", RangeError, ["amount", "64 bits"], charge({ amount: 2n ** 63n })],
    ["a surrogate", TypeError, ["charge", "surrogate"], charge({ charge: "\ud800" })], ["NUL", TypeError, ["charge", "NUL"], charge({ charge: "a\0" })],
    ["a number for a text", TypeError, ["wallet"], charge({ wallet: 5 })], ["a Date that is none", RangeError, ["at"], charge({ at: new Date(NaN) })],
    ["an actor that is a text", TypeError, ["actor"], charge({ actor: "kim" })], ["a function", TypeError, ["extra"], charge({ extra: () => 1 })],
    ["a fraction in what is not known", TypeError, ["extra[1]"], charge({ extra: [1, 1.5] })], ["what is nested without end", RangeError, ["deep"], charge({ extra: endless })],
    ["a group in itself", RangeError, ["deep"], group], ["no op", TypeError, ["op"], { wallet: "W" }], ["no object", TypeError, ["command"], 5], ["of a group", TypeError, ["commands[1].amount"], command.atomic({ commands: [ok, charge({ amount: 1.5 })] })]]) {
    await throws(name, kind, words, () => ledger.submit(bad));
    await throws(`${name} behind a good one`, kind, [], () => ledger.submit([ok, bad]));
  }
  await throws("a question of a fraction", TypeError, ["limit"], () => ledger.history({ wallet: "W", limit: 1.5 }));
  await throws("a question of a text for a list", TypeError, ["types"], () => ledger.events({ types: "x" }));
  await throws("a question of nothing", TypeError, [], () => ledger.balance(5));
  await throws("a member that is none", Failed, ["E_USAGE", "walet"], () => ledger.balance({ walet: "W" }));
  await throws("an option that is none", Failed, ["E_USAGE"], () => ledger.submit(ok, { dryrun: true }));
  await throws("a lang that is none", Failed, ["E_USAGE"], () => ledger.submit(ok, { lang: "de" }));
  await throws("a directory that is none", TypeError, ["directory"], () => Ledger.open(5));
  await throws("integers that are none", TypeError, ["integers"], () => Ledger.open(directory, { integers: "double" }));
  for (const [name, sparse] of [["a hole", [ok, , ok]], ["a hole at the end", [ok, ,]], ["a hole of a group", command.atomic({ commands: [ok, , ok] })], ["a hole in what is not known", charge({ extra: [1, , 2] })]]) {
    await throws(name, TypeError, [], () => ledger.submit(sparse));
  }
  check("and nothing was done", (await ledger.head()).seq === head);
  const beside = await Promise.allSettled([ledger.submit([ok, , ok]), ledger.charge({ wallet: "W", charge: "beside", amount: 1000 })]);
  check("beside a hole", beside[0].reason instanceof TypeError && beside[1].value?.amount === 1000, beside);
  const faulty = [ledger.charge({ wallet: "W", charge: "f1", amount: 1000 }), ledger.forget({ person: "lee" }), ledger.charge({ wallet: "W", charge: "f2", amount: 1000 }),
    ledger.submit([charge({ charge: "f3" }), { op: "forget", person: "lee" }, charge({ charge: "f4" })]), ledger.submit([charge({ charge: "f5" })])];
  const each = await Promise.allSettled(faulty);
  check("a fault stays with the one that has it", each.map((e) => e.status[0]).join("") === "frfrf" && [1, 3].every((i) => each[i].reason.status === "E_KEY") && each[3].reason.answers.length === 1, each);
  check("and each is done once", (await ledger.charges({ wallet: "W" }).pages().next()).value.rows.filter((r) => /^f\d/.test(r.charge)).map((r) => r.charge).sort().join() === "f1,f2,f3,f5");
  await throws("an amount that is too large", Refused, ["AMOUNT_RANGE"], () => ledger.submit(charge({ amount: 10 ** 15 })));
  check("a bigint is an amount", (await ledger.charge({ wallet: "W", charge: "big", amount: 1000n, at: new Date() })).amount === 1000);
  check("undefined is left out", (await ledger.charge({ wallet: "W", charge: "u", amount: 1000, pg: undefined })).ok);
  await ledger.close();
  await ledger.close();
  for (const call of [() => ledger.balance({ wallet: "W" }), () => ledger.charge(charge({})), () => ledger.history({ wallet: "W" }), () => ledger.apply("")]) {
    const e = await throws("a closed ledger", Closed, ["closed"], call);
    check("is an error of jangbu", e instanceof JangbuError && e.status === "E_USAGE");
  }
  await throws("no ledger", Failed, ["E_NOTFOUND"], () => Ledger.open(`${directory}/none`));
  await throws("a ledger that is there", Failed, ["E_EXISTS"], () => Ledger.init(`${directory}/wrong`));
  const reader = await Ledger.open(`${directory}/wrong`, { read_only: true, lang: "ko" });
  const e = await throws("written to for reading", Failed, ["E_READONLY"], () => reader.submit([ok, ok]));
  check("no line is done", e.linesDone === 0 && e.answers.length === 0);
  check("Korean", [await throws("ko", Failed, [], () => reader.balance({ wallet: "N" })), await throws("ko", TypeError, [], () => reader.submit(charge({ amount: 1.5 })))]
    .every((x) => /[가-힣]/.test(x.message)));
  await reader.close();
  await throws("a constructor", TypeError, [], () => new Ledger());
  process.env.JANGBU_LIBRARY = "/nowhere.so";
  await throws("a library that is missing", LibraryNotFound, ["JANGBU_LIBRARY", "cmake --install"], () => Ledger.open(directory));
  process.env.JANGBU_LIBRARY = "libc.so.6";
  await throws("another library", LibraryNotFound, ["jb_json"], () => Ledger.open(directory));
}

async function together() {
  const ledger = await withWallet("together");
  const before = ledger.commits;
  const write = async (n) => {
    const done = [];
    for (let i = 0; i < 20; i += 1) {
      done.push(await ledger.charge({ wallet: "W", charge: `${n}-${i}`, amount: 1000, key: `${n}-${i}` }));
    }
    return done;
  };
  const seen = [[], []];
  const followed = seen.map((seqs) => collect(ledger.follow(0), seqs));
  const done = (await Promise.all(Array.from({ length: 64 }, (_, n) => write(n)))).flat();
  check("64 share commits", new Set(done.map((d) => d.seq)).size === 1280 && ledger.commits - before < 320, ledger.commits - before);
  check("and each has its own answer", done.every((d, i) => d.key === `${Math.floor(i / 20)}-${i % 20}`));
  const lists = Array.from({ length: 40 }, (_, n) => Array.from({ length: n % 5 }, (_, i) => command.charge({ wallet: "W", charge: `l${n}-${i}`, amount: 1000, key: `l${n}-${i}` })));
  const listed = await Promise.all(lists.map((some) => ledger.submit(some)));
  check("lists that share commits", JSON.stringify(listed.map((some) => some.map((a) => a.key))) === JSON.stringify(lists.map((some) => some.map((c) => c.key))));
  await ledger.submit(lists.flat().map((c) => command.chargeReverse({ wallet: "W", charge: c.charge, amount: 1000 })));
  const answers = await Promise.all(Array.from({ length: 300 }, () => ledger.balance({ wallet: "W" })));
  check("300 questions at once", answers.every((a) => a.total === 1280000));
  const outcomes = await Promise.allSettled([ledger.consume({ wallet: "W", usage: "U", amount: 10 ** 9 }), ledger.submit(command.charge({ wallet: "W", charge: "d", amount: 1000 }), { dry_run: true }),
    ledger.submit([command.charge({ wallet: "W", charge: "x", amount: 1000 }), command.walletOff({ wallet: "N" })]), ledger.submit([]), ledger.submit(command.walletOff({ wallet: "N" }), { lang: "de" }),
    ledger.apply('x\n{"op":"wallet.off","wallet":"N"}\n'), ledger.charge({ wallet: "W", charge: "y", amount: 1000 })]);
  check("each its own outcome", outcomes[0].reason instanceof Refused && outcomes[1].value.dry_run && outcomes[2].value.map((a) => a.ok).join() === "true,false" && outcomes[3].value.length === 0 &&
    outcomes[4].reason instanceof Failed && outcomes[5].value.split("\n").length === 3 && outcomes[6].value.ok, outcomes);
  const large = await ledger.submit(Array.from({ length: 20000 }, (_, i) => command.charge({ wallet: "W", charge: `L${i}`, amount: 1000, txn_ref: "x".repeat(150) })));
  check("more than a call takes at once", large.length === 20000 && large.every((a) => a.ok));
  const waited = ledger.wait({ after: 10 ** 9, timeout_us: 60000000 }).catch((e) => e);
  check("a wait that is over", (await ledger.wait({ after: 10 ** 9, timeout_us: 1000 })).more === false);
  const last = (await ledger.head()).seq;
  for (let i = 0; i < 2000 && seen.some((seqs) => seqs.length < last); i += 1) {
    await new Promise((r) => setTimeout(r, 10));
  }
  const late = Array.from({ length: 30 }, (_, i) => ledger.charge({ wallet: "W", charge: `late${i}`, amount: 1000 }));
  const asked = Array.from({ length: 12 }, () => ledger.log({ limit: 3000 }));
  await ledger.close();
  check("what was asked before the end is answered", (await Promise.allSettled(asked)).every((a) => a.status === "fulfilled" && a.value.length === 3000));
  check("what was submitted before the end is answered", (await Promise.all(late)).every((a) => a.ok));
  check("a wait is ended", (await waited) instanceof Closed);
  for (const seqs of await Promise.all(followed)) {
    check("who follows has every event once, in order", seqs.length >= last && seqs.every((s, i) => s === i + 1), seqs.length);
  }
  const big = await Ledger.open(`${directory}/together`, { integers: "bigint" });
  check("bigints", (await big.balance({ wallet: "W" })).total > 0n && (await big.charge({ wallet: "W", charge: "b", amount: 1000 })).amount === 1000n);
  await big.close();
}

async function collect(events, seqs) {
  for await (const event of events) {
    seqs.push(event.seq);
  }
  return seqs;
}

async function memory() {
  const ledger = await withWallet("memory", 50000);
  const resident = () => Number(readFileSync("/proc/self/statm", "utf8").split(" ")[1]) * 4096;
  const ask = async (n) => {
    for (let i = 0; i < n; i += 100) {
      await Promise.all(Array.from({ length: 100 }, (_, k) => (k % 10 === 0 ? ledger.balance({ wallet: "N" }).catch(() => 0) : ledger.head())));
    }
    globalThis.gc();
  };
  await ask(20000);
  const before = resident();
  await ask(Number(more[0] ?? 100000));
  check("questions take no memory", resident() - before < 12 << 20, `${resident() - before} bytes`);
  await ledger.close();
}

/** Another package has used koffi before: `more` says so. Deep texts are answered, or refused; nothing dies of them. */
async function deep() {
  const ledger = await withWallet("deep", 50000);
  for (const n of [50, 101, 2000, 2047, 2100, 100000]) {
    const line = `{"op":"charge","x":${"[".repeat(n)}${"]".repeat(n)}}\n`;
    const said = await ledger.apply(line).catch((e) => e);
    check(`${n} levels`, said instanceof RangeError ? more[0] === "late" && n > 100 : JSON.parse(said).code === "MALFORMED", String(said));
  }
  const brackets = await ledger.apply(`{"op":"wallet.rename","wallet":"W","name":"${"[".repeat(150)}"}`);
  check("brackets in a text", JSON.parse(brackets).code === "MALFORMED", brackets);
  check("and it goes on", (await ledger.charge({ wallet: "W", charge: "C", amount: 1000 })).ok && (await ledger.balance({ wallet: "W" })).total === 51000);
  await ledger.close();
}

/** Prints the processor's microseconds of that many keyed consumptions in batches of 1,000. */
async function speed() {
  const ledger = await withWallet("speed", 10 ** 12);
  const commands = Array.from({ length: Number(more[0]) }, (_, i) => ({ op: "consume", wallet: "W", usage: `U${i}`, amount: 10, key: `k${i}` }));
  const began = process.cpuUsage();
  for (let i = 0; i < commands.length; i += 1000) {
    const answers = await ledger.submit(commands.slice(i, i + 1000));
    check("each is done", answers.every((a) => a.ok));
  }
  const { user, system } = process.cpuUsage(began);
  console.log(user + system);
  await ledger.close();
}

/** Prints the keys that are answered until it is killed. */
async function writer() {
  const ledger = await Ledger.open(directory);
  for (let i = Number(more[0]); ; i += 1) {
    const done = await Promise.all([0, 1, 2].map((j) => ledger.charge({ wallet: "W", charge: `${i}-${j}`, amount: 1000, key: `${i}-${j}` })));
    process.stdout.write(done.map((d) => `${d.key}:${d.seq}`).join(" ") + "\n");
  }
}

await { every, stream, wrong, together, deep, memory, speed, writer }[part]();
process.exitCode = failed > 0 ? 1 : 0;
