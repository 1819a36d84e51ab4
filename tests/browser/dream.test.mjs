// The dream room: imagined steps beside real ones, of the agent's actions and of the visitor's.

import assert from "node:assert/strict";
import { test } from "node:test";
import { ready, says, train, waitForStep, withPage } from "./support.mjs";

const dreams = "device=cpu&room=dream&a.algo=ppo&b.algo=dream-spi";

/** The texts of the cells of a column of agent B's table. */
const column = (page, n) =>
  page.locator(".dream-agent").nth(1).locator(`.dream-table tbody tr > :nth-child(${n})`).allTextContents();

test("a visitor takes over the dream, and gives it back", { timeout: 120_000 }, () =>
  withPage({ hash: dreams }, async (page, { complaints }) => {
    await ready(page);
    await says(page, ".dream-agent .notice", /PPO has no world model/);
    // From the start, the agent acts for eight steps or until the episode ends.
    await page.waitForFunction(() => document.querySelectorAll(".dream-table tbody tr").length > 0);
    await says(page, ".dream-who", /: start\. Each agent acts/);
    // Another cell is taken by a press, and not by pointing at it.
    const cells = page.locator(".dream-agent").first().locator(".maze-cell");
    await cells.and(page.locator("[aria-label^='upper corridor']")).first().hover();
    await cells.and(page.locator("[aria-label^='fork']")).click();
    await says(page, ".dream-who", /: fork, where chance decides\./);
    await page.locator(".dream-key[data-action=left]").click();
    await page.locator(".dream-keys button").first().focus();
    await page.keyboard.press("ArrowLeft");
    await page.keyboard.press("ArrowUp");
    await says(page, ".dream-who", /You act: left, left, up\./);
    await page.waitForFunction(() => document.querySelectorAll(".dream-table tbody tr").length === 3);
    assert.deepEqual(await column(page, 2), ["left", "left", "up"]);
    const before = await column(page, 6);
    assert.equal(await page.locator(".dream-cells canvas").count(), 2, "two cells, of agent B only");
    // A shorter dream is the beginning of the longer one.
    await page.click("text=Take one back");
    await page.waitForFunction(() => document.querySelectorAll(".dream-table tbody tr").length === 2);
    assert.deepEqual(await column(page, 6), before.slice(0, 2));
    // Training changes what is imagined.
    await train(page, 1, 240_000);
    await page.waitForFunction(
      ([nth, old]) => {
        const agent = document.querySelectorAll(".dream-agent")[nth];
        return agent?.querySelector(".dream-table tbody tr > :nth-child(6)")?.textContent !== old;
      },
      [1, before[0]],
    );
    await page.click("#dream-agent-acts");
    await says(page, ".dream-who", /Each agent acts/);
    await says(page, ".dream-words", /Step \d+, (up|down|left|right): the nearest cell is/);
    assert.deepEqual(complaints, []);
  }));

test("the free cartridge's cells are dreamt of as those of the maze", { timeout: 240_000 }, () =>
  withPage({ hash: "device=cpu&room=dream&env=MazeCartridge" }, async (page, { complaints }) => {
    await ready(page);
    await page.waitForFunction(() => document.querySelectorAll(".dream-table tbody tr").length > 0, undefined, {
      timeout: 120_000,
    });
    for (const key of ["right", "right", "up"]) await page.locator(`.dream-key[data-action=${key}]`).click();
    await page.waitForFunction(() => document.querySelector(".dream-table tbody")?.rows.length === 3);
    assert.deepEqual(await column(page, 2), ["right", "right", "up"]);
    await says(page, ".dream-words", /Step 3, up: the nearest cell is/);
    assert.deepEqual(complaints, []);
  }));

test("a screen's agent imagines the steps that were played, a visitor's among them", { timeout: 120_000 }, () =>
  withPage({ hash: "room=atari" }, async (page, { complaints }) => {
    for (const nth of [0, 1]) await says(page, ".console", /trained for \d+ steps/, { nth, timeout: 60_000 });
    await page.locator(".screen-dreams summary").click();
    const columns = page.locator(".screen-dreams .dream-agent");
    const rows = (nth, count) =>
      page.waitForFunction(
        ([nth, count]) => {
          const column = document.querySelectorAll(".screen-dreams .dream-agent")[nth];
          return column?.querySelector(".dream-table tbody")?.rows.length === count;
        },
        [nth, count],
      );
    const cells = (nth, n) => columns.nth(nth).locator(`tbody tr > :nth-child(${n})`).allTextContents();
    await says(page, ".screen-dreams .notice", /PPO has no world model/);
    await says(page, ".screen-dreams .notice", /a step must be played/, { nth: 1 });
    // The visitor plays, and the agent's world model imagines it.
    await page.selectOption("#hand-b", "you");
    const screen = page.locator(".console-picture").nth(1);
    await screen.focus();
    for (let step = 1; step <= 3; step++) {
      await screen.press("ArrowRight");
      await waitForStep(page, step, { screen: 1 });
    }
    await rows(1, 3);
    assert.deepEqual(await cells(1, 2), ["right", "right", "right"]);
    const numbers = (await cells(1, 3)).map(Number);
    assert.deepEqual([numbers[1] - numbers[0], numbers[2] - numbers[1]], [1, 1]);
    await says(page, ".screen-dreams .dream-words", /The nearest picture is .* apart on average/);
    // A shorter look is that at the last steps.
    await page.locator("#screen-dream-horizon").fill("2");
    await rows(1, 2);
    assert.deepEqual((await cells(1, 3)).map(Number), numbers.slice(1));
    // A new game forgets them; an agent that plays is followed.
    await page.click("#anew-b");
    await page.selectOption("#hand-b", "sampled");
    await page.locator("#screen-dream-horizon").fill("4");
    await page.click("#play-b");
    await rows(1, 4);
    await page.click("#play-b");
    assert.deepEqual(complaints, []);
  }));
