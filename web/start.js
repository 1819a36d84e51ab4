// Starts the page. This is a file of its own, because the page's Content-Security-Policy forbids inline scripts.
// Its tag has the names of the files to load.
const { program, code } = document.getElementById("start-script").dataset;
const status = document.getElementById("static-status");
try {
  const { default: init } = await import(new URL(program, document.baseURI));
  await init({ module_or_path: new URL(code, document.baseURI) });
} catch (error) {
  console.error(error);
  if (status) {
    status.textContent =
      "The playground could not start: " + error.message + ". Reload the page; a browser of 2023 or later is needed.";
  }
}
