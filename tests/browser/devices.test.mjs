// Which device trains, and what happens when it is not there or goes away.

import assert from "node:assert/strict";
import { test } from "node:test";
import { ready, waitForIteration, withPage } from "./support.mjs";

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
    const worker = page.workers()[0] ?? (await page.waitForEvent("worker"));
    await worker.evaluate(() => {
      const never = { requestAdapter: () => new Promise(() => {}) };
      Object.defineProperty(navigator, "gpu", { get: () => never });
    });
    await ready(page);
    assert.match(await page.textContent("#device"), /CPU/);
  }));

test("a device destroyed in mid-run is survived", { timeout: 400_000 }, () =>
  withPage({ webgpu: true, hash: "device=webgpu&pace=2" }, async (page) => {
    const worker = page.workers()[0] ?? (await page.waitForEvent("worker"));
    // Holds on to the device when it is made, as nothing in the page does.
    await worker.evaluate(() => {
      const request = GPUAdapter.prototype.requestDevice;
      GPUAdapter.prototype.requestDevice = async function (...options) {
        const device = await request.apply(this, options);
        self.deviceOfTheTest = device;
        return device;
      };
    });
    await ready(page, 300_000);
    assert.match(await page.textContent("#device"), /WebGPU/);
    await page.click("#step");
    await waitForIteration(page, 1, { timeout: 200_000 });
    await page.click("#start");
    await worker.evaluate(() => self.deviceOfTheTest.destroy());
    await page.waitForFunction(() => /WebGPU failed/.test(document.querySelector(".notices").textContent), null, {
      timeout: 120_000,
    });
    await page.waitForFunction(() => /CPU/.test(document.querySelector("#device").textContent));
    await waitForIteration(page, 3, { more: true, timeout: 60_000 });
    assert.equal(await page.locator("#restart-trainer").count(), 0, "nothing had to be restarted");
  }));
