//! Programs that hang, flood, fork or die: each is refused, and none of its processes is left.

use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use super::super::ROLES;
use super::super::family::{self, Family};
use super::super::process::Process;
use super::super::refusal::Fault;
use super::super::seat::Seat;
use super::super::talk::{Cast, Patience};
use super::super::wire::{Game, Question};
use super::{Programs, Script, assert_says, programs};

/// A program that hangs is not waited for as long as one that is only slow to start.
fn refusal_of_the_slow(script: &Script) -> String {
    let command = script.command();
    Programs { time_limit_ms: 1000, ..programs(&command) }.tabulate().unwrap_err().to_string()
}

#[test]
fn a_program_that_hangs_is_refused() {
    let text = refusal_of_the_slow(&Script::one_round("def play(body): time.sleep(3600)"));
    assert_says(&text, &["did not answer within 1000 ms", "and to flush it", "--time-limit-ms", "asked: {"]);
}

#[test]
fn a_flood_is_cut_off_with_and_without_ends_of_line() {
    let text = Script::one_round("def play(body):\n    while True: sys.stdout.write('x' * 100000)").refusal();
    assert_says(&text, &["wrote more than 65536 bytes without an end of line", "said:  xxxx"]);
    let text = Script::one_round(
        "def play(body):\n    say(type='step_ok', state=None, outbox=[])\n    while True: print('and on', flush=True)",
    )
    .refusal();
    assert_says(&text, &["said something without having been asked", "said:  and on"]);
}

#[test]
fn a_program_that_dies_is_quoted() {
    let text = Script::one_round("def play(body): raise ValueError('no powder left')").refusal();
    assert_says(&text, &["ended instead of answering (exit status: 1)", "ValueError: no powder left", "last words"]);
    let text = Script::one_round("def play(body): os.kill(os.getpid(), 11)").refusal();
    assert_says(&text, &["ended instead of answering (signal: 11"]);
    let text = Script::one_round("def play(body): print('{\"body\":', end='', flush=True); sys.exit(0)").refusal();
    assert_says(&text, &["said:  {\"body\":", "expected is one JSON object"]);
}

#[test]
fn a_program_that_closes_its_output_or_reads_nothing_is_told() {
    let text = Script::one_round("def play(body): os.close(1); time.sleep(3600)").refusal();
    assert_says(&text, &["closed its standard output instead of answering"]);
    let script = Script::one_round("def play(body): say(type='step_ok', state='x' * 60000, outbox=[]); time.sleep(3600)");
    assert_says(&refusal_of_the_slow(&script), &["did not answer within 1000 ms"]);
}

#[test]
fn standard_error_is_kept_to_its_last_lines() {
    let text = Script::one_round(
        "def play(body):\n    for line in range(100000): print('alas', line, file=sys.stderr)\n    sys.exit(3)",
    )
    .refusal();
    assert_says(&text, &["exit status: 3", "alas 99999\n    alas 99999".split('\n').next().unwrap()]);
    assert!(text.lines().filter(|line| line.contains("alas")).count() <= 8, "{text}");
}

#[test]
fn too_many_processes_are_counted_and_all_are_killed() {
    let script = Script::one_round(
        r#"
import subprocess
def play(body):
    children = [subprocess.Popen(["sleep", "3600"]) for _ in range(12)]
    with open(os.path.dirname(__file__) + "/children", "w") as file: file.write(" ".join(str(child.pid) for child in children))
    time.sleep(3600)
"#,
    );
    let text = script.refusal();
    assert_says(&text, &["processes at once, and may have 8"]);
    // It may have been stopped before it had written down whom it started.
    let children = fs::read_to_string(script.path().join("children")).unwrap_or_default();
    wait_for(&children, || children.split_whitespace().all(|child| !lives(child)));
}

