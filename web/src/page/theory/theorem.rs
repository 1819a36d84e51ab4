//! The frame of a theorem: whether it applies to the last update, the premises that fail, and its
//! statement.

use deepspi_run::maze::{Assessment, FailedPremise};
use deepspi_theory::Terms;
use leptos::prelude::*;

use super::signals::TheorySignals;
use crate::terms::sentence;

/// The terms of one theorem.
pub type Numbers = fn(&Assessment) -> Option<Terms>;

/// A theorem. Its content is grey, but readable, while a premise fails.
#[component]
pub fn Theorem(
    /// The agent.
    shown: TheorySignals,
    /// Id of the heading.
    id: &'static str,
    /// Heading.
    title: &'static str,
    /// Its statement in words.
    words: &'static str,
    /// The premises that fail.
    failed: fn(&Assessment) -> &[FailedPremise],
    /// A sentence about the current numbers.
    reading: fn(&Assessment) -> String,
    /// The formula and further content.
    children: Children,
) -> impl IntoView {
    let failures = Memo::new(move |_| {
        let all = |found: &Assessment| failed(found).iter().map(sentence).collect::<Vec<_>>();
        shown.found.with(|found| found.as_deref().map(all))
    });
    let is_off = move || failures.with(|failures| failures.as_ref().is_none_or(|f| !f.is_empty()));
    let verdict = move || {
        failures.with(|failures| match failures {
            None => ("…", "Not computed yet."),
            Some(failures) if failures.is_empty() => {
                ("✓", "All premises hold: the theorem applies to this update.")
            }
            Some(_) => ("✗", "The theorem does not apply to this update:"),
        })
    };
    let list = move || {
        failures.with(|failures| {
            let items = failures.iter().flatten().map(|text| view! { <li>{text.clone()}</li> });
            let items = items.collect_view();
            (!items.is_empty()).then(|| view! { <ul>{items}</ul> })
        })
    };
    view! {
        <section class="card th-theorem" class:th-off=is_off aria-labelledby=id>
            <h3 id=id>{title}</h3>
            <p class="th-words">{words}</p>
            <div class="th-verdict">
                <p>
                    <span class="th-mark" aria-hidden="true">{move || verdict().0}</span>
                    " "
                    {move || verdict().1}
                </p>
                {list}
            </div>
            <div class="th-body">{children()}</div>
            <p class="th-reading">{move || shown.text(reading)}</p>
        </section>
    }
}
