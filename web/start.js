// Starts the page. This is a file of its own, because the page's Content-Security-Policy forbids inline scripts.
// Its tag has the names of the files to load.
const { program, code } = document.getElementById("start-script").dataset;
const status = document.getElementById("static-status");
// A module with one function, which makes a vector: a browser without SIMD refuses it, as it would refuse the page.
const vector = [0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 8, 1, 6, 0, 65, 0, 253, 15, 11];
const simd = typeof WebAssembly === "object" && WebAssembly.validate(Uint8Array.from(vector));
try {
  if (!simd)
    throw new Error("it needs WebAssembly with SIMD, which Chrome and Edge 91, Firefox 89, Safari 16.4 and later have");
  const { default: init } = await import(new URL(program, document.baseURI));
  await init({ module_or_path: new URL(code, document.baseURI) });
} catch (error) {
  console.error(error);
  if (status) {
    const remedy = simd ? "Reload the page; a browser of 2023 or later is needed." : "Use a newer browser.";
    status.textContent = `The playground could not start: ${error.message}. ${remedy}`;
  }
}
