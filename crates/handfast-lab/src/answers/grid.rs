//! One probability over the size of a protocol and the capture rate: a heat map as data.

use serde::ser::{Serialize, Serializer};

use crate::answers::Against;
use crate::answers::object::Object;
use crate::answers::odds::{OddsError, exact, given};
use crate::generals::{Axis, HeatMap, Outcome, Parameter, Ratio, Shade, Sizes, Table, find_shipped};

/// The most rows of a heat map.
const MOST_ROWS: u32 = 20;
/// So many rows where nothing else was asked for.
const USUAL_ROWS: u32 = 10;
/// Capture rates are multiples of one over this.
const RATES: u64 = 20;

/// What a heat map shows.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Show {
    /// That both attack.
    #[default]
    Both,
    /// That exactly one attacks.
    Alone,
    /// That neither attacks.
    Neither,
}

impl Show {
    const fn key(self) -> &'static str {
        match self {
            Self::Both => "both",
            Self::Alone => "alone",
            Self::Neither => "neither",
        }
    }

    const fn in_words(self) -> (&'static str, Shade) {
        match self {
            Self::Both => ("both attack", Shade::Good),
            Self::Alone => ("exactly one attacks", Shade::Bad),
            Self::Neither => ("neither attacks", Shade::Calm),
        }
    }
}

/// What grows from row to row: a parameter of a protocol that ships, and nothing of one's own.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rows {
    /// The parameter, if there is one.
    pub down: Option<Parameter>,
    /// Its values.
    pub sizes: Vec<u32>,
}

impl Rows {
    /// Those of a protocol, up to the size that is asked for.
    #[must_use]
    pub fn of(protocol: &str, sizes: &Sizes) -> Self {
        let Some(shipped) = find_shipped(protocol) else { return Self { down: None, sizes: vec![1] } };
        let (least, down) = (shipped.least, shipped.grows);
        let most = sizes.of(down).unwrap_or(USUAL_ROWS).max(least);
        let rows = (most - least + 1).min(MOST_ROWS);
        let place = |row: u32| least + (u64::from(most - least + 1) * u64::from(row) / u64::from(rows)) as u32 - 1;
        let mut sizes: Vec<u32> = (1..=rows).map(place).collect();
        sizes.dedup();
        Self { down: Some(down), sizes }
    }
}

/// A heat map.
///
/// Written with the members `protocol`, `title`, `adversary`, `given`, `show`, `down` (the parameter that grows), `n` (its
/// values), `capture` (the rates) and `cells`: a row for each n, a column for each rate.
#[derive(Debug)]
pub struct Answer {
    /// The protocol as it is typed.
    pub protocol: String,
    /// The protocol with the parameters that stay as they are.
    pub title: String,
    /// Under which condition the odds hold.
    pub given: &'static str,
    /// What is shown.
    pub show: Show,
    /// What grows from row to row.
    pub rows: Rows,
    /// The capture rates, from left to right.
    pub rates: Vec<Ratio>,
    /// The probabilities, row by row.
    pub cells: Vec<Vec<Ratio>>,
}

/// The heat map of a protocol; `tabulate` makes its table with each of the sizes in turn.
///
/// # Errors
/// What `tabulate` says, or that the numbers would have more digits than anybody reads.
pub fn answer<E: From<OddsError>>(
    protocol: &str,
    sizes: &Sizes,
    show: Show,
    mut tabulate: impl FnMut(&Sizes) -> Result<Table, E>,
) -> Result<Answer, E> {
    let rows = Rows::of(protocol, sizes);
    let rates: Vec<Ratio> = (1..RATES as i64).map(|rate| Ratio::new(rate, RATES)).collect();
    let mut cells = Vec::with_capacity(rows.sizes.len());
    let mut last = None;
    for &size in &rows.sizes {
        let table = tabulate(&rows.down.map_or(*sizes, |down| sizes.with(down, size)))?;
        let mut row = Vec::with_capacity(rates.len());
        for rate in &rates {
            let odds = exact(&table, rate)?;
            row.push(match show {
                Show::Both => odds.of(Outcome::Both).clone(),
                Show::Alone => odds.alone,
                Show::Neither => odds.of(Outcome::Neither).clone(),
            });
        }
        cells.push(row);
        last = Some((table.name.clone(), given(&table)));
    }
    let (name, given) = last.unwrap_or_else(|| (protocol.to_owned(), "nothing"));
    let title = if rows.down.is_some() { title(protocol, sizes) } else { name };
    Ok(Answer { protocol: protocol.to_owned(), title, given, show, rows, rates, cells })
}

/// The protocol with the parameters that stay as they are.
fn title(protocol: &str, sizes: &Sizes) -> String {
    let Some(shippable) = find_shipped(protocol) else { return protocol.to_owned() };
    let stays = shippable.takes.iter().filter(|&&parameter| parameter != shippable.grows);
    let stays = stays.map(|parameter| parameter.counted(sizes.or_usual(*parameter)));
    [protocol.to_owned()].into_iter().chain(stays).collect::<Vec<_>>().join(", ")
}

impl Answer {
    /// Against whom the odds are.
    #[must_use]
    pub fn adversary(&self) -> Against {
        Against::Chance(None)
    }

    /// The same as something to be drawn.
    #[must_use]
    pub fn heat_map(&self) -> HeatMap {
        let (what, shade) = self.show.in_words();
        let values = match self.rows.down {
            None => vec![String::new()],
            Some(_) => self.rows.sizes.iter().map(u32::to_string).collect(),
        };
        HeatMap {
            title: format!("How likely it is that {what}: {}", self.title),
            subtitle: format!("{}; given {}", self.adversary().in_words(), self.given),
            shade,
            down: Axis { name: self.down().to_owned(), values },
            across: Axis {
                name: "capture rate p".to_owned(),
                values: self.rates.iter().map(|rate| rate.to_decimal(3)).collect(),
            },
            cells: self.cells.clone(),
        }
    }

    fn down(&self) -> &'static str {
        self.rows.down.map_or("", Parameter::name)
    }
}

impl Serialize for Answer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = Object::begin(serializer)?;
        object.head(&self.protocol, &self.title, &self.adversary())?.put("given", self.given)?;
        object.put("show", self.show.key())?.put("down", self.down())?.put("n", &self.rows.sizes)?;
        object.numbers("capture", &self.rates)?;
        let cells = |of: &dyn Fn(&Ratio) -> String| -> Vec<Vec<String>> {
            self.cells.iter().map(|row| row.iter().map(of).collect()).collect()
        };
        let floats: Vec<Vec<f64>> = self.cells.iter().map(|row| row.iter().map(Ratio::to_f64).collect()).collect();
        object.put("cells", &cells(&Ratio::to_string))?.put("cells_float", &floats)?;
        object.end()
    }
}
