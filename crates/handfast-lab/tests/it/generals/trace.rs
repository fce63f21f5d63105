//! Kept runs: whatever is kept is executed again to the same run, and what was changed is found.

use handfast_lab::generals::{Astray, Beginning, Kept, Limits, Outcome, Shipped, Table};
use proptest::prelude::*;

fn shipped() -> impl Strategy<Value = Shipped> {
    prop_oneof![
        (1_u32..4, 1_u32..4).prop_map(|(messengers, replies)| Shipped::Reply { messengers, replies }),
        (1_u32..4).prop_map(|messengers| Shipped::ReplyEach { messengers }),
        (1_u32..6, 1_u32..3).prop_map(|(steps, messengers)| Shipped::Handshake { steps, messengers }),
        (1_u32..4).prop_map(|rounds| Shipped::RandomAttack { rounds }),
        (0_u32..3).prop_map(|last_tick| Shipped::ReadyReady { last_tick }),
    ]
}

fn table(shipped: Shipped) -> Table {
    shipped.tabulate(&Limits::default()).expect("it fits")
}

proptest! {
    #[test]
    fn what_is_kept_happens_again(shipped in shipped(), start in 0_usize..16, captured in any::<u64>()) {
        let table = table(shipped);
        let run = table.play(start % table.starts.len(), |messenger| captured >> (messenger % 64) & 1 == 1);
        let kept = Kept::new(&table, &run);
        prop_assert_eq!(kept.replay(&table), Ok(run.clone()));
        prop_assert_eq!(kept.captured.len() as u64, run.captures());
        let sent: u64 = kept.departures.iter().map(|departure| departure.messengers).sum();
        let arrived: u64 = kept.departures.iter().map(|departure| departure.arrived).sum();
        prop_assert_eq!((sent, sent - arrived), (run.journeys.len() as u64, run.captures()));
    }

    #[test]
    fn another_capture_is_noticed(shipped in shipped(), captured in any::<u64>(), changed in any::<prop::sample::Index>()) {
        let table = table(shipped);
        let run = table.play(0, |messenger| captured >> (messenger % 64) & 1 == 1);
        prop_assume!(!run.journeys.is_empty());
        let mut kept = Kept::new(&table, &run);
        let changed = changed.index(run.journeys.len());
        if !kept.captured.remove(&changed) {
            kept.captured.insert(changed);
        }
        let noticed = matches!(kept.replay(&table), Err(Astray::Departure { .. }));
        prop_assert!(noticed);
    }
}

#[test]
fn whatever_is_changed_is_named() {
    let table = table(Shipped::Handshake { steps: 3, messengers: 1 });
    let kept = Kept::new(&table, &table.play(0, |_| false));
    let changed = |change: fn(&mut Kept)| {
        let mut kept = kept.clone();
        change(&mut kept);
        kept.replay(&table).expect_err("it was changed")
    };
    assert_eq!(changed(|kept| kept.outcome = Outcome::Neither), Astray::Outcome { kept: Outcome::Neither, found: Outcome::Both });
    let elsewhere = Beginning { ordered: [true, false], coin: 2 };
    assert_eq!(changed(|kept| kept.beginning.coin = 2), Astray::Beginning(elsewhere));
    assert_eq!(changed(|kept| kept.captured.extend([3])), Astray::NeverSent { messenger: 3, sent: 3 });
    assert!(matches!(changed(|kept| drop(kept.departures.pop())), Astray::Departure { place: 2, kept: None, .. }));
    assert!(matches!(changed(|kept| kept.departures[1].says.push('!')), Astray::Departure { place: 1, .. }));
}
