//! Numbers and addresses as they are typed: where something else is, what is wanted is said, with an example.

use std::fmt::Display;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::str::FromStr;

/// More threads than this help nobody.
const MOST_THREADS: usize = 256;

/// Reads a whole number in this range, written in digits.
pub(crate) fn whole<T>(range: RangeInclusive<T>, example: T) -> impl Fn(&str) -> Result<T, String> + Clone + Send + Sync + 'static
where
    T: FromStr + PartialOrd + Display + Clone + Send + Sync + 'static,
{
    move |text: &str| {
        let number = text.parse::<T>().ok().filter(|number| range.contains(number));
        number.ok_or_else(|| format!("write a whole number from {} to {} in digits, as {example}", range.start(), range.end()))
    }
}

/// Reads a number of threads; 0 stands for one a core.
pub(crate) fn threads(text: &str) -> Result<usize, String> {
    let number = text.parse::<usize>().ok().filter(|number| *number <= MOST_THREADS);
    number.ok_or_else(|| format!("write a whole number of threads from 1 to {MOST_THREADS}, as 4, or 0 for one a core"))
}

/// Reads an address to listen on.
pub(crate) fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| "write an address of this machine and a port, as 127.0.0.1:7070".to_owned())
}

/// A moment as people read it, to the second; one that is no whole second is rounded up, so that nobody comes too early.
pub(crate) fn moment(at_ms: u64) -> String {
    let seconds = i64::try_from(at_ms.div_ceil(1000)).ok().and_then(|seconds| jiff::Timestamp::from_second(seconds).ok());
    seconds.map_or_else(|| format!("{at_ms} ms"), |at| at.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wanted_is_said_with_an_example() {
        let read = whole(1..=60_u32, 3);
        assert_eq!((read("1"), read("60")), (Ok(1), Ok(60)));
        for text in ["", "x", "0", "61", "-1", "1e3", "1.5", "99999999999999999999"] {
            assert_eq!(read(text), Err("write a whole number from 1 to 60 in digits, as 3".to_owned()), "{text}");
        }
        assert_eq!((threads("0"), threads("256")), (Ok(0), Ok(256)));
        assert!(["257", "-1", "many"].into_iter().all(|text| threads(text).is_err()));
        assert!(address("[::1]:7070").is_ok() && address("foo").is_err() && address("localhost:1").is_err());
    }
}
