// Checkpoints of agents that play on the emulator: page and native program continue each other's, and one that does not
// fit is refused in one sentence while everything else goes on.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { after, before, test } from "node:test";
import { romFolder } from "./emulator.mjs";
import {
  download,
  exported,
  native,
  ready,
  says,
  stepOf,
  train,
  unfold,
  waitForIteration,
  waitForStep,
  withPage,
} from "./support.mjs";

const run = promisify(execFile);
let folder;
before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "deepspi-atari-"));
});
after(() => rm(folder, { recursive: true }));

const unzip = (archive, into) => run("python3", ["-m", "zipfile", "-e", archive, into]);
const zip = (archive, what) => run("python3", ["-m", "zipfile", "-c", archive, what]);

/** Losses of the iterations of a native run, by number. */
async function nativeIterations(runFolder) {
  const text = await readFile(path.join(runFolder, "metrics.jsonl"), "utf8");
  return text.trim().split("\n").map(JSON.parse).filter((line) => line.type === "iteration");
}

/** Compares the mean losses of an iteration with those of the same iteration elsewhere. */
function near(found, expected) {
  assert.equal(found.iteration, expected.iteration);
  const names = Object.keys(expected.mean);
  assert.ok(names.length > 5, `${names}`);
  for (const name of names) {
    const error = Math.abs(found.mean[name] - expected.mean[name]) / Math.max(Math.abs(expected.mean[name]), 0.05);
    assert.ok(error < 1e-4, `${name} of iteration ${found.iteration}: ${found.mean[name]}, not ${expected.mean[name]}`);
  }
}

test("the cartridge is trained here, natively and here again as if it had never moved", { timeout: 240_000 }, () =>
  withPage(
    { hash: "room=atari&env=MazeCartridge&device=cpu&a.total_timesteps=512&b.total_timesteps=2560" },
    async (page, { complaints }) => {
      page.on("dialog", (dialog) => dialog.accept());
      await ready(page);
      await train(page, 1);
      await unfold(page);
      const saved = await download(page, () => page.click("#save-1"));
      assert.match(saved.name, /^MazeCartridge__deep-spi__1__\d+\.zip$/);
      await train(page, 4);
      const whole = (await exported(page)).agents[1].iterations;
      assert.deepEqual(whole.map(({ iteration }) => iteration), [0, 1, 2, 3]);

      const moved = path.join(folder, "moved");
      await unzip(saved.path, moved);
      const [name] = await readdir(moved);
      const there = path.join(moved, name);
      await run(native, ["--resume", there, "--device", "cpu", "--save-every", "512", "--keep-checkpoints", "9"]);
      const natively = await nativeIterations(there);
      assert.deepEqual(natively.map(({ iteration }) => iteration), [1, 2, 3, 4], "it goes on after the first iteration");
      // In the native program sums are computed in another order, so the last bits differ.
      for (const line of natively.slice(0, 3)) near(line, whole[line.iteration]);

      await run(native, ["evaluate", there, "--episodes", "2", "--device", "cpu"]);
      const evaluation = JSON.parse(await readFile(path.join(there, "evaluation.json"), "utf8"));
      assert.ok(evaluation.summary.mean_length > 1, "it was played");

      const checkpoints = path.join(there, "checkpoints");
      for (const step of await readdir(checkpoints))
        if (!step.endsWith("1024")) await rm(path.join(checkpoints, step), { recursive: true });
      const archive = path.join(folder, "moved.zip");
      await zip(archive, there);
      await page.setInputFiles("#load-1", archive);
      await waitForIteration(page, 2);
      await ready(page);
      await train(page, 4);
      const continued = (await exported(page)).agents[1].iterations.filter(({ iteration }) => iteration >= 2);
      assert.deepEqual(continued.map(({ iteration }) => iteration), [2, 3]);
      for (const line of continued) near(line, whole[line.iteration]);
      assert.deepEqual(complaints, []);
    },
  ));

/** Trains natively for one short iteration, and returns the run folder. */
async function trained(env, ...options) {
  const runs = await mkdtemp(path.join(folder, "runs-"));
  const short = ["--num-envs", "4", "--num-steps", "16", "--num-minibatches", "2", "--update-epochs", "1"];
  const always = ["train", "--env", env, "--total-timesteps", "128", "--seed", "3", "--device", "cpu", "--runs-dir", runs];
  await run(native, [...always, ...short, ...options]);
  const [name] = await readdir(runs);
  return path.join(runs, name);
}

/** The run folder as a zip file. */
async function zipped(runFolder) {
  await zip(`${runFolder}.zip`, runFolder);
  return `${runFolder}.zip`;
}

/** The files of its newest checkpoint, without the description of the run. */
async function loose(runFolder) {
  const checkpoints = path.join(runFolder, "checkpoints");
  const newest = path.join(checkpoints, (await readdir(checkpoints)).filter((name) => name.startsWith("step_")).sort().at(-1));
  return (await readdir(newest)).map((file) => path.join(newest, file));
}

