//! What the demo came to: the problem's own table for both ways, what else was met, and whether all of it holds.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use super::Settings;
use super::books::{Books, Cells};
use super::customers::{Outcome, Track};
use super::live::Seen;
use super::orders::{Class, DemoOrder};
use crate::messenger::Stats;

/// Below so many orders a hazard may fail to occur by chance.
const ENOUGH_ORDERS: u32 = 100;

/// Everything that is known when the demo has ended.
#[derive(Debug)]
pub struct Report {
    pub(crate) settings: Settings,
    pub(crate) orders: Arc<Vec<DemoOrder>>,
    /// What handfast's customers know.
    pub(crate) tracks: Vec<Track>,
    pub(crate) handfast: Books,
    pub(crate) usual_way: Books,
    /// Handfast's roads.
    pub(crate) roads: [Stats; 2],
    pub(crate) seen: Seen,
    pub(crate) took: Duration,
}

/// The shape of `--json`. It is stable: fields are added, and never change their meaning.
#[derive(Serialize)]
struct Json {
    orders: u32,
    #[serde(flatten)]
    cells: Cells,
    captured: u64,
    kills: u32,
    late_refused: u64,
    seconds: f64,
    usual_way: Cells,
}

impl Report {
    /// The result as JSON.
    #[must_use]
    pub fn json(&self) -> impl Serialize + use<> {
        Json {
            orders: self.settings.orders,
            cells: self.handfast.cells,
            captured: self.captured(),
            kills: self.seen.kills,
            late_refused: self.handfast.late_refused,
            seconds: (self.took.as_secs_f64() * 10.0).round() / 10.0,
            usual_way: self.usual_way.cells,
        }
    }

    /// The result for people.
    #[must_use]
    pub fn text(&self) -> String {
        let usual = table("the usual way (\"not found\" means not charged)", &self.usual_way.cells);
        let ours = table("handfast", &self.handfast.cells);
        let slowest = self.orders.iter().zip(&self.tracks).filter_map(|(order, track)| Some((track.ended?.1, &order.id))).max();
        let slowest = slowest.map_or_else(|| "-".to_owned(), |(took, id)| format!("{} ({id})", seconds(took)));
        let recovery = self.seen.recovery.map_or_else(|| "-".to_owned(), seconds);
        let facts = [
            ("messengers captured", self.captured().to_string()),
            ("kill -9, each restarted at once", self.seen.kills.to_string()),
            ("orders in doubt at the worst moment", self.seen.worst.to_string()),
            ("late charges that met a closed key", self.handfast.late_refused.to_string()),
            ("pivots closed", self.handfast.pivots_closed.to_string()),
            ("charges refunded", self.handfast.refunds.to_string()),
            ("recovery after the roads were restored", recovery),
            ("slowest order", slowest),
            ("all of it", seconds(self.took)),
        ];
        let mut text = format!("{usual}\n{ours}\n");
        for (what, value) in facts {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{what:<40} {value}");
        }
        text
    }

    /// What is not as it must be: what, and where.
    #[must_use]
    pub fn violations(&self) -> Vec<String> {
        let Books { cells, differing, missing, misreported, .. } = &self.handfast;
        let cells = [
            ("charged, not dispatched", cells.charged_not_dispatched),
            ("dispatched, not charged", cells.dispatched_not_charged),
            ("charged twice", cells.double_charged),
            ("dispatched twice", cells.double_dispatched),
            ("in doubt to the end", cells.in_doubt),
        ];
        let counted = cells.into_iter().filter(|&(_, count)| count > 0).map(|(what, count)| match count {
            1 => format!("1 order is {what}"),
            more => format!("{more} orders are {what}"),
        });
        let lists = [
            ("acknowledged, and missing from the books", missing),
            ("charged or dispatched otherwise than ordered", differing),
            ("reported otherwise than in the books", misreported),
        ];
        let listed = lists.into_iter().filter(|(_, ids)| !ids.is_empty()).map(|(what, ids)| {
            let some = ids.iter().take(5).map(String::as_str).collect::<Vec<_>>().join(", ");
            let orders = if ids.len() == 1 { "1 order is".to_owned() } else { format!("{} orders are", ids.len()) };
            format!("{orders} {what}: {some}{}", if ids.len() > 5 { ", .." } else { "" })
        });
        let usual = (&self.usual_way.cells.in_doubt, "orders of the usual way did not end");
        let usual = (*usual.0 > 0).then(|| format!("{} {}", usual.0, usual.1));
        counted.chain(listed).chain(usual).collect()
    }

