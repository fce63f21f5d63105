//! The processes of a program: all of its group, whoever carries its mark in the environment, and all that these started.
//!
//! The group is led by a warden, who is there before the program is: however early `handfast` itself is killed, somebody
//! sees it and kills the group.
//!
//! A process that left the group, wiped the mark and lost its parent becomes a child of this process (on Linux, where it asks
//! for that), which never started it: it is a *stray*, whosever it was, and is killed as soon as it is seen.
//!
//! All of this is there for accidents. It is no sandbox: programs have the rights of whoever started them.

use handfast_machine::locked;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

/// The name under which the mark stands in the environment.
pub(super) const MARK: &str = "HANDFAST_GENERAL";

/// How often, and how far apart, it is looked whether somebody survived.
const LOOKS: u32 = 40;
const BETWEEN_LOOKS: Duration = Duration::from_millis(5);

/// The children that this process has started, and waits for by itself.
static OWN: Mutex<BTreeSet<u32>> = Mutex::new(BTreeSet::new());

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
    pub(super) fn members(&self) -> BTreeSet<u32> {
        let processes = processes();
        let is_first = |(process, stat): &(&u32, &Stat)| stat.lives && (stat.group == self.group || self.marks(**process));
        let mut members: BTreeSet<u32> = processes.iter().filter(is_first).map(|(&process, _)| process).collect();
        members.remove(&self.group);
        // Whoever one of them started is one of them, whatever group and environment it has given itself.
        loop {
            let is_child = |(process, stat): &(&u32, &Stat)| {
                stat.lives && members.contains(&stat.parent) && !members.contains(process) && **process != self.group
            };
            let children: Vec<u32> = processes.iter().filter(is_child).map(|(&process, _)| process).collect();
            if children.is_empty() {
                return members;
            }
            members.extend(children);
        }
    }

    /// How much memory the members take together, in KiB.
    pub(super) fn resident_kib(&self) -> u64 {
        self.members().into_iter().filter_map(resident_kib).sum()
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
            // Looked at before anybody is killed: whoever loses its parent is a member no more, and a stray then.
            let members = self.members();
            kill_group(self.group);
            for &member in &members {
                kill(member);
            }
            if end_strays() == 0 && members.is_empty() {
                return;
            }
            std::thread::sleep(BETWEEN_LOOKS);
        }
    }
}

/// Starts a child of this process. It has to be forgotten once it has been waited for.
///
/// # Errors
/// The system's.
pub(super) fn spawn(command: &mut Command) -> std::io::Result<Child> {
    // Held meanwhile, so that nobody takes it for a stray before its number is known.
    let mut own = own();
    let child = command.spawn()?;
    own.insert(child.id());
    Ok(child)
}

/// Its number may be somebody else's from now on.
pub(super) fn forget(child: &Child) {
    own().remove(&child.id());
}

/// Asks for those that lose their parents, in this process and below.
#[cfg(target_os = "linux")]
fn adopt() {
    // Where it is not allowed strays go elsewhere, as they do on other systems.
    let _ = rustix::process::set_child_subreaper(Some(rustix::process::getpid()));
}

#[cfg(not(target_os = "linux"))]
fn adopt() {}

/// Kills the children that this process never started, and says how many there were. Those in its own group are left alone:
/// whoever they are, they are no program's.
pub(super) fn end_strays() -> usize {
    let own = own();
    let processes = processes();
    let me = std::process::id();
    let Some(group) = processes.get(&me).map(|stat| stat.group) else { return 0 };
    let is_stray = |(process, stat): &(&u32, &Stat)| stat.parent == me && stat.group != group && !own.contains(process);
    let strays: Vec<u32> = processes.iter().filter(is_stray).map(|(&process, _)| process).collect();
    for &stray in &strays {
        kill(stray);
        reap(stray);
    }
    strays.len()
}

fn own() -> MutexGuard<'static, BTreeSet<u32>> {
    locked(&OWN)
}

/// What the system says of a process.
#[derive(Clone, Copy, Debug)]
struct Stat {
    /// It has not ended.
    lives: bool,
    parent: u32,
    group: u32,
}

/// Every process there is. None where there is no `/proc`.
fn processes() -> BTreeMap<u32, Stat> {
    let Ok(entries) = fs::read_dir("/proc") else { return BTreeMap::new() };
    let numbers = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    numbers.filter_map(|process| Some((process, stat(process)?))).collect()
}

/// From `/proc/N/stat`: state, parent and group follow the name, which stands in brackets and may hold anything.
fn stat(process: u32) -> Option<Stat> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let mut fields = stat[stat.rfind(')')? + 1..].split_whitespace();
    let state = fields.next()?.chars().next()?;
    Some(Stat { lives: !matches!(state, 'Z' | 'X'), parent: fields.next()?.parse().ok()?, group: fields.next()?.parse().ok()? })
}

fn resident_kib(process: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix(" kB")?.trim().parse().ok()
}

/// The most memory that one process of a program may take for its data, and that all of them may take together.
pub(super) const MEMORY_KIB: u64 = 2 * 1024 * 1024;
/// The most time on a processor that one process of a program may take: more than all its answers may take, so that only
/// whoever is lost sight of ever meets it.
#[cfg(target_os = "linux")]
const PROCESSOR_S: u64 = 30 * 60;

/// Limits a process that was just started, and whoever it starts. How many processes there may be is no limit of the
/// system's here: that counts all of a user's, and binds no administrator.
#[cfg(target_os = "linux")]
pub(super) fn limit(child: &Child) {
    use rustix::process::{Resource, Rlimit, prlimit};
    for (resource, most) in [(Resource::Data, MEMORY_KIB * 1024), (Resource::Cpu, PROCESSOR_S), (Resource::Core, 0)] {
        // Whoever has a lower limit of its own keeps it, and who is gone already needs none.
        let _ = prlimit(number(child.id()), resource, Rlimit { current: Some(most), maximum: Some(most) });
    }
}

#[cfg(not(target_os = "linux"))]
pub(super) fn limit(_child: &Child) {}

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

/// Waits for a child that has been killed, if it is dead by now; if not, the next look finds it again.
#[cfg(unix)]
fn reap(process: u32) {
    if let Some(process) = number(process) {
        let _ = rustix::process::waitpid(Some(process), rustix::process::WaitOptions::NOHANG);
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
fn reap(_process: u32) {}

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
    adopt();
    spawn(&mut command)
}

/// Has a command start in a group: nought founds one. Where the group is gone already, the command does not start.
#[cfg(unix)]
pub(super) fn join(command: &mut Command, group: u32) {
    // A number that is none is refused when the command is started.
    std::os::unix::process::CommandExt::process_group(command, i32::try_from(group).unwrap_or(i32::MAX));
}

#[cfg(not(unix))]
pub(super) fn join(_command: &mut Command, _group: u32) {}
