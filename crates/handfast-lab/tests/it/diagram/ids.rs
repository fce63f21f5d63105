//! Runs in which an older journal keeps another id: every request by an id says by which.

use handfast_lab::diagram::TextOptions;
use handfast_lab::explorer::Limits;
use handfast_lab::saga::{Adversary, FlowCase, Network};
use handfast_protocol::{Assumptions, Close, Named, Profile, ProfiledStep, Repeat, Undo};

const INTENT: Profile = Profile {
    harmless: true,
    may_refuse: false,
    repeat: Repeat::Never,
    close: Close::Never,
    undo: Undo::NoOpWhenAbsent,
    ..Profile::CONTRACT
};
const CHARGE: Profile = Profile { undo: Undo::Never, ..Profile::CONTRACT };

/// An intent, and a charge that is asked for by what the intent has answered.
fn charge(named: Named) -> FlowCase {
    let steps = vec![ProfiledStep::new(INTENT), ProfiledStep { named, ..ProfiledStep::new(CHARGE) }];
    let names = ["intent", "charge"].map(str::to_owned).to_vec();
    FlowCase::new(names, steps, &Assumptions::default()).expect("a sound order")
}

/// Nobody cancels, so that it is asked for by the other id.
fn uncancelled() -> Adversary {
    Adversary { cancels: false, ..Adversary::new(Network::Set) }
}

#[test]
fn a_picture_says_by_which_id_something_is_asked_for() {
    let flow = charge(Named::ByIdOf(0));
    let risks = flow.assessment().risks.clone();
    let found = flow.explore(&risks, uncancelled(), &Limits { stop_at_first: true, ..Limits::default() });
    let broken = found.report.broken().next().expect("a second id is a second effect").name;
    let picture = found.picture_against(broken).expect("by a run");
    let text = picture.to_text(&TextOptions { width: 120, ..TextOptions::default() });
    for said in ["act by id 1", "act by id 2", "keeps id 1", "keeps id 2", "kept no id of intent"] {
        assert!(text.contains(said), "{said:?} is missing:\n{text}");
    }
    super::check_golden("second_id", &picture);
}

/// The key goes with the id, and the participant tells that it stands for something else.
#[test]
fn a_picture_says_where_the_key_goes_with_the_id() {
    let flow = charge(Named::ByKeyAndIdOf(0));
    let found = flow.explore(&[], uncancelled().restores(1), &Limits::default());
    let picture = found.picture_against("no contradiction").expect("another id under the same key is told");
    let text = picture.to_text(&TextOptions { width: 120, ..TextOptions::default() });
    assert!(text.contains("act by key, id 2"), "{text}");
    super::check_golden("second_id_under_a_key", &picture);
}
