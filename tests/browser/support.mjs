// Helpers for the browser tests: a server, a browser, and functions that operate the playground.
//
// The site is served from a folder below the root, because it must work from any sub-path. Every page collects the
// browser's errors in `complaints`, which a test can check.

import { createServer } from "node:http";
import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const here = path.dirname(fileURLToPath(import.meta.url));
/** The built playground; `./check browser` names it. */
export const site = process.env.DEEPSPI_SITE ?? path.join(here, "../../dist");
/** Folder for screenshots and other files that a person should look at; not committed. */
export const out = process.env.DEEPSPI_BROWSER_OUT ?? path.join(here, "out");
/** The native program, with which the page is compared. */
export const native = process.env.DEEPSPI_NATIVE;

const browserPath =
  process.env.DEEPSPI_CHROMIUM ??
  ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(existsSync);

const mediaTypes = {
  ".css": "text/css",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".svg": "image/svg+xml",
  ".wasm": "application/wasm",
};

/** Serves the site below `/a/folder/` on a free port of this machine. */
export async function serve() {
  const prefix = "/a/folder/";
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url, "http://localhost");
    const name = pathname === prefix ? "index.html" : pathname.slice(prefix.length);
    try {
      if (!pathname.startsWith(prefix) || name.includes("..")) throw new Error("not of the site");
      const body = await readFile(path.join(site, name));
      response.writeHead(200, { "content-type": mediaTypes[path.extname(name)] ?? "application/octet-stream" });
      response.end(body);
    } catch {
      response.writeHead(404);
      response.end();
    }
  });
  await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
  return {
    address: `http://127.0.0.1:${server.address().port}${prefix}`,
    close: () => new Promise((closed) => server.close(closed)),
  };
}

const quiet = [
  "--no-sandbox",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];
// Chromium's software implementation of WebGPU, because CI has no graphics card. With the first two flags alone the
// device is lost as soon as a page draws with it.
const withWebgpu = [
  "--enable-unsafe-webgpu",
  "--use-webgpu-adapter=swiftshader",
  "--use-angle=swiftshader",
  "--enable-unsafe-swiftshader",
  "--ignore-gpu-blocklist",
  "--enable-gpu",
  "--enable-features=Vulkan",
  "--use-vulkan=swiftshader",
];
const withoutWebgpu = ["--disable-gpu"];

/**
 * Opens the playground in a new browser.
 *
 * @param {{webgpu?: boolean, hash?: string, width?: number, height?: number, dark?: boolean, motion?: boolean,
 *   before?: Function, flags?: string[]}} options `before` runs with the page before it is loaded; without `motion` the
 *   browser asks for less motion; `flags` are more arguments of the browser.
 */
