//! What a line looks like, and what never stands in it.

use std::collections::BTreeMap;

use handfast::participant::{Secret, Secrets};
use serde_json::Value;
use tracing::subscriber::with_default;

use super::*;

/// The log of a test, which writes nothing: what was reported waits in its queue.
fn log(form: Form, most: LevelFilter) -> (Arc<Log>, Receiver<Told>) {
    let (queue, lines) = sync_channel(QUEUE);
    let (kinds, clean, bar) = (Mutex::default(), Mutex::default(), Mutex::default());
    (Arc::new(Log { form, most, running: Stopwatch::start(), kinds, clean, bar, queue }), lines)
}

/// The lines that are reported by `report`, in both forms.
fn lines(clean: &Clean, most: LevelFilter, report: impl FnOnce()) -> Vec<(String, Value)> {
    let (log, lines) = log(Form::Text, most);
    with_default(Reporter(log), report);
    let both = |line: Box<Line>| (line.as_text(clean), serde_json::from_str(&line.as_json(clean)).unwrap());
    lines.try_iter().filter_map(|told| if let Told::Line(line) = told { Some(both(line)) } else { None }).collect()
}

#[test]
fn a_line_says_when_how_bad_what_and_about_whom() {
    let found = lines(&Clean::default(), LevelFilter::INFO, || {
        tracing::warn!(name: "breaker_opened", participant = "http://127.0.0.1:1/keys", calls = 32, "nobody answers");
        tracing::debug!("not told");
        tracing::error!(name: "suspended", saga = "order 1", "a\nperson\x1b has to look");
    });
    let [(first, json), (second, _)] = found.as_slice() else { panic!("{found:?}") };
    assert!(first.ends_with(" nobody answers participant=http://127.0.0.1:1/keys calls=32"), "{first}");
    assert!(first.contains("WARN") && first.starts_with("20"), "{first}");
    assert_eq!((&json["level"], &json["event"], &json["calls"]), (&"warn".into(), &"breaker_opened".into(), &32.into()));
    assert_eq!((&json["message"], &json["target"]), (&"nobody answers".into(), &module_path!().into()));
    assert!(json["at"].as_str().unwrap().ends_with('Z'), "{json}");
    assert!(second.ends_with("a person  has to look saga=\"order 1\""), "{second:?}");
}

#[test]
fn no_secret_and_no_card_number_is_ever_in_a_line() {
    let known =
        BTreeMap::from([("TOKEN".to_owned(), Secret::new("s3cret-of-the-bank")), ("SHORT".to_owned(), Secret::new("17"))]);
    let mut clean = Clean::default();
    clean.keep_back(Secrets::load(["TOKEN", "SHORT"], &known).unwrap());
    let found = lines(&clean, LevelFilter::TRACE, || {
        tracing::info!(answer = "Bearer s3cret-of-the-bank!", "s3cret-of-the-bank was repeated");
        tracing::info!(card = "4111 1111 1111 1111", "card 4111111111111111 declined");
        tracing::info!(short = "17", "17 orders");
        tracing::info!(long = "x".repeat(1_000_000), "{}4111111111111111", "x ".repeat(998));
    });
    assert_eq!(found.len(), 4);
    for (text, json) in &found {
        for line in [text, &json.to_string()] {
            assert!(!line.contains("s3cret") && !line.contains("4111") && line.len() < 5_000, "{line}");
        }
    }
    assert_eq!(found[0].1["answer"], "Bearer [secret TOKEN]!");
    assert_eq!((&found[2].1["short"], &found[2].1["message"]), (&"[secret SHORT]".into(), &"17 orders".into()));
}

#[test]
fn a_flood_is_told_by_a_count() {
    let found = lines(&Clean::default(), LevelFilter::INFO, || {
        for number in 0..5_000 {
            tracing::warn!(name: "flood", number, "again");
        }
        tracing::warn!(name: "other", "something else");
    });
    assert!((20..40).contains(&found.len()), "{}", found.len());
    assert_eq!(found.last().unwrap().1["event"], "other", "a flood drowns nothing else");
}
