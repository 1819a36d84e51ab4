// The emulator worker plays the same games as the native program, bit for bit, and one client's mistakes are nobody
// else's. Most of it runs in a thread of Node.js; the last tests run in the browser, under the page's policy.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { readFile, readdir } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import {
  Refused,
  TraceHash,
  actionsOf,
  digest,
  folder,
  nativeTrace,
  read,
  startWorker,
  written,
} from "./emulator.mjs";
import { ready, site, withPage } from "./support.mjs";

/** Games that are compared with the native program. */
const games = ["MazeCartridge", "Breakout"];
const repository = path.join(path.dirname(fileURLToPath(import.meta.url)), "../..");

/** Runs `body` with a worker in Node.js, which is stopped in any case. */
async function withWorker(body, without = []) {
  const started = await startWorker(without);
  try {
    return await body(started);
  } finally {
    await started.stop();
  }
}

/** A game to open, from what the native example says of it. */
const gameOf = ({ game, rom, options }) => ({ game, rom, options });

const refusal = (promise, ...parts) =>
  assert.rejects(promise, (error) => {
    assert.ok(error instanceof Refused, String(error));
    for (const part of parts) assert.ok(error.message.includes(part), `"${error.message}" does not say "${part}"`);
    return true;
  });

test("the site has the emulator", async () => {
  const about = JSON.parse(await readFile(path.join(folder, "about.json"), "utf8"));
  assert.equal(about.available, true, about.reason);
});

/** Plays a game at random with 30 seeds, in the worker and natively at the same time, and compares the hashes. */
const equalsNative = (name) =>
  withWorker(async ({ connect }) => {
    const natively = nativeTrace(name, 30, 1_000);
    const first = await nativeTrace(name, 1, 1);
    const client = connect();
    const found = [];
    for (let seed = 0; seed < 30; seed++) {
      const { actions } = await client.open({ ...gameOf(first), seed });
      const next = actionsOf(seed);
      const trace = new TraceHash();
      const add = ({ observations, outcomes }) => trace.add(digest(observations), outcomes[0]);
      add(await client.step());
      for (let step = 0; step < 1_000; step++) add(await client.step([next(actions.length)]));
      found.push({ seed, hash: trace.hex() });
    }
    assert.deepEqual(found, (await natively).seeds);
  });

for (const name of games)
  test(`${name}: 30 seeds of 1,000 random steps equal the native program's`, { timeout: 600_000 }, () => equalsNative(name));

test("films, stored games and several clients", { timeout: 120_000 }, () =>
  withWorker(async ({ connect, messages }) => {
    const game = gameOf(await nativeTrace("Breakout", 1, 1));
    const [player, other] = [connect(), connect()];

    // Requests wait in the port until they are served, in order.
    const [opened, reset] = await Promise.all([
      player.open({ ...game, seed: 3, envs: 2, film: true }),
      player.step(),
    ]);
    assert.deepEqual([...opened.actions], [0, 1, 3, 4]);
    assert.deepEqual(opened.frame, { channels: 4, height: 84, width: 84 });
    assert.deepEqual([opened.rgb.length, opened.gray.length], [384, 128]);
    assert.equal(reset.observations.length, 2 * 4 * 84 * 84);
    assert.equal(reset.frames.length, (reset.filmed[0] + reset.filmed[1]) * 210 * 160);
    const step = await player.step([2, 3]);
    assert.deepEqual(step.filmed, [4, 4]);
    assert.equal(step.frames.length, 8 * 210 * 160);
    assert.ok(step.frames.every((index) => index % 2 === 0));
    assert.ok(new Set(step.frames).size > 5, "colours");

    // A second client continues from what the first has stored, as the first does.
    for (let i = 0; i < 100; i++) await player.step([i % 4, (i + 1) % 4]);
    const { Stored } = await player.ask("Store");
    assert.equal(Stored.games.length, 2);
    await other.open({ ...game, seed: 3, first_index: 1 });
    const loaded = await other.ask({ Load: { games: Stored.games.slice(1) } });
    assert.equal(loaded.observations.length, 4 * 84 * 84);
    for (let i = 0; i < 20; i++) {
      const [a, b] = await Promise.all([player.step([0, i % 4]), other.step([i % 4])]);
      assert.deepEqual(a.outcomes[1], b.outcomes[0]);
      assert.deepEqual(digest(a.observations.subarray(4 * 84 * 84)), digest(b.observations));
    }

    // Mistakes of one client are answered with a sentence, and change nothing.
    await refusal(player.ask({ Step: { actions: [0] } }), "expected 2");
    await refusal(player.ask({ Step: { actions: [0, 4] } }), "environment 1", "action 4");
    await refusal(player.send(Uint8Array.of(99)), "could not be read");
    await refusal(player.open({ ...game, game: "Brakeout" }), "Brakeout", "Breakout");
    const wrong = Uint8Array.from(game.rom, (byte, i) => byte ^ (i === 9));
    await refusal(player.open({ ...game, rom: wrong }), "MD5", "breakout.bin");
    await refusal(player.open({ ...game, rom: new Uint8Array(0) }), "MD5");
    await refusal(player.open({ ...game, envs: 0 }), "0 environments");
    await refusal(connect().step(), "no game is open");
    assert.deepEqual((await player.step([1, 1])).filmed, [4, 4]);

    // A client that leaves takes nothing from the others.
    other.close();
    assert.equal((await player.step([1, 1])).outcomes.length, 2);
    assert.deepEqual([...player.complaints, ...other.complaints, ...messages], []);
  }));

