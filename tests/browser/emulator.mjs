// Speaks to the emulator worker as the page and the trainer do (web/playground/src/emulator.rs): a client at one end
// of a port. Used by the tests, which run the worker in Node.js and in a browser, and by the measurement of its speed.

import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { MessageChannel, Worker } from "node:worker_threads";
import { byte, bytes, decode, encode, f32, f64, flag, array, list, option, signed, struct, text, unsigned, variants } from "./postcard.mjs";
import { site } from "./support.mjs";

/** The emulator of the built site. */
export const folder = path.join(site, "emulator");
/** The example `trace`, which plays the same games natively; `./check browser` names it. */
const trace = process.env.DEEPSPI_TRACE;

/** An answer of the worker that is a failure. */
export class Refused extends Error {}

/** `AtariOptions` (core/worlds/src/atari/options.rs), and the types of web/playground/src/emulator.rs. */
const options = struct({
  repeat_action_probability: f32,
  noop_max: unsigned,
  episodic_life: flag,
  reward_clip: flag,
  rewards: variants({ Points: null, Codes: array(f64, 4) }),
  use_fire_reset: flag,
  max_episode_steps: unsigned,
  limit_per_life: flag,
  emulator_seeds: variants({ hashed: null, envpool: null }),
  frame_skip: unsigned,
  stack: unsigned,
});
const requests = variants({
  Open: struct({
    game: text,
    rom: bytes,
    options,
    seed: unsigned,
    first_index: unsigned,
    envs: unsigned,
    film: flag,
  }),
  Reset: null,
  Step: struct({ actions: list(unsigned) }),
  Store: null,
  Load: struct({ games: list(bytes) }),
  MazeView: null,
  Close: null,
});
const outcome = struct({
  reward: f32,
  raw_reward: f32,
  done: flag,
  terminated: flag,
  truncated: flag,
  game_over: flag,
  lives: signed,
  elapsed_steps: unsigned,
});
const answers = variants({
  Opened: struct({
    game: text,
    actions: list(byte),
    frame: struct({ channels: unsigned, height: unsigned, width: unsigned }),
    rgb: bytes,
    gray: bytes,
  }),
  Stepped: struct({ outcomes: list(outcome), filmed: list(unsigned) }),
  Stored: struct({ games: option(list(bytes)) }),
  MazeView: struct({ frames: list(bytes) }),
  Failed: struct({ text }),
});

/** The bytes of a request, and what an answer's bytes say. */
export const written = (request) => encode(requests, request);
export function read(bytes) {
  const answer = decode(answers, bytes);
  if (answer.Failed) throw new Refused(answer.Failed.text);
  return answer;
}

/** A client: sends requests and waits for their answers. */
export class Client {
  #port;
  #waiting = [];
  /** Failures that no request asked for. */
  complaints = [];

  constructor(port) {
    this.#port = port;
    port.onmessage = ({ data }) => {
      const { bytes, observations, frames } = data;
      const asked = this.#waiting.shift();
      try {
        const answer = read(bytes);
        asked.resolve({ ...answer, observations, frames });
      } catch (error) {
        if (asked) asked.reject(error);
        else this.complaints.push(error.message);
      }
    };
  }

  /** Sends a request; the answer, with its arrays. */
  ask(request) {
    return this.send(written(request));
  }

  /** Sends the bytes of a request. */
  send(bytes) {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#port.postMessage({ bytes }, [bytes.buffer]);
    });
  }

  /** Leaves. */
  close() {
    const bytes = written("Close");
    this.#port.postMessage({ bytes }, [bytes.buffer]);
  }

  /** Opens games; see `Games` in emulator.rs. */
  open(games) {
    const all = { seed: 0, first_index: 0, envs: 1, film: false, ...games };
    return this.ask({ Open: all }).then((answer) => answer.Opened);
  }

  /** Plays a step, or starts new games if there are no actions. */
  async step(actions) {
    const { Stepped, observations, frames } = await this.ask(actions ? { Step: { actions } } : "Reset");
    return { ...Stepped, observations, frames };
  }
}

/**
 * Starts the emulator worker in a thread of Node.js.
 *
 * @param {string[]} without Files of the site that the worker must not find.
 */
export async function startWorker(without = []) {
  // A copy, because Node.js takes a script for a module only if a package.json says so.
  const copy = await mkdtemp(path.join(tmpdir(), "deepspi-emulator-"));
  await cp(folder, copy, { recursive: true, filter: (from) => !without.includes(path.basename(from)) });
  await writeFile(path.join(copy, "package.json"), '{ "type": "module" }\n');
  const script = pathToFileURL(path.join(copy, "emulator.js")).href;
  const host = path.join(path.dirname(fileURLToPath(import.meta.url)), "emulator-host.mjs");
  const worker = new Worker(host, { workerData: { script } });
  const messages = [];
  worker.on("message", ({ bytes }) => messages.push(decode(answers, bytes)));
  return {
    worker,
    /** Where the copy is. */
    copy,
    /** Messages of the worker itself, which it sends only if it cannot go on. */
    messages,
    connect() {
      const { port1, port2 } = new MessageChannel();
      worker.postMessage({ port: port2 }, [port2]);
      return new Client(port1);
    },
    async stop() {
      await worker.terminate();
      await rm(copy, { recursive: true, force: true });
    },
  };
}

/** What the native program returns for random play: game, ROM, options, hashes (native/ale/examples/trace.rs). */
export async function nativeTrace(game, seeds, steps) {
  if (!trace) throw new Error("DEEPSPI_TRACE must name the example `trace`; ./check browser sets it");
  const { stdout } = await promisify(execFile)(trace, [game, seeds, steps].map(String));
  const found = JSON.parse(stdout);
  return { ...found, rom: Uint8Array.from(Buffer.from(found.rom, "hex")) };
}

/** The actions of random play: the generator of the native example. */
export function actionsOf(seed) {
  let state = (Math.imul(seed, 747_796_405) + 2_891_336_453) >>> 0;
  return (count) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return (state >>> 16) % count;
  };
}

/** The hash of the native example, over the digests of observations (SHA-256) and the outcomes. */
export class TraceHash {
  #hash = createHash("sha256");

  add(digest, { reward, raw_reward, done, terminated, truncated, lives, elapsed_steps }) {
    const bytes = Buffer.alloc(19);
    bytes.writeFloatLE(reward, 0);
    bytes.writeFloatLE(raw_reward, 4);
    [done, terminated, truncated].forEach((flag, i) => bytes.writeUInt8(Number(flag), 8 + i));
    bytes.writeInt32LE(lives, 11);
    bytes.writeUInt32LE(elapsed_steps, 15);
    this.#hash.update(digest).update(bytes);
  }

  hex() {
    return this.#hash.digest("hex");
  }
}

export const digest = (bytes) => createHash("sha256").update(bytes).digest();

/** The folder with the ROMs that the command line has downloaded; undefined if it has not. */
export function romFolder() {
  const cache = process.env.XDG_CACHE_HOME ?? path.join(homedir(), ".cache");
  const known = [process.env.ALE_ROMS_DIR, path.join(cache, "deepspi/roms")];
  return known.find((folder) => folder && existsSync(path.join(folder, "breakout.bin")));
}
