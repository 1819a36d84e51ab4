// Training in the page gives the same numbers as the native program, from the same seed and on both devices, and the
// buttons work.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readFile, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { test } from "node:test";
import { endless, exported, native, ready, says, train, waitForIteration, withPage } from "./support.mjs";

// Relative tolerance. Single-precision sums are computed in another order; a GPU also uses other kernels.
const TOLERANCE = { cpu: 2e-4, webgpu: 2e-3 };

/** Losses of the first iteration of a native run on the CPU. */
async function nativeLosses(algorithm) {
  const folder = await mkdtemp(path.join(tmpdir(), "deepspi-native-"));
  try {
    const run = ["--env", "maze", "--algo", algorithm, "--seed", "1", "--device", "cpu", "--runs-dir", folder];
    await promisify(execFile)(native, run);
    const [name] = await readdir(folder);
    const lines = (await readFile(path.join(folder, name, "metrics.jsonl"), "utf8")).trim().split("\n");
    return lines.map(JSON.parse).find((line) => line.type === "iteration" && line.iteration === 0);
  } finally {
    await rm(folder, { recursive: true });
  }
}

for (const device of ["cpu", "webgpu"]) {
  test(`the first updates on ${device} are those of the native program`, { timeout: 300_000 }, () =>
    withPage({ webgpu: device === "webgpu", hash: `device=${device}` }, async (page, { complaints }) => {
      await ready(page, 240_000);
      // The text for the CPU can mention WebGPU, too, so the pattern for WebGPU is longer.
      assert.match(await page.textContent("#device"), device === "cpu" ? /CPU/ : /Device: WebGPU on/);
      await train(page, 1, 240_000);
      const { agents } = await exported(page);
      for (const [agent, algorithm] of [
        [0, "ppo"],
        [1, "deep-spi"],
      ]) {
        const expected = await nativeLosses(algorithm);
        const found = agents[agent].iterations[0];
        for (const part of ["mean", "last"]) {
          for (const [name, value] of Object.entries(expected[part])) {
            const error = Math.abs(found[part][name] - value);
            // The clip fraction is a share of 256 samples. A sample at the limit of the clip range may fall on either
            // side.
            const slack =
              name === "clip_fraction" ? 2 / 256 : TOLERANCE[device] * Math.max(Math.abs(value), 0.05);
            assert.ok(
              error < slack,
              `${algorithm} ${part}.${name}: ${found[part][name]} here, ${value} natively`,
            );
          }
        }
      }
      assert.deepEqual(complaints, []);
    }));
}

test("step, start, pause and reset do what they say", { timeout: 120_000 }, () =>
  withPage({ hash: `device=cpu&${endless}` }, async (page) => {
    await ready(page);
    await train(page, 1, 240_000);
    const first = await exported(page);
    assert.equal(first.agents[0].iterations.length, 1);

    await page.click("#start");
    await waitForIteration(page, 3, { more: true });
    await page.click("#start");
    await page.waitForFunction(() => document.querySelector("#step")?.disabled === false);
    const paused = await exported(page);
    const count = paused.agents[0].iterations.length;
    assert.ok(count > 1, "it trained");
    await page.waitForTimeout(500);
    assert.equal((await exported(page)).agents[0].iterations.length, count, "a pause is a pause");
    assert.deepEqual(paused.agents[0].iterations[0], first.agents[0].iterations[0]);

    page.on("dialog", (dialog) => dialog.accept());
    await page.click("#reset");
    await waitForIteration(page, 0);
    await train(page, 1, 240_000);
    const again = await exported(page);
    assert.deepEqual(again.agents[1].iterations, first.agents[1].iterations, "the same seed, the same numbers");
  }));

test("the speed counts the agent that trains, not the one that is done", () =>
  withPage({ hash: "device=cpu&pace=5&a.total_timesteps=512" }, async (page) => {
    await ready(page);
    await page.click("#start");
    await waitForIteration(page, 12, { more: true });
    // The page measures over the last second and a half, in which a busy machine may catch up with iterations
    // that were late. The median of several readings is the pace.
    const speeds = [];
    for (let reading = 0; reading < 7; reading += 1) {
      speeds.push(Number.parseFloat(await page.textContent("#speed")));
      await page.waitForTimeout(800);
    }
    const speed = speeds.sort((a, b) => a - b)[3];
    const { agents } = await exported(page);
    assert.equal(agents[0].iterations.length, 1);
    const { update_epochs, num_minibatches } = agents[1].config;
    assert.ok(speed > 0 && speed < 1.5 * 5 * update_epochs * num_minibatches, `${speed} updates/s of one agent`);
  }));

test("a finished run says so and the whole of it is there", { timeout: 180_000 }, () =>
  withPage({ hash: "device=cpu&a.total_timesteps=2048&b.total_timesteps=2048" }, async (page) => {
    await ready(page);
    await page.click("#start");
    await waitForIteration(page, 4, { timeout: 120_000 });
    await says(page, "#start", /start/i);
    const { agents } = await exported(page);
    assert.deepEqual(
      agents.map((agent) => [agent.iterations.length, agent.maze.length]),
      [
        [4, 5],
        [4, 5],
      ],
    );
  }));
