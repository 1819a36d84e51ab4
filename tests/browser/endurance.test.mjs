// The short form of the page's endurance programs; `./check endurance` runs the long one.
import "../endurance/page.mjs";
