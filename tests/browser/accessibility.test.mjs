// axe-core finds no serious violation in any room, light or dark.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { test } from "node:test";
import { ready, rooms, train, withPage } from "./support.mjs";

const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

for (const dark of [false, true]) {
  for (const width of [1280, 360]) {
    test(`no serious violation (${dark ? "dark" : "light"}, ${width} pixels)`, { timeout: 120_000 }, () =>
      withPage({ hash: "device=cpu", dark, width }, async (page) => {
        await ready(page);
        await page.evaluate(axe);
        await train(page, 1);
        await page.evaluate(() => document.querySelectorAll("details").forEach((part) => (part.open = true)));
        for (const room of rooms) {
          await page.click(`#tab-${room}`);
          await page.waitForTimeout(300);
          const { violations } = await page.evaluate(() => globalThis.axe.run());
          const serious = violations
            .filter(({ impact }) => impact === "serious" || impact === "critical")
            .map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html.slice(0, 160)).join(" | ")}`);
          assert.deepEqual(serious, [], room);
        }
      }));
  }
}
