// Cartridges that a visitor brings: found by their content, kept only if the visitor says so, never sent anywhere; and
// what is wrong with other files is one sentence.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, readdir, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { nativeTrace, romFolder } from "./emulator.mjs";
import { outFile, ready, says, site, waitForIteration, withPage } from "./support.mjs";

const run = promisify(execFile);
const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const root = path.join(path.dirname(fileURLToPath(import.meta.url)), "../..");
const table = await readFile(path.join(root, "core/worlds/src/atari/games.rs"), "utf8");
const sums = new Set(table.match(/"[0-9a-f]{32}"/g).map((quoted) => quoted.slice(1, -1)));
const withEmulator = existsSync(path.join(site, "emulator/about.json"));

let folder, wheel, breakout, pong;
before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "deepspi-roms-"));
  // The native program downloads them if they are not there.
  if (!romFolder()) await nativeTrace("Breakout", 1, 1);
  const roms = romFolder();
  [breakout, pong] = await Promise.all(["breakout", "pong"].map((stem) => readFile(path.join(roms, `${stem}.bin`))));
  const file = path.join(folder, "ale_py-0.0.0-py3-none-any.whl");
  const pack = "import sys,zipfile,pathlib\nz=zipfile.ZipFile(sys.argv[1],'w',zipfile.ZIP_DEFLATED)\n" +
    "[z.write(f,'ale_py/roms/'+f.name) for f in pathlib.Path(sys.argv[2]).iterdir()]\n" +
    "z.writestr('ale_py/_ale_py.so', bytes(4 << 20))\nz.close()";
  await run("python3", ["-c", pack, file, roms]);
  wheel = await readFile(file);
});
after(() => rm(folder, { recursive: true }));

const box = "#cartridge-files";
const named = (name, buffer) => ({ name, mimeType: "application/octet-stream", buffer });
const remarks = (page) => page.locator(".cartridge-remarks .notice").allTextContents();
const games = (page) => page.locator(".cartridge-list [data-game]").evaluateAll((all) => all.map((b) => b.dataset.game));
const pressed = (page, game) => page.waitForSelector(`[data-game=${game}][aria-pressed=true]`);
const listed = (page, count) =>
  page.waitForFunction((count) => document.querySelectorAll(".cartridge-list [data-game]").length === count, count);
/** Waits until nothing is being read or stored. */
const idle = (page) =>
  page.waitForFunction(() => {
    const remarks = document.querySelector(".cartridge-remarks");
    return remarks !== null && !remarks.textContent.includes("Reading");
  });
const remark = (page, pattern) => says(page, ".cartridge-remarks", pattern);

