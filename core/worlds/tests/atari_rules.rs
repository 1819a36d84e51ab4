//! Tests the rules of Atari on a console with scripted frames, rewards, lives and ends: no
//! emulator, no ROM.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails, in its helpers as well")]

use deepspi_worlds::atari::seeds::hashed_seed;
use deepspi_worlds::atari::{
    AtariEnv, AtariError, AtariOptions, AtariTraining, Console, ConsoleError, EmulatorSeeds,
    FRAME_PIXELS, Game, OBS_PIXELS, Palette, Rewards, StepOutcome,
};
use deepspi_worlds::snapshot::{Reader, Writer};

/// A call of the console.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Event {
    Reset,
    Act(u8),
}

/// A scripted game. Its screen has one colour, which identifies the frame: gray `frame % 128`.
#[derive(Debug)]
struct Scripted {
    game: &'static Game,
    /// Frames since the last reset at which a life is lost.
    losses: Vec<u32>,
    /// Frame at which the game ends.
    end: u32,
    /// Reward of every frame.
    reward: i32,
    frame: u32,
    /// Number of frames of all games together: later games have other colours than the first.
    shown: u32,
    screen: Vec<u8>,
    palette: Palette,
    events: Vec<Event>,
    /// Seeds of the games.
    seeds: Vec<i32>,
}

impl Scripted {
    fn new(game: &str, losses: &[u32], end: u32) -> Self {
        let mut palette = Palette { gray: [0; 128], rgb: [[0; 3]; 128] };
        palette.gray.iter_mut().zip(0..).for_each(|(gray, index)| *gray = index);
        Self {
            game: Game::find(game).unwrap(),
            losses: losses.to_vec(),
            end,
            reward: 0,
            frame: 0,
            shown: 0,
            screen: vec![0; FRAME_PIXELS],
            palette,
            events: Vec::new(),
            seeds: Vec::new(),
        }
    }

    fn show(&mut self) {
        self.screen.fill(colour(self.shown) << 1);
        self.shown += 1;
    }
}

fn colour(frame: u32) -> u8 {
    (frame % 128) as u8
}

impl Console for Scripted {
    fn game(&self) -> &'static Game {
        self.game
    }

    fn reset(&mut self) -> Result<(), ConsoleError> {
        self.events.push(Event::Reset);
        self.frame = 0;
        self.show();
        Ok(())
    }

    fn reset_with_seed(&mut self, seed: i32) -> Result<(), ConsoleError> {
        self.seeds.push(seed);
        self.reset()
    }

    fn act(&mut self, action_id: u8) -> Result<i32, ConsoleError> {
        if action_id > 17 {
            return Err("the action is outside 0..17".into());
        }
        if self.game_over() {
            return Ok(0);
        }
        self.events.push(Event::Act(action_id));
        self.frame += 1;
        self.show();
        Ok(self.reward)
    }

    fn game_over(&self) -> bool {
        self.frame >= self.end
    }

    fn lives(&self) -> i32 {
        let lost = self.losses.iter().filter(|&&frame| frame <= self.frame).count();
        if self.game_over() { 0 } else { 3 - lost as i32 }
    }

    fn screen(&self) -> &[u8] {
        &self.screen
    }

    fn palette(&self) -> &Palette {
        &self.palette
    }

    fn ram(&self) -> [u8; 128] {
        [0; 128]
    }
}

/// An environment with its frame stack.
struct Played {
    env: AtariEnv<Scripted>,
    stack: Vec<u8>,
}

impl Played {
    fn new(console: Scripted, options: AtariOptions, seed: u64) -> Self {
        let env = AtariEnv::new(options, seed, 0, |_| Ok(console)).unwrap();
        Self { env, stack: vec![0; options.observation_len()] }
    }

    fn reset(&mut self) -> StepOutcome {
        self.env.reset(&mut self.stack).unwrap()
    }

    fn step(&mut self, action: u32) -> StepOutcome {
        self.env.step(action, &mut self.stack).unwrap()
    }