    /// Hazards that were asked for and never occurred, and remarks on those that were switched off.
    #[must_use]
    pub fn hazards(&self) -> (Vec<&'static str>, Vec<&'static str>) {
        let Settings { capture, kills, .. } = self.settings;
        let many = !self.has_few_orders();
        let of_class = |class: Class, holds: &dyn Fn(&Track) -> bool| {
            self.orders.iter().zip(&self.tracks).any(|(order, track)| order.class == class && holds(track))
        };
        let neither = |track: &Track| track.ended.is_some_and(|(outcome, _)| outcome == Outcome::Neither);
        let hazards = [
            ("a declined card", many, self.handfast.declined > 0),
            ("something out of stock", many, self.handfast.out_of_stock > 0),
            ("a cancel in flight", many, of_class(Class::Cancelled, &|track| track.is_cancelled && neither(track))),
            ("a deadline that passed", many, of_class(Class::Late, &neither)),
            ("a late charge that met a closed key", many, self.handfast.late_refused > 0),
            ("a closed pivot", many, self.handfast.pivots_closed > 0),
            // Those that the cut caught are another hazard.
            (
                if capture > 0.0 {
                    "a messenger captured on an open road"
                } else {
                    "a messenger captured on an open road (not asked for)"
                },
                capture > 0.0,
                self.roads.iter().any(|road| road.requests_captured + road.replies_captured > 0),
            ),
            (if kills > 0 { "a kill" } else { "a kill (not asked for)" }, kills > 0, self.seen.kills == kills && kills > 0),
            ("a cut road", many, self.seen.cuts > 0 && self.roads.iter().any(|road| road.cut > 0)),
        ];
        let absent = |expected: bool| {
            hazards
                .iter()
                .filter(move |(_, wanted, occurred)| *wanted == expected && !occurred)
                .map(|(what, _, _)| *what)
                .collect()
        };
        (absent(true), absent(false))
    }

    /// Whether a hazard may be missing by chance.
    #[must_use]
    pub fn has_few_orders(&self) -> bool {
        self.settings.orders < ENOUGH_ORDERS
    }

    fn captured(&self) -> u64 {
        self.roads.iter().map(|road| road.captured).sum()
    }
}

/// The problem's own table.
fn table(title: &str, cells: &Cells) -> String {
    let Cells { both, neither, charged_not_dispatched, dispatched_not_charged, .. } = cells;
    let width = [both, neither, charged_not_dispatched, dispatched_not_charged]
        .map(|n| n.to_string().len())
        .into_iter()
        .max()
        .unwrap_or(1);
    let second = 24 + width + 4;
    format!(
        "{title}\n\n\
         {:<21}{:<second$}charged\n\
         {:<21}{:<24}{neither:>width$}    {:<24} {charged_not_dispatched:>width$}\n\
         {:<21}{:<24}{dispatched_not_charged:>width$}    {:<24} {both:>width$}\n",
        "",
        "not charged",
        "not dispatched",
        "neither",
        "charged, not dispatched",
        "dispatched",
        "dispatched, not charged",
        "both",
    )
}

fn seconds(duration: Duration) -> String {
    format!("{:.1} s", duration.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: Cells = Cells {
        both: 612,
        neither: 388,
        charged_not_dispatched: 0,
        dispatched_not_charged: 0,
        double_charged: 0,
        double_dispatched: 0,
        in_doubt: 0,
    };

    fn books(cells: Cells) -> Books {
        Books {
            cells,
            declined: 1,
            out_of_stock: 1,
            pivots_closed: 1,
            late_refused: 1,
            refunds: 1,
            differing: Vec::new(),
            missing: Vec::new(),
            misreported: Vec::new(),
        }
    }

    fn violations(handfast: Books, usual_way: Books) -> Vec<String> {
        let settings = Settings { program: "handfast".into(), orders: 1_000, capture: 0.3, kills: 1, seed: 1 };
        let (roads, seen, took) = ([Stats::default(), Stats::default()], Seen::default(), Duration::ZERO);
        let report = Report { settings, orders: Arc::default(), tracks: Vec::new(), handfast, usual_way, roads, seen, took };
        // Nothing happened to any order or on any road, which is never what a demo is for.
        assert_eq!(report.hazards().0.len(), 5);
        report.violations()
    }

    #[test]
    fn every_cell_and_list_that_must_be_empty_is_looked_at() {
        let flaw = Cells { charged_not_dispatched: 7, ..WHOLE };
        assert_eq!(violations(books(WHOLE), books(flaw)), [""; 0]);
        for wrong in [
            Cells { charged_not_dispatched: 1, ..WHOLE },
            Cells { dispatched_not_charged: 1, ..WHOLE },
            Cells { double_charged: 1, ..WHOLE },
            Cells { double_dispatched: 1, ..WHOLE },
            Cells { in_doubt: 1, ..WHOLE },
        ] {
            assert_eq!(violations(books(wrong), books(flaw)).len(), 1, "{wrong:?}");
        }
        let ids = || vec!["web-1".to_owned()];
        assert_eq!(
            violations(Books { differing: ids(), missing: ids(), misreported: ids(), ..books(WHOLE) }, books(flaw)),
            [
                "1 order is acknowledged, and missing from the books: web-1",
                "1 order is charged or dispatched otherwise than ordered: web-1",
                "1 order is reported otherwise than in the books: web-1",
            ]
        );
    }

    #[test]
    fn the_table_is_the_problems_own() {
        let expected = "\
handfast

                     not charged                    charged
not dispatched       neither                 388    charged, not dispatched    0
dispatched           dispatched, not charged   0    both                     612
";
        assert_eq!(table("handfast", &WHOLE), expected);
    }
}
