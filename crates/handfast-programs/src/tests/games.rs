//! Programs that play as they should: the examples that ship, and what the wire allows beyond them.

use std::path::Path;

use handfast_lab::generals::{Limits, Shipped};

use super::{Programs, Script, patterns, play, programs, python};

fn example(command: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/generals");
    command.replace("examples/generals", folder.to_str().unwrap()).replace("python3", python())
}

#[test]
fn the_example_in_python_tops_up_only_when_nobody_came_back() {
    let table = play(&example("python3 examples/generals/top_up.py")).unwrap();
    assert_eq!((table.rounds(), table.starts.len()), (3, 2));
    // With an answer 2 + 2 messengers were sent, without one 2 + 2 + 6, or 2 + 6 if both of the first were captured.
    // Only if all eight of general 1's are captured does general 2 stay at home.
    assert_eq!(patterns(&table), [3 * 3 + 3 * 64 + 63, 1, 0, 0]);
}

#[test]
fn the_example_in_shell_is_the_second_strategy_of_the_problem() {
    for (messengers, replies) in [(1, 1), (3, 2)] {
        let command = example("sh examples/generals/reply.sh");
        let table = Programs { messengers, replies, ..programs(&command) }.tabulate().unwrap();
        let shipped = Shipped::Reply { messengers, replies }.tabulate(&Limits::default()).unwrap();
        assert_eq!(patterns(&table), patterns(&shipped), "{messengers} and {replies}");
        assert_eq!(table.last().nodes.len() > 1, shipped.last().nodes.len() > 1);
    }
}

const ATTACKS: &str = r#"
def play(body):
    general, order = body["state"]
    if general == 1:
        say(type="step_ok", state=body["state"], outbox=[{"b": 1, "a": [2]}] * order, attack=order)
    else:
        say(type="step_ok", state=body["state"], outbox=[], attack=True if body["inbox"] else None)
"#;

#[test]
fn a_message_may_be_any_json_and_a_decision_may_be_left_out() {
    let table = Script::one_round(ATTACKS).play().unwrap();
    assert_eq!(patterns(&table), [1, 1, 0, 0]);
    assert_eq!(table.messages, [r#"{"a":[2],"b":1}"#]);
}

#[test]
fn general_2_may_be_another_program() {
    let (attacks, stays) = (
        Script::one_round(ATTACKS),
        Script::one_round("def play(body): say(type='step_ok', state=None, outbox=[], attack=False)"),
    );
    let [first, second] = [attacks.command(), stays.command()];
    let table = Programs { commands: [&first, &second], ..programs("") }.tabulate().unwrap();
    assert_eq!(patterns(&table), [0, 2, 0, 0]);
    assert!(table.name.contains(" and exec:"), "{}", table.name);
}

/// The shortest answers that lab.md's form allows: no mode, no rounds, no envelope but the body.
#[test]
fn what_may_be_left_out_may_be_left_out() {
    let script = Script::python(
        r#"
def bare(**body): print(json.dumps({"body": body}), flush=True)
def init(body): bare(type="init_ok")
def play(body): bare(type="step_ok", state=None, outbox=[body["round"]])
"#,
    );
    let command = script.command();
    let table = Programs { rounds: Some(2), ..programs(&command) }.tabulate().unwrap();
    assert_eq!((table.rounds(), &*table.messages), (2, &["1".to_owned(), "2".to_owned()][..]));
}

/// A program may end by itself after its last round; it is started again for the next run.
#[test]
fn a_program_that_plays_once_and_ends_is_started_again() {
    let script = Script::python(
        r#"
def init(body):
    global general, order, told
    general, order, told = body["general"], body["order"], []
    say(type="init_ok", mode="replay", rounds=2)
def play(body):
    told.append(body["inbox"])
    heard = any(told)
    if body["round"] == 3:
        say(type="round_ok", outbox=[], attack=order if general == 1 else heard)
        sys.exit(0)
    say(type="round_ok", outbox=["go"] * (general == 1 and order))
"#,
    );
    assert_eq!(patterns(&script.play().unwrap()), [3, 1, 0, 0]);
}

/// The messages arrive in the order in which they were sent, whoever was captured between them.
#[test]
fn an_inbox_keeps_the_order_of_sending() {
    let script = Script::one_round(
        r#"
def play(body):
    general, order = body["state"]
    if general == 1:
        say(type="step_ok", state=body["state"], outbox=["a", "b", "a"] * order, attack=order)
    else:
        say(type="step_ok", state=body["state"], outbox=[], attack=body["inbox"] == ["b", "a"] if body["round"] == 2 else None)
"#,
    );
    // Of eight patterns one lets exactly the second and the third through.
    assert_eq!(patterns(&script.play().unwrap()), [1, 7, 0, 0]);
}

/// "temporarily unavailable" is definite: the question was not taken, so it is asked again.
#[test]
fn a_program_that_is_not_available_for_now_is_asked_again() {
    let script = Script::one_round(
        r#"
busy = True
def play(body):
    global busy
    busy = not busy
    if busy:
        say(type="step_ok", state=None, outbox=[])
    else:
        say(type="error", code=11, text="one moment")
"#,
    );
    assert_eq!(patterns(&script.play().unwrap()), [0, 0, 0, 1]);
}
