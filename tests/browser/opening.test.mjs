// The first screen: an agent is alive before the trainer has loaded, its button trains it, and it stands still for
// users who want less motion; the cartridge beside it plays when it is asked to, and loads nothing before.

import assert from "node:assert/strict";
import { test } from "node:test";
import { endless, ready, says, waitForIteration, withPage } from "./support.mjs";

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
    await says(page, ".opening-sentence", /steps of training/);
    assert.match(await page.textContent("#opening-train"), /Pause/);
    await page.click("#opening-train");
    await ready(page);
    await says(page, "#opening-train", /further/);
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
    await page.waitForFunction(() => document.querySelector("#opening-walk")?.textContent === "Let it walk");
    await standsStill(page);
    await page.click("#opening-walk");
    await waitForMove(page);
    await page.click("#opening-walk");
    await standsStill(page);
  }));

const cartridge = ".opening-cartridge canvas.game";
/** What the cartridge shows. */
const pictureOf = (page) => page.locator(cartridge).evaluate((canvas) => canvas.toDataURL());
/** Waits until the cartridge shows another picture. */
const waitForPlay = async (page) => {
  const before = await pictureOf(page);
  await page.waitForFunction(
    ([selector, before]) => document.querySelector(selector).toDataURL() !== before,
    [cartridge, before],
    { timeout: 60_000 },
  );
};
/** Fails if the cartridge still changes. */
const isStill = async (page) => {
  // A step that was asked for may still arrive.
  await page.waitForTimeout(500);
  const before = await pictureOf(page);
  await page.waitForTimeout(1000);
  assert.equal(await pictureOf(page), before);
};
/** Opens the Atari room, waits until screen B has its agent, and closes the room again. */
const visitAtari = async (page) => {
  await page.click("#tab-atari");
  await says(page, ".console", /trained for \d+ steps/, { nth: 1, timeout: 60_000 });
  await page.click("#tab-maze");
  await page.waitForSelector(".maze-boards");
};

test("beside the maze stands its cartridge; nothing of Atari is loaded until it is asked to play", { timeout: 180_000 }, () => {
  const loaded = [];
  const before = (page) =>
    page.on("request", (request) => {
      const part = /\/(?:emulator|agents)\/[^?]*$/.exec(request.url())?.[0];
      if (part) loaded.push(part);
    });
  return withPage({ before, motion: true, height: 800 }, async (page, { complaints }) => {
    await ready(page);
    const colours = await page.locator(cartridge).evaluate((canvas) => {
      const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
      const seen = new Set();
      for (let at = 0; at < data.length; at += 4) seen.add(data.slice(at, at + 3).join());
      return seen.size;
    });
    assert.ok(colours >= 7, `the still picture has ${colours} colours`);
    await isStill(page);
    assert.deepEqual(loaded, []);
    const { bottom } = await page.locator(".opening-cartridge").evaluate((part) => part.getBoundingClientRect());
    assert.ok(bottom <= 800, `the cartridge ends at ${bottom}`);

    await page.click("#opening-play");
    for (let change = 0; change < 3; change++) await waitForPlay(page);
    assert.equal(await page.locator(".console").count(), 0, "the room is closed");
    await says(page, ".opening-cartridge", /DeepSPI, trained before,.* last game paid [5-9]/, { timeout: 60_000 });
    const agents = loaded.filter((part) => part.startsWith("/agents/"));
    assert.deepEqual(agents.sort(), ["/agents/index.json", "/agents/maze-deep-spi.zip"], "only the agent that is shown");

    await page.click("#opening-walk");
    await isStill(page);
    await standsStill(page);
    await page.click("#opening-walk");
    await waitForPlay(page);
    // A game that is out of sight takes no time from training.
    await page.setViewportSize({ width: 1280, height: 300 });
    await page.evaluate(() => scrollTo(0, document.body.scrollHeight));
    await isStill(page);
    await page.evaluate(() => scrollTo(0, 0));
    await page.setViewportSize({ width: 1280, height: 800 });
    await waitForPlay(page);
    assert.deepEqual(complaints, []);
  });
});

test("once the Atari room was open, the cartridge plays by itself, and stops with the system's setting", { timeout: 180_000 }, () =>
  withPage({ motion: true, height: 800 }, async (page) => {
    await visitAtari(page);
    await waitForPlay(page);
    await page.emulateMedia({ reducedMotion: "reduce" });
    await isStill(page);
  }));

test("for who wants less motion the cartridge plays only when its button is pressed", { timeout: 180_000 }, () =>
  withPage({ height: 800 }, async (page) => {
    await visitAtari(page);
    await isStill(page);
    await page.click("#opening-play");
    await waitForPlay(page);
    assert.equal(await page.textContent("#opening-walk"), "Let it stand");
    await page.click("#opening-walk");
    await isStill(page);
  }));

test("an emulator that cannot be loaded is said under the cartridge, and can be started again", { timeout: 180_000 }, () =>
  withPage({ before: (page) => page.route("**/emulator/ale.wasm", (route) => route.abort()) }, async (page) => {
    await page.click("#opening-play");
    await says(page, ".opening-cartridge figcaption", /emulator/);
    await says(page, "#opening-play", /again/, { timeout: 60_000 });
    await page.unroute("**/emulator/ale.wasm");
    await page.click("#opening-play");
    await waitForPlay(page);
  }));

test("a site without the emulator shows the maze alone", () => {
  // Such a site does not have the element.
  const before = (page) =>
    page.route(/\/a\/folder\/(#.*)?$/, async (route) => {
      const response = await route.fetch();
      const page = await response.text();
      assert.match(page, /<meta name="deepspi-atari"/);
      await route.fulfill({ response, body: page.replace("deepspi-atari", "none") });
    });
  return withPage({ before }, async (page) => {
    await page.waitForSelector(agent);
    assert.equal(await page.locator(".opening-cartridge").count(), 0);
  });
});

for (const width of [360, 1280, 1920]) {
  test(`the first screen is not wider than a window of ${width} pixels`, () =>
    withPage({ width, height: 800 }, async (page) => {
      await page.waitForSelector(agent);
      await page.waitForSelector(cartridge);
      const content = await page.evaluate(() => document.documentElement.scrollWidth);
      assert.ok(content <= width, `it is ${content} pixels wide`);
      // On a narrow page the cartridge is below the maze.
      const parts = ["#opening-train", width > 1000 ? ".opening-stages" : ".opening .maze-board"];
      for (const part of parts) {
        const { bottom } = await page.locator(part).evaluate((element) => element.getBoundingClientRect());
        assert.ok(bottom <= (width > 1000 ? 800 : 1000), `${part} ends at ${bottom}`);
      }
    }));
}
