// The tours: every step outlines something that is on screen, with the keyboard alone, and what the site cannot show is
// not offered. (That the page's own tour starts and ends is tested in keyboard.test.mjs.)

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { test } from "node:test";
import { ready, rooms, says, withPage } from "./support.mjs";

const timeout = 60_000;
const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** Title, room and place of the current step. */
const stepOf = (page) =>
  page.evaluate(() => {
    const target = document.querySelector(".tour-target");
    const { width, height } = target?.getBoundingClientRect() ?? {};
    return {
      title: document.querySelector("#tour-title")?.textContent,
      count: document.querySelector(".tour .muted")?.textContent,
      room: document.querySelector("[role=tab][aria-selected=true]").id,
      target: target && (target.id || target.className),
      shown: width > 0 && height > 0,
    };
  });

/** Walks through a tour with the arrow keys; returns its steps. */
async function walk(page, button) {
  await page.focus(button);
  await page.keyboard.press("Enter");
  await page.waitForSelector("#tour-title", { timeout });
  const steps = [];
  for (;;) {
    const title = await page.textContent("#tour-title");
    // A room may still have to be drawn.
    await page.waitForFunction(
      () => document.querySelector(".tour-target")?.getBoundingClientRect().height > 0,
      null,
      { timeout },
    );
    steps.push(await stepOf(page));
    const [at, all] = steps.at(-1).count.split(" of ").map(Number);
    assert.equal(at, steps.length);
    if (at === all) return steps;
    await page.keyboard.press("ArrowRight");
    await page.waitForFunction((title) => document.querySelector("#tour-title").textContent !== title, title);
  }
}

/** Serves the page of a site that was built with `--no-atari`. */
const withoutEmulator = (page) =>
  page.route(/\/a\/folder\/(#.*)?$/, async (route) => {
    const response = await route.fetch();
    const body = (await response.text()).replace("deepspi-atari", "none");
    await route.fulfill({ response, body });
  });

for (const width of [1280, 360]) {
  test(`the maze as a table, as pictures, as a cartridge, by keyboard (${width} pixels)`, () =>
    withPage({ width, hash: "device=cpu" }, async (page, { complaints }) => {
      await ready(page);
      await page.waitForSelector("#tour-maze", { timeout });
      const steps = await walk(page, "#tour-maze");
      assert.deepEqual(
        steps.map(({ room }) => room.replace("tab-", "")),
        ["maze", "theory", "latents", "atari", "atari", "atari", "atari"],
      );
      for (const { title, shown } of steps) assert.ok(shown, `${title}: what it explains is on screen`);
      // Each has its own part of the page, not the whole room for want of a better one.
      const targets = new Set(steps.map(({ target }) => target));
      assert.ok(targets.size === steps.length && !targets.has("room"), JSON.stringify(steps));
      await page.evaluate(axe);
      const { violations } = await page.evaluate(() => globalThis.axe.run(".tour"));
      assert.deepEqual(violations, []);
      const content = await page.evaluate(() => document.documentElement.scrollWidth);
      assert.ok(content <= width, `the page is ${content} pixels wide`);
      // At the end the focus is on the button that started the tour.
      await page.keyboard.press("Escape");
      await page.waitForFunction(() => !document.querySelector("#tour-title"));
      assert.equal(await page.evaluate(() => document.activeElement.id), "tour-maze");
      assert.equal(await page.locator(".tour-target").count(), 0);
      assert.deepEqual(complaints, []);
    }));
}

test("the page's tour has a step in every room", () =>
  withPage({ hash: "device=cpu" }, async (page) => {
    await ready(page);
    await page.waitForSelector("#tour-maze", { timeout });
    const steps = await walk(page, "#tour");
    assert.equal(new Set(steps.map(({ room }) => room)).size, rooms.length);
    for (const { title, shown } of steps) assert.ok(shown, `${title}: what it explains is on screen`);
  }));

test("the tour of the cartridge puts it into the consoles, whatever was there", () =>
  withPage({ hash: "device=cpu&room=atari&screen.game=Breakout" }, async (page) => {
    await page.waitForSelector("text=The cartridge of Breakout is not here", { timeout });
    await ready(page);
    const steps = await walk(page, "#tour-maze");
    assert.equal(steps.length, 7);
    await page.waitForFunction(() => document.querySelector("#game-a")?.value === "MazeCartridge", null, { timeout });
    await says(page, ".console", /PPO, trained for/, { timeout });
  }));

test("without the emulator there is no tour of the cartridge, and no step in the Atari room", () =>
  withPage({ hash: "device=cpu", before: withoutEmulator }, async (page) => {
    await ready(page);
    const steps = await walk(page, "#tour");
    assert.ok(steps.length >= 8 && steps.every(({ room }) => room !== "tab-atari"), JSON.stringify(steps));
    assert.equal(await page.locator("#tour-maze").count(), 0);
  }));

test("while a game is trained, which has no table, there is no tour of the cartridge", () =>
  withPage({ hash: "device=cpu&env=Breakout" }, async (page) => {
    await page.waitForSelector("#tour", { timeout });
    assert.equal(await page.locator("#tour-maze").count(), 0);
    // With a maze in the trainer there is one.
    await page.evaluate(() => (location.hash = "device=cpu"));
    await page.waitForSelector("#tour-maze", { timeout });
  }));