/// Who has been killed is still there for a moment.
fn wait_for(what: &str, holds: impl Fn() -> bool) {
    for _ in 0..4000 {
        if holds() {
            return;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    panic!("{what}");
}

/// Whether there is such a process, other than one that nobody has waited for.
fn lives(process: &str) -> bool {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    stat.rsplit(')').next().is_some_and(|rest| !rest.trim().is_empty() && !rest.trim().starts_with('Z'))
}

/// The program, and what it says to its first step.
fn asked_once(script: &Script) -> (Process, Value) {
    let words: Vec<String> = script.command().split(' ').map(str::to_owned).collect();
    let mut process = Process::start(&words, None).unwrap();
    let mut ask = |line: &str| process.ask(line.to_owned(), Duration::from_secs(30)).unwrap();
    ask("{\"src\":\"\",\"dest\":\"\",\"body\":{\"type\":\"init\",\"general\":1,\"order\":true}}\n");
    let said = ask("{\"src\":\"\",\"dest\":\"\",\"body\":{\"type\":\"step\"}}\n");
    let said = serde_json::from_slice(&said).unwrap();
    (process, said)
}

/// Children in the background, one of them in a session of its own, go with the program.
#[test]
fn nobody_is_left_when_a_program_is_done_with() {
    let script = Script::one_round(
        r#"
import subprocess
def play(body):
    children = [subprocess.Popen(["sleep", "3600"]), subprocess.Popen(["sleep", "3600"], start_new_session=True)]
    say(type="step_ok", state=[child.pid for child in children], outbox=[])
"#,
    );
    let (process, said) = asked_once(&script);
    let children: Vec<String> = said["body"]["state"].as_array().unwrap().iter().map(ToString::to_string).collect();
    assert_eq!(children.iter().filter(|child| lives(child)).count(), 2);
    drop(process);
    wait_for(&children.join(" "), || !children.iter().any(|child| lives(child)));
}

/// Neither group nor mark nor parent is left of them: one by itself, the other since who started it has ended.
#[test]
#[cfg(target_os = "linux")]
fn whoever_hides_is_found_all_the_same() {
    let script = Script::one_round(
        r#"
import subprocess
def play(body):
    hidden = "env -i setsid sleep 3600 & echo $!; env -i setsid sh -c 'sleep 3600 & echo $!'"
    hiding = subprocess.Popen(["sh", "-c", hidden], stdout=subprocess.PIPE)
    children = [hiding.stdout.readline() for _ in range(2)]
    hiding.wait()
    say(type="step_ok", state=[int(child) for child in children], outbox=[])
"#,
    );
    let (process, said) = asked_once(&script);
    let hidden: Vec<String> = said["body"]["state"].as_array().unwrap().iter().map(ToString::to_string).collect();
    assert_eq!(hidden.len(), 2);
    drop(process);
    assert!(!hidden.iter().any(|process| lives(process)), "{hidden:?}");
}

#[test]
#[cfg(target_os = "linux")]
fn memory_is_limited() {
    // Reserved at once it is not given, and taken bit by bit by several it is noticed.
    let text = Script::one_round("def play(body): hoard = bytearray(3 << 30)").refusal();
    assert_says(&text, &["ended instead of answering", "MemoryError"]);
}

/// Half an hour is not waited for here: the program says until when the system lets it, and whoever it starts, run.
#[test]
#[cfg(target_os = "linux")]
fn time_on_the_processor_is_limited() {
    let script = Script::one_round(
        r#"
import resource, subprocess
def play(body):
    child = subprocess.run(["sh", "-c", "ulimit -t"], stdout=subprocess.PIPE).stdout
    say(type="step_ok", state=[*resource.getrlimit(resource.RLIMIT_CPU), int(child)], outbox=[])
"#,
    );
    let (_process, said) = asked_once(&script);
    assert_eq!(said["body"]["state"], serde_json::json!([1_800, 1_800, 1_800]), "{said}");
}

#[test]
fn a_panic_leaves_nobody_behind() {
    let family = std::thread::spawn(|| {
        let process = Process::start(&["sleep".to_owned(), "3600".to_owned()], None).unwrap();
        let family: Family = process.family().clone();
        assert_eq!(family.members().len(), 1);
        std::panic::panic_any(family);
    });
    let panicked = family.join().unwrap_err();
    let family = panicked.downcast_ref::<Family>().expect("what it panicked with");
    wait_for("the sleeper", || family.members().is_empty());
}

/// What happens to the program when `handfast` itself is killed: the other end of the warden's input is closed.
#[test]
fn the_warden_kills_the_group_when_its_input_ends() {
    let mut warden = family::warden().unwrap();
    let mut command = Command::new("sh");
    command.args(["-c", "sleep 3600 & wait"]);
    family::join(&mut command, warden.id());
    let mut child = family::spawn(&mut command).unwrap();
    let family = Family { group: warden.id(), mark: "none".to_owned() };
    wait_for("the program and its sleeper", || family.members().len() == 2);
    assert!(!family::has_ended(child.id()));
    drop(warden.stdin.take());
    assert_eq!(child.wait().unwrap().signal(), Some(9));
    assert_eq!(warden.wait().unwrap().signal(), Some(9));
    wait_for("the end of the sleeper", || family.members().is_empty());
    family::forget(&child);
    family::forget(&warden);
}

/// `handfast` may be killed before it has started the program: nobody is left then who would kill it.
#[test]
fn a_program_does_not_start_without_its_warden() {
    let mut warden = family::warden().unwrap();
    drop(warden.stdin.take());
    assert_eq!(warden.wait().unwrap().signal(), Some(9));
    let mut command = Command::new("sleep");
    family::join(command.arg("3600"), warden.id());
    assert!(family::spawn(&mut command).is_err());
}

#[test]
fn more_questions_than_can_be_asked_are_refused() {
    let script = Script::one_round("def play(body): say(type='step_ok', state=None, outbox=[])");
    let command = script.command();
    let words = command.split(' ').map(str::to_owned).collect();
    let (role, game) = (ROLES[2], Game { rounds: 1, messengers: 1, replies: 1, steps: 3 });
    let patience = Patience::new(Duration::from_secs(20));
    let mut seat = Seat::take(Cast { role, command: command.as_str().into(), words, game, patience, questions: 3 }).unwrap();
    let mut ask = |round: u32| seat.ask(Question::Step { round, state: "null".into(), inbox: Vec::new() }).is_some();
    assert_eq!([1, 2, 3, 2, 4, 1].map(&mut ask), [true, true, true, true, false, true]);
    let text = seat.refused().unwrap().to_string();
    assert_says(&text, &["general 2 (`", "would have to be asked more than 3 questions; take fewer"]);
    let wide = Script::one_round("def play(body): say(type='step_ok', state=None, outbox=list(range(18)))");
    assert_says(&wide.refusal(), &["more than 250000 things"]);
}

#[test]
fn the_process_that_is_asked_to_say_too_much_is_cut() {
    let mut process = Process::start(&["yes".to_owned()], None).unwrap();
    std::thread::sleep(Duration::from_millis(200));
    assert!(matches!(process.ask("\n".to_owned(), Duration::from_secs(5)), Err(Fault::Unasked(_))));
}
