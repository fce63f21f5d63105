//! Journals as text: what is written can be read, and journals of every released version lead to the same states.

mod lines;
mod under_way;
mod version_2;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use handfast::journal::{Line, LineError, Receipt, ReplayError, digest, hex, replay_checked, why_not_done};
use handfast::store::Entry;
use handfast_protocol::{Answer, Command, Coordinator, Definite, Doubt, Kind, Operation, Party, Plan, Standing, StepPlan, Time};
use serde_json::{Value, json};

/// A saga that may occur, and how it stands at the end of its journal.
struct Story {
    /// The version of the protocol that it is pinned to.
    version: u32,
    /// The folder of its file.
    folder: &'static str,
    name: &'static str,
    plan: Plan,
    lines: Vec<(u64, Line)>,
    standing: Standing,
}

fn told(step: usize, operation: Operation, answer: Answer, seq: u64, detail: Option<&str>) -> Line {
    let receipt = Receipt {
        seq: Some(seq),
        incarnation: Some("k3q9x0m2aa".to_owned()),
        at: Some(Time(1_000 + seq)),
        detail: detail.map(str::to_owned),
        ..Receipt::default()
    };
    Line::Answer { to: Command { step, operation }, answer, receipt }
}

fn known(step: usize, operation: Operation, state: Definite, seq: u64) -> Line {
    told(step, operation, Answer::State(state), seq, None)
}

fn refused(step: usize, seq: u64, why: &str) -> Line {
    told(step, Operation::Act, Answer::State(Definite::Refused), seq, Some(why))
}

fn cancel() -> Line {
    Line::Cancel { by: Some("clerk \"7\"".to_owned()), why: Some("customer changed her mind: ü".to_owned()), request_id: None }
}

fn stories() -> Vec<Story> {
    version_1().into_iter().chain(under_way::stories()).chain(version_2::stories()).collect()
}

fn version_1() -> Vec<Story> {
    use Definite::{Closed, Done, Undone};
    use Operation::{Act, Close, Undo};
    let shop = || Plan::payment_then_dispatch(Some(3_000), Some(5_000));
    let story = |name, lines, standing| Story { version: 1, folder: "v1", name, plan: shop(), lines, standing };
    let step = |kind, beside| StepPlan { beside, ..StepPlan::new(kind) };
    let card_trade = vec![
        step(Kind::Compensatable, false),
        step(Kind::Compensatable, true),
        step(Kind::Pivot, false),
        step(Kind::Retriable, false),
    ];
    vec![
        story(
            "completed",
            vec![(1_000, Line::Start), (1_020, known(0, Act, Done, 7)), (1_050, known(1, Act, Done, 3))],
            Standing::Completed,
        ),
        story(
            "payment_refused",
            vec![(1_000, Line::Start), (1_020, refused(0, 8, "card_declined")), (1_040, known(1, Close, Closed, 4))],
            Standing::Cancelled,
        ),
        story(
            "out_of_stock",
            vec![
                (1_000, Line::Start),
                (1_020, known(0, Act, Done, 9)),
                (1_050, refused(1, 5, "out_of_stock")),
                (1_080, known(0, Undo, Undone, 10)),
            ],
            Standing::Cancelled,
        ),
        story(
            "cancelled_in_flight",
            vec![
                (1_000, Line::Start),
                (1_010, cancel()),
                (1_030, known(1, Close, Closed, 6)),
                (1_035, known(0, Act, Done, 11)),
                (1_060, known(0, Undo, Undone, 12)),
            ],
            Standing::Cancelled,
        ),
        story(
            "deadline",
            vec![
                (1_000, Line::Start),
                (4_001, Line::Timeout),
                (4_020, known(0, Close, Closed, 13)),
                (4_040, known(1, Close, Closed, 7)),
            ],
            Standing::Cancelled,
        ),
        story("suspended", vec![(1_000, Line::Start), (1_020, told(0, Act, Answer::OtherBody, 14, None))], Standing::Suspended),
        Story {
            version: 1,
            folder: "v1",
            name: "side_by_side_and_retriable",
            plan: Plan::new(card_trade).unwrap(),
            lines: vec![
                (1_000, Line::Start),
                (1_020, known(1, Act, Done, 15)),
                (1_021, known(0, Act, Done, 16)),
                (1_040, known(2, Act, Done, 17)),
                (1_060, told(3, Act, Answer::State(Done), 18, Some("captured"))),
            ],
            standing: Standing::Completed,
        },
    ]
}

