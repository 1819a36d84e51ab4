//! The page's cartridges: which games are here, and where their bytes come from.
//!
//! Nothing is ever sent anywhere. Cartridges that the visitor brings stay in this page; they are
//! kept in the browser only after the visitor has said so. Whatever fails is said in one sentence,
//! and the cartridges that are here stay.

use deepspi_worlds::atari::Game;
use leptos::prelude::*;
use leptos::task::spawn_local;
use web_sys::File;

use super::{kept, machine};
use crate::page::file_input;
use crate::page::storage::{recall, remember};
use crate::rom_file::{self, Cartridge, LARGEST_FILE, RomFileError};
use crate::shelf::{Shelf, said};

/// Name of the stored choice to keep cartridges.
const KEEP: &str = "keep-cartridges";
const YES: &str = "yes";
const NO: &str = "no";

/// What is said about cartridges, newest last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remark {
    /// One sentence or two.
    pub text: String,
    /// Whether something did not work.
    pub failed: bool,
}

/// The cartridges, as signals. [`Roms::provide`] is called once for the page, so that they outlive
/// the room.
#[derive(Clone, Copy, Debug)]
pub struct Roms {
    /// Which games are here.
    pub shelf: RwSignal<Shelf>,
    /// What became of the last files and of the storage.
    pub remarks: RwSignal<Vec<Remark>>,
    /// Whether the visitor wants to keep cartridges in this browser.
    pub keeps: RwSignal<bool>,
    /// Whether kept and offered cartridges have been looked for.
    pub looked: RwSignal<bool>,
    /// How many files are being read, and changes of the storage being made.
    pub busy: RwSignal<usize>,
}

impl Roms {
    /// Creates the state, puts it into the context, and starts to look for cartridges that were
    /// kept or that the server on this machine offers.
    pub fn provide() -> Self {
        let roms = Self {
            shelf: RwSignal::new(Shelf::default()),
            remarks: RwSignal::new(Vec::new()),
            keeps: RwSignal::new(recall(KEEP).as_deref() == Some(YES)),
            looked: RwSignal::new(false),
            busy: RwSignal::new(0),
        };
        provide_context(roms);
        roms.work(async move {
            if roms.keeps.get_untracked() {
                roms.take_kept().await;
            }
            roms.take_offered().await;
            roms.looked.set(true);
        });
        roms
    }

    /// The cartridges of this page, from the context.
    #[must_use]
    pub fn here() -> Self {
        expect_context()
    }

    /// The verified cartridge of a game. One that the server on this machine offers is loaded now.
    ///
    /// # Errors
    /// A sentence that says why there is none.
    pub async fn cartridge(self, game: &'static Game) -> Result<Cartridge, String> {
        if let Some(cartridge) = self.shelf.with_untracked(|shelf| shelf.cartridge(game)) {
            return Ok(cartridge);
        }
        let folder =
            machine::folder().filter(|_| self.shelf.with_untracked(|shelf| shelf.has(game)));
        let Some(folder) = folder else {
            return Err(format!(
                "There is no cartridge of {} here: drop {} or the ale-py wheel under \"Cartridges\".",
                game.name,
                game.file_name()
            ));
        };
        let cartridge = machine::load(&folder, game).await.map_err(|why| {
            format!("{} could not be loaded from this machine ({why}): see that `./run web` still runs, or drop the file here.", game.name)
        })?;
        self.shelf.update(|shelf| shelf.loaded(&cartridge));
        Ok(cartridge)
    }

    /// Reads files that the visitor brought. `single` is called with the cartridge if they hold
    /// exactly one.
    pub fn bring(self, files: Vec<File>, single: Callback<Cartridge>) {
        spawn_local(self.take(files, single));
    }

    /// Like [`Self::bring`]; ends when everything is said.
    pub async fn take(self, files: Vec<File>, single: Callback<Cartridge>) {
        self.counted(self.read_all(files, single)).await;
    }

    async fn read_all(self, files: Vec<File>, single: Callback<Cartridge>) {
        self.remarks.update(Vec::clear);
        let (mut all, mut new) = (Vec::new(), Vec::new());
        for file in files {
            match read(&file).await {
                Ok(found) => {
                    let fresh = self.shelf.try_update(|shelf| shelf.bring(&found.cartridges));
                    let fresh = fresh.unwrap_or_default();
                    let failed = !found.damaged.is_empty();
                    self.say(said(&file.name(), &found, &fresh), failed);
                    all.extend(found.cartridges);
                    new.extend(fresh);
                }
                Err(why) => self.say(why, true),
            }
        }
        if let [one] = &*all {
            single.run(one.clone());
        }
        if self.keeps.get_untracked() && !new.is_empty() {
            // Another tab may have forgotten all of them meanwhile.
            remember(KEEP, YES);
            self.keep(&new).await;
        }
    }

