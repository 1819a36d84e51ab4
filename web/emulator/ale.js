// Loads ALE (ale.wasm, which tools/ale-build makes) and lends its consoles to the rules of Atari.
//
// This file takes the place of the JavaScript that emscripten would write: the module asks its surroundings for a
// dozen functions only, and a page with a strict Content-Security-Policy can read them here. ALE gets no clock, no
// files, no variables and no random numbers, so a game depends on its seed and its actions alone.
//
// Each client of the worker has a machine of its own: an instance of the module with its own memory, in which its
// consoles live. If ALE fails in one machine, the others go on.

const encoder = new TextEncoder();
const decoder = new TextDecoder();
/** WASI's number for "no such file descriptor". */
const BAD_FILE = 8;
/** Bytes for the message of a failed call. */
const MESSAGE = 256;
const SCREEN = 210 * 160;

/** The functions that the module asks for. `memory` returns the bytes of the instance. */
function surroundings(module, memory) {
  const words = () => new DataView(memory().buffer);
  const zero = (...pointers) => {
    for (const pointer of pointers) words().setUint32(pointer, 0, true);
    return 0;
  };
  const known = {
    emscripten_notify_memory_growth: () => {},
    clock_time_get: (_clock, _precision, time) => zero(time, time + 4),
    environ_sizes_get: (count, bytes) => zero(count, bytes),
    environ_get: () => 0,
    fd_close: () => 0,
    fd_read: () => BAD_FILE,
    fd_seek: () => BAD_FILE,
    // What ALE prints are warnings.
    fd_write: (_file, pieces, count, written) => {
      let text = "";
      let total = 0;
      for (let i = 0; i < count; i++) {
        const [start, size] = [0, 4].map((offset) => words().getUint32(pieces + 8 * i + offset, true));
        text += decoder.decode(memory().slice(start, start + size));
        total += size;
      }
      if (text.trim()) console.warn(`ALE: ${text.trim()}`);
      words().setUint32(written, total, true);
      return 0;
    },
    proc_exit: (code) => {
      throw new Error(`ALE ended itself with the code ${code}`);
    },
  };
  const imports = {};
  for (const { module: from, name } of WebAssembly.Module.imports(module)) {
    const missing = () => {
      throw new Error(`ALE called ${name}, which a page does not have`);
    };
    (imports[from] ??= {})[name] = known[name] ?? missing;
  }
  return imports;
}

/** An instance of ALE. A console is a number, which `insert` returns. */
class Machine {
  #ale;
  #bytes = new Uint8Array(0);
  /** Memory of the instance for results: room for a message, and for 18 words. */
  #message;
  #words;
  /** Why the instance cannot be used any more. */
  #broken = "";

  constructor(module) {
    this.#ale = new WebAssembly.Instance(module, surroundings(module, () => this.#memory())).exports;
    this.#ale._initialize();
    this.#message = this.#ale.malloc(MESSAGE);
    this.#words = this.#ale.malloc(18 * 4);
  }

  /** The bytes of the instance. A memory that has grown has a new buffer. */
  #memory() {
    const { buffer } = this.#ale.memory;
    if (this.#bytes.buffer !== buffer) this.#bytes = new Uint8Array(buffer);
    return this.#bytes;
  }

  /** Calls a function of the module. After a trap nothing in the instance can be trusted. */
  #call(name, ...args) {
    if (this.#broken) throw new Error(`ALE stopped earlier (${this.#broken}); open the game again`);
    try {
      return this.#ale[name](...args);
    } catch (error) {
      this.#broken = error?.message ?? String(error);
      throw error;
    }
  }

  #word(index) {
    return new DataView(this.#memory().buffer).getInt32(this.#words + 4 * index, true);
  }

  /** Calls a function that returns a negative number and a message when it failed. */
  #checked(name, ...args) {
    const result = this.#call(name, ...args, this.#message, MESSAGE);
    if (result >= 0) return result;
    const text = this.#memory().slice(this.#message, this.#message + MESSAGE);
    throw new Error(decoder.decode(text.subarray(0, text.indexOf(0))));
  }

  /** Pointer to a copy of a text that ends with a zero; the caller frees it. */
  #text(text) {
    const bytes = encoder.encode(`${text}\0`);
    const pointer = this.#call("malloc", bytes.length);
    this.#memory().set(bytes, pointer);
    return pointer;
  }

  /** Puts the cartridge of a game into a new console. Only the game's own bytes may be passed. */
  insert(rom, game, seed, sticky) {
    const at = this.#call("deepspi_ale_cartridge", rom.length);
    this.#memory().set(rom, at);
    const texts = ["/", `/${game}.bin`, game].map((text) => this.#text(text));
    try {
      this.#checked("deepspi_ale_create", ...texts, seed, sticky, this.#words);
    } finally {
      for (const text of texts) this.#call("free", text);
    }
    return this.#word(0);
  }

  remove(console) {
    this.#call("deepspi_ale_destroy", console);
  }

  reset(console) {
    this.#checked("deepspi_ale_reset", console);
  }

  resetWithSeed(console, seed) {
    this.#checked("deepspi_ale_reset_with_seed", console, seed);
  }

  /** Emulates a frame and returns its reward. */
  act(console, action) {
    this.#checked("deepspi_ale_act", console, action, this.#words);
    return this.#word(0);
  }

  gameOver(console) {
    return this.#call("deepspi_ale_game_over", console) !== 0;
  }

  lives(console) {
    return this.#call("deepspi_ale_lives", console);
  }

  /** Height and width of the screen. */
  size(console) {
    this.#call("deepspi_ale_screen", console, this.#words, this.#words + 4);
    return Uint32Array.of(this.#word(0), this.#word(1));
  }

  /** Copies the palette indices of the last frame, which must have 210 x 160 pixels. */
  screen(console, target) {
    const at = this.#call("deepspi_ale_screen", console, this.#words, this.#words + 4);
    target.set(this.#memory().subarray(at, at + SCREEN));
  }

  /** Copies the 128 bytes of RAM. */
  ram(console, target) {
    this.#call("deepspi_ale_ram", console, this.#message);
    target.set(this.#memory().subarray(this.#message, this.#message + 128));
  }

  /** Copies luminance (128 bytes) and colours (384 bytes) of the palette. */
  palette(console, gray, rgb) {
    const at = this.#call("malloc", 512);
    this.#call("deepspi_ale_palette", console, at, at + 128);
    gray.set(this.#memory().subarray(at, at + 128));
    rgb.set(this.#memory().subarray(at + 128, at + 512));
    this.#call("free", at);
  }

  /** ALE's ids of the minimal action set. */
  minimalActions(console) {
    const count = this.#checked("deepspi_ale_minimal_actions", console, this.#words);
    return Int32Array.from({ length: count }, (_, i) => this.#word(i));
  }
}

/** ALE, compiled once; each machine is an instance of it. */
class Ale {
  #module;

  constructor(module) {
    this.#module = module;
  }

  machine() {
    return new Machine(this.#module);
  }
}

/** Compiles ALE from the bytes of ale.wasm, or from the file beside this script. */
export async function load(bytes) {
  if (bytes) return new Ale(await WebAssembly.compile(bytes));
  const response = await fetch(new URL("./ale.wasm", import.meta.url));
  if (!response.ok) throw new Error(`ale.wasm could not be loaded (${response.status} ${response.statusText})`);
  return new Ale(await WebAssembly.compile(await response.arrayBuffer()));
}
