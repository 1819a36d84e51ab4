// The page can be used with the keyboard alone.

import assert from "node:assert/strict";
import { test } from "node:test";
import { ready, rooms, says, waitForIteration, withPage } from "./support.mjs";

const focused = (page) =>
  page.evaluate(() => {
    const element = document.activeElement;
    return element.id || element.getAttribute("aria-label") || element.textContent.trim();
  });

test("Tab reaches the skip link, the controls, the tabs and the room, each with a visible focus", () =>
  withPage({}, async (page) => {
    await ready(page);
    const seen = [];
    for (let i = 0; i < 40; i++) {
      await page.keyboard.press("Tab");
      seen.push(await focused(page));
      // Elements in pictures draw a focus ring of their own, which their computed style does not show.
      const outline = await page.evaluate(() => {
        const style = getComputedStyle(document.activeElement);
        const drawn = document.activeElement instanceof SVGElement || document.activeElement === document.body;
        return drawn || style.outlineStyle !== "none" || style.boxShadow !== "none";
      });
      assert.ok(outline, `${seen.at(-1)} shows that it has the focus`);
    }
    assert.match(seen[0], /skip/i);
    for (const id of ["start", "step", "reset", "tab-neighbourhood"]) assert.ok(seen.includes(id), `${id}: ${seen}`);
  }));

test("keys train, step, change rooms and show the list of keys", () =>
  withPage({ hash: "device=cpu" }, async (page) => {
    await ready(page);
    await page.evaluate(() => document.activeElement.blur());
    await page.keyboard.press("n");
    await waitForIteration(page, 1);
    await page.keyboard.press("Space");
    await says(page, "#start", /pause/i);
    await page.keyboard.press("Space");
    await says(page, "#start", /start/i);
    for (const [index, room] of rooms.entries()) {
      await page.keyboard.press(String(index + 1));
      assert.equal(await page.getAttribute(`#tab-${room}`, "aria-selected"), "true");
    }
    await page.keyboard.press("?");
    await page.waitForSelector("dialog[open]");
    await page.keyboard.press("Escape");
    await page.waitForFunction(() => !document.querySelector("dialog[open]"));
  }));

test("arrow keys move between the tabs", () =>
  withPage({}, async (page) => {
    await page.waitForSelector("#tab-neighbourhood");
    await page.focus("#tab-neighbourhood");
    await page.keyboard.press("ArrowRight");
    assert.equal(await focused(page), "tab-maze");
    assert.equal(await page.getAttribute("#tab-maze", "aria-selected"), "true");
    await page.keyboard.press("End");
    assert.equal(await focused(page), "tab-atari");
  }));

test("the tour starts on request, walks by keyboard and ends", () =>
  withPage({}, async (page) => {
    await ready(page);
    await page.getByRole("button", { name: "Tour" }).press("Enter");
    await page.waitForSelector("#tour-title");
    const titles = new Set();
    for (let i = 0; i < 12 && (await page.locator("#tour-title").count()) > 0; i++) {
      titles.add(await page.textContent("#tour-title"));
      await page.keyboard.press("ArrowRight");
      await page.waitForTimeout(100);
    }
    assert.ok(titles.size >= 5, `${[...titles]}`);
    await page.keyboard.press("Escape");
    await page.waitForFunction(() => !document.querySelector("#tour-title"));
  }));