test("ALE that fails in one machine goes on in the others", () =>
  withWorker(async ({ copy }) => {
    const { load } = await import(pathToFileURL(path.join(copy, "ale.js")));
    const ale = await load(await readFile(path.join(copy, "ale.wasm")));
    const { rom, options } = await nativeTrace("Breakout", 1, 1);
    const [broken, fine] = [ale.machine(), ale.machine()];
    const console = fine.insert(rom, "breakout", 1, options.repeat_action_probability);
    assert.throws(() => fine.insert(rom, "breakout", 0, 0), /seed must be at least 1/);
    assert.throws(() => fine.insert(rom, "no_game", 1, 0), /no game rules for no_game/);
    assert.throws(() => fine.act(console, 18), /outside 0..17/);
    // No console is there: the module traps.
    assert.throws(() => broken.act(-4, 0), WebAssembly.RuntimeError);
    assert.throws(() => broken.insert(rom, "breakout", 1, 0), /stopped earlier .* open the game again/);
    assert.equal(fine.act(console, 1), 0);
    assert.deepEqual([...fine.size(console)], [210, 160]);
  }));

for (const file of ["ale.wasm", "rules_bg.wasm", "ale.js"]) {
  test(`without ${file} every request is answered with the reason`, { timeout: 60_000 }, () =>
    withWorker(
      async ({ connect, messages }) => {
        const client = connect();
        await refusal(client.step(), "emulator could not start", "Reload the page");
        await refusal(client.step(), "emulator could not start");
        await refusal(connect().step(), "emulator could not start");
        assert.equal(messages.length, 1);
        assert.match(messages[0].Failed.text, /could not start/);
      },
      [file],
    ));
}

