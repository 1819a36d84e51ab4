// Makes the pictures of the documents: `npm run pictures` writes all of docs/playground/*.png, `npm run pictures
// atari-light` one of them. Look at them before they are committed.

import { mkdir } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { ready, waitForIteration, waitForStep, withPage } from "./support.mjs";

const folder = path.join(path.dirname(fileURLToPath(import.meta.url)), "../../docs/playground");
/**
 * Of each picture: settings in the address, iterations of training, theme, whether the screens of a game play, and the
 * heading with which it begins, if that is not the top of the page.
 */
const pictures = {
  "maze-light": { hash: "room=maze", iterations: 30 },
  "latents-dark": { hash: "room=latents", iterations: 30, dark: true },
  "atari-light": { hash: "room=atari&env=MazeCartridge", iterations: 20, screens: true },
  "dream-light": { hash: "room=dream&a.algo=deep-spi&b.algo=dream-spi", iterations: 60, heading: "Looking into the dream" },
};

/** Starts the games of both screens and lets them play for some steps. */
async function play(page) {
  for (const [screen, letter] of ["a", "b"].entries()) {
    await page.click(`#play-${letter}`);
    await waitForStep(page, 61, { screen });
  }
}

async function make(name) {
  const { hash, iterations, dark = false, screens = false, heading } = pictures[name];
  await withPage({ hash: `device=cpu&${hash}`, dark, width: 1280, height: 900 }, async (page) => {
    await ready(page);
    if (screens) await page.waitForSelector("#play-a");
    await page.click("#start");
    await waitForIteration(page, iterations, { more: true, timeout: 240_000 });
    await page.click("#start");
    await page.waitForFunction(() => document.querySelector("#step")?.disabled === false);
    if (screens) await play(page);
    await page.waitForTimeout(1500);
    if (screens) {
      // Only the room: the bar, which stays at the top of the window, then its screens.
      await page.setViewportSize({ width: 1280, height: 1700 });
      const bar = await page.evaluate(() => {
        document.querySelector(".screens").scrollIntoView();
        return document.querySelector("#start").parentElement.getBoundingClientRect().bottom;
      });
      await page.evaluate((bar) => scrollBy(0, -bar - 6), bar);
      await page.waitForTimeout(500);
    }
    const top = heading ? (await page.locator("h2", { hasText: heading }).boundingBox()).y - 12 : 0;
    const clip = screens ? undefined : { x: 0, y: top, width: 1280, height: 1300 };
    await page.screenshot({ path: path.join(folder, `${name}.png`), fullPage: !screens, clip });
    console.log(`docs/playground/${name}.png`);
  });
}

const asked = process.argv.slice(2);
for (const name of asked) if (!pictures[name]) throw new Error(`no picture is called ${name}; there are ${Object.keys(pictures).join(", ")}`);
await mkdir(folder, { recursive: true });
for (const name of asked.length > 0 ? asked : Object.keys(pictures)) await make(name);