    /// Gray level of each frame of the stack; a frame has one colour.
    fn grays(&self) -> Vec<u8> {
        let frames = self.stack.chunks(OBS_PIXELS);
        frames
            .map(|frame| {
                assert!(frame.iter().all(|&pixel| pixel == frame[0]));
                frame[0]
            })
            .collect()
    }

    /// All calls of the console, starting with event number `from`.
    fn events(&self, from: usize) -> &[Event] {
        &self.env.console().events[from..]
    }
}

const NEVER: u32 = u32::MAX;
/// Options without no-ops, so that frames can be counted.
const EXACT: AtariOptions = AtariOptions {
    repeat_action_probability: 0.0,
    noop_max: 0,
    episodic_life: true,
    reward_clip: true,
    rewards: Rewards::Points,
    use_fire_reset: true,
    max_episode_steps: 27_000,
    limit_per_life: false,
    emulator_seeds: EmulatorSeeds::Hashed,
    frame_skip: 4,
    stack: 4,
};

#[test]
fn codes_are_replaced_by_their_values_frame_by_frame() {
    let options = AtariOptions {
        reward_clip: false,
        rewards: Rewards::Codes([0.0, 0.5, -3.0, 7.0]),
        ..EXACT
    };
    for (code, sum) in [(0, 0.0), (1, 2.0), (2, -12.0)] {
        let console = Scripted { reward: code, ..Scripted::new("Pong", &[], NEVER) };
        let mut played = Played::new(console, options, 1);
        played.reset();
        let outcome = played.step(0);
        assert_eq!((outcome.reward, outcome.raw_reward), (sum, sum), "four frames of code {code}");
    }
    let console = Scripted { reward: 4, ..Scripted::new("Pong", &[], NEVER) };
    let mut played = Played::new(console, options, 1);
    played.reset();
    let error = played.env.step(0, &mut played.stack).unwrap_err().to_string();
    assert!(error.contains("reward code 4"), "{error}");
    let clipped = AtariOptions { reward_clip: true, ..options };
    let console = Scripted::new("Pong", &[], NEVER);
    let error = AtariEnv::new(clipped, 1, 0, |_| Ok(console)).unwrap_err().to_string();
    assert!(error.contains("cannot be clipped"), "{error}");
}

#[test]
fn a_reset_is_noops_then_fire_and_fills_the_stack() {
    let mut counts = [Vec::new(), Vec::new()];
    for seed in 0..200 {
        for (game, counts) in ["Breakout", "Freeway"].into_iter().zip(&mut counts) {
            let options = AtariOptions { noop_max: 5, ..EXACT };
            let mut played = Played::new(Scripted::new(game, &[], NEVER), options, seed);
            let outcome = played.reset();
            assert_eq!((outcome.done, outcome.reward, outcome.elapsed_steps), (false, 0.0, 0));
            let events = played.events(0);
            assert_eq!(events[0], Event::Reset);
            let noops = events.iter().filter(|&&event| event == Event::Act(0)).count();
            let fires = usize::from(game == "Breakout");
            assert_eq!(events.len(), 1 + noops + fires, "{events:?}");
            assert_eq!(events.ends_with(&[Event::Act(1)]), fires == 1);
            assert_eq!(played.grays(), [colour((noops + fires) as u32); 4]);
            counts.push(noops);
        }
    }
    let [with_fire, without] = counts.map(|counts| {
        (counts.iter().min().copied().unwrap(), counts.iter().max().copied().unwrap())
    });
    assert_eq!((with_fire, without), ((0, 4), (1, 5)), "fewest and most no-ops");
}

