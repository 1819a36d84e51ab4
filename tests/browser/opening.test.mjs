// The first screen: an agent is alive before the trainer has loaded, its button trains it, and it stands still for
// users who want less motion.

import assert from "node:assert/strict";
import { test } from "node:test";
import { endless, ready, waitForIteration, withPage } from "./support.mjs";

const agent = ".opening .maze-agent";
/** Where the agent is, as its style says. */
const placeOf = (page) => page.locator(agent).evaluate((element) => element.style.transform);
const waitForMove = async (page) => {
  const before = await placeOf(page);
  await page.waitForFunction(
    ([selector, before]) => document.querySelector(selector).style.transform !== before,
    [agent, before],
    { timeout: 20_000 },
  );
};
/** Fails if the agent moves within three of its steps. */
const standsStill = async (page) => {
  const before = await placeOf(page);
  await page.waitForTimeout(1500);
  assert.equal(await placeOf(page), before);
};

/** Keeps the trainer from loading until the returned function is called. */
function heldTrainer() {
  let release;
  const released = new Promise((done) => (release = done));
  const before = (page, context) =>
    context.route(/\/trainer[^/]*\.js$/, async (route) => {
      await released;
      await route.continue();
    });
  return { before, release };
}

test("an agent walks in the first 800 pixels while the trainer has not loaded", () => {
  const { before, release } = heldTrainer();
  return withPage({ before, motion: true, height: 800 }, async (page) => {
    await page.waitForSelector(agent);
    for (let step = 0; step < 3; step++) await waitForMove(page);
    assert.ok(await page.isDisabled("#start"), "the trainer has not reported");
    const { bottom, right } = await page.locator(".opening-stages").evaluate((part) => part.getBoundingClientRect());
    assert.ok(bottom <= 800 && right <= 1280, `the maze ends at ${right}, ${bottom}`);
    assert.match(await page.textContent(".opening-sentence"), /learned nothing yet/);
    release();
  });
});

test("the button trains the agent, also if it is pressed before the trainer has loaded", { timeout: 120_000 }, () => {
  const { before, release } = heldTrainer();
  return withPage({ before, hash: `device=cpu&${endless}` }, async (page, { complaints }) => {
    await page.click("#opening-train");
    assert.match(await page.textContent("#opening-train"), /loaded/);
    release();
    await waitForIteration(page, 2, { more: true });
    await page.waitForFunction(() => /steps of training/.test(document.querySelector(".opening-sentence").textContent));
    assert.match(await page.textContent("#opening-train"), /Pause/);
    await page.click("#opening-train");
    await ready(page);
    await page.waitForFunction(() => /further/.test(document.querySelector("#opening-train").textContent));
    assert.deepEqual(complaints, []);
  });
});

test("the walk stands still for who wants less motion, and its button and the system's setting change that", () =>
  withPage({}, async (page) => {
    await page.waitForSelector(agent);
    await standsStill(page);
    await page.emulateMedia({ reducedMotion: "no-preference" });
    await waitForMove(page);
    await page.emulateMedia({ reducedMotion: "reduce" });
    await page.waitForFunction(() => document.querySelector("#opening-walk").textContent === "Let it walk");
    await standsStill(page);
    await page.click("#opening-walk");
    await waitForMove(page);
    await page.click("#opening-walk");
    await standsStill(page);
  }));

for (const width of [360, 1280, 1920]) {
  test(`the first screen is not wider than a window of ${width} pixels`, () =>
    withPage({ width, height: 800 }, async (page) => {
      await page.waitForSelector(agent);
      const content = await page.evaluate(() => document.documentElement.scrollWidth);
      assert.ok(content <= width, `it is ${content} pixels wide`);
      const [button, maze] = ["#opening-train", ".opening-stages"].map((part) => page.locator(part));
      for (const part of [button, maze]) {
        const { bottom } = await part.evaluate((element) => element.getBoundingClientRect());
        assert.ok(bottom <= (width > 1000 ? 800 : 1000), `it ends at ${bottom}`);
      }
    }));
}
