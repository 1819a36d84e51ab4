// Starts the emulator worker: loads the rules of Atari (rules.js) and ALE (ale.js), and gives each port that the page
// sends to a client of its own (web/playground/src/emulator.rs describes the messages).

/** Ports that arrived before the programs were loaded. */
const waiting = [];
let connect = (port) => waiting.push(port);
self.onmessage = ({ data }) => {
  if (data?.port) connect(data.port);
};

/** The message `Answer::Failed`, for when the program that would write it could not be loaded. */
function failure(text) {
  const words = new TextEncoder().encode(text).slice(0, 1000);
  // The index of the variant, the length with seven bits in a byte, the text (postcard).
  const bytes = [4, (words.length & 127) | 128, words.length >> 7, ...words];
  return { bytes: Uint8Array.from(bytes) };
}

try {
  const [rules, { load }] = await Promise.all([import("./rules.js"), import("./ale.js")]);
  const [ale] = await Promise.all([load(), rules.default()]);
  rules.start();
  connect = (port) => rules.connect(port, ale);
} catch (error) {
  const text = `The emulator could not start: ${error?.message ?? error}. Reload the page; a browser of 2023 or later is needed.`;
  self.postMessage(failure(text));
  connect = (port) => {
    port.onmessage = () => port.postMessage(failure(text));
    port.postMessage(failure(text));
  };
}
for (const port of waiting.splice(0)) connect(port);
