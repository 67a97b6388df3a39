// The page in a browser: a month as its holder in Korean and as an operator in English. On every page: no error on the console, no
// request elsewhere, nothing wider than the window at three widths, nothing that axe-core finds; 사용하기 by the keyboard, pressing
// twice is doing once, an A4 sheet.
//
// usage: node browser.mjs JANGBU JANGBUD [--pictures DIR]
// Needs Debian's chromium, and playwright-core and axe-core (npm) in a node_modules above here, or in that which JANGBU_NODE names.
import { execFileSync, spawn } from "node:child_process";
import assert from "node:assert";
import fs from "node:fs";
import { createRequire } from "node:module";
import os from "node:os";
import path from "node:path";

const [jangbu, jangbud, ...rest] = process.argv.slice(2);
const pictures = rest[0] === "--pictures" ? rest[1] : null;
const require = createRequire(process.env.JANGBU_NODE ? path.join(process.env.JANGBU_NODE, "x") : import.meta.url);
const chromiumPath = ["/usr/bin/chromium", "/usr/bin/chromium-browser"].find((p) => fs.existsSync(p));

function skip(why) {
  console.log(`skipped: ${why}`);
  process.exit(77);
}

let chromium, axe;
try {
  ({ chromium } = require("playwright-core"));
  axe = fs.readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
} catch {
  skip("playwright-core and axe-core (npm) are not there; JANGBU_NODE names the node_modules that has them");
}
if (!chromiumPath) {
  skip("Debian's chromium is not there");
}

const directory = fs.mkdtempSync(path.join(os.tmpdir(), "jangbu-page-"));
const ledger = path.join(directory, "ledger");
const daemon = spawn(jangbud, ["--example", ledger], { stdio: ["ignore", "pipe", "inherit"] });

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

const head = () => JSON.parse(execFileSync(jangbu, ["stat", ledger, "--json"], { encoding: "utf8" })).events;
const money = async (page, at) => Number(await page.locator(at).first().getAttribute("value"));

