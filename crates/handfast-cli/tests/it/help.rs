//! Help, completions and manual pages exist for every command.

use std::process::Command;

fn handfast() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_handfast"));
    command.env_remove("NO_COLOR").env_remove("CLICOLOR_FORCE");
    command
}

#[test]
fn an_unknown_command_is_a_usage_error_with_a_suggestion() {
    let output = handfast().arg("rnu").output().expect("the binary runs");
    let said = String::from_utf8(output.stderr).expect("text");
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("'run'"), "{said}");
    assert!(output.stdout.is_empty());
}
