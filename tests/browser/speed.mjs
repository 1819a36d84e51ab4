// Measures the speed of the playground and prints a table: `npm run speed` in this folder, after a build (see
// docs/playground.md). The tests do not run it, because they would fail on a busy machine.
//
// - first paint, and time until the first control answers, from a server on this machine: best and median of 5 visits;
// - updates per second of the small preset, for each algorithm, and of PPO on the free cartridge, in WebAssembly and
//   natively on one thread;
// - frames per second of the page while both agents train.

import { execFile } from "node:child_process";
import { mkdtemp, readFile, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { exported, native, ready, waitForIteration, withPage } from "./support.mjs";

const median = (numbers) => [...numbers].sort((a, b) => a - b)[numbers.length >> 1];
const line = (name, value) => console.log(`${name.padEnd(58)} ${value}`);

const paints = [];
const answers = [];
for (let visit = 0; visit < 5; visit++) {
  await withPage({ hash: "device=cpu" }, async (page) => {
    // The tabs work as soon as the page's program runs, even while the trainer is still loading.
    await page.waitForSelector("#tab-maze");
    await page.click("#tab-maze");
    await page.waitForSelector('#tab-maze[aria-selected="true"]');
    const times = await page.evaluate(() => ({
      paint: performance.getEntriesByName("first-contentful-paint")[0]?.startTime,
      answer: performance.now(),
    }));
    paints.push(times.paint);
    answers.push(times.answer);
  });
}
line("first contentful paint, ms (best, median of 5)", `${Math.min(...paints).toFixed(0)}, ${median(paints).toFixed(0)}`);
line("a tab clicked and open, ms (best, median of 5)", `${Math.min(...answers).toFixed(0)}, ${median(answers).toFixed(0)}`);

/** Iterations per second of a native run on one thread, from the run's own times, without its first iteration. */
async function nativeSpeed(env, algorithm) {
  const folder = await mkdtemp(path.join(tmpdir(), "deepspi-speed-"));
  const run = ["--env", env, "--algo", algorithm, "--device", "cpu", "--runs-dir", folder];
  await promisify(execFile)("taskset", ["-c", "0", native, ...run], { env: { ...process.env, RAYON_NUM_THREADS: "1" } });
  const [name] = await readdir(folder);
  const lines = (await readFile(path.join(folder, name, "metrics.jsonl"), "utf8")).trim().split("\n").map(JSON.parse);
  const iterations = lines.filter((entry) => entry.type === "iteration");
  await rm(folder, { recursive: true });
  const [first, last] = [iterations[0], iterations.at(-1)];
  return (iterations.length - 1) / (last.elapsed_seconds - first.elapsed_seconds);
}

const updates = 8; // updates per iteration of the small preset and of the cartridge: 4 epochs of 2 minibatches
// On the cartridge both sides also emulate: the page in a worker of its own, the native program on its one thread.
const cases = [
  ["maze", "ppo"],
  ["maze", "deep-mdp"],
  ["maze", "deep-spi"],
  ["MazeCartridge", "ppo"],
];
for (const [env, algorithm] of cases) {
  // The runs are so long that none ends during the measurement.
  const agent = (name) => `${name}.algo=${algorithm}&${name}.total_timesteps=4000000`;
  const hash = `env=${env}&device=cpu&room=neighbourhood&${agent("a")}&${agent("b")}`;
  const here = await withPage({ hash }, async (page) => {
    await ready(page);
    await page.click("#start");
    await waitForIteration(page, 5, { more: true });
    const start = await page.evaluate(() => performance.now());
    const from = (await exported(page)).agents.map((agent) => agent.iterations.length);
    await page.waitForTimeout(8000);
    const to = (await exported(page)).agents.map((agent) => agent.iterations.length);
    const seconds = ((await page.evaluate(() => performance.now())) - start) / 1000;
    return (to[0] + to[1] - from[0] - from[1]) / seconds;
  });
  const there = await nativeSpeed(env, algorithm);
  line(
    `${env}, ${algorithm}: updates/s in WebAssembly, natively`,
    `${(here * updates).toFixed(1)}, ${(there * updates).toFixed(1)} (${(here / there).toFixed(2)} x)`,
  );
}

await withPage({ hash: "device=cpu&room=maze" }, async (page) => {
  await ready(page);
  await page.click("#start");
  await waitForIteration(page, 5, { more: true });
  const frames = await page.evaluate(
    () =>
      new Promise((done) => {
        const times = [];
        const frame = (now) => {
          times.push(now);
          if (now - times[0] < 5000) requestAnimationFrame(frame);
          else done(times);
        };
        requestAnimationFrame(frame);
      }),
  );
  const gaps = frames.slice(1).map((time, i) => time - frames[i]);
  gaps.sort((a, b) => a - b);
  line("frames/s of the maze room while both agents train", ((frames.length - 1) / 5).toFixed(1));
  line("time between frames, ms (median, 95 %, longest)", [0.5, 0.95, 1].map((q) => gaps[Math.min(gaps.length - 1, Math.floor(q * gaps.length))].toFixed(0)).join(", "));
});
