// The page: it loads without errors, shows every room, and accepts nothing harmful from a link.

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  download,
  exported,
  ready,
  rooms,
  says,
  train,
  trainerOf,
  unfold,
  waitForIteration,
  withPage,
} from "./support.mjs";

test("the page loads, asks nobody else, and the browser has nothing to complain about", () =>
  withPage({}, async (page, { complaints }) => {
    await ready(page);
    assert.match(await page.title(), /DeepSPI/);
    assert.equal(await page.locator("#static").count(), 0, "the static text is replaced");
    for (const room of rooms) {
      await page.click(`#tab-${room}`);
      await page.waitForTimeout(200);
    }
    assert.deepEqual(complaints, []);
  }));

for (const width of [1280, 1920, 360]) {
  test(`each room renders at ${width} pixels without being wider than the window`, () =>
    withPage({ width, height: 800 }, async (page, { complaints }) => {
      await ready(page);
      await page.click("#step");
      for (const room of rooms) {
        await page.click(`#tab-${room}`);
        await page.waitForSelector("#room h2");
        // The Atari room first asks whether there is an emulator.
        await page.waitForSelector("#room svg, #room canvas, #room table", { state: "attached" });
        const content = await page.evaluate(() => document.documentElement.scrollWidth);
        assert.ok(content <= width, `${room} is ${content} pixels wide`);
      }
      assert.deepEqual(complaints, []);
    }));
}

test("the address holds what was set: a page opened with it shows and trains the same", () =>
  withPage({ hash: "device=cpu" }, async (page, { context }) => {
    await ready(page);
    await page.click("#tab-neighbourhood");
    await page.fill("#nb-c-box", "1.7");
    await page.press("#nb-c-box", "Enter");
    await page.fill("#seed", "11");
    await page.press("#seed", "Enter");
    await page.click("#tab-maze");
    await page.waitForFunction(() => ["nb.c=1.7", "seed=11", "room=maze"].every((part) => location.hash.includes(part)));
    await page.click("#reset");
    await ready(page);
    await train(page, 1);
    const other = await context.newPage();
    await other.goto(page.url());
    await ready(other);
    assert.equal(await other.getAttribute("#tab-maze", "aria-selected"), "true");
    await train(other, 1);
    const [here, there] = [await exported(page), await exported(other)];
    for (const agent of [0, 1]) {
      assert.equal(there.agents[agent].config.seed, 11);
      assert.deepEqual(there.agents[agent].iterations, here.agents[agent].iterations, "the same run");
    }
    await other.click("#tab-neighbourhood");
    assert.equal(await other.inputValue("#nb-c-box"), "1.700");
  }));

test("markup in a link stays text, and numbers whose product is 0 in 32 bits are left out", () =>
  withPage(
    {
      hash:
        "a.num_envs=65536&a.num_steps=65536&nonsense=<script>1</script>&seed=3" +
        "&maze.cue=<img src=x onerror=document.title='taken'>",
    },
    async (page) => {
      await ready(page);
      await page.waitForFunction(() => document.querySelector("#seed")?.value === "3");
      assert.equal(await page.locator("img").count(), 0);
      assert.notEqual(await page.title(), "taken");
      assert.match(await page.textContent(".notices"), /nonsense/, "the page says what it left out");
      assert.match(await page.textContent(".notices"), /a\.num_steps=65536/);
    },
  ));

test("a page that may not store anything works all the same", () =>
  withPage(
    {
      before: (page) =>
        page.addInitScript(() => {
          const refuse = () => {
            throw new DOMException("refused", "SecurityError");
          };
          Object.defineProperty(window, "localStorage", { get: refuse });
        }),
    },
    async (page, { complaints }) => {
      await ready(page);
      await page.selectOption("#theme", { index: 2 });
      await page.click("#step");
      await page.waitForFunction(() => document.querySelector("#start")?.disabled === false);
      assert.deepEqual(complaints, []);
    },
  ));

test("a dead worker is told once, its files are still there, and the restart continues from the last checkpoint", () =>
  withPage({ hash: "device=cpu" }, async (page) => {
    const worker = await trainerOf(page);
    page.on("dialog", (dialog) => dialog.accept());
    await ready(page);
    await unfold(page);
    await page.click("#start");
    // The worker sends the checkpoint of the first iteration before the view of the second.
    await waitForIteration(page, 2, { more: true });
    const saved = await download(page, () => page.click("#save-0"));
    await worker.evaluate(() => setTimeout(() => Promise.reject(new Error("gone")), 0)).catch(() => {});
    await page.waitForSelector("#restart-trainer");
    await page.setInputFiles("#load-0", saved.path);
    await says(page, ".notices", /Restart it/);
    const kept = await download(page, () => page.click("#save-0"));
    assert.match(kept.name, /\.zip$/, "the page has its last checkpoint");
    await page.click("#restart-trainer");
    await ready(page);
    // The histories end where the restored agents continue. The failed attempt to load a file has not removed them.
    for (const agent of (await exported(page)).agents)
      assert.ok(agent.iterations.length > 0, "it goes on from a checkpoint");
  }));
