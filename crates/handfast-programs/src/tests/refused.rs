//! Programs that are refused for what they say: not deterministic, or nonsense.

use super::{Programs, Script, assert_says, programs, refusal};

/// The state of general 1 holds whatever `seen` is.
fn sees(seen: &str) -> String {
    format!("def play(body): say(type='step_ok', state=str({seen}), outbox=[])")
}

#[test]
fn whoever_looks_at_anything_but_what_he_is_told_is_refused() {
    for seen in [
        "time.time()",
        "__import__('random').random()",
        "os.getpid()",
        "time.strftime('%H')",
        "int(time.time()) % 2",
        "os.environ",
    ] {
        let text = Script::one_round(&sees(seen)).refusal();
        assert_says(&text, &["is not deterministic", "general 1 with the order", "asked: ", "first: state", "then:  state"]);
    }
}

#[test]
fn a_coin_tossed_at_the_start_is_found_out() {
    let text =
        Script::one_round("coin = os.urandom(1)[0] % 8\ndef play(body): say(type='step_ok', state=coin, outbox=[])").refusal();
    assert_says(&text, &["is not deterministic", "in another process"]);
}

#[test]
fn what_is_kept_between_questions_in_the_mode_step_is_found_out() {
    let text = Script::one_round(
        "count = 0\ndef play(body):\n    global count\n    count += 1\n    say(type='step_ok', state=count % 2, outbox=[])",
    )
    .refusal();
    assert_says(&text, &["is not deterministic", "keep nothing between questions in the mode step"]);
}

/// In the mode replay a new `init` has to begin a new run.
#[test]
fn what_is_kept_over_an_init_in_the_mode_replay_is_found_out() {
    let text = Script::python(
        r#"
told = 0
def init(body):
    global general
    general = body["general"]
    say(type="init_ok", mode="replay", rounds=1)
def play(body):
    global told
    told += 1
    say(type="round_ok", outbox=["x"] * (1 + told // 3))
"#,
    )
    .refusal();
    assert_says(
        &text,
        &["is not deterministic", "when told the same run again", "forget everything at an init", "a run with the inboxes []"],
    );
}

#[track_caller]
fn assert_nonsense(play: &str, parts: &[&str]) {
    let text = Script::one_round(&format!("def play(body): {play}")).refusal();
    assert_says(&text, parts);
    assert_says(&text, &["general 1 with the order", "asked: {\"src\":\"lab\",\"dest\":\"general-1\""]);
}

#[test]
fn nonsense_is_quoted_with_what_was_expected() {
    assert_nonsense("print('forward!', flush=True)", &["expected is one JSON object", "said:  forward!"]);
    assert_nonsense("print(flush=True)", &["expected is one JSON object", "said:  \n"].map(str::trim_end));
    assert_nonsense("print('[1]', flush=True)", &["expected is one JSON object on one line\n", "said:  [1]"]);
    assert_nonsense("print('\\x1b[2J', flush=True)", &["said:  \\u{1b}[2J"]);
    assert_nonsense("say(type='step')", &["a `body` of the type \"step_ok\"", "\"type\": \"step\""]);
    assert_nonsense("say(type='step_ok', outbox=[])", &["`step_ok` has a `state`"]);
    assert_nonsense("say(type='step_ok', state=1)", &["`step_ok` has an `outbox`"]);
    assert_nonsense("say(type='step_ok', state=1, outbox='x')", &["`step_ok` has an `outbox`, a list"]);
    assert_nonsense("say(type='step_ok', state=1, outbox=[], attack='yes')", &["`attack` is true or false"]);
    assert_nonsense("say(type='step_ok', state=1, outbox=[], atack=True)", &["no `atack`"]);
    assert_nonsense("say(type='step_ok', state=1, outbox=[], in_reply_to=77)", &["the `msg_id` of the question, 2"]);
    assert_nonsense("say(type='step_ok', state=2**70, outbox=[])", &["too large, send it as a text"]);
    assert_nonsense("say(type='error', code=13, text='out of powder')", &["the error 13, crash, indefinite (\"out of powder\")"]);
}

#[test]
fn a_program_has_to_introduce_itself_properly() {
    let text = |init: &str| Script::python(&format!("def init(body): {init}\ndef play(body): pass")).refusal();
    assert_says(&text("say(type='init_ok', mode='both')"), &["`mode` is \"step\" or \"replay\""]);
    assert_says(&text("say(type='init_ok', rounds=0)"), &["`rounds` is a whole number from 1 to 1000"]);
    assert_says(&text("say(type='init_ok', rounds=2**32)"), &["`rounds` is a whole number from 1 to 1000"]);
    assert_says(&text("say(type='init_ok', round=1)"), &["no `round`"]);
    assert_says(
        &text("say(type='init_ok', rounds=body['general'])"),
        &["general 2", "plays 2 rounds, and general 1 with the order says 1"],
    );
    assert_says(&text("say(type='error', code=10, text='no')"), &["the error 10, not supported, definite"]);
}

#[test]
fn the_number_of_rounds_that_is_typed_has_to_be_the_programs_own() {
    let script = Script::one_round(&sees("1"));
    let command = script.command();
    let text = Programs { rounds: Some(2), ..programs(&command) }.tabulate().unwrap_err().to_string();
    assert_says(&text, &["plays 1 rounds, and --rounds says 2"]);
}

#[test]
fn a_decision_is_final() {
    let text = Script::python(
        r#"
def init(body): say(type="init_ok", rounds=2)
def play(body): say(type="step_ok", state=None, outbox=[], attack=body["round"] == 1)
"#,
    )
    .refusal();
    assert_says(&text, &["had decided to attack and says otherwise now; a decision is final", "round 2"]);
}

#[test]
fn a_command_that_cannot_be_started_is_told() {
    assert_says(&refusal("no-such-general --now"), &["`no-such-general --now`", "cannot be started: No such file"]);
    assert_says(&refusal("'unfinished"), &["has a quote or a backslash without its end"]);
    assert_says(&refusal(" "), &["needs a command"]);
}
