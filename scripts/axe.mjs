// Drives a headless Chromium over a pipe (its DevTools protocol, without any library) for scripts/axe, which says what it is for.
// Arguments: the browser, axe-core's script, the pages.
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

const [browser, axe, ...pages] = process.argv.slice(2);
const widths = [1280, 768, 380];
const schemes = ["light", "dark"];

// start gives send(), which calls a method of the browser and waits for its answer, and once(), which waits for an event.
function start(profile) {
  const flags = ["--headless", "--remote-debugging-pipe", `--user-data-dir=${profile}`, "--no-first-run", "--disable-dev-shm-usage"];
  if (process.getuid?.() === 0) flags.push("--no-sandbox"); // as root Chromium has no sandbox; the page has no script
  const child = spawn(browser, flags, { stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"] });
  const waiting = new Map();
  const gone = new Promise((_, no) => {
    child.on("error", no);
    child.on("exit", (code) => no(new Error(`${browser} ended with code ${code}`)));
  });
  gone.catch(() => {});
  child.stdio[3].on("error", () => {}); // of a browser that ended: gone tells it
  let rest = "";
  let last = 0;
  child.stdio[4].setEncoding("utf8").on("data", (text) => {
    const messages = (rest + text).split("\0");
    rest = messages.pop();
    for (const m of messages.map((one) => JSON.parse(one))) {
      const key = m.id ?? m.method;
      const settle = waiting.get(key);
      waiting.delete(key);
      if (settle) m.error ? settle.no(new Error(m.error.message)) : settle.yes(m.result ?? m.params);
    }
  });
  const once = (key) => Promise.race([gone, new Promise((yes, no) => waiting.set(key, { yes, no }))]);
  const send = (method, params = {}, sessionId) => {
    const answer = once(++last);
    child.stdio[3].write(JSON.stringify({ id: last, method, params, sessionId }) + "\0");
    return answer;
  };
  return { child, send, once };
}

// inPage runs in the page: it unfolds everything and gives what axe-core finds, with all of its rules.
async function inPage() {
  const overflow = document.documentElement.scrollWidth - document.documentElement.clientWidth;
  const load = performance.getEntriesByType("navigation")[0].loadEventEnd;
  const drawn = performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? load;
  for (const d of document.querySelectorAll("details")) d.open = true;
  const all = axe.getRules().map((r) => r.ruleId);
  const found = await axe.run(document, { runOnly: { type: "rule", values: all } });
  const told = (v) => `${v.id} (${v.impact}): ${v.help}; ${v.nodes.length} places, the first: ${v.nodes[0].html.slice(0, 200)}`;
  return { overflow, drawn: Math.round(Math.max(load, drawn)), rules: all.length, violations: found.violations.map(told) };
}

async function look({ send, once }, page, scheme, width) {
  const { targetId } = await send("Target.createTarget", { url: "about:blank" });
  const { sessionId } = await send("Target.attachToTarget", { targetId, flatten: true });
  const call = (method, params) => send(method, params, sessionId);
  await call("Page.enable");
  await call("Page.setBypassCSP", { enabled: true }); // the page forbids scripts, axe-core is one
  await call("Emulation.setEmulatedMedia", { features: [{ name: "prefers-color-scheme", value: scheme }] });
  await call("Emulation.setDeviceMetricsOverride", { width, height: 820, deviceScaleFactor: 1, mobile: width < 400 });
  const loaded = once("Page.loadEventFired");
  await call("Page.navigate", { url: pathToFileURL(resolve(page)).href });
  await loaded;
  const script = `${readFileSync(axe, "utf8")};new Promise((yes) => requestAnimationFrame(() => setTimeout(yes))).then(${inPage})`;
  const { result, exceptionDetails } = await call("Runtime.evaluate", { expression: script, awaitPromise: true, returnByValue: true });
  await send("Target.closeTarget", { targetId });
  if (exceptionDetails) throw new Error(`run axe-core on ${page}: ${exceptionDetails.exception?.description ?? exceptionDetails.text}`);
  return result.value;
}

const profile = mkdtempSync(join(tmpdir(), "meshproof-axe-"));
const chromium = start(profile);
let wrong = 0;
try {
  for (const page of pages) {
    for (const scheme of schemes) {
      for (const width of widths) {
        const seen = await look(chromium, page, scheme, width);
        if (seen.overflow > 0) seen.violations.push(`the page is ${seen.overflow} pixels wider than the screen`);
        wrong += seen.violations.length;
        console.log(`${page}: ${scheme}, ${width} wide: ${seen.violations.length} violations of ${seen.rules} rules (${statSync(page).size} bytes, drawn in ${seen.drawn} ms)`);
        for (const v of seen.violations) console.log(`  ${v}`);
      }
    }
  }
} catch (e) {
  console.error(`axe: ${e.message}`);
  process.exitCode = 1;
} finally {
  const ended = new Promise((yes) => chromium.child.once("exit", yes));
  if (chromium.child.exitCode === null && chromium.child.kill()) await ended;
  rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
}
console.log(process.exitCode ? "not all pages were looked at" : `${wrong} violations in all`);
if (wrong > 0) process.exitCode = 1;
