//! The tours of the page: which parts they show, and what they say.
//!
//! A tour must not say what the visitor does not see. So a step in the Atari room is left out on a
//! site without the emulator, and a tour that needs it is not offered there.

use crate::room::Room;

/// One card of a tour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// The room that is opened; none if the explained part is in every room.
    pub room: Option<Room>,
    /// Selector of the element that the step explains.
    pub selector: &'static str,
    /// Title of the card.
    pub title: &'static str,
    /// Text of the card.
    pub text: &'static str,
}

/// A tour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tour {
    /// Id of its button.
    pub id: &'static str,
    /// Label of its button.
    pub label: &'static str,
    /// What it is about, in a few words.
    pub about: &'static str,
    /// Whether it makes sense only with the free cartridge in the consoles, and with a maze in the
    /// trainer.
    pub is_about_cartridge: bool,
    /// All its steps.
    pub all: &'static [Step],
}

impl Tour {
    /// Its steps on a site with or without the emulator.
    pub fn steps(&self, emulator: bool) -> impl Iterator<Item = &'static Step> + use<> {
        self.all.iter().filter(move |step| emulator || step.room != Some(Room::Atari))
    }

    /// Whether it is offered: on a site with or without the emulator, while the trainer has a maze
    /// with exact values or not.
    #[must_use]
    pub const fn is_offered(&self, emulator: bool, maze: bool) -> bool {
        !self.is_about_cartridge || (emulator && maze)
    }
}

/// The tours, in the order of their buttons.
pub const TOURS: [Tour; 2] = [
    Tour {
        id: "tour",
        label: "Tour",
        about: "the page in a few steps",
        is_about_cartridge: false,
        all: &PAGE,
    },
    Tour {
        id: "tour-maze",
        label: "One maze, three ways",
        about: "the same maze as a table, as pictures, and as a cartridge",
        is_about_cartridge: true,
        all: &THREE_WAYS,
    },
];

const PAGE: [Step; 10] = [
    Step {
        room: Some(Room::Neighbourhood),
        selector: ".nb-triangle",
        title: "A policy near a policy",
        text: "An agent that learns a model of its world may trust the model only where it has been. \
               DeepSPI therefore keeps each new policy near the old one: no action may become more than \
               C times as likely. This room shows that neighbourhood.",
    },
    Step {
        room: Some(Room::Maze),
        selector: ".maze-boards",
        title: "Two agents, one maze",
        text: "Two corridors look alike. Going up at the end of the upper one pays, at the end of the lower \
               one it costs dearly. An agent that does not tell them apart had better go right.",
    },
    Step {
        room: Some(Room::Maze),
        selector: "#start",
        title: "Train",
        text: "Start trains both agents with the same seed, here on your machine. Space does the same. \
               One update makes a single step, so that you can watch what it changes.",
    },
    Step {
        room: Some(Room::Maze),
        selector: ".charts",
        title: "Watch",
        text: "V at the start is computed exactly, not estimated. Compare it with the optimum and with an agent \
               that always goes right. Point at a cell to see what the agent thinks there.",
    },
    Step {
        room: Some(Room::Latents),
        selector: ".latents-panels",
        title: "What the agent sees",
        text: "Each state of the maze becomes a latent, a point. The line joins the ends of the two \
               corridors: as long as it is short, the agent can hardly tell them apart.",
    },
    Step {
        room: Some(Room::Theory),
        selector: "#room",
        title: "What is guaranteed",
        text: "The terms of the theorems with the current numbers. If a premise fails, the bound \
               says nothing, and the page names the premise.",
    },
    Step {
        room: Some(Room::Dream),
        selector: ".dream-pad",
        title: "What it imagines",
        text: "Actions are carried out in the maze and in the agent's world model, side by side. Press one to \
               take over, and see after how many steps the model is lost.",
    },
    Step {
        room: Some(Room::Atari),
        selector: ".screens",
        title: "Real games",
        text: "Two screens with the Atari emulator. Press Play: an agent plays, and below its screen you see \
               what it sees and thinks of each step. You can play, too, bring cartridges of your own, and \
               train agents on them.",
    },
    Step {
        room: None,
        selector: "#preset",
        title: "Other experiments",
        text: "Presets are instructive experiments, each with its measured results. The seed \
               changes only the random numbers: try several before you believe a curve.",
    },
    Step {
        room: None,
        selector: "#settings-title",
        title: "Your own",
        text: "All settings of both agents can be changed here. The address of the page changes \
               with them, so its link reproduces your experiment. Have fun.",
    },
];