test("in the browser, under the page's policy, the worker plays the same game", { timeout: 180_000 }, async () => {
  const trace = await nativeTrace("Breakout", 2, 200);
  const { game, rom, options } = gameOf(trace);
  await withPage({}, async (page, { complaints }) => {
    await ready(page);
    for (const { seed, hash } of trace.seeds) {
      const open = { Open: { game, rom, options, seed, first_index: 0, envs: 1, film: true } };
      const next = actionsOf(seed);
      const steps = Array.from({ length: trace.steps }, () => ({ Step: { actions: [next(4)] } }));
      const requests = [open, "Reset", ...steps].map((request) => Array.from(written(request)));
      const answers = await page.evaluate(async (requests) => {
        const worker = new Worker("./emulator/emulator.js", { type: "module" });
        const { port1, port2 } = new MessageChannel();
        worker.postMessage({ port: port2 }, [port2]);
        const answers = [];
        for (const request of requests) {
          const answer = new Promise((resolve) => (port1.onmessage = ({ data }) => resolve(data)));
          port1.postMessage({ bytes: Uint8Array.from(request) });
          const { bytes, observations, frames } = await answer;
          const digest = observations && Array.from(new Uint8Array(await crypto.subtle.digest("SHA-256", observations)));
          answers.push({ bytes: Array.from(bytes), digest, filmed: frames?.length });
        }
        worker.terminate();
        return answers;
      }, requests);
      const found = new TraceHash();
      const [{ bytes }, ...played] = answers;
      assert.equal(read(Uint8Array.from(bytes)).Opened.game, "Breakout");
      for (const { bytes, digest, filmed } of played) {
        const { outcomes, filmed: counts } = read(Uint8Array.from(bytes)).Stepped;
        assert.equal(filmed, counts[0] * 210 * 160);
        found.add(Uint8Array.from(digest), outcomes[0]);
      }
      assert.equal(found.hex(), hash, `seed ${seed}`);
    }
    assert.deepEqual(complaints, []);
  });
});

test("a first visit loads nothing of the emulator", async () => {
  const requests = [];
  const listen = (page) => page.on("request", (request) => requests.push(new URL(request.url()).pathname));
  await withPage({ before: listen }, (page) => ready(page));
  assert.ok(requests.some((name) => name.endsWith(".wasm")));
  assert.deepEqual(requests.filter((name) => name.includes("emulator")), []);
  assert.ok(!(await readFile(path.join(site, "index.html"), "utf8")).includes("emulator"));
});

const md5 = async (file) => createHash("md5").update(await readFile(file)).digest("hex");

/** Checksums of the cartridges that may be published: those of this project. */
async function freeCartridges() {
  const folder = path.join(repository, "core/worlds/cartridge");
  const names = await readdir(folder).catch(() => []);
  return new Set(await Promise.all(names.filter((name) => name.endsWith(".bin")).map((name) => md5(path.join(folder, name)))));
}

test("the site contains no ROM but the project's own", async () => {
  const free = await freeCartridges();
  const table = await readFile(path.join(repository, "core/worlds/src/atari/games.rs"), "utf8");
  const known = new Set(table.match(/"[0-9a-f]{32}"/g).map((text) => text.slice(1, -1)));
  assert.ok(known.size >= 57);
  const files = await readdir(site, { recursive: true, withFileTypes: true });
  for (const file of files.filter((file) => file.isFile())) {
    const name = path.join(file.parentPath ?? file.path, file.name);
    const sum = await md5(name);
    if (free.has(sum)) continue;
    assert.ok(!known.has(sum), name);
    // The site's agents are zip files, too.
    const agent = path.basename(path.dirname(name)) === "agents";
    assert.doesNotMatch(name, agent ? /\.(a26|bin|rom|whl)$/ : /\.(a26|bin|rom|whl|zip)$/);
    if (agent && name.endsWith(".zip")) {
      const { stdout } = await promisify(execFile)("python3", ["-m", "zipfile", "-l", name]);
      assert.doesNotMatch(stdout, /\.(a26|bin|rom|whl|zip)\s/m, name);
    }
    if (!name.endsWith(".tar.gz")) continue;
    const { stdout } = await promisify(execFile)("tar", ["-tzf", name]);
    assert.doesNotMatch(stdout, /\.(a26|bin|rom|whl|zip)$/m, name);
  }
});

test("beside the emulator lie its licence and its sources", async () => {
  const read = (name) => readFile(path.join(folder, name), "utf8");
  assert.match(await read("ALE-License.txt"), /GNU GENERAL PUBLIC LICENSE/);
  assert.match(await read("README.txt"), /ale-sys \d+\.\d+\.\d+/);
  const { stdout } = await promisify(execFile)("tar", ["-tzf", path.join(folder, "ale-sources.tar.gz")]);
  const listed = new Set(stdout.trim().split("\n"));
  for (const name of ["src/emucore/TIA.cxx", "native/ale/src/shim.cpp", "web/emulator/ale/files.cpp"])
    assert.ok(listed.has(name), name);
  assert.match(await read("ale-build.txt"), /em\+\+/);
});
