// Failures outside the page and accidental actions of users: nothing may be lost, and the page says once what
// happened.

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  background,
  download,
  endless,
  iterationOf,
  ready,
  says,
  train,
  trainerOf,
  unfold,
  waitForIteration,
  withPage,
} from "./support.mjs";

/** Settings of a run that does not fit into the memory of a page. */
const tooLarge =
  "device=cpu&maze.preset=paper&b.num_envs=16384&b.num_steps=512&b.total_timesteps=1000000000" +
  "&a.num_envs=16384&a.num_steps=512&a.total_timesteps=1000000000";

/** Waits for the end of a trainer with such settings: the request is refused, or it fails in the first step. */
async function trainerEnds(page, timeout) {
  await page.waitForFunction(
    () => document.querySelector("#restart-trainer") || document.querySelector("#start")?.disabled === false,
    null,
    { timeout },
  );
  if ((await page.locator("#restart-trainer").count()) === 0) await page.click("#step");
  await page.waitForSelector("#restart-trainer", { timeout: 60_000 });
}

const notice = (page, pattern) => says(page, ".notices", pattern);

test("a shader that the browser refuses leads to the CPU", { timeout: 300_000 }, () =>
  withPage({ webgpu: true, hash: "device=webgpu" }, async (page) => {
    const worker = await trainerOf(page);
    await worker.evaluate(() => {
      const create = GPUDevice.prototype.createShaderModule;
      GPUDevice.prototype.createShaderModule = function (descriptor) {
        return create.call(this, { ...descriptor, code: `${descriptor.code}\nthis is no WGSL` });
      };
    });
    await ready(page, 280_000);
    assert.match(await page.textContent("#device"), /CPU.*(self-test|wrong|refused|shader)/i);
    await page.click("#step");
    await waitForIteration(page, 1);
  }));

test("WebGPU that computes wrong results is noticed by the self-test", { timeout: 300_000 }, () =>
  withPage({ webgpu: true, hash: "device=webgpu" }, async (page) => {
    const worker = await trainerOf(page);
    await worker.evaluate(() => {
      const create = GPUDevice.prototype.createShaderModule;
      // Sums of products get a wrong sign; the shaders stay valid.
      GPUDevice.prototype.createShaderModule = function (descriptor) {
        const code = descriptor.code?.replace(/fma\((\w+), (\w+), (\w+)\)/g, "($1 * $2 - $3)");
        return create.call(this, { ...descriptor, code });
      };
    });
    await ready(page, 280_000);
    assert.match(await page.textContent("#device"), /CPU/);
    assert.match(await page.textContent("#device"), /wrong|differ|self-test|failed/i);
  }));

test("more memory than there is: the page stays usable and offers a restart", { timeout: 120_000 }, () =>
  withPage({ hash: "device=cpu" }, async (page) => {
    await ready(page);
    await train(page, 1);
    page.on("dialog", (dialog) => dialog.accept());
    await page.evaluate((hash) => void (location.hash = hash), tooLarge);
    await page.waitForTimeout(500);
    await page.click("#reset");
    await trainerEnds(page, 60_000);
    await page.click("#tab-neighbourhood");
    await page.waitForSelector("#nb-c");
  }));

test("a trainer that cannot be loaded is told with a remedy, and can be started again", () => {
  const before = (page, context) => context.route(/\/trainer[^/]*\.js$/, (route) => route.abort());
  return withPage({ hash: "device=cpu", before }, async (page, { context }) => {
    await page.waitForSelector("#restart-trainer", { timeout: 60_000 });
    await says(page, ".notices", /could not be loaded.*save your agents, then reload the page/);
    await context.unroute(/\/trainer[^/]*\.js$/);
    await page.click("#restart-trainer");
    await ready(page);
    await train(page, 1);
  });
});

test("settings that end the trainer can be changed before it is started again", { timeout: 180_000 }, () =>
  withPage({ hash: tooLarge }, async (page) => {
    await trainerEnds(page, 120_000);
    await page.evaluate(() => void (location.hash = "device=cpu"));
    await page.waitForTimeout(500);
    await page.click("#restart-trainer");
    await ready(page);
    await train(page, 1);
  }));

test("a page in the background goes on training", () =>
  withPage(
    { hash: `device=cpu&${endless}`, before: (page) => page.addInitScript(background) },
    async (page) => {
      await ready(page);
      await page.click("#start");
      await waitForIteration(page, 2, { more: true });
      await page.evaluate(() => toBackground());
      const before = await iterationOf(page);
      // `waitForIteration` cannot be used, because it needs animation frames.
      for (let look = 0; look < 60 && (await iterationOf(page)) <= before + 1; look++)
        await new Promise((resume) => setTimeout(resume, 500));
      assert.ok((await iterationOf(page)) > before + 1, "it stood still");
    },
  ));

test("closing the page with an unsaved run is asked about, and not otherwise", () =>
  withPage({ hash: "device=cpu" }, async (page, { context }) => {
    await ready(page);
    await page.click("#step");
    await waitForIteration(page, 1);
    const [dialog] = await Promise.all([page.waitForEvent("dialog"), page.close({ runBeforeUnload: true })]);
    assert.equal(dialog.type(), "beforeunload");
    await dialog.dismiss();
    await unfold(page);
    for (const agent of [0, 1]) await download(page, () => page.click(`#save-${agent}`));
    const closed = page.waitForEvent("close");
    await page.close({ runBeforeUnload: true });
    await closed;
    await context.newPage();
  }));

test("a checkpoint that is dropped on the page is loaded where the user says", () =>
  withPage({ hash: "device=cpu" }, async (page) => {
    await ready(page);
    await train(page, 2);
    await unfold(page);
    const saved = await download(page, () => page.click("#save-0"));
    page.on("dialog", (dialog) => dialog.accept());
    await page.click("#reset");
    await waitForIteration(page, 0, { agent: 0 });
    await page.evaluate(
      ([name, bytes]) => {
        const data = new DataTransfer();
        data.items.add(new File([Uint8Array.from(bytes)], name));
        document.body.dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }));
      },
      [saved.name, [...saved.bytes]],
    );
    await page.getByRole("button", { name: "Agent A" }).click();
    await waitForIteration(page, 2, { agent: 0 });
  }));

test("a link is there to copy where the page may not use the clipboard", () =>
  withPage(
    {
      hash: "device=cpu&seed=4",
      before: (page) =>
        page.addInitScript(() => Object.defineProperty(navigator, "clipboard", { get: () => undefined })),
    },
    async (page, { address }) => {
      await ready(page);
      await unfold(page);
      await page.getByRole("button", { name: /copy.*link/i }).first().click();
      const box = page.locator(".by-hand textarea");
      await box.waitFor();
      assert.equal(await box.inputValue(), `${address}#seed=4&device=cpu`);
    },
  ));
