//! An unsound order of steps does not compile, and the compiler says why in our words.
//!
//! The rules are types of the protocol crate ([`handfast::stage`]), on which the builder of flows stands: every method of
//! it asks the stage. That crate has no dependency, so it is compiled here on the spot, and each case against it. Of what the
//! compiler says only our own words are compared, since the frame that it puts around them changes with its version.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use handfast_protocol::{Kind, Plan, StepPlan};
use serde_json::Value;

/// What is wrong, and the code.
const CASES: &[(&str, &str)] = &[
    ("a step that may refuse after the pivot", "Stage::start().pivot().compensatable();"),
    ("the same, later", "Stage::start().compensatable().pivot().retriable().compensatable();"),
    ("a step that may refuse after a retriable one", "Stage::start().retriable().compensatable();"),
    ("the pivot after a retriable step", "Stage::start().compensatable().retriable().pivot();"),
    ("two pivots", "Stage::start().pivot().pivot();"),
    ("two pivots with a retriable step between them", "Stage::start().pivot().retriable().pivot();"),
    ("a deadline after the pivot", "Stage::start().pivot().retriable().deadline();"),
    ("a deadline after the first retriable step", "Stage::start().retriable().retriable().retriable().deadline();"),
    ("beside on the first step", "Stage::start().compensatable().beside();"),
    ("beside on the pivot", "Stage::start().compensatable().pivot().beside();"),
    ("beside the pivot", "Stage::start().pivot().retriable().beside();"),
    ("beside on the first retriable step", "Stage::start().compensatable().retriable().beside();"),
    ("an undo of the pivot", "Stage::start().pivot().undone();"),
    ("a deadline of no step", "Stage::start().deadline();"),
    ("no step at all", "Stage::start().end();"),
];

/// Everything that is sound, so that no rule forbids too much.
const SOUND: &[&str] = &[
    "Stage::start().compensatable().deadline().undone().end();",
    "Stage::start().compensatable().compensatable().beside().compensatable().beside().deadline().pivot().deadline().end();",
    "Stage::start().pivot().retriable().retriable().beside().said().end();",
    "Stage::start().compensatable().retriable().deadline().retriable().retriable().beside().end();",
    "Stage::start().in_any_order().pivot().pivot().beside().compensatable().deadline().retriable().undone().end();",
];

/// The line of a case in which its code begins.
const FIRST_LINE: usize = 3;

/// A folder with the compiled protocol crate.
struct Compiled(tempfile::TempDir);

impl Compiled {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let crate_root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../handfast-protocol/src/lib.rs");
        let output = rustc(&crate_root, folder.path(), &["--crate-type=lib", "--crate-name=handfast_protocol"]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Self(folder)
    }

    /// What the compiler says about these lines of code, in JSON.
    fn compile(&self, lines: &[impl AsRef<str>]) -> Output {
        let source = self.0.path().join("case.rs");
        let lines: Vec<&str> = lines.iter().map(AsRef::as_ref).collect();
        let code = format!("use handfast_protocol::stage::Stage;\nfn main() {{\n{}\n}}\n", lines.join("\n"));
        std::fs::write(&source, code).unwrap();
        let protocol: PathBuf = self.0.path().join("libhandfast_protocol.rmeta");
        let protocol = format!("--extern=handfast_protocol={}", protocol.display());
        rustc(&source, self.0.path(), &[&protocol, "--error-format=json", "-Aunused"])
    }
}

fn rustc(source: &Path, out: &Path, options: &[&str]) -> Output {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let mut command = Command::new(rustc);
    command.args(["--edition=2024", "--emit=metadata", "--out-dir"]).arg(out).args(options).arg(source);
    command.output().expect("the compiler that builds this test runs")
}

