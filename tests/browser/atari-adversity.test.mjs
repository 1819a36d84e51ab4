// The Atari room in browsers that lack something, and in a page that nobody looks at.

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  background,
  endless,
  exported,
  iterationOf,
  ready,
  says,
  stepOf,
  train,
  waitForIteration,
  waitForStep,
  withPage,
} from "./support.mjs";

const timeout = 60_000;

// V8's switches: the first takes SIMD's instructions from the processor (of the x86 family only).
const withoutSimd = "--js-flags=--no-enable-sse4_1";
const withoutExceptions = "--js-flags=--no-experimental-wasm-legacy-eh";

/** Whether the browser of a page accepts a module. */
const accepts = (page, bytes) => page.evaluate((bytes) => WebAssembly.validate(Uint8Array.from(bytes)), bytes);
const header = [0, 97, 115, 109, 1, 0, 0, 0];
/** A function that makes a vector. */
const simd = [...header, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 8, 1, 6, 0, 65, 0, 253, 15, 11];
/** A function that catches everything. */
const exceptions = [...header, 1, 4, 1, 96, 0, 0, 3, 2, 1, 0, 10, 8, 1, 6, 0, 6, 64, 25, 11, 11];

test("without WebAssembly exceptions the room says so, and everything else works", (t) =>
  withPage({ hash: "room=atari&device=cpu", flags: [withoutExceptions] }, async (page, { complaints }) => {
    if (await accepts(page, exceptions)) return t.skip("this browser has no switch for WebAssembly exceptions");
    const notice = page.locator(".notice", { hasText: "WebAssembly exceptions" });
    await notice.waitFor({ timeout });
    assert.match(await notice.textContent(), /no WebAssembly exceptions.*Chrome.*Firefox.*Safari.*All other rooms work/);
    assert.equal(await page.locator("#play-a").count(), 0, "no screens that cannot play");
    await page.click("#tab-maze");
    await ready(page);
    await train(page, 1);
    assert.equal((await exported(page)).agents[0].iterations.length, 1);
    assert.deepEqual(complaints, []);
  }));

test("a link that trains on the emulator says in the same words why it cannot", (t) =>
  withPage({ hash: "env=MazeCartridge&device=cpu", flags: [withoutExceptions] }, async (page, { complaints }) => {
    if (await accepts(page, exceptions)) return t.skip("this browser has no switch for WebAssembly exceptions");
    await says(page, ".notices", /no WebAssembly exceptions/, { timeout });
    await page.click("#tab-neighbourhood");
    await page.waitForSelector("#nb-c");
    assert.deepEqual(complaints, []);
  }));

test("without WebAssembly SIMD the page says what it needs", (t) =>
  withPage({ flags: [withoutSimd] }, async (page) => {
    if (await accepts(page, simd)) return t.skip("this processor's SIMD cannot be switched off");
    const text = await page.locator("#static-status").textContent();
    assert.match(text, /could not start: it needs WebAssembly with SIMD.*Chrome.*Firefox.*Safari.*newer browser\.$/);
    assert.ok(!/Reload|undefined|CompileError/.test(text), text);
    assert.ok(await page.getByRole("heading", { name: "DeepSPI playground" }).isVisible());
  }));

/** Bytes that the page holds: its JavaScript heap after a collection, and the memory of its program. */
async function held(page, session) {
  await session.send("HeapProfiler.collectGarbage");
  const { metrics } = await session.send("Performance.getMetrics");
  const heap = metrics.find(({ name }) => name === "JSHeapUsedSize").value;
  return heap + (await page.evaluate(() => programs.reduce((sum, { exports }) => sum + (exports.memory?.buffer.byteLength ?? 0), 0)));
}

test("after an hour in the background the screens go on at their pace, and the page has not grown", { timeout: 180_000 }, () =>
  withPage(
    {
      hash: `room=atari&env=MazeCartridge&device=cpu&${endless}`,
      before: async (page) => {
        await page.addInitScript(background);
        await page.addInitScript(() => {
          window.programs = [];
          const instantiate = WebAssembly.instantiateStreaming;
          WebAssembly.instantiateStreaming = async (...args) => {
            const result = await instantiate(...args);
            window.programs.push(result.instance);
            return result;
          };
        });
      },
    },
    async (page, { context, complaints }) => {
      const session = await context.newCDPSession(page);
      await session.send("Performance.enable");
      await page.waitForSelector("#play-a", { timeout });
      await ready(page);
      await page.click("#start");
      await page.click("#play-a");
      await page.click("#play-b");
      await waitForStep(page, 11);
      await waitForIteration(page, 2, { more: true });

      await page.evaluate(() => toBackground());
      const steps = () => Promise.all([0, 1].map((screen) => stepOf(page, screen)));
      // `waitForIteration` cannot be used, because it needs animation frames.
      const trainFor = async (count) => {
        const wanted = (await iterationOf(page)) + count;
        for (let look = 0; look < 60 && (await iterationOf(page)) < wanted; look++)
          await new Promise((resume) => setTimeout(resume, 500));
        assert.ok((await iterationOf(page)) >= wanted, "training stood still");
        return wanted;
      };
      // What was on its way has arrived, and the first checkpoints have taken their memory.
      await trainFor(3);
      const [before, bytes] = [await steps(), await held(page, session)];
      const trained = await trainFor(3);
      assert.deepEqual(await steps(), before, "a game that nobody sees stands still");
      const grown = (await held(page, session)) - bytes;
      // Each iteration leaves a row of numbers; the frames of games would be 134 kB a step, 4 MB a second. WebAssembly gives
      // nothing back, so the program grows by an automatic copy (1.6 MB) when a new one does not fit where an old one was:
      // measured every 15 to 35 iterations, at most for both agents at once.
      assert.ok(grown < 4 << 20, `the page has grown by ${grown} bytes`);

      // 60 frames a second are 15 steps, or a few more, because the step that starts a game has one frame. A step may be
      // under way, and one is computed ahead. An hour that is made up for would be 54,000 steps.
      const shown = await page.evaluate(async () => {
        const step = () =>
          [...document.querySelectorAll(".console")].map(({ textContent }) => Number(/step (\d+)/.exec(textContent)[1]));
        const start = step();
        toForeground(3_600_000);
        const begin = performance.now();
        await new Promise((resume) => setTimeout(resume, 1500));
        const seconds = (performance.now() - begin) / 1000;
        return { start, seconds, end: step() };
      });
      shown.end.forEach((end, screen) => {
        const count = end - shown.start[screen];
        assert.ok(count <= 20 * shown.seconds + 3, `${count} steps in ${shown.seconds} s on screen ${screen}`);
      });
      await waitForStep(page, before[0] + 21);
      await waitForIteration(page, trained + 1, { more: true });
      assert.deepEqual(complaints, []);
    },
  ));
