//! The worker's client over the native emulator: the same games as natively, films, stored games,
//! and requests that cannot be carried out.

#![cfg(not(target_arch = "wasm32"))]
#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a panic is how a test fails, in its helpers as well"
)]

use deepspi_ale::{AtariEnvs, Emulator, Rom, RomFinder};
use deepspi_playground::emulator::{Answer, Games, MAX_ENVS, Opened, Request};
use deepspi_worlds::atari::{
    AtariOptions, Console as _, ConsoleError, FRAME_PIXELS, Game, StepOutcome, set,
};
use deepspi_worlds::env::VectorEnv as _;
use serde_bytes::ByteBuf;
use web_emulator::client::{self, Client};

/// The native emulator in the place of ALE as a module.
#[derive(Debug)]
struct Native;

impl client::Emulator for Native {
    type Console = Emulator;

    fn insert(
        &self,
        game: &'static Game,
        rom: &[u8],
        seed: i32,
        sticky: f32,
    ) -> Result<Emulator, ConsoleError> {
        Ok(Emulator::new(&Rom::new(game, rom, "a message")?, seed, sticky)?)
    }
}

fn rom() -> Rom {
    RomFinder::from_environment(None).find(Game::find("Breakout").unwrap()).unwrap()
}

fn new_client() -> Client<Native> {
    Client::new(|| Ok(Native))
}

fn games(first_index: u64, envs: u32, film: bool) -> Games {
    Games {
        game: "breakout".into(),
        rom: ByteBuf::from(rom().bytes()),
        options: AtariOptions::stochastic(),
        seed: 7,
        first_index,
        envs,
        film,
    }
}

/// A client that has opened games.
fn opened(games: Games) -> (Client<Native>, Opened) {
    let mut client = new_client();
    let reply = client.serve(Request::Open(Box::new(games))).unwrap();
    let Answer::Opened(opened) = reply.answer else { panic!("{:?}", reply.answer) };
    (client, *opened)
}

struct Stepped {
    outcomes: Vec<StepOutcome>,
    observations: Vec<u8>,
    filmed: Vec<u32>,
    frames: Option<Vec<u8>>,
}

fn ask(client: &mut Client<Native>, request: Request) -> Stepped {
    let reply = client.serve(request).unwrap();
    let Answer::Stepped { outcomes, filmed } = reply.answer else { panic!("{:?}", reply.answer) };
    let observations = reply.observations.unwrap().to_vec();
    Stepped { outcomes, observations, filmed, frames: reply.frames }
}

fn failure(client: &mut Client<Native>, request: Request) -> String {
    let reply = client.serve(request).unwrap();
    assert!(reply.observations.is_none() && reply.frames.is_none());
    let Answer::Failed { text } = reply.answer else { panic!("{:?}", reply.answer) };
    text
}

/// Some actions for a step.
fn actions(step: u32, envs: u32) -> Vec<u32> {
    (0..envs).map(|env| (step * 7 + env * 3 + step / 5) % 4).collect()
}

#[test]
fn two_workers_play_the_games_of_one_native_set() {
    const STEPS: u32 = 120;
    let options = AtariOptions::stochastic();
    let mut whole = AtariEnvs::new(&rom(), options, 3, 7, 2).unwrap();
    let (mut one, opened_one) = opened(games(0, 1, false));
    let (mut two, _) = opened(games(1, 2, false));
    assert_eq!(opened_one.game, "Breakout");
    assert_eq!(opened_one.actions, [0, 1, 3, 4]);
    assert_eq!(opened_one.frame, options.frame());
    let palette = whole.console(0).unwrap().palette().clone();
    assert_eq!(opened_one.gray.as_ref(), palette.gray);
    assert_eq!(opened_one.rgb.as_ref(), palette.rgb.concat());

    whole.reset().unwrap();
    let compare = |whole: &AtariEnvs, one: &Stepped, two: &Stepped| {
        assert_eq!(whole.observations(), [&one.observations[..], &two.observations].concat());
        assert_eq!(whole.results(), [&one.outcomes[..], &two.outcomes].concat());
        assert!(one.filmed.is_empty() && one.frames.is_none(), "nothing is filmed unasked");
    };
    let (a, b) = (ask(&mut one, Request::Reset), ask(&mut two, Request::Reset));
    compare(&whole, &a, &b);
    for step in 0..STEPS {
        let actions = actions(step, 3);
        whole.step(&actions).unwrap();
        let a = ask(&mut one, Request::Step { actions: actions[..1].to_vec() });
        let b = ask(&mut two, Request::Step { actions: actions[1..].to_vec() });
        compare(&whole, &a, &b);
    }

    // What both store is what the native set stores, and the native program continues from it.
    let parts =
        [&mut one, &mut two].map(|client| match client.serve(Request::Store).unwrap().answer {
            Answer::Stored { games: Some(games) } => games,
            other => panic!("{other:?}"),
        });
    let joined = set::join(whole.game(), &parts.concat());
    assert_eq!(pollster::block_on(whole.snapshot()).unwrap().unwrap(), joined);

    // A worker continues from what was stored natively.
    let pieces = set::split(&joined, whole.game(), 3).unwrap();
    let stored = pieces[1..].iter().map(|&piece| ByteBuf::from(piece)).collect();
    let (mut again, _) = opened(games(1, 2, true));
    let loaded = ask(&mut again, Request::Load { games: stored });
    let frames = loaded.frames.unwrap();
    assert_eq!(loaded.filmed, [1, 1], "only the last screen, not the whole game");
    assert_eq!(frames.len(), 2 * FRAME_PIXELS);
    whole.step(&[1, 2, 3]).unwrap();
    let stepped = ask(&mut again, Request::Step { actions: vec![2, 3] });
    assert_eq!(stepped.observations, whole.observations()[loaded.observations.len() / 2..]);
    assert_eq!(stepped.outcomes, whole.results()[1..]);
}

