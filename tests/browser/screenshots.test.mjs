// Screenshots of every room, to be looked at: `out/<room>-<width>-<theme>.png`, and the upper part of the wide ones,
// `out/top-<room>-<theme>.png`. The documents show two of them (docs/playground).

import assert from "node:assert/strict";
import { stat } from "node:fs/promises";
import { test } from "node:test";
import { outFile, ready, rooms, waitForIteration, withPage } from "./support.mjs";

for (const dark of [false, true]) {
  for (const width of [1280, 1920, 360]) {
    test(`screenshots (${dark ? "dark" : "light"}, ${width} pixels)`, { timeout: 180_000 }, () =>
      withPage({ hash: "device=cpu&room=maze", dark, width, height: 900 }, async (page) => {
        await ready(page);
        await page.click("#start");
        await waitForIteration(page, 30, { more: true, timeout: 120_000 });
        await page.click("#start");
        await page.waitForFunction(() => document.querySelector("#step")?.disabled === false);
        for (const room of rooms) {
          await page.click(`#tab-${room}`);
          await page.evaluate(() => window.scrollTo(0, 0));
          await page.waitForTimeout(1500);
          // With data, too, no room is wider than the window.
          const content = await page.evaluate(() => document.documentElement.scrollWidth);
          assert.ok(content <= width, `${room} is ${content} pixels wide`);
          const file = await outFile(`${room}-${width}-${dark ? "dark" : "light"}.png`);
          await page.screenshot({ path: file, fullPage: true });
          if (width === 1280) {
            const path = await outFile(`top-${room}-${dark ? "dark" : "light"}.png`);
            await page.screenshot({ path, fullPage: true, clip: { x: 0, y: 0, width, height: 1300 } });
          }
          assert.ok((await stat(file)).size > 10_000, `${file} shows something`);
        }
      }));
  }
}
