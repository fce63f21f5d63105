//! What may become of a saga is compared with what does become of it where real registers answer, over every loss and delay.

use alloc::collections::BTreeMap;

use super::*;
use crate::saga::{End, Fate, StepSet};
use crate::{Effect, Register, Request};

/// The saga, its participants' books, and the steps of which an act may be on the road.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct World {
    saga: Coordinator,
    books: Vec<Register<()>>,
    road: StepSet,
}

impl World {
    fn of(plan: Plan) -> Self {
        let books = plan.steps().iter().map(|_| Register::default()).collect();
        let mut saga = Coordinator::new(Arc::new(plan));
        saga.step(Time(0), Input::Start);
        Self { saga: saga.timeless(), books, road: StepSet::NONE }
    }

    /// Every step for which an act was wanted so far.
    fn asked(&self) -> StepSet {
        let acts = self.saga.outbox().into_iter().filter(|command| command.operation == Operation::Act);
        self.road.iter().chain(acts.map(|command| command.step)).collect()
    }

    fn told(&self, input: Input<Told>) -> Self {
        let mut next = self.clone();
        next.saga.step(Time(100), input);
        next.saga = next.saga.timeless();
        next
    }

    /// One request arrives, carried out or refused where it is an act. Its answer is heard, or lost.
    fn arrives(&self, Command { step, operation }: Command, (accepts, is_late): (bool, bool)) -> [Self; 2] {
        let mut lost = self.clone();
        let request = match operation {
            Operation::Act => Request::Act { body: (), expired: is_late },
            Operation::Close => Request::Close { body: None },
            Operation::Undo => Request::Undo { body: None },
            Operation::Look => {
                let found = lost.books[step].peek();
                let answer = found.map(|state| told(step, operation, state));
                let heard = answer.map_or_else(|| lost.clone(), |answer| lost.told(answer));
                let left = heard.saga.watch_ends_at(step).unwrap_or(Time(100)).max(Time(100));
                return [lost, heard.told(Input::Receive(Told::Looked { step, found, left }))];
            }
        };
        let answered = lost.books[step].receive(request, |effect| Ok::<_, ()>(effect == Effect::Undo || accepts)).unwrap();
        let heard = lost.told(Input::Receive(Told::Answer { to: Command { step, operation }, answer: answered }));
        [lost, heard]
    }

    fn next(&self) -> Vec<Self> {
        let mut base = self.clone();
        let outbox = self.saga.outbox();
        base.road = self.asked();
        let late = base.road.iter().map(|step| Command { step, operation: Operation::Act });
        let mut next = Vec::new();
        let (once, outbox): (Vec<_>, Vec<_>) =
            outbox.into_iter().partition(|command| self.saga.leaves_once(command.step, command.operation));
        next.extend(once.into_iter().map(|Command { step, .. }| base.told(Input::Receive(Told::Sent { step }))));
        for command in outbox.iter().copied().chain(late) {
            let plan = self.saga.plan().steps()[command.step];
            let may_refuse = [true, false].into_iter().filter(|accepts| *accepts || plan.kind != Kind::Retriable);
            for accepts in may_refuse {
                for is_late in [false, true].into_iter().filter(|is_late| !is_late || plan.deadline_ms.is_some()) {
                    let [lost, heard] = base.arrives(command, (accepts, is_late));
                    next.push(lost);
                    // What was overtaken is not waited for any more, and its answer means the same; what left once still is.
                    let is_looked_for = outbox.contains(&Command { step: command.step, operation: Operation::Look });
                    next.extend((outbox.contains(&command) || is_looked_for).then_some(heard));
                }
            }
        }
        next.extend(self.saga.dues().into_iter().map(|due| base.told(Input::Receive(Told::Due(due)))));
        next
    }

    fn rests(&self) -> bool {
        self.saga.outbox().is_empty() && self.saga.dues().is_empty()
    }
}

fn reached_from(first: World) -> BTreeSet<World> {
    let (mut seen, mut open) = (BTreeSet::new(), vec![first]);
    while let Some(world) = open.pop() {
        if seen.insert(world.clone()) {
            open.extend(world.next());
        }
    }
    seen
}

fn plans() -> Vec<Plan> {
    let of = |steps: Vec<StepPlan>| Plan::new(steps).unwrap();
    vec![
        Plan::payment_then_dispatch(None, None),
        Plan::payment_then_dispatch(Some(10), Some(20)),
        of(vec![step(Kind::Compensatable), step(Kind::Compensatable).beside()]),
        of(vec![step(Kind::Compensatable), step(Kind::Pivot), step(Kind::Retriable)]),
        of(vec![step(Kind::Compensatable), step(Kind::Compensatable).beside(), step(Kind::Pivot)]),
    ]
}

