// Starts the trainer in its web worker. The constructors of the program's libraries must have run before it trains, and
// run once: web/trainer/build.rs says why that is not left to the linker.
import init, { start_trainer } from "./worker.js";

const program = await init();
program.__wasm_call_ctors();
start_trainer();
