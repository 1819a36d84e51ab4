// The Atari room: agents play on the free cartridge at the first click, a person plays, agents learn, and what goes
// wrong leaves everything else alive.

import assert from "node:assert/strict";
import { test } from "node:test";
import { exported, says, stepOf, waitForIteration, waitForStep, withPage } from "./support.mjs";

const timeout = 60_000;

/** Waits until the room has its emulator and both screens have an agent. */
async function opened(page) {
  await page.waitForSelector("#play-a", { timeout });
  for (const nth of [0, 1]) await says(page, ".console", /trained for \d+ steps/, { nth, timeout });
}

const stepAbove = (page, screen, step) => waitForStep(page, step + 1, { screen });

/** Whether a canvas shows more than one colour. */
const showsSomething = (page, selector) =>
  page.$eval(selector, (canvas) => {
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    const first = data.slice(0, 3).join();
    for (let at = 4; at < data.length; at += 4) if (data.slice(at, at + 3).join() !== first) return true;
    return false;
  });

test("the free cartridge plays at the first click, with what the agent sees and thinks", () =>
  withPage({ hash: "room=atari" }, async (page, { complaints }) => {
    await opened(page);
    await page.click("#play-a");
    await stepAbove(page, 0, 30);
    assert.ok(await showsSomething(page, ".console canvas.game"));
    assert.ok(await showsSomething(page, ".console canvas.observation"));
    const shares = await page.locator(".policy").first().locator("meter").evaluateAll((bars) => bars.map((b) => b.value));
    assert.equal(shares.length, 4);
    assert.ok(Math.abs(shares.reduce((a, b) => a + b) - 1) < 0.01, `${shares}`);
    // The agents of the site have learned the maze: their games end, and pay.
    await says(page, ".console", /last game [5-9]/, { timeout });
    await page.click("#play-a");
    // A step that was asked for before the pause still arrives.
    await page.waitForTimeout(500);
    const still = await stepOf(page, 0);
    await page.waitForTimeout(500);
    assert.equal(await stepOf(page, 0), still, "a pause stops the game");
    await page.click("#one-a");
    await stepAbove(page, 0, still);
    assert.equal(await stepOf(page, 0), still + 1, "one step is one step");
    assert.deepEqual(complaints, []);
  }));

test("an agent that is given to a screen that stands still judges the picture that is there", () =>
  withPage({ hash: "room=atari" }, async (page, { complaints }) => {
    await opened(page);
    const screen = page.locator(".console").first();
    const value = () => screen.locator(".values b").textContent();
    const policy = () => screen.locator("meter").evaluateAll((bars) => bars.map((bar) => bar.value));
    const caption = () => screen.locator(".policy caption").textContent();
    const shows = (pattern) => says(page, ".console", pattern, { timeout });
    // Into a corridor, where a trained agent is sure of its action.
    await page.selectOption("#hand-a", "greedy");
    for (let step = 1; step <= 3; step++) {
      await page.click("#one-a");
      await stepAbove(page, 0, step);
    }
    const before = { value: await value(), step: await stepOf(page, 0) };
    assert.equal(await caption(), "Policy before the step");
    assert.equal(await page.inputValue("#agent-a"), "maze-ppo");

    const seen = [];
    for (const [option, label] of [["deep-mdp", "DeepMDP"], ["ppo", "PPO"], ["deep-spi", "DeepSPI"]]) {
      await page.selectOption("#agent-a", `fresh-${option}`);
      await shows(`never trained: ${label}`);
      await shows("Policy of the new agent");
      assert.equal(await page.inputValue("#agent-a"), `fresh-${option}`);
      assert.notEqual(await value(), before.value);
      const shares = await policy();
      assert.ok(shares.every((share) => Math.abs(share - 0.25) < 0.1), `a new agent has no opinion: ${shares}`);
      assert.equal(await screen.locator(".policy .taken").count(), 0, "it has not played");
      seen.push(await value());
    }
    await page.selectOption("#agent-a", "maze-ppo");
    await shows("PPO, trained for");
    await page.waitForFunction(
      (value) => document.querySelector(".console .values b")?.textContent === value,
      before.value,
      { timeout },
    );
    const sure = await policy();
    assert.ok(Math.max(...sure) > 0.5, `a trained agent has one: ${sure}`);
    assert.equal(await stepOf(page, 0), before.step, "no step was played");
    await page.click("#one-a");
    await stepAbove(page, 0, before.step);
    assert.equal(await caption(), "Policy before the step");
    assert.deepEqual(complaints, []);
  }));