#[test]
fn a_step_is_four_frames_pooled_over_the_last_two() {
    let mut console = Scripted::new("Breakout", &[], NEVER);
    console.reward = -3;
    let mut played = Played::new(console, EXACT, 1);
    played.reset();
    // Frame 0 is that of the reset, frame 1 that of FIRE.
    assert_eq!(played.grays(), [1; 4]);
    let outcome = played.step(2);
    assert_eq!((outcome.raw_reward, outcome.reward), (-12.0, -1.0), "a sum, and its sign");
    assert_eq!(played.events(2), [Event::Act(3); 4], "the third of the minimal actions is RIGHT");
    assert_eq!(played.grays(), [1, 1, 1, 5]);
    played.step(0);
    assert_eq!(played.grays(), [1, 1, 5, 9]);
    let raw = AtariOptions { reward_clip: false, frame_skip: 2, stack: 2, ..EXACT };
    let mut console = Scripted::new("Breakout", &[], NEVER);
    console.reward = 5;
    let mut played = Played::new(console, raw, 1);
    played.reset();
    assert_eq!(played.step(0).reward, 10.0);
    assert_eq!(played.grays(), [1, 3]);
}

#[test]
fn a_lost_life_ends_the_episode_and_the_game_goes_on() {
    let mut played = Played::new(Scripted::new("Breakout", &[7], NEVER), EXACT, 1);
    played.reset();
    assert!(!played.step(0).done, "5 frames");
    let lost = played.step(0);
    assert_eq!((lost.done, lost.terminated, lost.truncated), (true, false, false));
    assert_eq!((lost.lives, lost.elapsed_steps), (2, 2));
    let (before, events) = (played.grays(), played.events(0).len());
    // The step after it ignores its action and shows the game after FIRE.
    let next = played.step(3);
    assert_eq!((next.reward, next.raw_reward, next.done), (0.0, 0.0, false));
    assert_eq!((next.lives, next.elapsed_steps), (2, 2), "the counter runs on");
    assert_eq!(played.events(events), [Event::Act(1)]);
    assert_eq!(played.grays()[..3], before[1..], "frames from before the loss stay");
    let whole = AtariOptions { episodic_life: false, ..EXACT };
    let mut played = Played::new(Scripted::new("Breakout", &[7], 30), whole, 1);
    played.reset();
    while !played.step(0).done {}
    assert_eq!(played.env.console().frame, 30, "without episodic life only the end counts");
}

#[test]
fn the_picture_of_a_game_that_ends_within_a_step_is_the_one_that_was_kept() {
    // Frame 1 is that of FIRE, 2 to 5 the first step, 6 to 9 the second.
    for (end, gray) in [(6, 5), (7, 5), (8, 8), (9, 9)] {
        let mut played = Played::new(Scripted::new("Breakout", &[], end), EXACT, 1);
        played.reset();
        assert!(!played.step(0).done);
        let last = played.step(0);
        assert!(last.done && last.terminated && !last.truncated && last.lives == 0);
        assert_eq!(played.grays(), [1, 1, 5, gray], "the game ends in frame {end}");
        let first = played.step(2);
        assert_eq!((first.elapsed_steps, first.lives, first.done), (0, 3, false));
        let shown = colour(played.env.console().shown - 1);
        assert_eq!(played.grays(), [shown; 4], "a new game fills the stack");
    }
}

#[test]
fn a_game_that_ends_during_the_noops_starts_again() {
    let options = AtariOptions { noop_max: 30, use_fire_reset: false, ..EXACT };
    for seed in 0..20 {
        let mut played = Played::new(Scripted::new("Breakout", &[2], 3), options, seed);
        assert!(!played.reset().terminated);
        let events = played.events(0);
        let resets = events.iter().filter(|&&event| event == Event::Reset).count();
        let noops = events.len() - resets;
        assert_eq!(resets, 1 + noops / 3, "every third frame ends a game");
        assert_eq!(played.grays()[0], played.grays()[3], "a real reset fills the stack");
    }
}

