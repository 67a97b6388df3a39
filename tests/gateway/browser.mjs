// The page in a browser: a month as its holder in Korean, as an operator in English, and as the service that charges and consumes beside
// them: charge, free cash, 사용하기, consumption and why two totals differ then, a refund step by step, receipt, tax invoice, a deletion
// refused. On every page: no error on the console, no request elsewhere, nothing wider than the window at three widths, nothing that
// axe-core finds; 사용하기 by the keyboard, pressing twice is doing once, an A4 sheet.
//
// usage: node browser.mjs JANGBU JANGBUD DIRECTORY [--pictures DIR]
// Needs Debian's chromium and faketime: it is always the same month. playwright-core and axe-core come from npm's registry once, into
// DIRECTORY, as browser/package-lock.json has them.
import { execFileSync, spawn } from "node:child_process";
import assert from "node:assert";
import fs from "node:fs";
import { createRequire } from "node:module";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

const [jangbu, jangbud, modules, ...rest] = process.argv.slice(2);
const pictures = rest[0] === "--pictures" ? rest[1] : null;
const chromiumPath = ["/usr/bin/chromium", "/usr/bin/chromium-browser"].find((p) => fs.existsSync(p));
const REGISTRY_MS = 60000;
// 10:00 in Seoul, of a day on which last month's invoices are due.
const NOW = { TZ: "UTC", FAKETIME: `${Math.round((Date.parse("2026-11-12T01:00:00Z") - Date.now()) / 1000)}`, DONT_FAKE_MONOTONIC: "1" };
const faketime = ["x86_64-linux-gnu", "aarch64-linux-gnu"].map((m) => `/usr/lib/${m}/faketime/libfaketimeMT.so.1`).find((p) => fs.existsSync(p));
const then = { ...process.env, ...NOW, LD_PRELOAD: faketime };

function skip(why) {
  console.log(`skipped: ${why}`);
  process.exit(77);
}

// The versions of the lock file, with their sums; no script of theirs runs.
function fetched() {
  const lock = path.join(path.dirname(fileURLToPath(import.meta.url)), "browser");
  fs.mkdirSync(modules, { recursive: true });
  for (const name of ["package.json", "package-lock.json"]) {
    fs.copyFileSync(path.join(lock, name), path.join(modules, name));
  }
  const done = path.join(modules, "node_modules/.package-lock.json");
  const wanted = JSON.parse(fs.readFileSync(path.join(lock, "package.json"), "utf8")).dependencies;
  const there = fs.existsSync(done) ? JSON.parse(fs.readFileSync(done, "utf8")).packages : {};
  if (!Object.entries(wanted).every(([name, version]) => there[`node_modules/${name}`]?.version === version)) {
    execFileSync("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline", "--fetch-retries=1"],
      { cwd: modules, timeout: REGISTRY_MS, stdio: "pipe" });
  }
  return createRequire(path.join(path.resolve(modules), "x"));
}

if (!chromiumPath || !faketime) {
  skip("Debian's chromium or faketime is not there (tools/setup page test)");
}
let chromium, axe;
try {
  const require = fetched();
  ({ chromium } = require("playwright-core"));
  axe = fs.readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
} catch (error) {
  skip(`playwright-core and axe-core do not come from npm's registry: ${String(error.stderr ?? error).trim().split("\n").at(-1)}`);
}

const directory = fs.mkdtempSync(path.join(os.tmpdir(), "jangbu-page-"));
const ledger = path.join(directory, "ledger");
const daemon = spawn(jangbud, ["--example", ledger], { env: then, stdio: ["ignore", "pipe", "inherit"] });

async function addresses() {
  let text = "";
  for await (const chunk of daemon.stdout) {
    text += chunk;
    const found = [...text.matchAll(/http:\/\/\S+ticket=\S+/g)].map((m) => m[0]);
    if (found.length === 2 && text.includes("Ctrl-C")) {
      return found;
    }
  }
  throw new Error(`jangbud said no addresses: ${text}`);
}

const wrong = [];
let expected = null; // the status of the page that is to be refused

function watch(page, origin) {
  page.on("pageerror", (error) => wrong.push(`error: ${error}`));
  page.on("console", (message) => {
    const refused = expected && message.text().includes(String(expected));
    if (["error", "warning"].includes(message.type()) && !refused) {
      wrong.push(`console: ${message.text()}`);
    }
  });
  page.on("request", (request) => {
    if (!request.url().startsWith(origin) && !request.url().startsWith("data:")) {
      wrong.push(`a request elsewhere: ${request.url()}`);
    }
  });
}

