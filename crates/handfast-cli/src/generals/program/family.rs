//! The processes of a program: all of its group, and whoever left the group but still carries the mark in its environment.
//!
//! The group is led by a warden, who is there before the program is: however early `handfast` itself is killed, somebody
//! sees it and kills the group.
//!
//! A program that wipes the mark from its environment and leaves the group can hide from this: the limits are there for
//! accidents, and no sandbox.

use std::fs;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// The name under which the mark stands in the environment.
pub(super) const MARK: &str = "HANDFAST_GENERAL";

/// How often, and how far apart, it is looked whether somebody survived.
const LOOKS: u32 = 40;
const BETWEEN_LOOKS: Duration = Duration::from_millis(5);

/// What the processes of one program have in common.
#[derive(Clone, Debug)]
pub(super) struct Family {
    /// The number of the process group, which is that of its warden.
    pub(super) group: u32,
    /// The value of [`MARK`].
    pub(super) mark: String,
}

impl Family {
    /// The members that are alive, without the warden. Empty where there is no `/proc`.
    pub(super) fn members(&self) -> Vec<u32> {
        let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
        let numbers = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
        numbers.filter(|&process| self.has(process)).collect()
    }

    fn has(&self, process: u32) -> bool {
        if process == self.group {
            return false;
        }
        let Some((state, group)) = state_and_group(process) else { return false };
        if matches!(state, 'Z' | 'X') {
            return false;
        }
        group == self.group || self.marks(process)
    }

    fn marks(&self, process: u32) -> bool {
        let Ok(environment) = fs::read(format!("/proc/{process}/environ")) else { return false };
        let mark = format!("{MARK}={}", self.mark);
        environment.split(|&byte| byte == 0).any(|variable| variable == mark.as_bytes())
    }

    /// Kills every member, and looks again until none is left. The warden, who goes as well, must not have been waited for:
    /// only after that is the group's number free.
    pub(super) fn end(&self) {
        for _ in 0..LOOKS {
            kill_group(self.group);
            let members = self.members();
            if members.is_empty() {
                return;
            }
            for &member in &members {
                kill(member);
            }
            std::thread::sleep(BETWEEN_LOOKS);
        }
    }
}

/// The state and the process group of a process, from `/proc/N/stat`: they follow the name, which stands in brackets and
/// may hold anything.
fn state_and_group(process: u32) -> Option<(char, u32)> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let mut fields = stat[stat.rfind(')')? + 1..].split_whitespace();
    let state = fields.next()?.chars().next()?;
    Some((state, fields.nth(1)?.parse().ok()?))
}

#[cfg(unix)]
fn number(process: u32) -> Option<rustix::process::Pid> {
    rustix::process::Pid::from_raw(i32::try_from(process).ok()?)
}

// Whoever is gone already needs no killing, which is the only way in which these fail.
#[cfg(unix)]
fn kill_group(group: u32) {
    if let Some(group) = number(group) {
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    }
}

#[cfg(unix)]
fn kill(process: u32) {
    if let Some(process) = number(process) {
        let _ = rustix::process::kill_process(process, rustix::process::Signal::KILL);
    }
}

/// Whether a child has ended. It is not waited for, so its number stays its own.
#[cfg(unix)]
pub(super) fn has_ended(child: u32) -> bool {
    use rustix::process::{WaitId, WaitIdOptions, waitid};
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    number(child).is_some_and(|child| matches!(waitid(WaitId::Pid(child), options), Ok(Some(_))))
}

#[cfg(not(unix))]
fn kill_group(_group: u32) {}

#[cfg(not(unix))]
fn kill(_process: u32) {}

#[cfg(not(unix))]
pub(super) fn has_ended(_child: u32) -> bool {
    false
}

/// Starts a warden, who founds a group of its own: an interrupt from the terminal does not reach it. It waits for its
/// standard input to end, which that does when this process is gone by whatever signal, and then kills its group.
pub(super) fn warden() -> std::io::Result<Child> {
    let mut command = Command::new("sh");
    command.args(["-c", "read -r line; kill -s KILL 0"]).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    join(&mut command, 0);
    command.spawn()
}

/// Has a command start in a group: nought founds one. Where the group is gone already, the command does not start.
#[cfg(unix)]
pub(super) fn join(command: &mut Command, group: u32) {
    // A number that is none is refused when the command is started.
    std::os::unix::process::CommandExt::process_group(command, i32::try_from(group).unwrap_or(i32::MAX));
}

#[cfg(not(unix))]
pub(super) fn join(_command: &mut Command, _group: u32) {}
