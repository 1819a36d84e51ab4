// What the page survives: a trainer that dies at any moment, a browser without room, a tab that is frozen, and an hour
// of work. Started by `./check endurance`; a short form: `node --test tests/endurance/page.mjs`.
//
//   DEEPSPI_ENDURANCE=full   50 deaths and an hour (DEEPSPI_SOAK_MINUTES for another length)

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import {
  endless,
  iterationOf,
  ready,
  says,
  trainerOf,
  unfold,
  download,
  waitForIteration,
  withPage,
} from "../browser/support.mjs";

const full = process.env.DEEPSPI_ENDURANCE === "full";
const deaths = full ? 50 : 3;
const minutes = full ? Number(process.env.DEEPSPI_SOAK_MINUTES ?? 60) : 0.25;
/** Time between two automatic copies (KEEP_MS of the trainer), and what the page may take to receive one. */
const copies = 3_000 + 1_500;
const wait = (ms) => new Promise((resume) => setTimeout(resume, ms));

test("a trainer that dies at random moments costs no more than the steps since the last copy", { timeout: 3_600_000 }, () =>
  withPage({ hash: `device=cpu&room=maze&${endless}` }, async (page) => {
    await ready(page);
    let lost = 0;
    for (let death = 0; death < deaths; death++) {
      await page.click("#start");
      const before = await iterationOf(page);
      await waitForIteration(page, before + 1, { more: true });
      // What the page showed, and when.
      const seen = [];
      const end = Date.now() + 500 + Math.random() * 7_000;
      while (Date.now() < end) {
        seen.push([Date.now(), await iterationOf(page)]);
        await wait(50);
      }
      const worker = await trainerOf(page);
      await worker.evaluate(() => void setTimeout(() => { throw new Error("a death of the test"); }));
      const died = Date.now();
      await page.waitForSelector("#restart-trainer", { timeout: 30_000 });
      await page.click("#restart-trainer");
      await ready(page);
      const after = await iterationOf(page);
      const kept = seen.filter(([at]) => at <= died - copies).at(-1)?.[1] ?? before;
      assert.ok(after >= kept, `death ${death}: it went on at ${after}, and had ${kept} ${copies} ms before`);
      lost = Math.max(lost, (seen.at(-1)?.[1] ?? before) - after);
    }
    console.log(`${deaths} deaths of the trainer; at most ${lost} iterations were lost, all since the last copy`);
  }));

test("a browser without room for anything costs nothing but what it would keep", { timeout: 120_000 }, () =>
  withPage(
    {
      hash: "device=cpu&room=maze",
      before: (page) =>
        page.addInitScript(() => {
          const none = () => { throw new DOMException("no room", "QuotaExceededError"); };
          Storage.prototype.setItem = none;
          IDBFactory.prototype.open = none;
          IDBObjectStore.prototype.put = none;
        }),
    },
    async (page) => {
      await ready(page);
      await page.click("#step");
      await waitForIteration(page, 1);
      await unfold(page);
      const { bytes } = await download(page, () => page.click("#save-0"));
      assert.ok(bytes.length > 1000, "a checkpoint can be saved as a file");
      assert.equal(await page.locator("#restart-trainer").count(), 0);
    },
  ));

test("a tab that was frozen goes on", { timeout: 120_000 }, () =>
  withPage({ hash: `device=cpu&room=maze&${endless}` }, async (page, { context }) => {
    await ready(page);
    await page.click("#start");
    await waitForIteration(page, 2, { more: true });
    const session = await context.newCDPSession(page);
    for (let round = 0; round < (full ? 20 : 2); round++) {
      await session.send("Page.setWebLifecycleState", { state: "frozen" });
      await wait(1_000);
      await session.send("Page.setWebLifecycleState", { state: "active" });
      await page.bringToFront();
      const thawed = await iterationOf(page);
      await waitForIteration(page, thawed + 2, { more: true });
    }
    assert.match(await page.textContent("#start"), /pause/i, "it still trains");
  }));

/** Resident memory of all processes of the browser, MB. */
function resident() {
  const lines = execFileSync("ps", ["-eo", "pid=,ppid=,rss="], { encoding: "utf8" }).trim().split("\n");
  const all = lines.map((line) => line.trim().split(/\s+/).map(Number));
  const own = new Set([process.pid]);
  let [size, sum] = [0, 0];
  while (size !== own.size) {
    size = own.size;
    for (const [pid, parent] of all) if (own.has(parent)) own.add(pid);
  }
  for (const [pid, , kib] of all) if (own.has(pid) && pid !== process.pid) sum += kib / 1024;
  return sum;
}

test("the page with both agents and the Atari room stays as large and as smooth as it is", { timeout: 2 * 3_600_000 }, () =>
  withPage({ motion: true, hash: `room=atari&env=MazeCartridge&device=cpu&${endless}` }, async (page) => {
    await page.waitForSelector("#play-a", { timeout: 60_000 });
    await ready(page);
    await page.click("#start");
    await page.click("#play-a");
    await page.click("#play-b");
    await waitForIteration(page, 2, { more: true });
    await page.evaluate(() => {
      const start = performance.now();
      globalThis.gaps = { last: start, longest: 0, over: 0, frames: 0, when: [] };
      const frame = (now) => {
        const gap = now - gaps.last;
        gaps.longest = Math.max(gaps.longest, gap);
        gaps.over += gap > 100;
        if (gap > 100 && gaps.when.length < 50) gaps.when.push(`${gap.toFixed(0)} ms at ${((now - start) / 1000).toFixed(0)} s`);
        gaps.frames++;
        gaps.last = now;
        requestAnimationFrame(frame);
      };
      requestAnimationFrame(frame);
    });
    const samples = [];
    const end = Date.now() + minutes * 60_000;
    while (Date.now() < end) {
      await wait(Math.max(500, minutes * 60_000 / 400));
      samples.push(resident());
    }
    const quarter = Math.floor(samples.length / 4);
    const mean = (part) => part.reduce((sum, x) => sum + x, 0) / part.length;
    const [early, late] = [mean(samples.slice(quarter, 2 * quarter)), mean(samples.slice(3 * quarter))];
    const { longest, over, frames, when } = await page.evaluate(() => gaps);
    console.log(
      `${minutes} minutes, ${await iterationOf(page)} iterations: ${early.toFixed(0)} MB in the second quarter, ` +
        `${late.toFixed(0)} MB in the last; ${frames} frames, the longest gap ${longest.toFixed(0)} ms, ${over} over 100 ms` +
        (over > 0 ? ` (${when.join(", ")})` : ""),
    );
    const at = (tenth) => Math.floor((tenth * samples.length) / 10);
    const tenths = Array.from({ length: 10 }, (_, i) => mean(samples.slice(at(i), at(i + 1))).toFixed(0));
    console.log(`by tenths of the time: ${tenths.join(", ")} MB`);
    await says(page, "#start", /pause/i);
    assert.ok(late < early * 1.1 + 30, `it grew from ${early} to ${late} MB`);
  }));
