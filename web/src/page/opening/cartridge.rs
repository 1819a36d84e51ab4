//! The cartridge of the first screen: a still picture until the visitor, or the Atari room, loads the
//! emulator; then screen B of that room, which plays here.
//!
//! The first visit loads nothing of Atari: until then the picture is drawn from the cartridge's own
//! bytes. On a site without the emulator the first screen does not have this part.

use deepspi_playground::play::SCREENS;
use deepspi_run::world::World;
use deepspi_worlds::atari::FRAME_WIDTH;
use deepspi_worlds::cartridge::{colour, picture};
use deepspi_worlds::maze::{Maze, MazeConfig};
use leptos::ev;
use leptos::html::{Canvas, Figure};
use leptos::prelude::*;

use crate::page::atari::canvas::{GameCanvas, game_view};
use crate::page::atari::linked::FREE_CARTRIDGE;
use crate::page::atari::state::{Arcade, Origin, Screen};
use crate::page::emulators::Availability;
use crate::page::pixels::paint;
use crate::page::state::Room;
use crate::screens::Hand;

/// The screen that is shown: the agent that the site offers for it is DeepSPI.
const SCREEN: usize = SCREENS - 1;

/// What the first screen shows of the cartridge.
#[derive(Clone, Copy, Debug)]
pub struct CartridgeSignals {
    /// Stored, to keep the copies small.
    arcade: StoredValue<Arcade, LocalStorage>,
    screen: &'static Screen,
    /// Whether the visitor asked for it.
    wished: RwSignal<bool>,
    /// Whether its picture is in the window.
    in_window: RwSignal<bool>,
    /// Whether a game plays here.
    pub playing: Memo<bool>,
}

impl CartridgeSignals {
    /// Follows screen B. It plays by itself while `moving`, once it is loaded and no room controls it.
    pub fn new(moving: Memo<bool>) -> Self {
        let arcade = Arcade::here();
        let screen = &arcade.screens[SCREEN];
        let emulators = arcade.playground.emulators;
        let live = Memo::new(move |_| arcade.world.with(Option::is_some));
        let playing = Memo::new(move |_| live.get() && screen.playing.get());
        let wished = RwSignal::new(false);
        Effect::new(move || {
            let here = emulators.availability.get() == Availability::Here;
            if here && wished.get() && !live.get() {
                arcade.insert(FREE_CARTRIDGE);
            }
        });
        Effect::new(move |before: Option<[bool; 2]>| {
            let free = arcade.world.with(|world| *world == Some(FREE_CARTRIDGE));
            let own =
                arcade.playground.room.get() != Room::Atari && screen.hand.get() != Hand::Person;
            let now = [moving.get(), free && own];
            let [moved, was_own] = before.unwrap_or_default();
            if now == [true; 2] && !(moved && was_own) {
                screen.playing.set(true);
            } else if moved && !now[0] {
                screen.playing.set(false);
            }
            now
        });
        let arcade = StoredValue::new_local(arcade);
        Self { arcade, screen, wished, in_window: RwSignal::new(false), playing }
    }

    fn arcade(self) -> Arcade {
        self.arcade.get_value()
    }

    /// Lets the game play, or stand still. What is not loaded stays so.
    pub fn set_playing(self, playing: bool) {
        if self.arcade().world.with_untracked(Option::is_some) {
            self.screen.playing.set(playing);
        }
    }

    /// Loads what is missing, and plays.
    fn play(self) {
        if untrack(move || self.fault().is_some()) {
            self.arcade().restart();
        } else if self.screen.problem.with_untracked(Option::is_some) {
            self.arcade().start_game(SCREEN);
        }
        self.arcade().playground.emulators.ask();
        self.wished.set(true);
        // Its button is.
        self.in_window.set(true);
        self.screen.playing.set(true);
    }

    /// Why nothing plays, if something is wrong.
    fn trouble(self) -> Option<String> {
        let absent = match self.arcade().playground.emulators.availability.get() {
            Availability::Absent(why) => Some(format!("Nothing can play here: {why}")),
            Availability::Unknown | Availability::Here => None,
        };
        absent.or_else(|| self.fault()).or_else(|| self.screen.problem.get())
    }

    /// Why the workers cannot go on, if they cannot.
    fn fault(self) -> Option<String> {
        let arcade = self.arcade();
        arcade.fault.get().or_else(|| arcade.playground.emulators.fault.get())
    }

    /// Whether there is a picture of the emulator.
    fn has_picture(self) -> bool {
        let screen = self.screen;
        screen.shot.with(Option::is_some) && screen.opened.with(Option::is_some)
    }

    fn title(self) -> String {
        match self.arcade().world.get() {
            None | Some(World::Cartridge { .. }) => "The same maze as an Atari game".to_owned(),
            Some(world) => format!("{} on screen B of the room Atari", world.name()),
        }
    }