/// Plans with participants that promise less, of which more is foreseen than these registers do.
fn weaker() -> Vec<Plan> {
    let of = |doubt: Doubt| StepPlan { doubt, ..step(Kind::Compensatable) };
    let pivot = |doubt: Doubt| StepPlan { doubt, ..step(Kind::Pivot) };
    let (repeats, looks) = (Doubt::Repeats { last_send_ms: Some(5) }, Doubt::Looks { horizon_ms: Some(5) });
    let forgets = StepPlan { forgotten_ms: Some(7), undo_closes: false, ..step(Kind::Compensatable) };
    let plans = [
        [of(repeats), step(Kind::Pivot)],
        [of(looks), step(Kind::Pivot)],
        [step(Kind::Compensatable), pivot(repeats)],
        [forgets, step(Kind::Pivot)],
        [StepPlan { harmless: true, ..of(repeats) }, step(Kind::Pivot)],
    ];
    plans.into_iter().map(|steps| Plan::new(steps.to_vec()).unwrap()).collect()
}

#[test]
fn what_does_become_of_a_saga_is_among_what_may_where_participants_promise_less() {
    assert!(compare(weaker(), |foreseen, came| foreseen.is_superset(came)) > 40);
}

#[test]
fn what_may_become_of_a_saga_is_what_does_where_registers_answer() {
    assert!(compare(plans(), |foreseen, came| foreseen == came) > 100);
}

/// Compares, after everything that a person may say in every state that is reached, what is foreseen with what comes. Says how often.
fn compare(plans: Vec<Plan>, is_right: fn(&BTreeSet<End>, &BTreeSet<End>) -> bool) -> usize {
    let mut compared = 0;
    for plan in plans {
        // What a coordinator knows may be true of several worlds: it is foreseen what becomes of any of them.
        let mut came: BTreeMap<(Coordinator, Coordinator, StepSet), BTreeSet<End>> = BTreeMap::new();
        for world in reached_from(World::of(plan)) {
            let acts = world.saga.rulings().into_iter().map(|ruling| Input::Receive(Told::Ruled(ruling)));
            for act in acts.chain([Input::Receive(Told::Cancel), Input::Timeout]) {
                let after = world.told(act);
                let ends = reached_from(after.clone()).into_iter().filter(World::rests);
                let ends = ends.map(|end| end.saga.since(&world.saga));
                came.entry((world.saga.clone(), after.saga, world.asked())).or_default().extend(ends);
            }
        }
        for ((before, after, asked), came) in came {
            // Where nothing that may be answered ends it, it goes on for ever, and nothing has come of it.
            let foreseen = after.ends(&before, asked, 100_000).unwrap_or_default();
            assert!(is_right(&foreseen, &came), "{before:#?}\n{foreseen:#?}\n{came:#?}");
            compared += 1;
        }
    }
    compared
}

#[test]
fn nothing_is_undone_where_the_gate_turns_out_done() {
    let mut saga = shop(None);
    saga.step(Time(0), Input::Start);
    saga.step(Time(1), told(0, Operation::Act, Definite::Done));
    let mut cancelled = saga.clone();
    cancelled.step(Time(2), Input::Receive(Told::Cancel));
    let end = |standing, fates: [Fate; 2]| End { standing, fates: fates.to_vec() };
    let neither = end(Standing::Cancelled, [Fate::Undone, Fate::Closed]);
    let refused = end(Standing::Cancelled, [Fate::Undone, Fate::Nothing]);
    let both = end(Standing::Completed, [Fate::StillDone, Fate::Done]);
    assert_eq!(cancelled.ends(&saga, [0, 1].into_iter().collect(), 1_000), Some([neither, both, refused].into()));
}

#[test]
fn what_was_never_asked_for_is_not_done_where_the_journal_tells_all() {
    let mut saga = shop(None);
    saga.step(Time(0), Input::Start);
    let mut cancelled = saga.clone();
    cancelled.step(Time(2), Input::Receive(Told::Cancel));
    let completes = |asked: &[usize]| {
        let ends = cancelled.ends(&saga, asked.iter().copied().collect(), 1_000).unwrap();
        ends.iter().any(|end| end.fates[1] == Fate::Done)
    };
    assert_eq!((completes(&[0]), completes(&[0, 1])), (false, true));
}

#[test]
fn more_states_than_are_asked_for_are_not_looked_at() {
    let mut saga = shop(None);
    saga.step(Time(0), Input::Start);
    assert_eq!(saga.ends(&saga, StepSet::NONE, 3), None);
}
