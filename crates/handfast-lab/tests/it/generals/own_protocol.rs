//! The example of a protocol of one's own says what it says, and is as short as is promised.

#[path = "../../../examples/own_protocol.rs"]
#[expect(dead_code, reason = "the test takes the place of its `main`")]
mod example;

#[test]
fn it_is_checked_drawn_and_simulated() {
    insta::assert_snapshot!(example::report().expect("it is violated"));
}

#[test]
fn it_has_fewer_than_60_lines() {
    let lines = include_str!("../../../examples/own_protocol.rs").lines().count();
    assert!(lines < 60, "{lines} lines");
}