/** The Atari room, when both screens have an agent. */
const withRoom = (hash, body) =>
  withPage({ hash: `room=atari&device=cpu${hash}` }, async (page, opened) => {
    page.on("dialog", (dialog) => dialog.accept());
    await page.waitForFunction(
      () => [...document.querySelectorAll(".console")].filter((screen) => /trained/.test(screen.textContent)).length === 2,
      null,
      { timeout: 60_000 },
    );
    await body(page, opened);
    assert.deepEqual(opened.complaints, []);
  });

const screenSays = (page, pattern) => says(page, ".console", pattern, { timeout: 60_000 });
/** Waits until a screen that plays has gone on by some steps. */
const goesOn = async (page) => waitForStep(page, (await stepOf(page)) + 6);

test("a checkpoint goes on with the networks that it has, though new runs have others", { timeout: 180_000 }, async () => {
  const there = await trained("MazeCartridge", "--algo", "deep-spi", "--preset", "small");
  // As if the networks with this name had been others when the run began.
  const description = path.join(there, "config.toml");
  const text = await readFile(description, "utf8");
  await writeFile(description, text.replace('preset = "small"', 'preset = "paper"'));
  assert.notEqual(await readFile(description, "utf8"), text);
  const archive = await zipped(there);
  // The other agent gets new networks, which are those of the paper: it trains as little as possible.
  const little = ["num_envs=1", "num_steps=8", "num_minibatches=1", "update_epochs=1", "total_timesteps=800"];
  await withRoom(`&env=MazeCartridge&${little.map((field) => `b.${field}`).join("&")}`, async (page) => {
    await page.setInputFiles("#checkpoint-a", archive);
    await screenSays(page, /deep-spi.*trained for 128 steps/);
    await page.click("#play-a");
    await goesOn(page);
    await ready(page);
    await unfold(page);
    await page.setInputFiles("#load-0", archive);
    await waitForIteration(page, 2, { agent: 0 });
    assert.equal((await exported(page)).agents[0].config.algo, "deep-spi");
    const saved = await download(page, () => page.click("#save-0"));
    const back = path.join(folder, "own-networks");
    await unzip(saved.path, back);
    const [name] = await readdir(back);
    const { stderr } = await run(native, ["--resume", path.join(back, name), "--total-timesteps", "192", "--device", "cpu"]);
    assert.match(stderr, /networks of its checkpoint/);
  });
});

test("agents of another game or action set are refused in one sentence, and the screens go on", { timeout: 180_000 }, async (t) => {
  if (!romFolder()) return t.skip("the ROMs of Breakout and Pong are not on this machine");
  const small = ["--algo", "ppo", "--network", "small"];
  const [breakout, pong] = [await trained("Breakout", ...small), await trained("Pong", ...small)];
  await withRoom("", async (page) => {
    await page.click("#play-a");
    await page.setInputFiles("#checkpoint-a", await zipped(breakout));
    await screenSays(page, /was trained on Breakout, and MazeCartridge is in the console; choose/);
    await goesOn(page);
    await page.setInputFiles("#checkpoint-a", await loose(pong));
    await screenSays(page, /was trained with 6 actions and 4 frames of 84x84, and MazeCartridge.* has 4 actions and 1 frames/);
    await goesOn(page);

    await page.setInputFiles("#cartridge-files", path.join(romFolder(), "breakout.bin"));
    await page.waitForSelector("[data-game=breakout][aria-pressed=true]");
    await page.setInputFiles("#checkpoint-a", await zipped(breakout));
    await screenSays(page, /trained for 128 steps/);
    await page.setInputFiles("#checkpoint-a", await loose(pong));
    await screenSays(page, /was trained with 6 actions .*, and Breakout.* has 4 actions/);
    await goesOn(page);

    // The trainer refuses them, too, and keeps its agents.
    await ready(page);
    await unfold(page);
    const refused = (pattern) => says(page, ".notices", pattern);
    await page.setInputFiles("#load-0", await zipped(pong));
    await refused(/cartridge of Pong is not here/);
    await page.setInputFiles("#load-0", await loose(pong));
    await refused(/made for 6 actions and 4x84x84 frames, but the environment has 4 actions/);
    await ready(page);
    await train(page, 1);
    await page.setInputFiles("#load-0", await zipped(breakout));
    await waitForIteration(page, 2, { agent: 0 });
    assert.equal((await exported(page)).env, "Breakout");
  });
});

test("two agents train on a brought game, and the screens show them", { timeout: 240_000 }, async (t) => {
  if (!romFolder()) return t.skip("the ROM of Breakout is not on this machine");
  await withRoom("", async (page) => {
    await page.setInputFiles("#cartridge-files", path.join(romFolder(), "breakout.bin"));
    await page.waitForSelector("[data-game=breakout][aria-pressed=true]");
    await page.click("#atari-train");
    await waitForIteration(page, 3, { more: true, timeout: 150_000 });
    await page.click("#play-a");
    await screenSays(page, /trained here for [1-9]/);
    await goesOn(page);
    const { env, agents } = await exported(page);
    assert.equal(env, "Breakout");
    // A game at random lasts about 200 steps: some of 16 have ended after 3 times 64.
    for (const { iterations } of agents) assert.ok(iterations.at(-1).finished_return >= 0, JSON.stringify(iterations.at(-1)));
    for (const { iterations } of agents) assert.notEqual(iterations.at(-1).finished_return, null);
  });
});
