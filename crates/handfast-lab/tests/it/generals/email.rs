//! The electronic mail game against the sum over its first messages.

use handfast_lab::generals::{Email, Ratio};

/// The expected number of messages and the chance that general 1's last one was lost, from the first `most` messages on.
fn by_messages(loss: f64, most: i32) -> (f64, f64) {
    let (mut expected, mut lost, mut sent) = (0.0, 0.0, 0.0);
    for messages in 1..=most {
        let probability = loss * (1.0 - loss).powi(messages - 1);
        expected += f64::from(messages) * probability;
        sent += probability;
        // An odd one is general 1's own, an even one the answer to it.
        if messages % 2 == 1 {
            lost += probability;
        }
    }
    (expected, lost / sent)
}

#[test]
fn the_series_have_the_sums_of_the_paper() {
    for (loss, messengers, last_lost) in
        [("1/10", "10", "10/19"), ("1/2", "2", "2/3"), ("0.001", "1000", "1000/1999"), ("1", "1", "1"), ("3/7", "7/3", "7/11")]
    {
        let email = Email::new(&loss.parse().expect("a number")).expect("a probability");
        let found = (email.messengers().expect("finite"), email.last_lost().expect("there is one"));
        assert_eq!((found.0.to_string().as_str(), found.1.to_string().as_str()), (messengers, last_lost), "{loss}");
        let loss: Ratio = loss.parse().expect("a number");
        let (expected, lost) = by_messages(loss.to_f64(), 100_000);
        assert!((found.0.to_f64() - expected).abs() < 1e-6 && (found.1.to_f64() - lost).abs() < 1e-9, "{loss}");
    }
}

#[test]
fn messages_that_always_arrive_never_end() {
    let email = Email::new(&Ratio::new(0, 1)).expect("a probability");
    assert_eq!((email.messengers(), email.last_lost()), (None, None));
    assert_eq!(Email::new(&Ratio::new(3, 2)), None);
}
