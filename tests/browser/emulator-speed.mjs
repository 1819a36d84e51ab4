// Measures the emulator worker against the native emulator on one processor: `npm run speed` calls it. Both play
// Breakout at random by the rules of training (sticky actions, no-ops, observations of 4 x 84 x 84), turn by turn, so
// that other work on the machine slows both down. The native program sends no messages; the worker sends one for each
// step of all its environments.

import { actionsOf, nativeTrace, startWorker } from "./emulator.mjs";

const best = (numbers) => Math.max(...numbers);
const native = [];
const here = { 1: [], 8: [] };

const { game, rom, options } = await nativeTrace("Breakout", 1, 1);
const { connect, stop } = await startWorker();
const client = connect();
for (let round = 0; round < 5; round++) {
  native.push((await nativeTrace("Breakout", 1, 4_000)).frames_per_second);
  for (const envs of [1, 8]) {
    const { actions } = await client.open({ game, rom, options, seed: 0, envs });
    await client.step();
    const next = actionsOf(0);
    const steps = 4_000 / envs;
    const start = performance.now();
    for (let step = 0; step < steps; step++)
      await client.step(Array.from({ length: envs }, () => next(actions.length)));
    here[envs].push((4 * steps * envs * 1000) / (performance.now() - start));
  }
}
await stop();
console.log(`emulated frames/s natively on one thread                   ${best(native).toFixed(0)}`);
for (const [envs, speeds] of Object.entries(here)) {
  const text = `emulated frames/s in the worker, ${envs} environment${envs === "1" ? "" : "s"}`;
  console.log(`${text.padEnd(58)} ${best(speeds).toFixed(0)} (${(best(speeds) / best(native)).toFixed(2)} x)`);
}
