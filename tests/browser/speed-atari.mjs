// Measures the room Atari and prints a table: `npm run speed:atari`, which `npm run speed` includes. The native run and
// the cartridge of Breakout are those of the command line.
//
// - how long an agent takes to decide: from the observation to the policy, as the player says it beside the screen, for
//   networks of the paper and small ones on Breakout (4 frames of 84x84), and an agent of the site on the free cartridge;
// - frames per second of both screens, and the longest time between two, while both agents train on the free cartridge;
// - seconds until both agents have 95 % of the free cartridge's optimum, while the screens play.
//
// `emulator-speed.mjs` measures the emulator.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { nativeTrace, romFolder } from "./emulator.mjs";
import { exported, native, ready, waitForIteration, waitForStep, withPage } from "./support.mjs";

const run = promisify(execFile);
const line = (name, value) => console.log(`${name.padEnd(66)} ${value}`);
const quantile = (sorted, q) => sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))];
/** The exact value of the optimal policy (docs/cartridge.md). */
const OPTIMUM = 8.0103;

/** Steps of a screen that are measured. */
const STEPS = 300;
/** Time for which frames are counted, in milliseconds. */
const FRAMES_MS = 10_000;

/** Median, 95 % and largest of the decisions that screen A shows, in milliseconds. */
async function decisions(page) {
  await page.click("#play-a");
  await waitForStep(page, 31, { timeout: 120_000 });
  const times = await page.evaluate(
    (count) =>
      new Promise((done) => {
        const [times, screen] = [new Map(), document.querySelector(".console")];
        const look = () => {
          const text = screen.textContent;
          const step = /step (\d+)/.exec(text)?.[1];
          const took = /A decision takes ([\d.]+) ms/.exec(text)?.[1];
          if (took !== undefined) times.set(step, Number(took));
          if (times.size < count) requestAnimationFrame(look);
          else done([...times.values()]);
        };
        look();
      }),
    STEPS,
  );
  times.sort((a, b) => a - b);
  return [0.5, 0.95, 1].map((q) => quantile(times, q).toFixed(1)).join(", ");
}

/** A checkpoint of Breakout with networks of this size, trained for a moment. */
async function checkpoint(folder, network) {
  const runs = path.join(folder, network);
  const short = ["--num-envs", "2", "--num-steps", "8", "--num-minibatches", "1", "--update-epochs", "1"];
  const always = ["train", "--env", "Breakout", "--algo", "deep-spi", "--device", "cpu", "--total-timesteps", "16"];
  await run(native, [...always, "--network", network, "--runs-dir", runs, ...short]);
  const [name] = await readdir(runs);
  const archive = path.join(folder, `${network}.zip`);
  await run("python3", ["-m", "zipfile", "-c", archive, path.join(runs, name)]);
  return archive;
}

console.log("one decision of an agent on the CPU, ms (median, 95 %, longest)");
const folder = await mkdtemp(path.join(tmpdir(), "deepspi-speed-atari-"));
try {
  // The native program downloads the ROMs if they are not there.
  if (!romFolder()) await nativeTrace("Breakout", 1, 1);
  for (const network of ["paper", "small"]) {
    const archive = await checkpoint(folder, network);
    await withPage({ hash: "room=atari&device=cpu" }, async (page) => {
      await page.waitForSelector("#play-a");
      await page.setInputFiles("#cartridge-files", path.join(romFolder(), "breakout.bin"));
      await page.waitForSelector("[data-game=breakout][aria-pressed=true]");
      await page.setInputFiles("#checkpoint-a", archive);
      await page.getByRole("region", { name: "Screen A", exact: true }).getByText("trained for 16 steps").waitFor();
      line(`  Breakout, DeepSPI, ${network} networks`, await decisions(page));
    });
  }
} finally {
  await rm(folder, { recursive: true });
}
await withPage({ hash: "room=atari&device=cpu" }, async (page) => {
  await page.waitForSelector("#play-a");
  await page.waitForSelector("#agent-a option[value=maze-deep-spi]", { state: "attached" });
  await page.selectOption("#agent-a", "maze-deep-spi");
  await page.getByRole("region", { name: "Screen A", exact: true }).getByText("DeepSPI, trained for").waitFor();
  line("  free cartridge, DeepSPI, small networks", await decisions(page));
});

/** Counts the frames of the browser in which each screen is painted anew. To be run before the page's scripts. */
const countPaints = () => {
  const paint = CanvasRenderingContext2D.prototype.putImageData;
  window.painted = new Map();
  CanvasRenderingContext2D.prototype.putImageData = function (...args) {
    if (this.canvas.classList.contains("game")) {
      const times = window.painted.get(this.canvas) ?? [];
      const now = document.timeline.currentTime;
      // Several paintings before the next frame of the browser are one that a person can see.
      if (times.at(-1) !== now) times.push(now);
      window.painted.set(this.canvas, times);
    }
    return paint.apply(this, args);
  };
};

const before = (page) => page.addInitScript(countPaints);
await withPage({ hash: "room=atari&env=MazeCartridge&device=cpu", before }, async (page) => {
  await page.waitForSelector("#play-a");
  await ready(page);
  await page.click("#play-a");
  await page.click("#play-b");
  await waitForStep(page, 31, { timeout: 120_000 });
  const start = await page.evaluate(() => performance.now());
  await page.click("#start");
  await waitForIteration(page, 2, { more: true });
  const screens = await page.evaluate(
    (ms) =>
      new Promise((done) => {
        const from = performance.now();
        setTimeout(() => {
          const of = (canvas) => (window.painted.get(canvas) ?? []).filter((time) => time >= from);
          done([...document.querySelectorAll(".console canvas.game")].map(of));
        }, ms);
      }),
    FRAMES_MS,
  );
  screens.forEach((times, index) => {
    assert.ok(times.length > 1, "a screen that plays is painted");
    const gaps = times.slice(1).map((time, i) => time - times[i]).sort((a, b) => a - b);
    const rate = ((times.length - 1) * 1000) / (times.at(-1) - times[0]);
    const spread = [0.5, 0.95, 1].map((q) => quantile(gaps, q).toFixed(0)).join(", ");
    line(`frames/s of screen ${"AB"[index]} while both agents train on the cartridge`, rate.toFixed(1));
    line("  time between frames, ms (median, 95 %, longest)", spread);
  });

  // The last iteration is not awaited for ever: a run has 128 of them.
  let learned;
  for (;;) {
    const { agents } = await exported(page);
    const seconds = ((await page.evaluate(() => performance.now())) - start) / 1000;
    const best = agents.map(({ maze }) => Math.max(...maze.map((status) => status.start_value)));
    if (best.every((value) => value >= 0.95 * OPTIMUM)) learned = seconds;
    const over = agents.every(({ iterations }) => iterations.length >= 128);
    if (learned !== undefined || over) {
      const values = best.map((value) => value.toFixed(2)).join(" and ");
      const text = learned === undefined ? `not within the run (${values})` : learned.toFixed(0);
      line("seconds until both agents have 95 % of the cartridge's optimum", text);
      break;
    }
    await page.waitForTimeout(2000);
  }
});
