// The dream room: imagined steps beside real ones, of the agent's actions and of the visitor's.

import assert from "node:assert/strict";
import { test } from "node:test";
import { ready, says, train, withPage } from "./support.mjs";

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