#[test]
fn a_game_is_over_once_also_when_its_end_falls_into_a_reset() {
    // Numbers of steps at which a game is over and of steps that show an end, and of real resets.
    let play = |loss, end, noop_max, steps| {
        let options = AtariOptions { noop_max, ..EXACT };
        let mut played = Played::new(Scripted::new("Breakout", &[loss], end), options, 3);
        assert!(!played.reset().game_over);
        let (mut over, mut shown) = (0, 0);
        for _ in 0..steps {
            let outcome = played.step(0);
            over += usize::from(outcome.game_over);
            shown += usize::from(outcome.terminated || outcome.truncated);
        }
        (over, shown, played.env.console().seeds.len() - 1)
    };
    // Frames 2 to 5 are the first step. A game takes four steps: one that loses a life, its reset with the FIRE that
    // ends the game, a step in the ended game, a real reset.
    assert_eq!(play(5, 6, 0, 40), (10, 20, 10), "EnvPool shows the end twice, it counts once");
    // The end comes in a step: step, reset, step, real reset.
    assert_eq!(play(5, 8, 0, 40), (10, 10, 10));
    // A life is lost in frame 9, which up to five no-ops and FIRE after a real reset do not reach. The no-ops of the
    // reset after it often do reach the end.
    let (over, shown, resets) = play(9, 14, 6, 3000);
    assert!(over == resets || over == resets + 1, "{over} games, {resets} real resets");
    assert!(shown + 20 < over, "the ends of many games are in no step: {shown} of {over}");
}

#[test]
fn the_step_limit_truncates_and_leads_to_a_real_reset() {
    for episodic_life in [true, false] {
        let options = AtariOptions { max_episode_steps: 3, episodic_life, ..EXACT };
        let mut played = Played::new(Scripted::new("Breakout", &[], NEVER), options, 1);
        played.reset();
        for _ in 0..2 {
            for step in 1..=3 {
                let outcome = played.step(0);
                assert_eq!(outcome.elapsed_steps, step);
                assert_eq!((outcome.done, outcome.truncated), (step == 3, step == 3));
                assert!(!outcome.terminated, "the limit is no end of the game");
            }
            let events = played.events(0).len();
            assert_eq!(played.step(0).elapsed_steps, 0);
            assert_eq!(played.events(events), [Event::Reset, Event::Act(1)]);
        }
    }
}

#[test]
fn with_a_limit_per_life_the_counter_restarts_after_a_lost_life() {
    let limits = |limit_per_life| {
        let options = AtariOptions { max_episode_steps: 3, limit_per_life, ..EXACT };
        let mut played = Played::new(Scripted::new("Breakout", &[8], NEVER), options, 1);
        played.reset();
        // FIRE is frame 1; the second step loses a life, the third call is the reset after it.
        let outcomes: Vec<_> = (0..8).map(|_| played.step(0)).collect();
        assert!(outcomes[1].done && outcomes[1].lives == 2 && !outcomes[1].truncated);
        let resets = played.events(0).iter().filter(|&&event| event == Event::Reset).count();
        (outcomes.iter().map(|one| one.elapsed_steps).collect::<Vec<_>>(), resets)
    };
    // The first assertion is EnvPool 0.6.6, the second later versions.
    assert_eq!(limits(true), (vec![1, 2, 0, 1, 2, 3, 0, 1], 2));
    // The game after the limit also loses a life in its second step.
    assert_eq!(limits(false), (vec![1, 2, 2, 3, 0, 1, 2, 2], 2));
}

#[test]
fn a_training_has_the_authors_limit_and_an_evaluation_its_own() {
    let today = AtariOptions::training(true, Some(&AtariTraining::DEFAULT));
    assert_eq!((today.max_episode_steps, today.limit_per_life), (108_000, true));
    assert_eq!((today.repeat_action_probability, today.noop_max), (0.3, 60));
    let chosen = AtariTraining { max_episode_steps: 500, ..AtariTraining::DEFAULT };
    assert_eq!(AtariOptions::training(false, Some(&chosen)).max_episode_steps, 500);
    let old = AtariOptions::training(false, None);
    assert_eq!((old.max_episode_steps, old.limit_per_life), (27_000, false), "as it was trained");
    let evaluation = AtariOptions::evaluation(true);
    assert_eq!((evaluation.max_episode_steps, evaluation.limit_per_life), (27_000, false));
}