export async function open(options = {}) {
  const { webgpu = false, hash = "", width = 1280, height = 900, dark = false, motion = false, before, flags = [] } = options;
  const server = await serve();
  const profile = await mkdtemp(path.join(tmpdir(), "deepspi-browser-"));
  let context;
  const close = async () => {
    await context?.close();
    await server.close();
    // Processes of the browser may still write there for a moment; what they leave is in the temporary folder.
    await rm(profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 }).catch(() => {});
  };
  // A server that is not closed would keep the test's process running.
  try {
    context = await chromium.launchPersistentContext(profile, {
      executablePath: browserPath,
      headless: true,
      args: [...quiet, ...(webgpu ? withWebgpu : withoutWebgpu), ...flags],
      viewport: { width, height },
      colorScheme: dark ? "dark" : "light",
      reducedMotion: motion ? "no-preference" : "reduce",
      acceptDownloads: true,
      permissions: ["clipboard-read", "clipboard-write"],
    });
    const page = context.pages()[0] ?? (await context.newPage());
    const complaints = [];
    page.on("console", (message) => {
      if (message.type() === "error") complaints.push(message.text());
    });
    page.on("pageerror", (error) => complaints.push(String(error)));
    page.on("requestfailed", (request) => complaints.push(`${request.url()}: ${request.failure()?.errorText}`));
    page.on("request", (request) => {
      const { protocol, origin } = new URL(request.url());
      if (protocol.startsWith("http") && origin !== new URL(server.address).origin)
        complaints.push(`asked another host: ${request.url()}`);
    });
    if (before) await before(page, context);
    await page.goto(server.address + (hash ? `#${hash}` : ""));
    return { page, context, complaints, address: server.address, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Hyper-parameters of runs that are too long to end during a test. */
export const endless = "a.total_timesteps=4000000&b.total_timesteps=4000000";

/** Waits until training can be started. */
export async function ready(page, timeout = 120_000) {
  await page.waitForFunction(() => document.querySelector("#start")?.disabled === false, null, { timeout });
}

/** Waits until the text of an element, which need not exist yet, matches a pattern (`nth`: of several elements). */
export async function says(page, selector, pattern, { nth = 0, timeout = 30_000 } = {}) {
  const { source, flags } = new RegExp(pattern);
  await page.waitForFunction(
    ([selector, nth, source, flags]) =>
      new RegExp(source, flags).test(document.querySelectorAll(selector)[nth]?.textContent ?? ""),
    [selector, nth, source, flags],
    { timeout },
  );
}

/** The worker that trains, as soon as it exists. */
export const trainerOf = async (page) => page.workers()[0] ?? page.waitForEvent("worker");

/** Path of a file in `out`, whose folder is created. */
export async function outFile(name) {
  await mkdir(out, { recursive: true });
  return path.join(out, name);
}

/** Runs `body` with a page, which is closed in any case. */
export async function withPage(options, body) {
  const opened = await open(options);
  try {
    return await body(opened.page, opened);
  } finally {
    await opened.close();
  }
}

/** Ids of the rooms. */
export const rooms = ["neighbourhood", "maze", "latents", "theory", "dream", "atari"];

/** Calls `press`, which saves a file, and returns the file's name, path and content. */
export async function download(page, press) {
  const [file] = await Promise.all([page.waitForEvent("download"), press()]);
  return { name: file.suggestedFilename(), path: await file.path(), bytes: await readFile(await file.path()) };
}

/** Opens the folded part of the controls. */
export async function unfold(page) {
  await page.evaluate(() => document.querySelector("#more").setAttribute("open", ""));
}

/** The JSON export of the page. */
export async function exported(page) {
  await unfold(page);
  const { bytes } = await download(page, () => page.click("#json"));
  return JSON.parse(bytes.toString("utf8"));
}

/** Completed iterations of an agent (0 or 1), as the page shows them. */
export const iterationOf = async (page, agent = 1) =>
  Number.parseInt(await page.locator(".progress-count").nth(agent).textContent(), 10);

/** Waits until an agent has completed exactly `count` iterations, or with `more` at least as many. */
export async function waitForIteration(page, count, { agent = 1, more = false, timeout = 60_000 } = {}) {
  await page.waitForFunction(
    ([agent, count, more]) => {
      const shown = Number.parseInt(document.querySelectorAll(".progress-count")[agent]?.textContent ?? "", 10);
      return more ? shown >= count : shown === count;
    },
    [agent, count, more],
    { timeout },
  );
}

/** Number of the step that a screen of the Atari room shows (0: screen A). */
export async function stepOf(page, screen = 0) {
  return Number(/step (\d+)/.exec(await page.locator(".console").nth(screen).textContent())[1]);
}

/** Waits until a screen of the Atari room shows a step from `least` to `most`. */
export async function waitForStep(page, least, { screen = 0, most = Infinity, timeout = 60_000 } = {}) {
  await page.waitForFunction(
    ([screen, least, most]) => {
      const step = Number(/step (\d+)/.exec(document.querySelectorAll(".console")[screen]?.textContent)?.[1]);
      return step >= least && step <= most;
    },
    [screen, least, most],
    { timeout },
  );
}

/** Presses "One update" until both agents have completed `count` iterations. */
export async function train(page, count, timeout = 60_000) {
  for (let done = await iterationOf(page); done < count; done++) {
    await page.click("#step");
    await waitForIteration(page, done + 1, { timeout });
    await ready(page, timeout);
  }
}

/**
 * To be run in a page before its scripts (`page.addInitScript`). A headless browser treats every page as visible. This
 * simulates a page in the background: its animation frames wait, its timers run once a second, and it is told that it
 * is hidden. `toForeground(away)` shows it again, and to the page `away` milliseconds have passed.
 */
export const background = () => {
  const [frame, timer] = [requestAnimationFrame.bind(window), setTimeout.bind(window)];
  const now = performance.now.bind(performance);
  let [hidden, skipped, waiting] = [false, 0, []];
  performance.now = () => now() + skipped;
  const call = (callback) => frame((time) => (hidden ? waiting.push(callback) : callback(time + skipped)));
  window.requestAnimationFrame = (callback) => (hidden ? -waiting.push(callback) : call(callback));
  window.setTimeout = (callback, wait = 0, ...rest) => timer(callback, hidden ? Math.max(wait, 1000) : wait, ...rest);
  Object.defineProperty(document, "visibilityState", { get: () => (hidden ? "hidden" : "visible") });
  Object.defineProperty(document, "hidden", { get: () => hidden });
  window.toBackground = () => {
    hidden = true;
    document.dispatchEvent(new Event("visibilitychange"));
  };
  window.toForeground = (away = 0) => {
    [hidden, skipped] = [false, skipped + away];
    document.dispatchEvent(new Event("visibilitychange"));
    waiting.splice(0).forEach(call);
  };
};