/// Our own words in what the compiler says: the message, where it points to, its label, and our notes.
fn in_our_words(output: &Output) -> String {
    let mut words = String::new();
    for line in String::from_utf8_lossy(&output.stderr).lines() {
        let said: Value = serde_json::from_str(line).expect("the compiler speaks JSON");
        if said["code"]["code"] != "E0277" {
            continue;
        }
        writeln!(words, "error: {}", said["message"].as_str().unwrap()).unwrap();
        for span in said["spans"].as_array().unwrap().iter().filter(|span| span["is_primary"] == true) {
            let text = &span["text"][0];
            let column = |which| usize::try_from(text[which].as_u64().unwrap()).unwrap() - 1;
            let place = &text["text"].as_str().unwrap()[column("highlight_start")..column("highlight_end")];
            writeln!(words, "  {place}: {}", span["label"].as_str().unwrap()).unwrap();
        }
        // The compiler's own notes point somewhere; ours are sentences.
        let children = said["children"].as_array().unwrap().iter();
        for note in children.filter(|child| child["level"] == "note" && child["spans"].as_array().unwrap().is_empty()) {
            writeln!(words, "  note: {}", note["message"].as_str().unwrap()).unwrap();
        }
    }
    words
}

#[test]
fn an_unsound_order_does_not_compile_and_the_message_says_why() {
    let compiled = Compiled::new();
    let mut messages = String::new();
    for (what, code) in CASES {
        let output = compiled.compile(&[code]);
        assert!(!output.status.success(), "{what} compiles: {code}");
        writeln!(messages, "# {what}\n{code}\n{}", in_our_words(&output)).unwrap();
    }
    insta::assert_snapshot!(messages);
}

#[test]
fn a_sound_order_compiles() {
    let output = Compiled::new().compile(SOUND);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Every order of up to four steps, each with and without a deadline and a neighbour: the code, and the plan of it. What is
/// unsound already is not continued, since it stays unsound.
fn every_order() -> Vec<(String, Vec<StepPlan>)> {
    let mut orders = vec![("Stage::start()".to_owned(), Vec::new())];
    let mut longest = 0..1;
    for _ in 0..4 {
        let added = orders.len();
        for order in longest {
            if !orders[order].1.is_empty() && Plan::new(orders[order].1.clone()).is_err() {
                continue;
            }
            for (kind, said) in Kind::ALL.into_iter().flat_map(|kind| (0..4).map(move |said| (kind, said))) {
                let (deadline_ms, beside) = ((said & 1 != 0).then_some(1), said & 2 != 0);
                let (mut code, mut steps) = orders[order].clone();
                let deadline = if deadline_ms.is_some() { ".deadline()" } else { "" };
                write!(code, ".{}(){deadline}{}", kind.name(), if beside { ".beside()" } else { "" }).unwrap();
                steps.push(StepPlan { beside, deadline_ms, ..StepPlan::new(kind) });
                orders.push((code, steps));
            }
        }
        longest = added..orders.len();
    }
    orders
}

#[test]
fn the_types_allow_exactly_what_a_plan_allows() {
    let orders = every_order();
    let lines: Vec<String> = orders.iter().map(|(code, _)| format!("{code}.end();")).collect();
    let output = Compiled::new().compile(&lines);
    let mut refused = BTreeSet::new();
    for line in String::from_utf8_lossy(&output.stderr).lines() {
        let said: Value = serde_json::from_str(line).expect("the compiler speaks JSON");
        let primary = said["spans"].as_array().unwrap().iter().find(|span| span["is_primary"] == true);
        refused.extend(primary.map(|span| usize::try_from(span["line_start"].as_u64().unwrap()).unwrap() - FIRST_LINE));
    }
    let mut sound = 0;
    for (at, (code, steps)) in orders.into_iter().enumerate() {
        let plan = Plan::new(steps);
        assert_eq!(refused.contains(&at), plan.is_err(), "{code}: {plan:?}");
        sound += usize::from(plan.is_ok());
    }
    assert_eq!((lines.len(), sound), (1285, 426));
}