    /// Keeps the cartridges in this browser from now on, or no longer.
    pub fn set_keeps(self, keeps: bool) {
        self.remarks.update(Vec::clear);
        self.keeps.set(keeps);
        self.work(async move {
            if !keeps {
                self.remove_kept().await;
                return;
            }
            remember(KEEP, YES);
            if recall(KEEP).as_deref() == Some(YES) {
                self.keep(&self.shelf.with_untracked(Shelf::brought)).await;
            } else {
                self.keeps.set(false);
                self.not_kept("the browser does not allow it");
            }
        });
    }

    /// Removes the cartridges that the visitor brought, from the page and from the browser.
    pub fn forget(self) {
        self.remarks.update(Vec::clear);
        self.shelf.update(Shelf::forget);
        self.keeps.set(false);
        self.work(async move {
            if self.remove_kept().await {
                self.say("Your cartridges are forgotten.".to_owned(), false);
            }
        });
    }

    async fn keep(self, cartridges: &[Cartridge]) {
        if let Err(why) = kept::keep(cartridges).await {
            self.not_kept(&why.to_string());
        }
    }

    fn not_kept(self, why: &str) {
        self.say(
            format!("The cartridges cannot be kept, because {why}: they can be played until this page is closed."),
            true,
        );
    }

    /// Whether nothing is left in the browser.
    async fn remove_kept(self) -> bool {
        // A browser that was never asked to keep anything has nothing to remove.
        if recall(KEEP).as_deref() != Some(YES) {
            return true;
        }
        match kept::remove().await {
            Ok(()) => {
                remember(KEEP, NO);
                true
            }
            Err(why) => {
                self.keeps.set(true);
                self.say(
                    format!("The kept cartridges could not be removed, because {why}: close the other tabs of this page and try again, or clear the data of this site in the browser's settings."),
                    true,
                );
                false
            }
        }
    }

    async fn take_kept(self) {
        match kept::load().await {
            Ok(all) => {
                let known = all.into_iter().filter_map(|bytes| {
                    let game = rom_file::recognise(&bytes)?;
                    Some(Cartridge { game, bytes: bytes.into() })
                });
                let known: Vec<_> = known.collect();
                self.shelf.update(|shelf| drop(shelf.bring(&known)));
            }
            Err(why) => self.say(
                format!("The kept cartridges cannot be read, because {why}: drop the files again."),
                true,
            ),
        }
    }

    async fn take_offered(self) {
        let Some(folder) = machine::folder() else { return };
        match machine::list(&folder).await {
            Ok(stems) => self.shelf.update(|shelf| shelf.offer(&stems)),
            Err(why) => self.say(
                format!("The ROMs on this machine cannot be listed ({why}): see that `./run web` still runs, and load the page again."),
                true,
            ),
        }
    }

    fn say(self, text: String, failed: bool) {
        self.remarks.update(|remarks| remarks.push(Remark { text, failed }));
    }

    /// Counts something as work while it is done.
    async fn counted(self, what: impl Future<Output = ()>) {
        self.busy.update(|busy| *busy += 1);
        what.await;
        self.busy.update(|busy| *busy -= 1);
    }

    /// Does something in the background, and counts it as work meanwhile.
    fn work(self, what: impl Future<Output = ()> + 'static) {
        spawn_local(self.counted(what));
    }
}

/// Reads a file and finds its cartridges; a sentence if there is none.
async fn read(file: &File) -> Result<rom_file::Found, String> {
    let name = file.name();
    // Before it fills the memory.
    #[expect(clippy::cast_precision_loss, reason = "a power of two")]
    if file.size() > LARGEST_FILE as f64 {
        return Err(RomFileError::TooLarge { name }.to_string());
    }
    let Some(bytes) = file_input::bytes_of(file).await else {
        return Err(format!(
            "{name} could not be read: if it is a folder, drop the files in it instead; if not, choose it again."
        ));
    };
    rom_file::find(&name, &bytes).map_err(|error| format!("{error}."))
}