fn journal_of(story: &Story) -> Vec<Entry> {
    let mut coordinator: Coordinator = Coordinator::pinned(Arc::new(story.plan.clone()), story.version);
    let entry = |((at, line), seq): (&(u64, Line), u64)| {
        let before = coordinator.clone();
        coordinator.step(Time(*at), line.told());
        assert_ne!(before, coordinator, "{}: entry {seq} changes nothing, so no journal has it", story.name);
        Entry { seq, at: Time(*at), input: line.write(story.version).unwrap(), digest: digest(&coordinator) }
    };
    story.lines.iter().zip(1..).map(entry).collect()
}

/// A golden file: the plan and the end on the first line, then an entry a line.
fn golden_text(story: &Story) -> String {
    let steps: Vec<Value> = story.plan.steps().iter().map(step_to_json).collect();
    let mut text = format!("{}\n", json!({"version": story.version, "steps": steps, "standing": story.standing.name()}));
    for entry in journal_of(story) {
        let line = json!({"seq": entry.seq, "at": entry.at.0, "input": entry.input, "digest": hex(&entry.digest)});
        text.push_str(&format!("{line}\n"));
    }
    text
}

/// A step of a plan. What it has by default is left out, but for what was always there.
fn step_to_json(step: &StepPlan) -> Value {
    let mut json = json!({"kind": step.kind.name(), "beside": step.beside, "deadline_ms": step.deadline_ms});
    match step.doubt {
        Doubt::Closes => {}
        Doubt::Repeats { last_send_ms } => json["repeats"] = json!({ "last_send_ms": last_send_ms }),
        Doubt::Looks { horizon_ms } => json["looks"] = json!({ "horizon_ms": horizon_ms }),
    }
    if let Some(watch_ms) = step.watch_ms {
        json["watch_ms"] = json!(watch_ms);
    }
    json
}

fn step_from_json(json: &Value) -> StepPlan {
    let kind = Kind::ALL.into_iter().find(|kind| json["kind"] == kind.name()).unwrap();
    let doubt = if let Some(repeats) = json.get("repeats") {
        Doubt::Repeats { last_send_ms: repeats["last_send_ms"].as_u64() }
    } else if let Some(looks) = json.get("looks") {
        Doubt::Looks { horizon_ms: looks["horizon_ms"].as_u64() }
    } else {
        Doubt::Closes
    };
    let (beside, deadline_ms) = (json["beside"].as_bool().unwrap(), json["deadline_ms"].as_u64());
    StepPlan { beside, deadline_ms, doubt, watch_ms: json["watch_ms"].as_u64(), ..StepPlan::new(kind) }
}

struct Golden {
    plan: Arc<Plan>,
    version: u32,
    standing: String,
    entries: Vec<Entry>,
}

fn parse_golden(text: &str) -> Golden {
    let mut lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let head = lines.next().unwrap();
    let entry = |line: Value| Entry {
        seq: line["seq"].as_u64().unwrap(),
        at: Time(line["at"].as_u64().unwrap()),
        input: line["input"].as_str().unwrap().to_owned(),
        digest: u64::from_str_radix(line["digest"].as_str().unwrap(), 16).unwrap().to_be_bytes(),
    };
    Golden {
        plan: Arc::new(Plan::new(head["steps"].as_array().unwrap().iter().map(step_from_json).collect()).unwrap()),
        version: u32::try_from(head["version"].as_u64().unwrap()).unwrap(),
        standing: head["standing"].as_str().unwrap().to_owned(),
        entries: lines.map(entry).collect(),
    }
}

fn golden_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/journal")
}

fn goldens() -> Vec<(PathBuf, Golden)> {
    let versions = std::fs::read_dir(golden_folder()).unwrap().map(|version| version.unwrap().path());
    let files = versions.flat_map(|version| std::fs::read_dir(version).unwrap().map(|file| file.unwrap().path()));
    files.map(|path| (path.clone(), parse_golden(&std::fs::read_to_string(path).unwrap()))).collect()
}

/// A golden journal is never written again: somebody's store is full of its like. A new story gets its file by running
/// this with `HANDFAST_WRITE_GOLDEN=1`; a file that differs needs a new version of the protocol, not a new file. (The files of
/// version 2 are final once that is released.)
#[test]
fn journals_are_written_as_they_always_were() {
    for story in stories() {
        let path = golden_folder().join(format!("{}/{}.jsonl", story.folder, story.name));
        if std::env::var_os("HANDFAST_WRITE_GOLDEN").is_some() && !path.exists() {
            std::fs::write(&path, golden_text(&story)).unwrap();
        }
        let golden = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert_eq!(golden_text(&story), golden, "{}", path.display());
    }
}

