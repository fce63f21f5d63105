//! The examples say what they say, and are short enough to be read at one sitting.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use handfast::flow_file::FlowFile;

#[path = "../../examples/embedded_shop.rs"]
#[expect(dead_code, reason = "the test takes the place of its `main`")]
mod embedded_shop;
#[path = "../../examples/flow_file.rs"]
#[expect(dead_code, reason = "the test takes the place of its `main`")]
mod flow_file;
#[path = "../../examples/two_banks.rs"]
#[expect(dead_code, reason = "the test takes the place of its `main`")]
mod two_banks;

/// Much longer than either takes.
const LONGEST: Duration = Duration::from_secs(60);

#[tokio::test]
async fn the_shop_charges_and_sends_or_does_neither() {
    let report = tokio::time::timeout(LONGEST, embedded_shop::report()).await.expect("it ends").unwrap();
    let expected = "\
order-1, tea, tok_visa, 0 answers of each service lost: 201 paid, and on its way
order-2, tea, tok_declined, 0 answers of each service lost: 402 not sent, and not paid
order-3, gold, tok_visa, 0 answers of each service lost: 402 not sent, and not paid
order-4, tea, tok_visa, 2 answers of each service lost: 201 paid, and on its way
books: 3 charges, 1 refunds, 2 shipments
";
    assert_eq!(report, expected);
}

#[tokio::test]
async fn money_is_neither_lost_nor_doubled_between_two_banks() {
    let report = tokio::time::timeout(LONGEST, two_banks::report()).await.expect("it ends").unwrap();
    // How many transfers run into their deadline differs from run to run, so the numbers are read and compared.
    let numbers: Vec<i64> = report.split(|it: char| !it.is_ascii_digit()).filter_map(|it| it.parse().ok()).collect();
    let [moved, of, stayed, ada, ben, cleo, dan, before, after, cents] = numbers[..] else { panic!("{report}") };
    assert_eq!((moved + stayed, before, after), (of, 170_000, 170_000), "{report}");
    assert_eq!((ada + ben, cleo + dan, cents), (120_000 - 500 * moved, 50_000 + 500 * moved, 500 * moved), "{report}");
    assert!(moved > 0 && stayed > of / 3, "{report}");
}

#[tokio::test]
async fn a_seat_is_held_only_with_its_ticket() {
    let report = tokio::time::timeout(LONGEST, flow_file::report()).await.expect("it ends").unwrap();
    let expected = "\
order-1: seat 7 for Ada: completed
order-2: seat 7 for Ben: cancelled
order-3: seat 8 for Eve's dog: cancelled
order-4: seat 8 for Dan: completed
taken: {7, 8}; the printer was asked 5 times
";
    assert_eq!(report, expected);
}

#[test]
fn they_are_short() {
    for text in [
        include_str!("../../examples/embedded_shop.rs"),
        include_str!("../../examples/flow_file.rs"),
        include_str!("../../examples/two_banks.rs"),
    ] {
        let lines = text.lines().count();
        assert!(lines < 150, "{lines} lines");
    }
}

/// Everything that follows from what a flow file says without a search: the plan of each step, the remarks and the risks.
fn said_of(path: &str) -> String {
    let file = FlowFile::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)).unwrap();
    let assessment = file.assessment();
    let mut said = format!("{path}: flow {}\n", file.name());
    for (step, plan) in file.steps().iter().zip(assessment.plan.steps()) {
        writeln!(said, "\nstep {} (line {})\n  {plan:?}", step.name, step.line).unwrap();
    }
    let place = |step: usize| format!("{} (line {})", file.steps()[step].name, file.steps()[step].line);
    for remark in &assessment.remarks {
        writeln!(said, "\nremark {} of {}: {}", remark.what.name(), place(remark.step), remark.what).unwrap();
    }
    for risk in &assessment.risks {
        let what = &risk.what;
        writeln!(said, "\nrisk {} of {}: {risk}; {}", what.name(), place(risk.step), what.way_out()).unwrap();
    }
    said
}

/// A change of what is said of the ways to existing services is seen, and looked at, before anybody reads it.
#[test]
fn what_is_said_of_the_ways_to_existing_services_is_pinned() {
    insta::assert_snapshot!("intents", said_of("examples/intents/flow.toml"));
    insta::assert_snapshot!("stripe", said_of("examples/stripe/flow.toml"));
    insta::assert_snapshot!("localstripe", said_of("examples/stripe/localstripe.toml"));
    insta::assert_snapshot!("card", said_of("examples/card/flow.toml"));
}