#[test]
fn every_game_has_a_seed_of_its_own_and_a_lost_life_has_none() {
    let seeds = |emulator_seeds, seed| {
        let options = AtariOptions { emulator_seeds, ..EXACT };
        let mut played = Played::new(Scripted::new("Breakout", &[7], 20), options, seed);
        played.reset();
        for _ in 0..30 {
            played.step(0);
        }
        let games = played.events(0).iter().filter(|&&event| event == Event::Reset).count();
        (played.env.console().seeds.clone(), games)
    };
    let (found, games) = seeds(EmulatorSeeds::Hashed, 5);
    assert!(games > 3);
    let expected: Vec<_> = (0..games as u64).map(|game| hashed_seed(5, 0, game)).collect();
    assert_eq!(found, expected);
    assert_eq!(seeds(EmulatorSeeds::Envpool, 5), (Vec::new(), games), "the generator runs on");
}

#[test]
fn a_forced_reset_starts_a_new_game() {
    let mut played = Played::new(Scripted::new("Breakout", &[6], NEVER), EXACT, 1);
    played.reset();
    while !played.step(0).done {}
    let events = played.events(0).len();
    assert_eq!(played.reset().lives, 3);
    assert_eq!(played.events(events), [Event::Reset, Event::Act(1)]);
}

#[test]
fn wrong_calls_are_errors_and_move_nothing() {
    let mut played = Played::new(Scripted::new("Breakout", &[], NEVER), EXACT, 1);
    played.reset();
    let events = played.events(0).len();
    for action in [4, 40, u32::MAX] {
        let error = played.env.step(action, &mut played.stack).unwrap_err();
        assert!(matches!(error, AtariError::Action { .. }), "{error}");
    }
    assert!(matches!(played.env.step(0, &mut [0; 7]), Err(AtariError::Length { .. })));
    assert!(matches!(played.env.reset(&mut [0; 7]), Err(AtariError::Length { .. })));
    assert_eq!(played.events(0).len(), events);
    for options in [
        AtariOptions { stack: 0, ..EXACT },
        AtariOptions { frame_skip: 0, ..EXACT },
        AtariOptions { max_episode_steps: 0, ..EXACT },
        AtariOptions { repeat_action_probability: f32::NAN, ..EXACT },
    ] {
        let console = |_| Err("no console may be made for these options".into());
        let env = AtariEnv::<Scripted>::new(options, 1, 0, console);
        assert!(matches!(env, Err(AtariError::Options(_))), "{options:?}");
    }
}

#[test]
fn a_stored_game_is_played_again_to_where_it_was() {
    let options = AtariOptions { noop_max: 6, ..EXACT };
    let script = || Scripted::new("Breakout", &[40, 90], 130);
    let mut original = Played::new(script(), options, 3);
    let (mut lost, mut ended) = (0, 0);
    for step in 0..120 {
        let mut writer = Writer::new("test");
        assert!(original.env.store(&mut writer));
        let bytes = writer.finish();
        let mut restored = Played::new(script(), options, 77);
        let mut reader = Reader::new(&bytes, "test").unwrap();
        restored.env.load(&mut reader, &mut restored.stack).unwrap();
        reader.finish().unwrap();
        assert_eq!(restored.env.console().frame, original.env.console().frame, "step {step}");
        assert_eq!(restored.env.console().lives(), original.env.console().lives());
        // Storing it again gives the same bytes.
        let mut again = Writer::new("test");
        restored.env.store(&mut again);
        assert!(again.finish() == bytes, "step {step}");
        let outcome = original.step(step % 4);
        let same = restored.step(step % 4);
        assert_eq!(same, outcome, "step {step}");
        lost += u32::from(outcome.done && !outcome.terminated);
        ended += u32::from(outcome.terminated);
    }
    assert!(lost > 3 && ended > 2, "nothing was tested: {lost} lives, {ended} games");
}

#[test]
fn games_with_envpools_seeds_are_not_stored() {
    let options = AtariOptions { emulator_seeds: EmulatorSeeds::Envpool, ..EXACT };
    let played = Played::new(Scripted::new("Breakout", &[], NEVER), options, 3);
    let mut writer = Writer::new("test");
    assert!(!played.env.store(&mut writer));
}
