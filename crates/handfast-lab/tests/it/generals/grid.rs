//! Heat maps as they are printed and drawn.

use handfast_lab::generals::{Axis, HeatMap, Ratio, Shade};

fn map() -> HeatMap {
    let rates = ["0.1", "0.5", "0.9"];
    let cell = |size: usize, rate: &str| Ratio(rate.parse::<Ratio>().expect("a number").0.pow(size as i32 * 5));
    HeatMap {
        title: "How likely it is that exactly one attacks: always".to_owned(),
        subtitle: "every messenger is captured with probability p, independently".to_owned(),
        shade: Shade::Bad,
        down: Axis { name: "messengers".to_owned(), values: vec!["5".to_owned(), "10".to_owned()] },
        across: Axis { name: "capture rate p".to_owned(), values: rates.map(str::to_owned).to_vec() },
        cells: [1, 2].map(|size| rates.iter().map(|rate| cell(size, rate)).collect()).to_vec(),
    }
}

#[test]
fn it_is_printed_in_colours_and_in_ascii() {
    insta::assert_snapshot!("heat_map_ascii", map().to_text(true, 80));
    insta::assert_snapshot!("heat_map_colours", map().to_text(false, 80).replace('\x1b', "ESC"));
}

#[test]
fn narrow_columns_leave_some_rates_out() {
    let narrow = map().to_text(true, 20);
    let rates = narrow.lines().find(|line| line.starts_with("messengers")).expect("the rates have a line");
    assert!(rates.contains("0.5") && !rates.contains("0.9"), "{narrow}");
}

#[test]
fn it_is_drawn() {
    insta::assert_snapshot!("heat_map_svg", map().to_svg());
}