async function look(page) {
  await page.evaluate(axe);
  for (const [width, colorScheme] of [[768, "light"], [1280, "dark"], [360, "light"], [360, "dark"]]) {
    await page.setViewportSize({ width, height: 900 });
    await page.emulateMedia({ colorScheme });
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    assert(wide <= 0, `${page.url()} is ${wide} px wider than ${width}`);
    if (width === 1280 || (width === 360 && colorScheme === "light")) {
      const found = await page.evaluate(() => window.axe.run({ runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }));
      for (const v of found.violations) {
        wrong.push(`axe: ${page.url()} ${width} ${colorScheme}: ${v.id}: ${v.nodes[0].html.slice(0, 160)}`);
      }
    }
  }
  await page.emulateMedia({ colorScheme: "light" });
}

async function picture(page, name, width, colorScheme = "light") {
  if (!pictures) {
    return;
  }
  await page.setViewportSize({ width, height: 900 });
  await page.emulateMedia({ colorScheme });
  await page.screenshot({ path: path.join(pictures, `${name}.png`), fullPage: true });
  await page.emulateMedia({ colorScheme: "light" });
}

// Only keys: to what has that text, and Enter.
async function keys(page, text) {
  for (let i = 0; i < 120; i++) {
    await page.keyboard.press("Tab");
    const now = await page.evaluate(() => [document.activeElement.textContent.trim(), getComputedStyle(document.activeElement).outlineStyle]);
    if (now[0] === text) {
      assert(now[1] !== "none", `${text} does not show that it has the focus`);
      await page.keyboard.press("Enter");
      return;
    }
  }
  throw new Error(`no way to ${text} by keys`);
}

// The program beside the daemon: the service, of which some other part charges and consumes.
const service = (...args) => JSON.parse(execFileSync(jangbu, [...args, "--json"], { encoding: "utf8", env: then }));
const head = () => service("stat", ledger).events;
const money = async (page, at) => Number(await page.locator(at).first().getAttribute("value"));
const total = (page) => money(page, ".figure data");
const values = (page, at) => page.locator(at).evaluateAll((all) => all.map((d) => Number(d.value)));

async function open(page, where) {
  await page.goto(new URL(where, page.url()).href);
}

// The lines between the cash status and the total add up to it.
async function adds(page) {
  const figures = await values(page, "table.sum data");
  assert.equal(figures.slice(0, -1).reduce((a, b) => a + b), figures.at(-1), "the lines add up to the total");
  return figures;
}

// From another site, as a service sends its customers: localhost and 127.0.0.1 are two sites.
async function comeFromElsewhere(page, address, arrived) {
  const before = wrong.length;
  await page.route("http://localhost/", (route) => route.fulfill({ contentType: "text/html", body: `<link rel="icon" href="data:,"><a href="${address}">go</a>` }));
  await page.goto("http://localhost/");
  await page.click("a");
  await arrived();
  wrong.splice(before, wrong.length, ...wrong.slice(before).filter((w) => !w.includes("http://localhost/")));
  await page.unroute("http://localhost/");
}

// The form was tried: what it would do is confirmed.
async function confirmed(page, pictured) {
  await page.waitForSelector("button[data-once]");
  if (pictured) {
    await look(page);
    await picture(page, pictured, 768);
  }
  await page.click("button[data-once]");
  await page.waitForURL(/done=\d+/);
}

// A command of an operator's on a wallet's page: its form is opened, filled, tried, confirmed.
async function command(page, name, members, pictured) {
  await page.click(`summary:text-is("${name}")`);
  const form = page.locator("details[open] form");
  for (const [member, value] of Object.entries(members)) {
    const field = form.locator(`[name=${member}]`);
    await (await field.evaluate((f) => f.tagName) === "SELECT" ? field.selectOption(value) : field.fill(value));
  }
  await form.locator("button").click();
  await confirmed(page, pictured);
}

// ---- the month ----

async function holderArrives(page, address, another) {
  const origin = new URL(address).origin;
  await comeFromElsewhere(page, address, () => page.waitForURL(`${origin}/w`));
  assert.equal(await page.getAttribute("html", "lang"), "ko");
  assert.match(await page.textContent(".total"), /총 캐시 잔액/);
  await look(page);
  await picture(page, "wallet-ko", 1280);
  await picture(page, "wallet-ko-phone", 360, "dark");
  assert.equal((await adds(page)).at(-1), await total(page));
  for (const where of ["/w/status", "/w/history", "/w/free", "/w/refunds", "/w/papers", "/w/people", "/w/questions"]) {
    await open(page, where);
    await look(page);
  }
  await open(page, "/w/status");
  await page.click("table.sum a.seq");
  await page.waitForURL(/\/w\/events\/\d+$/);
  await look(page);
  // An address of somebody else's, from another site, takes the session from nobody.
  await comeFromElsewhere(page, another, () => page.waitForSelector("text=다른 분이 로그인되어 있습니다"));
  await look(page);
  await page.click("a.button:text-is(\"그대로 있기\")");
  await page.waitForURL(/\/w$/);
}