    /// One sentence about what the picture shows.
    fn sentence(self) -> String {
        if !self.has_picture() {
            return "A cartridge written for this page: a real emulator plays it, and the agent sees \
                    nothing but the picture."
                .to_owned();
        }
        let name = self.screen.algorithm.get().map_or("The agent", |algorithm| algorithm.label());
        let trained = match (self.screen.hand.get(), self.screen.origin.get()) {
            (Hand::Person, _) => return "You play on screen B of the room Atari.".to_owned(),
            (_, Origin::File(_)) => ", trained before,",
            (_, Origin::Here) => ", trained on this page,",
            (_, Origin::Fresh | Origin::Unchosen) => ", never trained,",
        };
        let last = self.screen.returns.with(|(_, last)| *last);
        let last = last.map_or_else(String::new, |last| format!(" Its last game paid {last:.2}."));
        let verb = if self.playing.get() { "plays" } else { "is paused" };
        format!("{name}{trained} {verb} on a real emulator and sees nothing but the picture.{last}")
    }
}

/// The picture, with the button that lets it play.
#[component]
pub fn CartridgeStage(cartridge: CartridgeSignals) -> impl IntoView {
    let frame = NodeRef::<Figure>::new();
    look(cartridge, frame);
    let label = Signal::derive(move || {
        let game = cartridge.arcade().world.with(|world| world.as_ref().map_or("", World::name));
        format!("The first screen's game {game}")
    });
    let loading = move || cartridge.playing.get() && !cartridge.has_picture();
    let button = move || match () {
        () if cartridge.fault().is_some() => Some("Start the emulator again"),
        () if cartridge.playing.get() => None,
        () if cartridge.wished.get() && cartridge.arcade().world.with(Option::is_none) => None,
        () => Some("Play it"),
    };
    let button = Memo::new(move |_| button());
    view! {
        <figure class="chart opening-cartridge" node_ref=frame>
            <p class="opening-title">{move || cartridge.title()}</p>
            <div class="opening-game">
                <Show when=move || cartridge.has_picture() fallback=|| view! { <Still/> }>
                    <GameCanvas screen=*cartridge.screen label/>
                </Show>
                {move || {
                    button
                        .get()
                        .map(|text| {
                            view! {
                                <button
                                    type="button"
                                    id="opening-play"
                                    class="primary"
                                    on:click=move |_| cartridge.play()
                                >
                                    {text}
                                </button>
                            }
                        })
                }}
            </div>
            <figcaption role="status">
                {move || match cartridge.trouble() {
                    Some(text) => text,
                    None if loading() => "Loading the emulator …".to_owned(),
                    None => cartridge.sentence(),
                }}
            </figcaption>
        </figure>
    }
}

/// The cartridge at the start of a game, without an emulator.
#[component]
fn Still() -> impl IntoView {
    let canvas = NodeRef::<Canvas>::new();
    Effect::new(move || {
        let (Some(canvas), Ok(maze)) = (canvas.get(), Maze::new(MazeConfig::DEFAULT, 0.99)) else {
            return;
        };
        let pixels = picture(maze.cell(maze.start())).into_iter().flat_map(|index| {
            let [red, green, blue] = colour(index);
            [red, green, blue, 255]
        });
        // Without it the sentence below still says what is there.
        drop(paint(&canvas, &pixels.collect::<Vec<_>>(), FRAME_WIDTH));
    });
    let label = "The cartridge before it plays: a maze with two corridors, an agent on the left";
    game_view(canvas, Signal::stored(label.to_owned()))
}

/// Watches the screen while its picture is in the window, so that a game that nobody sees takes no
/// time from training.
fn look(cartridge: CartridgeSignals, frame: NodeRef<Figure>) {
    let in_window = cartridge.in_window;
    let measure = move || {
        let Some(Some(frame)) = frame.try_get_untracked() else { return };
        let height = window().inner_height().ok().and_then(|height| height.as_f64());
        let place = frame.get_bounding_client_rect();
        let seen = place.bottom() > 0.0 && place.top() < height.unwrap_or(f64::INFINITY);
        if in_window.try_get_untracked().is_some_and(|known| known != seen) {
            in_window.set(seen);
        }
    };
    Effect::new(move || {
        frame.track();
        measure();
    });
    let listeners = [
        window_event_listener(ev::scroll, move |_| measure()),
        window_event_listener(ev::resize, move |_| measure()),
    ];
    let watches = StoredValue::new(false);
    let arcade = cartridge.arcade();
    let watch = move |wanted: bool| {
        let changed =
            watches.try_update_value(|watches| std::mem::replace(watches, wanted) != wanted);
        match (changed, wanted) {
            (Some(true), true) => cartridge.screen.watch(),
            (Some(true), false) => cartridge.screen.unwatch(),
            _ => {}
        }
    };
    Effect::new(move || watch(in_window.get() && arcade.world.with(Option::is_some)));
    on_cleanup(move || {
        watch(false);
        for listener in listeners {
            listener.remove();
        }
    });
}
