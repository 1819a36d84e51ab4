// The page answers input while both agents train. Measured is the time from the event to the next paint, as the
// browser reports it.

import assert from "node:assert/strict";
import { test } from "node:test";
import { endless, ready, withPage } from "./support.mjs";

// Limit for the median: three times the target of 50 ms, so that other work on the machine does not fail the test. A
// page that waits for an iteration or a view exceeds the limit. The measured times are printed; docs/performance.md
// compares them with the target.
const FROZEN = 150;

test("inputs while training are painted without waiting for it", { timeout: 120_000 }, () =>
  withPage({ hash: `device=cpu&room=maze&${endless}` }, async (page) => {
    await ready(page);
    await page.evaluate(() => {
      globalThis.durations = [];
      // 16 ms is the smallest threshold that a browser allows; faster inputs count as 16 ms.
      new PerformanceObserver((list) => {
        for (const { name, duration } of list.getEntries())
          if (name === "click" || name === "keydown") durations.push(duration);
      }).observe({ type: "event", durationThreshold: 16 });
    });
    await page.click("#start");
    await page.waitForTimeout(1500);
    // Typical inputs during training: open a fold, move the focus, change rooms.
    const inputs = [
      () => page.click("#more summary"),
      () => page.keyboard.press("Tab"),
      () => page.click("#tab-latents"),
      () => page.keyboard.press("ArrowLeft"),
    ];
    const rounds = 12;
    for (let i = 0; i < rounds; i++) {
      for (const input of inputs) {
        await input();
        await page.waitForTimeout(80);
      }
    }
    await page.waitForTimeout(500);
    assert.match(await page.textContent("#start"), /pause/i, "it still trains");
    const count = rounds * inputs.length;
    const slow = await page.evaluate(() => durations);
    const all = [...Array(Math.max(0, count - slow.length)).fill(16), ...slow].sort((a, b) => a - b);
    const at = (share) => all[Math.min(all.length - 1, Math.floor(share * all.length))];
    console.log(`input latency: median ${at(0.5)} ms (wanted: 50), 95 % ${at(0.95)} ms, longest ${at(1)} ms`);
    assert.ok(at(0.5) < FROZEN, `median ${at(0.5)} ms`);
  }));
