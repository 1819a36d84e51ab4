// Starts the trainer, or a player, in its web worker. The constructors of the program's libraries must run before it trains, and
// only once. web/trainer/build.rs explains why they are called here.
import init, { start_player, start_trainer } from "./worker.js";

const program = await init();
program.__wasm_call_ctors();
// The page names the worker (web/playground/src/play.rs).
if (self.name === "player") start_player();
else start_trainer();
