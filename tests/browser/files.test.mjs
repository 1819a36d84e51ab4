// Exports and checkpoints: exported files parse, and page and native program read each other's checkpoints.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { after, before, test } from "node:test";
import {
  download,
  exported,
  iterationOf,
  native,
  outFile,
  ready,
  says,
  train,
  unfold,
  waitForIteration,
  withPage,
} from "./support.mjs";

const run = promisify(execFile);
let folder;
before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "deepspi-files-"));
});
after(() => rm(folder, { recursive: true }));

const short = "device=cpu&a.total_timesteps=2048&b.total_timesteps=2048";

test("CSV and JSON hold every iteration, the seed and the configuration", () =>
  withPage({ hash: `${short}&seed=7` }, async (page) => {
    await ready(page);
    await train(page, 2);
    const json = await exported(page);
    assert.equal(json.agents.length, 2);
    assert.equal(json.agents[0].config.seed, 7);
    const csv = (await download(page, () => page.click("#csv"))).bytes.toString("utf8");
    const [header, ...rows] = csv.trim().split("\n");
    const columns = header.split(",");
    // Each agent has a row before its first iteration and two rows for its iterations.
    assert.equal(rows.length, 6);
    for (const row of rows) assert.equal(row.match(/("[^"]*"|[^,]*)(,|$)/g).length - 1, columns.length, row);
    assert.ok(columns.includes("start_value") && columns.includes("seed"), header);
  }));

test("a chart is saved as SVG, PNG and CSV, with its legend", () =>
  withPage({ hash: `${short}&room=maze` }, async (page) => {
    await ready(page);
    await train(page, 2);
    const menu = page.locator(".chart-menu", { has: page.getByLabel("Save: Value at the start") });
    const save = async (format) => {
      await menu.locator("summary").click();
      return (await download(page, () => menu.getByRole("button", { name: format }).click())).bytes;
    };
    const svg = (await save("SVG")).toString("utf8");
    const parsed = await page.evaluate((text) => {
      const picture = new DOMParser().parseFromString(text, "image/svg+xml");
      return { errors: picture.querySelectorAll("parsererror").length, text: picture.documentElement.textContent };
    }, svg);
    assert.equal(parsed.errors, 0);
    assert.ok(!svg.includes("var(--"), "colours are resolved");
    assert.match(parsed.text, /PPO/);
    assert.match(parsed.text, /DeepSPI/);
    const png = await save("PNG");
    assert.equal(png.subarray(1, 4).toString("latin1"), "PNG");
    assert.ok(png.length > 5000, "the picture is not empty");
    assert.ok((await save("CSV")).toString("utf8").trim().split("\n").length > 2);
  }));

test("the picture of the latents is saved as SVG, PNG and CSV", () =>
  withPage({ hash: `${short}&room=latents` }, async (page) => {
    await ready(page);
    await train(page, 1);
    const menu = page.locator(".chart-menu").first();
    const save = async (format) => {
      await menu.locator("summary").click();
      return (await download(page, () => menu.getByRole("button", { name: format }).click())).bytes;
    };
    const svg = (await save("SVG")).toString("utf8");
    const found = await page.evaluate((text) => {
      const picture = new DOMParser().parseFromString(text, "image/svg+xml");
      const count = (what) => picture.querySelectorAll(what).length;
      return { errors: count("parsererror"), points: count("circle"), text: picture.documentElement.textContent };
    }, svg);
    assert.equal(found.errors, 0);
    assert.match(found.text, /Latents of PPO/);
    assert.match(found.text, /% of the variance/);
    assert.match(found.text, /seed 1/);
    const png = await save("PNG");
    assert.equal(png.subarray(1, 4).toString("latin1"), "PNG");
    assert.ok(png.length > 20000, "the picture is not empty");
    await writeFile(await outFile("latents-saved.png"), png);
    const rows = (await save("CSV")).toString("utf8").trim().split("\n").slice(1);
    // Every state has a row. All states but the stars and the start are discs, and the legend has one more disc.
    assert.equal(found.points, rows.length - 3 + 1);
  }));

test("a checkpoint of the page is continued natively", { timeout: 120_000 }, () =>
  withPage({ hash: short }, async (page) => {
    await ready(page);
    await train(page, 2);
    await unfold(page);
    const saved = await download(page, () => page.click("#save-1"));
    assert.match(saved.name, /^maze__deep-spi__1__\d+\.zip$/);
    const unpacked = path.join(folder, "from-page");
    await run("python3", ["-m", "zipfile", "-e", saved.path, unpacked]);
    const [name] = await readdir(unpacked);
    await run(native, ["--resume", path.join(unpacked, name), "--device", "cpu"]);
    const metrics = await readFile(path.join(unpacked, name, "metrics.jsonl"), "utf8");
    const trained = metrics.trim().split("\n").map(JSON.parse).filter((line) => line.type === "iteration");
    assert.deepEqual(trained.map((line) => line.iteration), [2, 3], "it goes on after the second iteration");
  }));

test("the page exports an agent as `native export` does", { timeout: 120_000 }, () =>
  withPage({ hash: short }, async (page) => {
    await ready(page);
    await train(page, 2);
    await unfold(page);
    const unpack = async ({ path: archive }, to) => {
      await run("python3", ["-m", "zipfile", "-e", archive, path.join(folder, to)]);
      const [name] = await readdir(path.join(folder, to));
      return path.join(folder, to, name);
    };
    const exported = await download(page, () => page.click("#export-1"));
    assert.match(exported.name, /^maze__deep-spi__1__\d+__1024\.zip$/);
    const [ours, saved] = [
      await unpack(exported, "exported"),
      await unpack(await download(page, () => page.click("#save-1")), "saved"),
    ];
    const expected = path.join(folder, "expected");
    await run(native, ["export", saved, "--out", expected]);
    const files = await readdir(expected);
    assert.deepEqual((await readdir(ours)).sort(), files.sort());
    assert.ok(files.includes("model.onnx") && files.includes("world_model.onnx"), files);
    // Page and program may be built from different revisions while one works on them.
    const revision = async (of) => JSON.parse(await readFile(path.join(of, "config.json"))).exported_by.revision;
    // The longer one first: the shorter one may be a part of it.
    const revisions = [await revision(ours), await revision(expected)].sort((a, b) => b.length - a.length);
    for (const found of revisions) assert.match(found, /^([0-9a-f]{40}(-dirty)?|unknown)$/);
    for (const file of files) {
      const [found, wanted] = await Promise.all(
        [ours, expected].map(async (of) => {
          const text = await readFile(path.join(of, file), "latin1");
          return revisions.reduce((text, revision) => text.replaceAll(revision, "REVISION"), text);
        }),
      );
      // A graph holds the revision with its length.
      if (file.endsWith(".onnx") && revisions[0].length !== revisions[1].length) continue;
      assert.ok(found === wanted, `${file}: ${found.length} and ${wanted.length} bytes`);
    }
  }));

test("a native checkpoint is continued by the page, zipped or as loose files", { timeout: 120_000 }, () =>
  withPage({ hash: "device=cpu&room=maze" }, async (page, { complaints }) => {
    const runs = path.join(folder, "native");
    const options = ["--env", "maze", "--algo", "deep-mdp", "--total-timesteps", "1536", "--seed", "5", "--cue", "0.5"];
    await run(native, [...options, "--n-path", "9", "--device", "cpu", "--runs-dir", runs]);
    const [name] = await readdir(runs);
    const archive = path.join(folder, "native.zip");
    await run("python3", ["-m", "zipfile", "-c", archive, path.join(runs, name)]);
    await ready(page);
    await train(page, 1);
    await unfold(page);
    const questions = [];
    page.on("dialog", (dialog) => {
      questions.push(dialog.message());
      return dialog.accept();
    });
    await page.setInputFiles("#load-0", archive);
    await waitForIteration(page, 3, { agent: 0 });
    await waitForIteration(page, 0, { agent: 1 });
    assert.match(questions[0], /another world.*starts anew/, "the other agent's run is lost, and the page said so");
    const { agents, ...rest } = await exported(page);
    assert.equal(agents[0].config.algo, "deep-mdp");
    assert.equal(agents[0].config.seed, 5);
    assert.match(JSON.stringify(rest), /"cue":0.5/);

    const checkpoints = path.join(runs, name, "checkpoints");
    const steps = (await readdir(checkpoints)).filter((entry) => entry.startsWith("step_"));
    const newest = path.join(checkpoints, steps.sort().at(-1));
    const files = (await readdir(newest)).map((file) => path.join(newest, file));
    await page.setInputFiles("#load-1", files);
    await waitForIteration(page, 3);
    assert.match(questions[1], /goes back to its last automatic checkpoint/);
    assert.deepEqual(complaints, [], "the room was open while the maze became a longer one");
  }));

test("a foreign or damaged checkpoint is refused, and training goes on as it was", { timeout: 60_000 }, () =>
  withPage({ hash: "device=cpu&pace=5" }, async (page) => {
    await ready(page);
    await train(page, 1);
    await unfold(page);
    const saved = await download(page, () => page.click("#save-0"));
    const bytes = Buffer.from(saved.bytes);
    bytes[bytes.length >> 1] ^= 0xff;
    page.on("dialog", (dialog) => dialog.accept());
    const refused = (message) => says(page, ".notices", message);
    for (const [name, buffer, message] of [
      ["damaged.zip", bytes, /damaged/i],
      ["holiday.jpg", Buffer.from("not a checkpoint"), /not a zip/i],
    ]) {
      await page.setInputFiles("#load-0", { name, mimeType: "application/zip", buffer });
      await refused(message);
      assert.equal(await iterationOf(page, 0), 1);
    }

    // This checkpoint is valid but belongs to a game, whose cartridge is not here.
    const unpacked = path.join(folder, "of-a-game");
    await run("python3", ["-m", "zipfile", "-e", saved.path, unpacked]);
    const entries = await readdir(unpacked, { recursive: true, withFileTypes: true });
    const files = await Promise.all(
      entries
        .filter((entry) => entry.isFile())
        .map(async ({ name, parentPath }) => {
          const buffer = await readFile(path.join(parentPath, name));
          const game = buffer.toString("utf8").replace(/^env = .*/m, 'env = "Breakout"').replace(/^\[run\.maze\][^[]*/m, "");
          return { name, mimeType: "", buffer: name === "config.toml" ? Buffer.from(game) : buffer };
        }),
    );
    await page.selectOption("#device-preference", "webgpu");
    await page.click("#start");
    await waitForIteration(page, 2, { more: true });
    await page.setInputFiles("#load-0", files);
    await refused(/cartridge of Breakout is not here/);
    await ready(page);
    await waitForIteration(page, (await iterationOf(page)) + 2, { more: true });
  }));

test("an agent that met NaN is saved as it was before", { timeout: 60_000 }, () =>
  withPage(
    { hash: "device=cpu&a.learning_rate=1e12&a.update_epochs=1&a.num_minibatches=1&b.learning_rate=1e30" },
    async (page) => {
      await ready(page);
      await unfold(page);
      const notice = (pattern) => says(page, ".notices", pattern);
      // After this step the first agent has completed its only iteration with finite values.
      await page.click("#step");
      await notice("deep-spi stopped");
      await page.click("#save-1");
      await notice("stopped before its first checkpoint");
      const before = await download(page, () => page.click("#save-0"));
      await page.click("#step");
      await notice("ppo stopped");
      const after = await download(page, () => page.click("#save-0"));
      await notice("its last checkpoint before that");
      assert.ok(after.bytes.equals(before.bytes), "the last good one");
    },
  ));
