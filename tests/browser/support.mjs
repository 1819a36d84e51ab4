// What the browser tests share: a server, a browser, and how to speak to the playground.
//
// The site is served from a folder below the root, because it must work from any sub-path. Every page collects what
// the browser complains about; a test that expects no complaint asks `complaints`.

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
/** Where screenshots and files that a test wants looked at go; not committed. */
export const out = process.env.DEEPSPI_BROWSER_OUT ?? path.join(here, "out");
/** The native program, for what page and program must agree on. */
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
// Chromium's own software implementation of WebGPU: there is no graphics card in CI. The first two alone give a device
// that is lost as soon as any page draws with it.
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
 * Opens the playground in a browser of its own.
 *
 * @param {{webgpu?: boolean, hash?: string, width?: number, height?: number, dark?: boolean, before?: Function,
 *   storage?: boolean}} options `before` runs with the page before it is loaded.
 */
export async function open(options = {}) {
  const { webgpu = false, hash = "", width = 1280, height = 900, dark = false, before } = options;
  const server = await serve();
  const profile = await mkdtemp(path.join(tmpdir(), "deepspi-browser-"));
  let context;
  const close = async () => {
    await context?.close();
    await server.close();
    // The browser's last processes may write there a moment longer; what they leave is in the temporary folder.
    await rm(profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 }).catch(() => {});
  };
  // A server that is left open would keep the test's process for ever.
  try {
    context = await chromium.launchPersistentContext(profile, {
      executablePath: browserPath,
      headless: true,
      args: [...quiet, ...(webgpu ? withWebgpu : withoutWebgpu)],
      viewport: { width, height },
      colorScheme: dark ? "dark" : "light",
      reducedMotion: "reduce",
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

/** Hyper-parameters of runs that no test sees the end of. */
export const endless = "a.total_timesteps=4000000&b.total_timesteps=4000000";

/** Waits until the trainer can be started. */
export async function ready(page, timeout = 120_000) {
  await page.waitForFunction(() => document.querySelector("#start")?.disabled === false, null, { timeout });
}

/** The worker that trains, as soon as there is one. */
export const trainerOf = async (page) => page.workers()[0] ?? page.waitForEvent("worker");

/** Makes the folder for what a test wants looked at. */
export async function outFile(name) {
  await mkdir(out, { recursive: true });
  return path.join(out, name);
}

/** Runs `body` with a page, which is closed whatever happens. */
export async function withPage(options, body) {
  const opened = await open(options);
  try {
    return await body(opened.page, opened);
  } finally {
    await opened.close();
  }
}

/** Ids of the rooms. */
export const rooms = ["neighbourhood", "maze", "latents", "theory"];

/** Presses what saves a file and returns the file's name and content. */
export async function download(page, press) {
  const [file] = await Promise.all([page.waitForEvent("download"), press()]);
  return { name: file.suggestedFilename(), path: await file.path(), bytes: await readFile(await file.path()) };
}

/** Opens the part of the controls that is folded away. */
export async function unfold(page) {
  await page.evaluate(() => document.querySelector("#more").setAttribute("open", ""));
}

/** What the page exports as JSON. */
export async function exported(page) {
  await unfold(page);
  const { bytes } = await download(page, () => page.click("#json"));
  return JSON.parse(bytes.toString("utf8"));
}

/** Iterations that an agent (0 or 1) has behind it, as the page shows. */
export const iterationOf = async (page, agent = 1) =>
  Number.parseInt(await page.locator(".progress-count").nth(agent).textContent(), 10);

/** Waits until an agent has exactly, or with `more` at least, `count` iterations behind it. */
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

/** Presses "One update" until both agents have `count` iterations behind them. */
export async function train(page, count, timeout = 60_000) {
  for (let done = await iterationOf(page); done < count; done++) {
    await page.click("#step");
    await waitForIteration(page, done + 1, { timeout });
    await ready(page, timeout);
  }
}