test("a person plays: each key press is one step of the maze", () =>
  withPage({ hash: "room=atari" }, async (page) => {
    await opened(page);
    await page.selectOption("#hand-a", "you");
    await page.click("#play-a");
    const start = await stepOf(page, 0);
    await page.waitForTimeout(500);
    assert.equal(await stepOf(page, 0), start, "nothing moves before a key is pressed");
    await page.focus(".console-picture");
    for (let press = 1; press <= 3; press++) {
      await page.keyboard.press("ArrowRight");
      await stepAbove(page, 0, start + press - 1);
    }
    assert.equal(await stepOf(page, 0), start + 3);
  }));

test("two agents learn the cartridge, play meanwhile, and the checkpoint says what it is", () =>
  withPage({ hash: "room=atari" }, async (page, { complaints }) => {
    await opened(page);
    await page.click("#play-a");
    await page.click("#atari-train");
    await waitForIteration(page, 2, { more: true, timeout: 120_000 });
    const step = await stepOf(page, 0);
    await stepAbove(page, 0, step);
    await says(page, ".console", /trained here for [1-9]/, { timeout });
    await waitForIteration(page, 6, { more: true, timeout: 120_000 });
    const { env, agents } = await exported(page);
    assert.equal(env, "MazeCartridge");
    // A run depends on its seed alone. Natively both agents have reached a value of 4 by now.
    for (const { maze } of agents) {
      const [before, after] = [maze[0].start_value, maze.at(-1).start_value];
      assert.ok(before < 2.5 && after > 3.3, `the value rose from ${before} to ${after}`);
    }
    assert.match(new URL(page.url()).hash, /env=MazeCartridge/);
    assert.deepEqual(complaints, []);
  }));

test("a site without the emulator says so, and the other rooms work", () =>
  withPage(
    {
      hash: "room=atari",
      before: (page) =>
        page.route("**/emulator/about.json", (route) =>
          route.fulfill({ json: { available: false, reason: "This page was built without the emulator." } }),
        ),
    },
    async (page) => {
      await page.waitForSelector("text=built without the emulator", { timeout });
      await page.click("#tab-maze");
      await page.waitForSelector(".maze-boards", { timeout });
    },
  ));

test("a dead emulator is told in one sentence, and can be started again", () =>
  withPage(
    { hash: "room=atari", before: (page) => page.route("**/emulator/ale.wasm", (route) => route.abort()) },
    async (page) => {
      await page.waitForSelector(".notice.fault", { timeout });
      const text = await page.locator(".notice.fault").first().textContent();
      assert.match(text, /emulator/);
      await page.unroute("**/emulator/ale.wasm");
      await page.click("#atari-restart");
      await page.click("#play-a");
      await stepAbove(page, 0, 5);
    },
  ));

test("an agent of another game is refused by the screen, which goes on", () =>
  withPage({ hash: "room=atari" }, async (page) => {
    await opened(page);
    await page.setInputFiles("#checkpoint-a", { name: "x.zip", mimeType: "application/zip", buffer: Buffer.from("no") });
    await page.waitForSelector("text=cannot be loaded", { timeout });
    await page.click("#play-a");
    await stepAbove(page, 0, 5);
  }));