const THREE_WAYS: [Step; 7] = [
    Step {
        room: Some(Room::Maze),
        selector: ".maze-boards",
        title: "First way: a table",
        text: "For the theory the maze is a table: for each cell and action the probabilities P of the next \
               cell, and the reward R. With both, the value V of a policy is the solution of linear equations. \
               The number in each cell is this V; that of the start is written V(s_I).",
    },
    Step {
        room: Some(Room::Theory),
        selector: ".th-theorems",
        title: "What the table is good for",
        text: "With P and R the page computes every number of the theorems over all cells, for the last update \
               of an agent: nothing is estimated. The agent itself cannot do that. It knows neither P nor R, only \
               the steps that it has made.",
    },
    Step {
        room: Some(Room::Latents),
        selector: ".latents-first",
        title: "Second way: pictures",
        text: "An agent of this maze is not told its cell: it gets a grey picture, such as the one below the \
               points, of the selected cell. Its encoder turns each picture into a latent, a point. Cells that \
               the table tells apart may look almost the same to it.",
    },
    Step {
        room: Some(Room::Atari),
        selector: ".screens",
        title: "Third way: a cartridge",
        text: "The same maze as a game for the Atari 2600, on the emulator that plays all games. Press Play. The \
               face is the agent. At the violet fork chance decides; the cup is the goal, the skull the trap. One \
               decision of the agent lasts four frames, and is one step of the maze.",
    },
    Step {
        room: Some(Room::Atari),
        selector: ".console-seen",
        title: "What stays the same",
        text: "The cells, the actions, P and R: it is the same MDP. So a policy has the same exact V(s_I) on the \
               cartridge as in the table. With the standard settings the optimum is 8.01, and always going right \
               is worth 4.80. The value V shown here is only the agent's own estimate.",
    },
    Step {
        room: Some(Room::Atari),
        selector: ".observation",
        title: "What changes",
        text: "What the agent sees: the screen of the game, in grey, with 84 × 84 pixels. There are still as many \
               pictures as cells, but the agent is a small part of each. And time: for each step the emulator \
               computes four frames of a game.",
    },
    Step {
        room: Some(Room::Atari),
        selector: "#atari-train, .charts",
        title: "Learn it from the screen",
        text: "Two agents can be trained on this cartridge, from its pictures alone. The page knows the table \
               behind the game, so their V(s_I) is exact here, too, and the rooms Latents and Theory show them \
               as they show agents of the maze.",
    },
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use deepspi_plot::fixed;
    use deepspi_run::config::Config;
    use deepspi_run::maze_preset::TrainingPreset as _;
    use deepspi_worlds::atari::OBS_SIDE;
    use deepspi_worlds::cartridge::FRAME;
    use deepspi_worlds::maze::{Maze, MazeConfig};

    use super::*;
    use crate::opening::Marks;

    /// Largest number of characters of a card that a phone shows without scrolling much.
    const LONGEST: usize = 300;

    #[test]
    fn cards_are_short_and_different() {
        for tour in TOURS {
            let titles: BTreeSet<_> = tour.all.iter().map(|step| step.title).collect();
            assert_eq!(titles.len(), tour.all.len(), "{}", tour.label);
            for step in tour.all {
                let length = step.text.chars().count();
                assert!(length <= LONGEST, "{}: {length} characters", step.title);
            }
        }
        let ids: BTreeSet<_> = TOURS.iter().map(|tour| tour.id).collect();
        assert_eq!(ids.len(), TOURS.len());
    }

    #[test]
    fn a_site_without_the_emulator_is_not_promised_games() {
        let [page, three_ways] = TOURS;
        assert!(page.is_offered(false, false) && page.is_offered(true, true));
        assert_eq!(page.steps(true).count(), page.all.len());
        assert_eq!(page.steps(false).count(), page.all.len() - 1);
        for step in page.steps(false) {
            assert!(!step.text.contains("Atari") && !step.text.contains("cartridge"));
        }
        assert!(three_ways.is_offered(true, true));
        assert!(!three_ways.is_offered(false, true) && !three_ways.is_offered(true, false));
    }

    #[test]
    fn the_numbers_of_the_texts_are_those_of_the_cartridge() {
        let config = MazeConfig::DEFAULT;
        let Config { gamma, .. } = config.preset.hyper_parameters();
        let maze = Maze::new(config, gamma.into()).expect("valid");
        let marks = Marks::of(&maze).expect("it has values");
        let text = |title| {
            let step = THREE_WAYS.iter().find(|step| step.title == title);
            step.expect(title).text
        };
        for value in [marks.optimum, marks.always_right] {
            let shown = fixed(value, 2);
            assert!(text("What stays the same").contains(&shown), "{shown}");
        }
        assert_eq!((FRAME.width, FRAME.height), (OBS_SIDE, OBS_SIDE));
        assert!(text("What changes").contains(&format!("{OBS_SIDE} × {OBS_SIDE} pixels")));
    }
}