#[test]
fn every_frame_is_filmed() {
    let (mut client, opened) = opened(games(0, 2, true));
    let reset = ask(&mut client, Request::Reset);
    // The first screen, fewer than 60 no-ops, FIRE.
    assert!(reset.filmed.iter().all(|count| (2..=61).contains(count)), "{:?}", reset.filmed);
    assert_eq!(
        reset.frames.unwrap().len(),
        reset.filmed.iter().sum::<u32>() as usize * FRAME_PIXELS
    );
    let step = ask(&mut client, Request::Step { actions: vec![2, 3] });
    assert_eq!(step.filmed, [4, 4]);
    let frames = step.frames.unwrap();
    let console =
        |env: usize, frame: usize| &frames[(4 * env + frame) * FRAME_PIXELS..][..FRAME_PIXELS];
    assert!((0..2).all(|env| console(env, 0) != console(env, 3)), "the ball moves");
    // The newest observation is made of the last two of them: nothing in it is brighter than both.
    let brightest = |screen: &[u8]| {
        screen.iter().map(|&index| opened.gray[usize::from(index / 2)]).max().unwrap()
    };
    let newest = &step.observations[3 * 84 * 84..4 * 84 * 84];
    let limit = brightest(console(0, 2)).max(brightest(console(0, 3)));
    assert!(newest.iter().all(|&pixel| pixel <= limit) && newest.iter().any(|&pixel| pixel > 0));
}

#[test]
fn what_cannot_be_done_is_said_and_changes_nothing() {
    let mut client = new_client();
    for request in [
        Request::Reset,
        Request::Step { actions: vec![0] },
        Request::Store,
        Request::Load { games: vec![] },
    ] {
        assert_eq!(failure(&mut client, request), "no game is open; a game must be opened first");
    }
    let open = |games| Request::Open(Box::new(games));
    let with = |options| Games { options, ..games(0, 1, false) };
    let default = AtariOptions::default();
    let mut wrong = rom().bytes().to_vec();
    wrong[9] ^= 1;
    for (request, parts) in [
        (
            open(Games { game: "Brakeout".into(), ..games(0, 1, false) }),
            vec!["Brakeout", "Breakout"],
        ),
        (
            open(Games { rom: ByteBuf::from(wrong), ..games(0, 1, false) }),
            vec!["MD5", "breakout.bin"],
        ),
        (open(Games { rom: ByteBuf::new(), ..games(0, 1, false) }), vec!["MD5", "breakout.bin"]),
        (open(games(0, 0, false)), vec!["0 environments", "1 to"]),
        (open(games(0, MAX_ENVS + 1, false)), vec!["257 environments"]),
        (open(with(AtariOptions { frame_skip: 65, ..default })), vec!["frame_skip is 65", "64"]),
        (open(with(AtariOptions { noop_max: 1001, ..default })), vec!["noop_max is 1001"]),
        (open(with(AtariOptions { stack: 17, ..default })), vec!["stack is 17"]),
        (open(with(AtariOptions { stack: 0, ..default })), vec!["stack must be at least 1"]),
        (
            open(with(AtariOptions { repeat_action_probability: f32::NAN, ..default })),
            vec!["repeat_action_probability"],
        ),
    ] {
        let text = failure(&mut client, request);
        assert!(parts.iter().all(|part| text.contains(part)), "`{text}` lacks one of {parts:?}");
    }

    let (mut client, _) = opened(games(0, 2, false));
    let (mut same, _) = opened(games(0, 2, false));
    ask(&mut client, Request::Reset);
    ask(&mut same, Request::Reset);
    for (actions, part) in [(vec![0], "expected 2"), (vec![0, 4], "environment 1: action 4")] {
        let text = failure(&mut client, Request::Step { actions });
        assert!(text.contains(part), "{text}");
    }
    let load = Request::Load { games: vec![ByteBuf::new()] };
    assert!(failure(&mut client, load).contains("stored games: expected 2 elements, got 1"));
    // A wrong cartridge leaves the open games alone, too.
    failure(&mut client, open(Games { rom: ByteBuf::new(), ..games(0, 1, false) }));
    let step = || Request::Step { actions: vec![1, 2] };
    let (a, b) = (ask(&mut client, step()), ask(&mut same, step()));
    assert_eq!((a.observations, a.outcomes), (b.observations, b.outcomes));

    // Damaged games are refused; after a reset the environments go on.
    let load = Request::Load { games: vec![ByteBuf::from([1]), ByteBuf::from([2])] };
    assert!(
        failure(&mut client, load).contains("environment 0: the stored environments are damaged")
    );
    ask(&mut client, Request::Reset);
    assert!(client.serve(Request::Close).is_none());
    assert!(failure(&mut client, Request::Reset).starts_with("no game is open"));
}