/** Answers as `./run web` does with ROMs on this machine: Pong, two damaged ones, and one of no known game. */
async function offerFromMachine(page) {
  const announce = async (route) => {
    const response = await route.fetch();
    const element = '<meta name="deepspi-roms" content="roms/"></head>';
    await route.fulfill({ response, body: (await response.text()).replace("</head>", element) });
  };
  await page.route(/\/a\/folder\/(#.*)?$/, announce);
  await page.route("**/roms/index.json", (route) => route.fulfill({ json: ["pong", "air_raid", "breakout", "alien"] }));
  await page.route("**/roms/pong.bin", (route) => route.fulfill({ body: pong }));
  await page.route("**/roms/breakout.bin", (route) => route.fulfill({ body: Buffer.alloc(4096) }));
  await page.route("**/roms/alien.bin", (route) => route.fulfill({ status: 200, body: "" }));
}

/** Opens the room. On a site without the emulator the list of cartridges is shown, too, but nothing plays. */
const withRoom = (options, body) =>
  withPage(
    {
      hash: "device=cpu&room=atari",
      ...options,
      before: async (page, context) => {
        if (!withEmulator)
          await page.route("**/emulator/about.json", (route) => route.fulfill({ json: { available: true } }));
        await options.before?.(page, context);
      },
    },
    async (page, opened) => {
      await page.waitForSelector(".cartridge-list");
      await idle(page);
      await body(page, opened);
      // A page that is loaded again stops what it was loading.
      const complaints = opened.complaints.filter((text) => !text.endsWith("net::ERR_ABORTED"));
      if (withEmulator) assert.deepEqual(complaints, []);
    },
  );

test("a ROM plays at once, whatever its name, and nothing is sent", () =>
  withRoom({}, async (page, { address }) => {
    const sent = [];
    page.on("request", (request) => {
      if (request.method() !== "GET" || request.postData() !== null) sent.push(request.url());
      if (!/^(blob|data):/.test(request.url())) assert.ok(request.url().startsWith(address), request.url());
    });
    assert.deepEqual(await games(page), ["maze_cartridge"], "the free cartridge is always there");
    await page.setInputFiles(box, named("holiday.jpg", breakout));
    await pressed(page, "breakout");
    assert.deepEqual(await games(page), ["maze_cartridge", "breakout"]);
    assert.deepEqual(await remarks(page), ["Breakout is here now."]);
    await page.click("[data-game=maze_cartridge]");
    await pressed(page, "maze_cartridge");
    // Once more, and the same file again.
    for (const expected of ["Pong is here now.", "pong.a26 is Pong, which was here already."]) {
      await page.setInputFiles(box, named("pong.a26", pong));
      await remark(page, new RegExp(expected));
    }
    assert.deepEqual(sent, []);
  }));

test("the ale-py wheel brings all 57 games and starts none", () =>
  withRoom({ width: 360 }, async (page) => {
    await page.setInputFiles(box, named("ale_py-0.11.2.whl", wheel));
    await listed(page, 58);
    await remark(page, /57 games are here now: Alien, Amidar, Assault and 54 more\./);
    assert.equal(await page.locator("[data-game][aria-pressed=true]").getAttribute("data-game"), "maze_cartridge");
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 360, "nothing is wider than the page");
  }));

test("a ROM plays wherever it is dropped, other files beside the box are no cartridges", () =>
  withRoom({}, async (page) => {
    const notices = () => page.locator(".notices").textContent();
    const drop = async (selector, name, bytes) => {
      const data = await page.evaluateHandle(
        ([name, bytes]) => {
          const data = new DataTransfer();
          data.items.add(new File([Uint8Array.from(bytes)], name));
          return data;
        },
        [name, [...bytes]],
      );
      await page.dispatchEvent(selector, "dragover", { dataTransfer: data });
      await page.dispatchEvent(selector, "drop", { dataTransfer: data });
    };
    await drop(".drop-box p", "pong.bin", pong);
    await pressed(page, "pong");
    assert.equal((await notices()).trim(), "");
    assert.equal(await page.locator(".drop-box.over").count(), 0);
    await drop("footer", "holiday.jpg", breakout);
    await pressed(page, "breakout");
    assert.equal((await notices()).trim(), "");
    await drop("footer", "photo.jpg", Buffer.alloc(5000, 1));
    await says(page, ".notices", /not a zip file/);
    assert.deepEqual(await remarks(page), ["Breakout is here now."]);
    // In another room: the room of the games opens.
    await page.click("#tab-maze");
    await page.waitForSelector(".maze-boards");
    await drop(".maze-boards", "Pong (1977) (Atari).a26", Buffer.from(pong).fill(7, 0, 99));
    await says(page, ".notices", /looks like Pong/);
    await page.waitForSelector(".cartridge-list");
    assert.match((await remarks(page))[0], /looks like Pong/);
    await page.click("#tab-maze");
    await drop("footer", "x.zip", wheel);
    await listed(page, 58);
    await page.click("#tab-maze");
    await drop("footer", "pong.bin", pong);
    await pressed(page, "pong");
  }));

/** A link that trains on a game, with networks that are quickly made. */
const trainsPong = "device=cpu&room=atari&env=Pong&game.network=small&a.num_envs=8&b.num_envs=8";
/** Waits until the trainer and both screens have the game. */
const allHavePong = async (page) => {
  await ready(page);
  await pressed(page, "pong");
  for (const nth of [0, 1]) await says(page, ".console", /step [1-9]/, { nth, timeout: 60_000 });
};
const skip = withEmulator ? false : "the site has no emulator";

test("a link that trains on a game waits for its cartridge, brought or kept", { timeout: 240_000, skip }, () =>
  withRoom({ hash: trainsPong }, async (page, { context }) => {
    await says(page, ".notices", /cartridge of Pong is not here/);
    assert.match(await page.textContent("#device"), /Waiting for the cartridge of Pong/);
    assert.ok(await page.isDisabled("#start"));
    await page.setInputFiles(box, named("pong.bin", pong));
    await allHavePong(page);
    assert.equal((await page.textContent(".notices")).trim(), "", "what was missing is there");
    await page.check("#keep-cartridges");
    await idle(page);
    const other = await context.newPage();
    await other.goto(page.url());
    await page.close();
    await allHavePong(other);
    assert.equal((await other.textContent(".notices")).trim(), "");
    await other.click("#step");
    await waitForIteration(other, 1, { timeout: 120_000 });
  }));

test("a link that trains on a game of this machine loads its cartridge", { timeout: 240_000, skip }, () =>
  withRoom({ hash: trainsPong, before: (page) => offerFromMachine(page) }, async (page) => {
    await allHavePong(page);
    assert.equal((await page.textContent(".notices")).trim(), "");
  }));

/** A zip file whose only entry says to have 4 KiB and has 16 MiB (a number that is not elsewhere in the file). */
async function bomb() {
  const file = path.join(folder, "bomb.zip");
  const pack = "import sys,zipfile\nz=zipfile.ZipFile(sys.argv[1],'w',zipfile.ZIP_DEFLATED)\n" +
    "z.writestr('pong.bin', bytes(0x01020304))\nz.close()\nd=open(sys.argv[1],'rb').read()\n" +
    "open(sys.argv[1],'wb').write(d.replace((0x01020304).to_bytes(4,'little'),(4096).to_bytes(4,'little')))";
  await run("python3", ["-c", pack, file]);
  return readFile(file);
}

test("every wrong file gets one sentence, and everything else goes on", () =>
  withRoom({}, async (page) => {
    const other = Buffer.from(pong).fill(7, 0, 99);
    const md5 = createHash("md5").update(other).digest("hex");
    const wanted = createHash("md5").update(pong).digest("hex");
    for (const [name, buffer, ...parts] of [
      ["empty.bin", Buffer.alloc(0), "empty.bin is empty", "again"],
      ["photo.jpg", Buffer.alloc(5000, 1), "photo.jpg", "5000 bytes", "not a cartridge", "ale-py"],
      ["Pong (1977) (Atari).a26", other, "looks like Pong", md5, wanted, "pong.bin", "ale-py"],
      ["Adventure.bin", other, "Adventure.bin", md5, "57 games"],
      ["half.whl", wheel.subarray(0, wheel.length >> 1), "half.whl", "cut off", "download"],
      ["bomb.zip", await bomb(), "bomb.zip", "pong.bin in it", "larger than"],
      ["pong.7z", Buffer.from([0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c, 0, 0]), "7z", "unpack it"],
      ["model.safetensors", Buffer.alloc(4096, 1), "checkpoint of an agent", "outside this box"],
    ]) {
      await page.setInputFiles(box, named(name, buffer));
      await remark(page, new RegExp(parts[0].replace(/[.()]/g, "\\$&")));
      await idle(page);
      const [text, ...more] = await remarks(page);
      assert.deepEqual(more, [], name);
      for (const part of parts) assert.ok(text.includes(part), `"${text}" does not say ${part}`);
      assert.match(text, /^[^\n]+\.$/, name);
    }
    assert.deepEqual(await games(page), ["maze_cartridge"]);
    await page.evaluate(axe);
    const { violations } = await page.evaluate(() => globalThis.axe.run(".cartridges"));
    assert.deepEqual(violations.map(({ id, help }) => `${id}: ${help}`), []);
    // Several at once: each has its sentence, and what is right in them is here.
    await page.setInputFiles(box, [named("photo.jpg", other.subarray(0, 99)), named("pong.bin", pong)]);
    await pressed(page, "pong");
    assert.equal((await remarks(page)).length, 2);
  }));

test("cartridges are kept only if the visitor says so, and forgotten for good", { timeout: 180_000 }, () =>
  withRoom({}, async (page) => {
    const reload = async () => {
      await page.reload();
      await page.waitForSelector(".cartridge-list");
      await idle(page);
    };
    const databases = () => page.evaluate(async () => (await indexedDB.databases()).map(({ name }) => name));
    await page.setInputFiles(box, named("pong.bin", pong));
    await pressed(page, "pong");
    await reload();
    assert.deepEqual(await games(page), ["maze_cartridge"], "not kept");
    assert.deepEqual(await databases(), [], "not even a database");
    assert.ok(await page.locator("#forget-cartridges").isDisabled());

    // With the keyboard: first what is here already, then what comes later.
    await page.setInputFiles(box, named("pong.bin", pong));
    await pressed(page, "pong");
    await page.focus("#keep-cartridges");
    await page.keyboard.press("Space");
    await idle(page);
    await page.setInputFiles(box, named("breakout.bin", breakout));
    await pressed(page, "breakout");
    await idle(page);
    await reload();
    await listed(page, 3);
    assert.ok(await page.isChecked("#keep-cartridges"));
    await page.click("[data-game=pong]");
    await pressed(page, "pong");

    await page.focus("#forget-cartridges");
    await page.keyboard.press("Enter");
    await remark(page, /Your cartridges are forgotten\./);
    assert.deepEqual(await games(page), ["maze_cartridge"]);
    assert.deepEqual(await databases(), []);
    assert.ok(!(await page.isChecked("#keep-cartridges")));

    // Without the mark, they are here until the page is closed.
    await page.setInputFiles(box, named("pong.bin", pong));
    await page.check("#keep-cartridges");
    await idle(page);
    await page.uncheck("#keep-cartridges");
    await idle(page);
    await listed(page, 2);
    assert.deepEqual(await databases(), []);
    await reload();
    assert.deepEqual(await games(page), ["maze_cartridge"]);
  }));

for (const [what, script, reason] of [
  ["full", () => (IDBObjectStore.prototype.put = () => {
    throw new DOMException("full", "QuotaExceededError");
  }), /storage is full/],
  ["missing", () => Object.defineProperty(globalThis, "indexedDB", { value: undefined }), /no IndexedDB/],
  ["refused", () => (IDBFactory.prototype.open = () => {
    throw new DOMException("no", "SecurityError");
  }), /does not allow it \(SecurityError\)/],
])
  test(`a storage that is ${what} is said, and the cartridges play on`, () =>
    withRoom({ before: (page) => page.addInitScript(script) }, async (page) => {
      await page.setInputFiles(box, named("pong.bin", pong));
      await pressed(page, "pong");
      await page.check("#keep-cartridges");
      await remark(page, reason);
      await remark(page, /until this page is closed/);
      await page.setInputFiles(box, named("breakout.bin", breakout));
      await pressed(page, "breakout");
      assert.deepEqual(await games(page), ["maze_cartridge", "breakout", "pong"]);
    }));

test("what the server on this machine offers is loaded when it is chosen, and checked", () =>
  withRoom({ before: (page) => offerFromMachine(page) }, async (page) => {
    await listed(page, 4);
    assert.deepEqual(await games(page), ["maze_cartridge", "alien", "breakout", "pong"]);
    assert.match(await page.locator("#cartridges-here").textContent(), /on this machine/);
    await page.click("[data-game=pong]");
    await pressed(page, "pong");
    for (const game of ["breakout", "alien"]) {
      await page.click(`[data-game=${game}]`);
      await remark(page, /could not be loaded from this machine .*MD5/);
    }
    assert.equal(await page.locator("[aria-pressed=true][data-game]").getAttribute("data-game"), "pong");
  }));

test("the box is usable with the keyboard, in both themes and on a narrow page", async () => {
  for (const dark of [false, true])
    await withRoom({ dark, width: 360 }, async (page) => {
      await page.setInputFiles(box, named("x.whl", wheel));
      await listed(page, 58);
      await page.focus("[data-game=zaxxon]");
      const reached = [];
      for (let i = 0; i < 3; i++) {
        await page.keyboard.press("Tab");
        reached.push(await page.evaluate(() => document.activeElement.id));
      }
      assert.deepEqual(reached, ["cartridge-files", "keep-cartridges", "forget-cartridges"]);
      await page.evaluate(axe);
      const { violations } = await page.evaluate(() => globalThis.axe.run(".cartridges"));
      assert.deepEqual(violations.map(({ id, help }) => `${id}: ${help}`), []);
      await page.locator(".cartridges").screenshot({ path: await outFile(`cartridges-${dark ? "dark" : "light"}.png`) });
    });
});

test("the site contains no ROM of the table", async () => {
  const files = await readdir(site, { recursive: true, withFileTypes: true });
  for (const file of files.filter((entry) => entry.isFile())) {
    const bytes = await readFile(path.join(file.parentPath, file.name));
    assert.ok(!sums.has(createHash("md5").update(bytes).digest("hex")), file.name);
    assert.ok(!/\.(bin|a26|rom|whl)$/i.test(file.name), file.name);
    assert.equal(bytes.indexOf(pong), -1, `${file.name} has Pong in it`);
  }
});
