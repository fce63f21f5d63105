//! One grammar of durations: every command reads the same texts, and refuses the same ones with the same sentence.

use crate::support::run;

/// A command with a flag that takes a time, how a time is written there, and the longest that it takes.
const FLAGS: &[(&str, &str, &str, &str)] = &[
    ("run", "--give-up-after", "", "30d"),
    ("run", "--retry-cap", "", "30d"),
    ("serve", "--retry-cap", "", "30d"),
    ("serve", "--shutdown-timeout", "", "30d"),
    ("payment", "--shutdown-timeout", "", "30d"),
    ("payment", "--weak", "remembers=", "30d"),
    ("dispatch", "--weak", "closes-for=", "30d"),
    ("conform", "--timeout", "", "30d"),
    ("usual-way", "--deadline", "", "30d"),
    ("messenger", "--hold", "", "7d"),
    ("messenger", "--delay", "", "7d"),
    ("messenger", "--delay", "exp:", "7d"),
    ("messenger", "--late-by", "1ms..", "7d"),
    ("messenger", "--cut", "0..", "7d"),
];

#[test]
fn every_command_reads_the_same_durations() {
    for (command, flag, before, longest) in FLAGS {
        // The help is printed once everything before it was understood.
        let ask = |text: &str| run([command, *flag, format!("{before}{text}").as_str(), "--help"]);
        for text in ["1.5s", "250ms", ".5h", "1d", longest] {
            let read = ask(text);
            assert_eq!(read.code, Some(0), "{command} {flag} {before}{text}: {}", read.stderr);
        }
        for text in ["soon", "5", "1s30", "1h30m", "31d"] {
            let refused = ask(text);
            let sentence = format!("{text:?} is not a duration; write a number and a unit, from ");
            assert_eq!(refused.code, Some(2), "{command} {flag} {before}{text}");
            assert!(refused.stderr.contains(&sentence), "{command} {flag} {before}{text}: {}", refused.stderr);
            assert!(refused.stderr.contains(&format!("to {longest} in whole m")), "{command} {flag}: {}", refused.stderr);
        }
    }
}