async function holder(context, address, another) {
  const page = await context.newPage();
  const origin = new URL(address).origin;
  watch(page, origin);
  // From another site, as a service sends its customers: localhost and 127.0.0.1 are two sites.
  await page.route("http://localhost/", (route) => route.fulfill({ contentType: "text/html", body: `<link rel="icon" href="data:,"><a href="${address}">go</a>` }));
  const before = wrong.length;
  await page.goto("http://localhost/");
  await page.click("a");
  await page.waitForURL(`${origin}/w`);
  wrong.splice(before, wrong.length, ...wrong.slice(before).filter((w) => !w.includes("http://localhost/")));
  assert.equal(await page.getAttribute("html", "lang"), "ko");
  assert.match(await page.textContent(".total"), /총 캐시 잔액/);
  await look(page);
  await picture(page, "wallet-ko", 1280);
  await picture(page, "wallet-ko-phone", 360, "dark");
  const figures = (await page.locator("table.sum data").evaluateAll((all) => all.map((d) => Number(d.value))));
  assert.equal(figures.slice(0, -1).reduce((a, b) => a + b), figures.at(-1), "the lines add up to the total");
  assert.equal(figures.at(-1), await money(page, ".figure data"));
  for (const where of ["/w/status", "/w/history", "/w/history?kind=use", "/w/free", "/w/refunds", "/w/papers", "/w/people", "/w/questions"]) {
    await page.goto(origin + where);
    await look(page);
  }
  await page.goto(`${origin}/w/status`);
  await page.click("table.sum a.seq");
  await page.waitForURL(/\/w\/events\/\d+$/);
  await look(page);

  // 사용하기 by the keyboard.
  await page.goto(`${origin}/w`);
  const total = await money(page, ".figure data");
  await keys(page, "사용하기");
  await page.waitForSelector("text=아직 처리되지 않았습니다");
  await look(page);
  await picture(page, "use-ko", 768);
  await keys(page, "확인");
  await page.waitForURL(/done=\d+/);
  assert.equal(await money(page, ".figure data"), total + 3000);

  // A refund, its confirmation pressed twice: one event.
  await page.goto(`${origin}/w/refunds`);
  await page.fill("input[name=amount]", "5,000");
  await page.click("form.command button");
  await page.waitForSelector("button[data-once]");
  const events = head();
  await page.dblclick("button[data-once]");
  await page.waitForURL(/done=\d+/);
  assert.equal(head(), events + 1, "pressed twice, done twice");
  await look(page);

  // A deletion is refused, and says why.
  await page.goto(`${origin}/w/people`);
  expected = 422;
  await page.click("button.danger");
  await page.waitForSelector("text=DELETE_CONDITIONS");
  await look(page);
  expected = null;

  // Paper.
  await page.goto(`${origin}/w/history`);
  const pdf = await page.pdf({ format: "A4", preferCSSPageSize: true });
  assert(pdf.length > 5000 && /MediaBox \[0 0 59[45][.\d]* 84[12]/.test(pdf.toString("latin1")), "an A4 sheet");

  await page.click("a.lang");
  await page.waitForURL(/lang=en/);
  await page.goto(`${origin}/w`);
  assert.equal(await page.getAttribute("html", "lang"), "en", "the language stays");
  const cookie = (await context.cookies()).find((c) => c.name === "__Host-jangbu");
  assert(cookie.httpOnly && cookie.secure && cookie.sameSite === "Strict", "the cookie");

  // An address of somebody else's, from another site, takes the session from nobody.
  await page.unroute("http://localhost/");
  await page.route("http://localhost/", (route) => route.fulfill({ contentType: "text/html", body: `<link rel="icon" href="data:,"><a href="${another}">go</a>` }));
  const elsewhere = wrong.length;
  await page.goto("http://localhost/");
  await page.click("a");
  await page.waitForSelector("text=Somebody else is signed in here");
  wrong.splice(elsewhere, wrong.length, ...wrong.slice(elsewhere).filter((w) => !w.includes("http://localhost/")));
  await look(page);
  await page.click("a.button:text-is(\"Stay\")");
  await page.waitForURL(`${origin}/w`);
  await page.click("text=Sign out");
  await page.waitForSelector("text=You are signed out");
}

async function operator(context, address) {
  const page = await context.newPage();
  const origin = new URL(address).origin;
  watch(page, origin);
  await page.goto(address);
  await page.waitForURL(`${origin}/o`);
  assert.equal(await page.getAttribute("html", "lang"), "en");
  await look(page);
  await picture(page, "ledger-en", 1280);
  for (const where of ["/o/wallets", "/o/wallets?state=debt", "/o/find?ref=T-1003", "/o/refunds", "/o/due", "/o/commands", "/o/events/30", "/o/wallets/W2"]) {
    await page.goto(origin + where);
    await look(page);
  }
  await page.goto(`${origin}/o/wallets/W1`);
  await picture(page, "operator-wallet-en", 1280);

  // A charge by the operator, tried and confirmed.
  const total = await money(page, ".figure data");
  await page.click("summary:text-is('Charge')");
  const form = page.locator("details[open] form");
  await form.locator("input[name=amount]").fill("12,000");
  await form.locator("select[name=method]").selectOption("ADMIN_CASH");
  await form.locator("button").click();
  await page.waitForSelector("text=What would change", { state: "attached" });
  await look(page);
  await picture(page, "charge-en", 768);
  await page.click("button[data-once]");
  await page.waitForURL(/W1\?done=\d+/);
  assert.equal(await money(page, ".figure data"), total + 12000);

  // Free cash.
  await page.click("summary:text-is('Grant free cash')");
  const grant = page.locator("details[open] form");
  await grant.locator("input[name=amount]").fill("2000");
  await grant.locator("input[name=expires_on]").fill(new Date(Date.now() + 30 * 864e5).toISOString().slice(0, 10));
  await grant.locator("button").click();
  await page.click("button[data-once]");
  await page.waitForURL(/W1\?done=\d+/);

  // The refund of the holder: approved, completed.
  for (const step of ["Approve", "Complete"]) {
    await page.goto(`${origin}/o/wallets/W1`);
    await page.click(`td.act button:text-is("${step}")`);
    await page.click("button[data-once]");
    await page.waitForURL(/W1\?done=\d+/);
  }
  // What an operator may not do is refused.
  await page.click("summary:text-is('Consume')");
  expected = 422;
  const consume = page.locator("details[open] form");
  await consume.locator("input[name=amount]").fill("1");
  await consume.locator("button").click();
  await page.waitForSelector("text=ROLE");
  await look(page);
  expected = null;
}

let status = 1;
try {
  const [w, o] = await addresses();
  const browser = await chromium.launch({ executablePath: chromiumPath, args: ["--no-sandbox"] });
  await holder(await browser.newContext(), w, o);
  await operator(await browser.newContext(), o);
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
