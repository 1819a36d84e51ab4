// One checkpoint plays the same game here and natively: the same actions, drawn or most probable, from the same seed.
// Floating-point sums may differ in their last bits, so the policies are compared with a tolerance; the actions are not.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readFile, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { download, site, waitForStep, withPage } from "./support.mjs";

const run = promisify(execFile);
/** The example `player` of the crate `native`, which plays natively; `./check browser` names it. */
const player = process.env.DEEPSPI_PLAYER;
const steps = 200;
const seed = 5;
/** Largest difference of a probability or, relative to its size, of a value. */
const TOLERANCE = 1e-4;

/** What the native program plays with an agent of the site. */
async function playedNatively(file) {
  assert.ok(player, "DEEPSPI_PLAYER must name the example `player`; ./check browser sets it");
  const folder = await mkdtemp(path.join(tmpdir(), "deepspi-player-"));
  try {
    await run("python3", ["-m", "zipfile", "-e", path.join(site, "agents", file), folder]);
    const [name] = await readdir(folder);
    const { stdout } = await run(player, [path.join(folder, name), steps, seed].map(String));
    return JSON.parse(stdout);
  } finally {
    await rm(folder, { recursive: true });
  }
}

test("greedy and sampled play of a checkpoint are those of the native program", { timeout: 120_000 }, async () => {
  const { agents } = JSON.parse(await readFile(path.join(site, "agents/index.json"), "utf8"));
  const agent = agents.find(({ name }) => name === "maze-deep-spi");
  const expected = await playedNatively(agent.file);
  await withPage({ hash: "room=atari" }, async (page, { complaints }) => {
    await page.waitForSelector("#play-b", { timeout: 60_000 });
    const screen = page.getByRole("region", { name: "Screen B", exact: true });
    await page.waitForSelector(`#agent-b option[value=${agent.name}]`, { state: "attached" });
    await page.selectOption("#agent-b", agent.name);
    await page.selectOption("#speed-b", "max");
    await screen.getByText(`${agent.title}, trained for`).waitFor();
    await screen.getByText("Rules of this screen").click();
    for (const [hand, chosenBy] of [["greedy", "agent, greedy"], ["sampled", "agent, sampled"]]) {
      await page.selectOption("#hand-b", hand);
      // Another seed, so that the game starts anew in any case.
      for (const number of [seed + 1, seed]) {
        await page.fill("#seed-b", String(number));
        await page.press("#seed-b", "Tab");
      }
      const reached = (least, most) => waitForStep(page, least, { screen: 1, most });
      // Not the game before, which has as many steps as are waited for below.
      await reached(1, 1);
      await page.click("#play-b");
      await reached(steps + 1);
      await page.click("#play-b");
      const save = page.getByRole("group", { name: "Save from screen B" }).locator("[data-save=json]");
      const saved = JSON.parse((await download(page, () => save.click())).bytes.toString("utf8"));
      assert.equal(saved.seed, seed);
      const found = saved.steps;
      const { actions, rewards, values, policy } = expected[hand];
      let chosen = 0;
      // The first row is the start of the first game.
      for (let step = 0; step < steps; step++) {
        const row = step + 1;
        const where = `${hand}, step ${step}`;
        assert.equal(Math.fround(found.raw_reward[row]), Math.fround(rewards[step]), where);
        const error = Math.abs(found.value[row] - values[step]) / Math.max(Math.abs(values[step]), 1);
        assert.ok(error < TOLERANCE, `${where}: V is ${found.value[row]} here, ${values[step]} natively`);
        saved.actions.forEach((action, index) => {
          const gap = Math.abs(found[`policy: ${action}`][row] - policy[step][index]);
          assert.ok(gap < TOLERANCE, `${where}: ${action} has a probability that differs by ${gap}`);
        });
        // A step that starts the next game ignores what was chosen, and the page then shows no action.
        if (found.action_index[row] === null) continue;
        chosen += 1;
        assert.equal(found.action_index[row], actions[step], where);
        assert.equal(found.chosen_by[row], chosenBy);
      }
      assert.ok(chosen > 0.7 * steps && new Set(actions).size > 1, `${chosen} actions`);
    }
    assert.deepEqual(complaints, []);
  });
});
