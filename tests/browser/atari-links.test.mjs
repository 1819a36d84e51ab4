// The settings of the Atari room's screens in the address: a link opens them, a control changes the address, and what
// the site does not have is named.

import assert from "node:assert/strict";
import { test } from "node:test";
import { says, withPage } from "./support.mjs";

const timeout = 60_000;

/** The entries of the address that are about the screens. */
const entriesOf = (page) =>
  page.evaluate(() => location.hash.slice(1).split("&").filter((entry) => entry.startsWith("screen.")));

/** Waits until the address has exactly these entries about the screens. */
const waitForEntries = (page, entries) =>
  page.waitForFunction(
    (entries) => location.hash.slice(1).split("&").filter((entry) => entry.startsWith("screen.")).join("&") === entries,
    entries.join("&"),
    { timeout: 10_000 },
  );

/** Waits until a screen says this about its agent. */
const waitForAgent = (page, screen, text) =>
  page.waitForFunction(
    ([screen, text]) => document.querySelectorAll(".console")[screen]?.textContent.includes(text),
    [screen, text],
    { timeout },
  );

const valuesOf = (page, letter) =>
  page.evaluate(
    (letter) =>
      ["hand", "agent", "speed", "sticky", "noops", "seed"].map((id) => document.querySelector(`#${id}-${letter}`).value),
    letter,
  );

const opened = [
  "screen.a.player=greedy",
  "screen.a.agent=maze-deep-spi",
  "screen.a.speed=8",
  "screen.b.player=you",
  "screen.b.agent=fresh-deep-mdp",
  "screen.b.sticky=0.25",
  "screen.b.noops=7",
  "screen.b.seed=9",
];

test("a link opens the screens as they were, and the address follows the controls", () =>
  withPage({ hash: opened.join("&") }, async (page, { complaints }) => {
    // The entries stay while another room is open.
    await page.waitForSelector("#tab-maze");
    await page.click("#tab-maze");
    await page.waitForFunction(() => location.hash.includes("room=maze"));
    assert.deepEqual(await entriesOf(page), opened);

    await page.click("#tab-atari");
    await waitForAgent(page, 0, "DeepSPI, trained for");
    await waitForAgent(page, 1, "An agent that was never trained: DeepMDP.");
    assert.deepEqual(await valuesOf(page, "a"), ["greedy", "maze-deep-spi", "8", "0", "0", "1"]);
    assert.deepEqual(await valuesOf(page, "b"), ["you", "fresh-deep-mdp", "1", "0.25", "7", "9"]);
    assert.deepEqual(await entriesOf(page), opened);

    // A default has no entry.
    await page.selectOption("#hand-a", "sampled");
    await page.selectOption("#speed-a", "0.5");
    await page.selectOption("#agent-a", "maze-ppo");
    await page.selectOption("#agent-b", "here");
    await page.evaluate(() => {
      for (const [id, value] of [["sticky", 0], ["noops", 0], ["seed", 1]]) {
        const box = document.querySelector(`#${id}-b`);
        box.value = value;
        box.dispatchEvent(new Event("change", { bubbles: true }));
      }
    });
    await waitForEntries(page, ["screen.a.speed=0.5", "screen.b.player=you", "screen.b.agent=here"]);
    await waitForAgent(page, 0, "PPO, trained for");

    // An address that is changed by hand, or by a click on a link, acts at once.
    await page.evaluate(() => (location.hash = "room=atari&screen.a.agent=fresh&screen.b.seed=4"));
    await waitForAgent(page, 0, "An agent that was never trained: PPO.");
    await waitForAgent(page, 1, "DeepSPI, trained for");
    assert.deepEqual(await valuesOf(page, "a"), ["sampled", "fresh-ppo", "1", "0", "0", "1"]);
    assert.deepEqual(await valuesOf(page, "b"), ["sampled", "maze-deep-spi", "1", "0", "0", "4"]);
    await page.click("#play-b");
    await says(page, ".console", /step [1-9]/, { nth: 1, timeout });
    assert.deepEqual(complaints, []);
  }));

test("what the site does not have is named, and everything else of the link is used", () =>
  withPage(
    { hash: "room=atari&screen.a.agent=nobody&screen.a.speed=4&screen.b.noops=1000&screen.b.player=greedy" },
    async (page) => {
      await waitForAgent(page, 0, "PPO, trained for");
      const notices = await page.locator(".notices").textContent();
      assert.match(notices, /"screen\.a\.agent=nobody"/);
      assert.match(notices, /"screen\.b\.noops=1000"/);
      await waitForEntries(page, ["screen.a.speed=4", "screen.b.player=greedy"]);
    },
  ));

test("a link to a game whose cartridge is not here says what is missing, and keeps the game", () =>
  withPage({ hash: "room=atari&screen.game=Breakout" }, async (page) => {
    await page.waitForSelector("text=The cartridge of Breakout is not here", { timeout });
    assert.equal(await page.inputValue("#game-a"), "Breakout");
    await waitForEntries(page, ["screen.game=Breakout"]);
    // Another game may be chosen instead.
    await page.selectOption("#game-a", "MazeCartridge");
    await waitForEntries(page, []);
    await waitForAgent(page, 0, "PPO, trained for");
    await page.click("#play-a");
    await says(page, ".console", /step [1-9]/, { timeout });
  }));

test("a file that the visitor brought is not in the link", () =>
  withPage({ hash: "room=atari&screen.a.agent=fresh" }, async (page) => {
    await waitForAgent(page, 0, "An agent that was never trained: PPO.");
    const bytes = await page.evaluate(async () => [
      ...new Uint8Array(await (await fetch("./agents/maze-ppo.zip")).arrayBuffer()),
    ]);
    await page.setInputFiles("#checkpoint-a", {
      name: "mine.zip",
      mimeType: "application/zip",
      buffer: Buffer.from(bytes),
    });
    await waitForAgent(page, 0, "mine, trained for");
    await waitForEntries(page, []);
  }));