#[test]
fn journals_of_every_released_version_lead_to_the_same_states() {
    let goldens = goldens();
    assert!(goldens.len() >= stories().len());
    for (path, golden) in goldens {
        let replayed = replay_checked(golden.plan, golden.version, &golden.entries);
        let coordinator = replayed.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert_eq!(coordinator.standing().name(), golden.standing, "{}", path.display());
    }
}

#[test]
fn the_reason_is_that_of_the_state_that_is_known() {
    use Operation::{Act, Undo};
    let lines = [
        Line::Start,
        told(0, Act, Answer::State(Definite::Done), 1, Some("captured")),
        refused(1, 2, "out_of_stock: TEA-1"),
        told(0, Undo, Answer::State(Definite::Undone), 3, Some("refunded")),
        known(2, Act, Definite::Refused, 4),
    ];
    assert_eq!(why_not_done(&lines, 1, Definite::Refused), Some("out_of_stock: TEA-1"));
    assert_eq!(why_not_done(&lines, 0, Definite::Undone), Some("refunded"));
    assert_eq!(why_not_done(&lines, 0, Definite::Done), None, "what is done needs no reason");
    assert_eq!(why_not_done(&lines, 2, Definite::Refused), None, "none was given");
}

#[test]
fn a_row_that_was_changed_is_named() {
    for (path, golden) in goldens() {
        let replay = |entries: &[Entry]| replay_checked(Arc::clone(&golden.plan), golden.version, entries).unwrap_err();
        for (index, seq) in (0..golden.entries.len()).zip(1..) {
            let changed = |change: fn(&mut Entry)| {
                let mut entries = golden.entries.clone();
                change(&mut entries[index]);
                entries
            };
            let place = format!("{}, entry {seq}", path.display());
            for differs in [changed(|entry| entry.digest[7] ^= 1), changed(|entry| entry.at.0 += 1)] {
                let error = replay(&differs);
                assert!(matches!(error, ReplayError::Differs { seq: named, .. } if named == seq), "{place}: {error}");
            }
            let error = replay(&changed(|entry| entry.input.truncate(entry.input.len() - 1)));
            assert!(matches!(error, ReplayError::Line { seq: named, .. } if named == seq), "{place}: {error}");
            let mut missing = golden.entries.clone();
            missing.remove(index);
            if index < missing.len() {
                assert_eq!(replay(&missing), ReplayError::Gap { expected: seq, found: seq + 1 }, "{place}");
            }
            let mut twice = golden.entries.clone();
            twice.insert(index, twice[index].clone());
            assert_eq!(replay(&twice), ReplayError::Gap { expected: seq + 1, found: seq }, "{place}");
        }
    }
}

#[test]
fn an_answer_that_was_changed_is_named() {
    for (path, golden) in goldens() {
        for (index, entry) in golden.entries.iter().enumerate().filter(|(_, entry)| entry.input.contains(r#""state":"done""#)) {
            let mut entries = golden.entries.clone();
            entries[index].input = entry.input.replace(r#""state":"done""#, r#""state":"refused""#);
            let error = replay_checked(Arc::clone(&golden.plan), golden.version, &entries).unwrap_err();
            assert!(matches!(error, ReplayError::Differs { seq, .. } if seq == entry.seq), "{}: {error}", path.display());
        }
    }
}

#[test]
fn what_is_no_line_is_refused() {
    for text in [
        "",
        "null",
        "{}",
        r#"{"stop":{}}"#,
        r#"{"start":{"x":1}}"#,
        r#"{"start":{}}{}"#,
        r#"{"start":{},"timeout":{}}"#,
        r#"{"cancel":{"who":"me"}}"#,
        r#"{"answer":{"step":0,"to":"act"}}"#,
        r#"{"answer":{"step":0,"to":"peek","state":"done"}}"#,
        r#"{"answer":{"step":0,"to":"act","state":"absent"}}"#,
        r#"{"answer":{"step":-1,"to":"act","state":"done"}}"#,
        r#"{"answer":{"step":0,"to":"act","state":"done","sequence":1}}"#,
    ] {
        let answer = Line::read(1, text);
        assert!(matches!(answer, Err(LineError::Unreadable(_))), "{text}: {answer:?}");
    }
}

#[test]
fn a_version_that_nobody_has_yet_is_told() {
    let next = handfast_protocol::PROTOCOL_VERSION + 1;
    assert_eq!(Line::Start.write(next), Err(LineError::UnknownVersion(next)));
    assert_eq!(Line::read(next, r#"{"start":{}}"#), Err(LineError::UnknownVersion(next)));
}
