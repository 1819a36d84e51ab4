// Runs the emulator worker in a thread of Node.js, without a browser: `new Worker("emulator-host.mjs", { workerData:
// { script } })`, where `script` is the address of emulator.js. Only what the worker uses of a browser's worker is here.

import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { parentPort, workerData } from "node:worker_threads";

globalThis.self = globalThis;
globalThis.postMessage = (message, transfer) => parentPort.postMessage(message, transfer);
// As in a browser, messages wait until the script listens.
Object.defineProperty(globalThis, "onmessage", {
  set: (listener) => parentPort.on("message", (data) => listener({ data })),
});
// Node.js fetches no files.
globalThis.fetch = async (address) => {
  try {
    const type = String(address).endsWith(".wasm") ? "application/wasm" : "text/plain";
    return new Response(await readFile(fileURLToPath(address)), { headers: { "content-type": type } });
  } catch {
    return new Response("", { status: 404, statusText: "Not Found" });
  }
};
await import(workerData.script);
