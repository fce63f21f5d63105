//! The shipped protocols, played out by hand-picked patterns.

use handfast_lab::generals::{Limits, Outcome, Shipped, Table};

fn table(shipped: Shipped) -> Table {
    shipped.tabulate(&Limits::default()).expect("it fits")
}

#[track_caller]
fn check(shipped: Shipped, captured: &[usize], outcome: Outcome, sent: usize) {
    let run = table(shipped).play(0, |number| captured.contains(&number));
    assert_eq!((run.outcome(), run.journeys.len()), (outcome, sent));
}

#[test]
fn the_strategies_end_in_the_rows_of_the_table() {
    let always = Shipped::Always { messengers: 2 };
    check(always, &[], Outcome::Both, 2);
    check(always, &[0], Outcome::Both, 2);
    check(always, &[0, 1], Outcome::Alone1, 2);
    let reply = Shipped::Reply { messengers: 1, replies: 2 };
    check(reply, &[], Outcome::Both, 3);
    check(reply, &[1], Outcome::Both, 3);
    check(reply, &[1, 2], Outcome::Alone2, 3);
    check(reply, &[0], Outcome::Neither, 1);
    check(Shipped::ReplyEach { messengers: 3 }, &[1], Outcome::Both, 5);
    check(Shipped::Handshake { steps: 3, messengers: 1 }, &[2], Outcome::Alone1, 3);
    check(Shipped::ReadyReady { last_tick: 2 }, &[], Outcome::Both, 6);
    check(Shipped::RandomAttack { rounds: 3 }, &[], Outcome::Both, 6);
}

#[test]
fn without_the_order_nobody_moves() {
    let run = table(Shipped::Reply { messengers: 3, replies: 3 }).play(1, |_| false);
    assert_eq!((run.outcome(), run.journeys.len()), (Outcome::Neither, 0));
}

#[test]
fn a_thousand_messengers_lead_to_as_few_states_as_one() {
    let table = table(Shipped::Handshake { steps: 3, messengers: 1000 });
    assert_eq!(table.last().nodes.len(), 5, "without the order, and after 0, 1, 2 or 3 waves that got through");
}
