//! One probability over two quantities as a heat map: for the terminal, in colours or in plain ASCII, and as SVG.

mod svg;
mod terminal;

use crate::generals::ratio::Ratio;

/// In how many steps a colour deepens.
const STEPS: usize = 10;

/// What a heat map is about, from which its colour follows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shade {
    /// What is wanted.
    Good,
    /// What must not happen.
    Bad,
    /// What does no harm.
    Calm,
}

/// One side of a heat map.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Axis {
    /// What it counts.
    pub name: String,
    /// The values, in order.
    pub values: Vec<String>,
}

/// A probability over two quantities.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HeatMap {
    /// What is shown.
    pub title: String,
    /// Of what it is shown, and against whom.
    pub subtitle: String,
    /// What it is about.
    pub shade: Shade,
    /// From top to bottom.
    pub down: Axis,
    /// From left to right.
    pub across: Axis,
    /// The probabilities, row by row: as many rows as `down` has values, each with as many as `across` has.
    pub cells: Vec<Vec<Ratio>>,
}

impl HeatMap {
    /// The end of the scale of colours: the least of 1, 1/2, 1/4, 1/10, 1/20, 1/40, .. that no cell exceeds.
    fn top(&self) -> f64 {
        let most = self.cells.iter().flatten().map(Ratio::to_f64).fold(0.0, f64::max);
        let tops = (0..9).flat_map(|tens| [1.0, 0.5, 0.25].map(|top| top / 10f64.powi(tens)));
        tops.take_while(|top| *top >= most).last().unwrap_or(1.0)
    }

    /// How deep the colour of a cell is, from 0 to 9.
    fn step(cell: &Ratio, top: f64) -> usize {
        ((cell.to_f64() / top * STEPS as f64) as usize).min(STEPS - 1)
    }
}

/// A probability in at most six characters, in which nothing but 0 is "0" and nothing but 1 is "1".
fn short(cell: &Ratio) -> String {
    let value = cell.to_f64();
    if *cell == Ratio::new(0, 1) || *cell == Ratio::new(1, 1) {
        return cell.to_string();
    }
    if value > 0.9995 {
        return ">.999".to_owned();
    }
    if value >= 0.0005 {
        return format!("{value:.3}");
    }
    // Floats end at 1e-308, where the exact number does not.
    if value > 0.0 { format!("{value:.0e}") } else { cell.to_decimal(1) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_fit_into_their_cells_and_tell_small_from_nothing() {
        let cases = [
            ("0", "0"),
            ("1", "1"),
            ("1/2", "0.500"),
            ("0.9996", ">.999"),
            ("0.9994", "0.999"),
            ("0.0004", "4e-4"),
            ("1e-15", "1e-15"),
            ("1e-1000", "1e-1000"),
            ("0.00051", "0.001"),
        ];
        for (exact, text) in cases {
            assert_eq!(short(&exact.parse().expect(exact)), text);
        }
    }
}
