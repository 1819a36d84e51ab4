// What a screen of the Atari room has shown can be taken away: a GIF, a picture, and the steps as CSV and JSON.

import assert from "node:assert/strict";
import { test } from "node:test";
import { download, waitForStep, withPage } from "./support.mjs";

/** The cells of a line of CSV, without their quotes. */
const cells = (line) => [...line.matchAll(/(?:"((?:[^"]|"")*)"|([^,]*))(?:,|$)/g)].map((cell) => cell[1] ?? cell[2]);

/** Pictures of a GIF and the hundredths of a second that they take together; throws if it is damaged. */
function gif(bytes) {
  assert.equal(bytes.subarray(0, 6).toString("latin1"), "GIF89a");
  const size = [bytes.readUInt16LE(6), bytes.readUInt16LE(8)];
  let at = 13 + 3 * (2 << (bytes[10] & 7));
  let [pictures, hundredths, comment] = [0, 0, ""];
  const blocks = () => {
    let text = "";
    for (; bytes[at] !== 0; at += 1 + bytes[at]) text += bytes.subarray(at + 1, at + 1 + bytes[at]).toString("latin1");
    at += 1;
    return text;
  };
  for (;;) {
    const kind = bytes[at];
    if (kind === 0x3b) return { size, pictures, hundredths, comment };
    if (kind === 0x21) {
      const label = bytes[at + 1];
      if (label === 0xf9) hundredths += bytes.readUInt16LE(at + 4);
      at += 2;
      const text = blocks();
      if (label === 0xfe) comment += text;
    } else {
      assert.equal(kind, 0x2c, `a block that GIF does not have at ${at} of ${bytes.length}`);
      pictures += 1;
      at += 11;
      blocks();
    }
  }
}

test("a screen is saved as GIF, PNG, CSV and JSON", { timeout: 240_000 }, () =>
  withPage({ hash: "room=atari" }, async (page, { complaints }) => {
    const group = page.getByRole("group", { name: "Save from screen A" });
    const button = (kind) => group.locator(`[data-save=${kind}]`);
    await group.waitFor({ timeout: 120_000 });

    const reached = (count) => waitForStep(page, count, { timeout: 120_000 });
    // The game is started and shown before anybody plays.
    const screen = page.getByRole("region", { name: "Screen A", exact: true });
    await reached(1);
    await page.click("#play-a");
    await reached(30);
    await page.click("#play-a");

    const json = JSON.parse((await download(page, () => button("json").click())).bytes.toString("utf8"));
    assert.equal(json.format, "deepspi-trajectory-1");
    assert.equal(json.cartridge_md5.length, 32);
    assert.ok(json.rules_in_words.length > 10 && json.version && json.agent.algorithm, JSON.stringify(json.agent));
    const columns = Object.keys(json.steps);
    const count = json.steps.step.length;
    assert.ok(count >= 30, `${count} steps`);
    for (const name of columns) assert.equal(json.steps[name].length, count, name);
    for (let step = 1; step < count; step++) {
      const policy = json.actions.map((action) => json.steps[`policy: ${action}`][step]);
      const sum = policy.reduce((all, p) => all + p, 0);
      assert.ok(Math.abs(sum - 1) < 1e-4, `the policy of step ${step} adds up to ${sum}`);
    }
    assert.equal(json.steps.action[0], null, "the first step starts the game");
    assert.ok(json.actions.includes(json.steps.action[1]), json.steps.action[1]);
    assert.equal(json.steps.chosen_by[1], "agent, sampled");

    const saved = await download(page, () => button("csv").click());
    assert.match(saved.name, /^deepspi-.*-seed-\d+-step-\d+\.csv$/);
    const [header, ...rows] = saved.bytes.toString("utf8").trim().split("\n").map(cells);
    assert.deepEqual(header.slice(0, columns.length), columns);
    assert.equal(rows.length, count);
    const step = header.indexOf("step");
    assert.deepEqual(rows.map((row) => Number(row[step])), json.steps.step);
    assert.ok(!/nan|inf/i.test(rows.flat().filter((cell) => !cell.includes(" ")).join(",")));

    const film = await download(page, () => button("gif").click());
    const { size, pictures, hundredths, comment } = gif(film.bytes);
    assert.deepEqual(size, [320, 420]);
    // Equal pictures are one picture that stays longer, and the maze changes once a step, unless the agent stays.
    assert.ok(pictures > count / 2, `${pictures} pictures of ${count} steps`);
    // Four of the game's 60 frames a second for a step; the start of a game has others.
    assert.ok(hundredths >= (count - 1) * 5.5, `${hundredths} hundredths for ${count} steps`);
    assert.ok(comment.includes(json.cartridge_md5), comment);

    const picture = (await download(page, () => button("png").click())).bytes;
    assert.equal(picture.subarray(1, 4).toString("latin1"), "PNG");
    assert.deepEqual([picture.readUInt32BE(16), picture.readUInt32BE(20)], [640, 840]);
    assert.match(await group.getByRole("status").textContent(), /^Saved .*\.png\.$/);
    assert.ok(await screen.isVisible());
    assert.deepEqual(complaints, []);
  }));

test("a recording begins with its own game, however quickly another one follows", { timeout: 120_000 }, () =>
  withPage({ hash: "room=atari" }, async (page, { complaints }) => {
    await page.waitForSelector("#play-a", { timeout: 60_000 });
    const screen = page.getByRole("region", { name: "Screen A", exact: true });
    await page.selectOption("#speed-a", "max");
    await screen.getByText("Rules of this screen").click();
    for (let round = 0; round < 4; round++) {
      await page.click("#play-a");
      await waitForStep(page, 200);
      // Steps of the games before are still on their way when the last one is put in.
      await page.evaluate((round) => {
        const seed = document.querySelector("#seed-a");
        for (const value of [100, 200, 300]) {
          seed.value = String(value + round);
          seed.dispatchEvent(new Event("change", { bubbles: true }));
        }
      }, round);
      await waitForStep(page, 6, { most: 190 });
      await page.click("#play-a");
      const save = page.getByRole("group", { name: "Save from screen A" }).locator("[data-save=json]");
      const saved = JSON.parse((await download(page, () => save.click())).bytes.toString("utf8"));
      assert.equal(saved.seed, 300 + round);
      const { value } = saved.steps;
      assert.equal(value[0], null, "the first row is the start of the game, before which nobody saw anything");
      assert.ok(value.slice(1).every((value) => value !== null), `round ${round}: ${value.slice(0, 4)}`);
    }
    assert.deepEqual(complaints, []);
  }));