async function operatorArrives(page, address) {
  await page.goto(address);
  await page.waitForURL(/\/o$/);
  assert.equal(await page.getAttribute("html", "lang"), "en");
  await look(page);
  await picture(page, "ledger-en", 1280);
  for (const where of ["/o/wallets", "/o/wallets?state=debt", "/o/find?ref=T-1003", "/o/commands", "/o/events/30", "/o/wallets/W2"]) {
    await open(page, where);
    await look(page);
  }
}

// By an operator, and by the gateway: what was paid there is found by its number, and has its receipt.
async function charged(w, o) {
  await open(o, "/o/wallets/W1");
  const before = await total(o);
  await command(o, "Charge", { amount: "12,000", method: "ADMIN_CASH" }, "charge-en");
  assert.equal(await total(o), before + 12000);
  service("charge", ledger, "W1", "C9", "30000", "--method", "CREDIT_CARD", "--pg", "tosspayments", "--txn-ref", "T-1009", "--approve-no", "30012009",
    "--actor", "pay");
  await open(w, "/w");
  assert.equal(await total(w), before + 42000);
  await open(w, "/w/papers");
  const receipt = w.locator("tr", { hasText: "T-1009" });
  assert.match(await receipt.textContent(), /토스페이먼츠.*승인번호: 30012009.*30,000/s);
  await open(o, "/o/find?ref=30012009");
  assert.match(await o.locator("main tbody tr").textContent(), /charged.*W1.*30,000/s);
}

// 사용하기 by the keyboard alone: of what was there, and of what an operator gave now.
async function freeCash(w, o) {
  await open(o, "/o/wallets/W1");
  await command(o, "Grant free cash", { amount: "2000", expires_on: "2026-12-12", reason: "welcome back" });
  await open(w, "/w");
  const before = await total(w);
  await look(w);
  for (const amount of [3000, 2000]) {
    const now = await total(w);
    await keys(w, "사용하기");
    await w.waitForSelector("text=아직 처리되지 않았습니다");
    if (amount === 3000) {
      await look(w);
      await picture(w, "use-ko", 768);
    }
    await keys(w, "확인");
    await w.waitForURL(/done=\d+/);
    assert.equal(await total(w), now + amount, "what is put into use is in the total");
  }
  assert.equal(await total(w), before + 5000);
  assert.equal(await w.locator(".waiting").count(), 0, "nothing waits any more");
}

// Free cash first; the total has it at once, the cash status tomorrow, and the page says so.
async function consumed(w) {
  await open(w, "/w");
  const before = await total(w);
  const done = service("consume", ledger, "W1", "U9", "6500", "--actor", "ads");
  await open(w, "/w/history?kind=use");
  await look(w);
  assert.match(await w.locator("main tbody tr").first().textContent(), /소진.*U9.*-6,500/s);
  await open(w, "/w");
  assert.equal(await total(w), before - 6500);
  const figures = await adds(w);
  assert(figures.includes(-6500), "one of the lines is what was consumed");
  await look(w);
  await picture(w, "explain-ko", 1280, "dark");
  await w.click(`table.sum a.seq:text-is("${done.seq}")`);
  await w.waitForURL(/\/w\/events\/\d+$/);
  assert.match(await w.textContent("main"), /U9/);
}

const step = (page) => page.locator("ol.steps").first().locator("[aria-current=step]").textContent();

// Each step where its holder sees it; the confirmation is pressed twice, and it is one event.
async function refunded(w, o) {
  await open(w, "/w/refunds");
  await w.fill("input[name=amount]", "5,000");
  await w.click("form.command button");
  await w.waitForSelector("button[data-once]");
  const events = head();
  await w.dblclick("button[data-once]");
  await w.waitForURL(/done=\d+/);
  assert.equal(head(), events + 1, "pressed twice, done twice");
  assert.equal(await step(w), "신청");
  await look(w);
  await open(o, "/o/refunds");
  await look(o);
  await picture(o, "refunds-en", 1280);
  for (const [name, now] of [["Approve", "승인"], ["Complete", "완료"]]) {
    await open(o, "/o/refunds");
    await o.locator("tr", { hasText: "5,000" }).locator(`button:text-is("${name}")`).click();
    await confirmed(o);
    await open(w, "/w/refunds");
    assert.equal(await step(w), now);
  }
  await look(w);
  await picture(w, "refund-ko", 360);
  await open(w, "/w/history?kind=refund");
  await look(w);
}

