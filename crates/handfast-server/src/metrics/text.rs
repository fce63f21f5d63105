//! The text that Prometheus reads, version 0.0.4: for each metric what it is, and then its numbers.

use std::fmt::{Display, Write as _};
use std::time::Duration;

use handfast::Durations;

use super::families::Family;

/// What such an answer says it is.
pub(crate) const MEDIA_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The text, as far as it is written.
#[derive(Debug, Default)]
pub(crate) struct Text(String);

/// A number of seconds, exactly as long as it was counted.
pub(crate) struct Seconds(pub(crate) Duration);

impl Display for Seconds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{:06}", self.0.as_secs(), self.0.subsec_micros())
    }
}

impl Text {
    /// Writes a metric that has one number.
    pub(crate) fn one(&mut self, family: &Family, value: impl Display) {
        self.many(family, [([], value)]);
    }

    /// Writes a metric with a number for each set of labels.
    pub(crate) fn many<'a, const N: usize>(
        &mut self,
        family: &Family,
        samples: impl IntoIterator<Item = ([&'a str; N], impl Display)>,
    ) {
        self.head(family);
        for (labels, value) in samples {
            self.sample(family, ("", None), &labels, &value);
        }
    }

    /// Writes a histogram for each set of labels.
    pub(crate) fn histograms<'a, const N: usize>(
        &mut self,
        family: &Family,
        samples: impl IntoIterator<Item = ([&'a str; N], &'a Durations)>,
    ) {
        self.head(family);
        for (labels, took) in samples {
            for (bound, count) in took.up_to() {
                self.sample(family, ("_bucket", Some(Seconds(bound).to_string())), &labels, &count);
            }
            self.sample(family, ("_bucket", Some("+Inf".to_owned())), &labels, &took.count());
            self.sample(family, ("_sum", None), &labels, &Seconds(took.total()));
            self.sample(family, ("_count", None), &labels, &took.count());
        }
    }

    /// All of it.
    pub(crate) fn finish(self) -> String {
        self.0
    }

    fn head(&mut self, Family { name, kind, help, .. }: &Family) {
        // Writing into a text cannot fail.
        let _infallible = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {}", kind.name());
    }

    fn sample(&mut self, family: &Family, (suffix, bound): (&str, Option<String>), labels: &[&str], value: &dyn Display) {
        debug_assert_eq!(family.labels.len(), labels.len(), "{}", family.name);
        let said = family.labels.iter().zip(labels).map(|(name, value)| format!("{name}=\"{}\"", escaped(value)));
        let said: Vec<String> = said.chain(bound.map(|bound| format!("le=\"{bound}\""))).collect();
        let said = if said.is_empty() { String::new() } else { format!("{{{}}}", said.join(",")) };
        let _infallible = writeln!(self.0, "{}{suffix}{said} {value}", family.name);
    }
}

/// A label's value within its quotes.
fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}
