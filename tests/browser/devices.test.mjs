// The choice of the device, and what happens when it is missing or lost.

import assert from "node:assert/strict";
import { test } from "node:test";
import { outFile, ready, says, trainerOf, waitForIteration, withPage } from "./support.mjs";

test("without WebGPU the page trains on the CPU and says why", () =>
  withPage({ hash: "device=webgpu" }, async (page, { complaints }) => {
    await ready(page);
    assert.match(await page.textContent("#device"), /CPU/);
    assert.match(await page.textContent("#device"), /WebGPU/i, "the reason names what is missing");
    await page.click("#step");
    await waitForIteration(page, 1);
    assert.deepEqual(complaints, []);
  }));

test("a software adapter is not taken without being asked", () =>
  withPage({ webgpu: true }, async (page) => {
    await ready(page);
    assert.match(await page.textContent("#device"), /CPU/);
    assert.match(await page.textContent("#device"), /program/);
  }));

test("an adapter that never answers does not keep the page waiting", { timeout: 120_000 }, () =>
  withPage({ hash: "device=webgpu" }, async (page) => {
    const worker = await trainerOf(page);
    await worker.evaluate(() => {
      const never = { requestAdapter: () => new Promise(() => {}) };
      Object.defineProperty(navigator, "gpu", { get: () => never });
    });
    await ready(page);
    assert.match(await page.textContent("#device"), /CPU.*in time/);
  }));

/** The number of colours in a PNG. */
const coloursOf = (page, picture) =>
  page.evaluate(async (bytes) => {
    const bitmap = await createImageBitmap(new Blob([Uint8Array.from(bytes)], { type: "image/png" }));
    const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
    const context = canvas.getContext("2d");
    context.drawImage(bitmap, 0, 0);
    const { data } = context.getImageData(0, 0, bitmap.width, bitmap.height);
    const seen = new Set();
    for (let i = 0; i < data.length; i += 4) seen.add((data[i] << 16) | (data[i + 1] << 8) | data[i + 2]);
    return seen.size;
  }, [...picture]);

// One test for both, because a start on SwiftShader takes half a minute.
test("the worker draws the latents on the device that trains, and survives its end in mid-run", { timeout: 400_000 }, () =>
  withPage({ webgpu: true, hash: "device=webgpu&pace=2&room=latents" }, async (page, { complaints }) => {
    const worker = await trainerOf(page);
    // Keeps a reference to the device when it is created, because the test cannot get it from the page.
    await worker.evaluate(() => {
      const request = GPUAdapter.prototype.requestDevice;
      GPUAdapter.prototype.requestDevice = async function (...options) {
        const device = await request.apply(this, options);
        self.deviceOfTheTest = device;
        return device;
      };
    });
    await ready(page, 300_000);
    assert.match(await page.textContent("#device"), /Device: WebGPU on/);
    await page.click("#step");
    await waitForIteration(page, 1, { timeout: 200_000 });

    await page.waitForFunction(() => document.querySelectorAll(".latents-given.seen canvas").length === 2, null, {
      timeout: 60_000,
    });
    // The screenshot is taken without the layer of names. It shows the line between the stars, the points and the
    // grid.
    const plate = page.locator(".latents-given.seen").first();
    await page.evaluate(() => {
      for (const layer of document.querySelectorAll(".latents-overlay, .chart-menu, .latents-plate > .latents-canvas"))
        layer.style.visibility = "hidden";
    });
    // The worker reports that it has drawn shortly before the picture is on the screen.
    let colours = 0;
    for (let look = 0; look < 20 && colours <= 20; look++) {
      if (look > 0) await page.waitForTimeout(500);
      colours = await coloursOf(page, await plate.screenshot({ path: await outFile("latents-webgpu.png") }));
    }
    assert.ok(colours > 20, `${colours} colours: nothing was drawn`);
    assert.match(await page.textContent("#device"), /Device: WebGPU on/, "drawing did not cost the device");
    assert.deepEqual(complaints, []);

    await page.click("#start");
    await worker.evaluate(() => self.deviceOfTheTest.destroy());
    await says(page, ".notices", /WebGPU failed/, { timeout: 120_000 });
    await says(page, "#device", /CPU/);
    await waitForIteration(page, 3, { more: true, timeout: 60_000 });
    assert.equal(await page.locator("#restart-trainer").count(), 0, "nothing had to be restarted");
  }));