// The invoice of last month is due; its holder reads and prints it.
async function invoiced(w, o) {
  await open(o, "/o/due");
  await look(o);
  await picture(o, "due-en", 1280);
  await o.locator("tr", { hasText: "2026-10" }).filter({ hasText: "W1" }).locator("button").click();
  await confirmed(o);
  await look(o);
  await open(w, "/w/papers");
  await look(w);
  await picture(w, "papers-ko", 768);
  const row = w.locator("tr", { has: w.locator("a:text-is(\"2026-10\")") });
  const [supply, vat, sum] = await row.locator("data").evaluateAll((all) => all.map((d) => Number(d.value)));
  assert(sum > 0 && supply + vat === sum, "supply and VAT are the total");
  await row.locator("a").click();
  await w.waitForURL(/\/w\/invoices\/\d+$/);
  const text = await w.textContent("body");
  for (const word of ["세금계산서", "120-86-12345", "커피나무", sum.toLocaleString("en")]) {
    assert(text.includes(word), `the invoice says ${word}`);
  }
  await a4(w);
}

async function a4(page) {
  const pdf = await page.pdf({ format: "A4", preferCSSPageSize: true });
  assert(pdf.length > 5000 && /MediaBox \[0 0 59[45][.\d]* 84[12]/.test(pdf.toString("latin1")), "an A4 sheet");
}

// What is refused says why: a deletion with each condition, what is in its way, and what helps; what an operator may not do.
async function refused(w, o) {
  expected = 422;
  await open(w, "/w/people");
  await w.click("button.danger");
  await w.waitForSelector("text=DELETE_CONDITIONS");
  const text = await w.textContent("main");
  for (const word of ["월렛 사용중지(OFF)", "영업권 해제", "유상캐시 0원", "135,200원", "세금계산서 미발행 소진 없음"]) {
    assert(text.includes(word), `the conditions of a deletion say ${word}: ${text}`);
  }
  await look(w);
  await picture(w, "delete-ko", 768);
  await open(o, "/o/wallets/W1");
  await o.click("summary:text-is('Consume')");
  const consume = o.locator("details[open] form");
  await consume.locator("input[name=amount]").fill("1");
  await consume.locator("button").click();
  await o.waitForSelector("text=ROLE");
  await look(o);
  expected = null;
}

async function end(w, o) {
  await open(o, "/o/wallets/W1");
  await look(o);
  await picture(o, "operator-wallet-en", 1280);
  await open(w, "/w/history");
  await a4(w);
  await w.click("a.lang");
  await w.waitForURL(/lang=en/);
  await open(w, "/w");
  assert.equal(await w.getAttribute("html", "lang"), "en", "the language stays");
  const cookie = (await w.context().cookies()).find((c) => c.name === "__Host-jangbu");
  assert(cookie.httpOnly && cookie.secure && cookie.sameSite === "Strict", "the cookie");
  await w.click("text=Sign out");
  await w.waitForSelector("text=You are signed out");
}

async function month(browser, holder, operator) {
  const [w, o] = [await (await browser.newContext()).newPage(), await (await browser.newContext()).newPage()];
  watch(w, new URL(holder).origin);
  watch(o, new URL(operator).origin);
  await holderArrives(w, holder, operator);
  await operatorArrives(o, operator);
  await charged(w, o);
  await freeCash(w, o);
  await consumed(w);
  await refunded(w, o);
  await invoiced(w, o);
  await refused(w, o);
  await end(w, o);
}

let status = 1;
try {
  const [holder, operator] = await addresses();
  const browser = await chromium.launch({ executablePath: chromiumPath, args: ["--no-sandbox"] });
  await month(browser, holder, operator);
  await browser.close();
  for (const one of new Set(wrong)) {
    console.log(one);
  }
  status = wrong.length > 0 ? 1 : 0;
  console.log(status === 0 ? "page: a month as a holder in Korean and as an operator in English" : `${wrong.length} wrong`);
} catch (error) {
  console.log(wrong.join("\n"));
  console.log(error);
} finally {
  daemon.kill("SIGTERM");
  fs.rmSync(directory, { recursive: true, force: true });
}
process.exit(status);
