//! Every picture that we ship or print, laid out with the very font that it is measured for: no text crosses the edge of a
//! box or of the page, or covers another.

use std::fs;
use std::path::{Path, PathBuf};

use handfast_lab::diagram::{Clock, Diagram, Mark, Tone};
use handfast_lab::generals::{Axis, HeatMap, Ratio, Shade};
use usvg::roxmltree::{Document, Node};
use usvg::{Options, Rect, Tree};

/// Where Debian's package fonts-dejavu-core has its fonts, which `cargo xtask ci` installs.
const FONTS: &str = "/usr/share/fonts/truetype/dejavu";

/// Surfaces that lie behind what is drawn: a text may begin on one and end beside it.
const SURFACES: &[&str] = &["city", "doubt", "sheet-cut"];

fn options() -> Options<'static> {
    let mut options = Options { font_family: "DejaVu Sans".to_owned(), ..Options::default() };
    for file in ["DejaVuSans.ttf", "DejaVuSans-Bold.ttf"] {
        let path = Path::new(FONTS).join(file);
        let font = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}; install fonts-dejavu-core", path.display()));
        options.fontdb_mut().load_font_data(font);
    }
    options
}

/// A rectangle of a document: its left, top, right and bottom.
type Area = [f64; 4];

fn area(rect: Rect) -> Area {
    [rect.left(), rect.top(), rect.right(), rect.bottom()].map(f64::from)
}

fn number(node: Node<'_, '_>, name: &str) -> f64 {
    node.attribute(name).and_then(|text| text.parse().ok()).unwrap_or_default()
}

fn is_inside(one: &Area, other: &Area) -> bool {
    other[0] <= one[0] && other[1] <= one[1] && one[2] <= other[2] && one[3] <= other[3]
}

/// Whether they have nothing in common but an edge, or the rounding of one.
fn are_apart(one: &Area, other: &Area) -> bool {
    const ROUNDING: f64 = 0.2;
    let [left, top, right, bottom] = [0, 1, 2, 3].map(|side| one[side]);
    right <= other[0] + ROUNDING || other[2] <= left + ROUNDING || bottom <= other[1] + ROUNDING || other[3] <= top + ROUNDING
}

/// What is wrong with the texts of a document, each as a sentence.
fn faults(svg: &str, options: &Options<'_>) -> Vec<String> {
    // The layout knows nothing of classes, but keeps names: so every text gets one.
    let mut parts = svg.split("<text ");
    let mut svg = parts.next().unwrap_or_default().to_owned();
    for (place, part) in parts.enumerate() {
        svg.push_str(&format!("<text id=\"text-{place}\" {part}"));
    }
    let document = Document::parse(&svg).expect("a picture is well-formed");
    let tree = Tree::from_xmltree(&document, options).expect("a picture is an SVG document");
    let page = [0.0, 0.0, f64::from(tree.size().width()), f64::from(tree.size().height())];
    let named = |name: &'static str| document.descendants().filter(move |node| node.tag_name().name() == name);
    let is_box = |node: &Node<'_, '_>| !node.attribute("class").is_some_and(|class| SURFACES.contains(&class));
    let boxes: Vec<Area> = named("rect")
        .filter(is_box)
        .map(|node| {
            let (x, y) = (number(node, "x"), number(node, "y"));
            [x, y, x + number(node, "width"), y + number(node, "height")]
        })
        .collect();
    let mut faults = Vec::new();
    let mut others: Vec<(Area, &str)> = Vec::new();
    for text in named("text") {
        let words = text.text().unwrap_or_default();
        // A text of which no letter is in the font has no place to be looked at.
        let Some(usvg::Node::Text(laid_out)) = text.attribute("id").and_then(|id| tree.node_by_id(id)) else { continue };
        let covered = area(laid_out.abs_bounding_box());
        if !is_inside(&covered, &page) {
            faults.push(format!("{words:?} at {covered:.1?} leaves the page {page:.1?}"));
        }
        for edge in boxes.iter().filter(|edge| !is_inside(&covered, edge) && !are_apart(&covered, edge)) {
            faults.push(format!("{words:?} at {covered:.1?} crosses the edge of a box at {edge:.1?}"));
        }
        // What is slanted has a box with empty corners.
        if text.attribute("transform").is_none_or(|transform| !transform.starts_with("rotate")) {
            for (other, said) in others.iter().filter(|(other, _)| !are_apart(&covered, other)) {
                faults.push(format!("{words:?} at {covered:.1?} covers {said:?} at {other:.1?}"));
            }
            others.push((covered, words));
        }
    }
    faults
}

/// Every picture in the repository: those of the documentation, and those that the tests of every drawing keep.
fn pictures() -> Vec<PathBuf> {
    let crate_folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folders = ["../../docs/pictures", "tests/it/diagram/snapshots", "tests/it/generals/snapshots"];
    let files = folders.iter().flat_map(|folder| {
        fs::read_dir(crate_folder.join(folder)).unwrap_or_else(|error| panic!("{folder}: {error}")).map(|entry| {
            let entry = entry.expect("a folder can be read");
            entry.path()
        })
    });
    let is_picture = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.ends_with(".svg") || name.ends_with("_svg.snap")
    };
    let mut files: Vec<PathBuf> = files.filter(is_picture).collect();
    files.sort();
    files
}

#[test]
fn no_text_crosses_an_edge() {
    let (options, pictures) = (options(), pictures());
    let mut all = Vec::new();
    for path in &pictures {
        let kept = fs::read_to_string(path).expect("a picture can be read");
        // A snapshot begins with what insta says of it.
        let start = kept.find("<svg").unwrap_or_else(|| panic!("{} holds no picture", path.display()));
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        all.extend(faults(&kept[start..], &options).into_iter().map(|fault| format!("{name}: {fault}")));
    }
    assert!(pictures.len() >= 16, "pictures are missing: {pictures:?}");
    assert!(all.is_empty(), "{} texts are where they should not be:\n{}", all.len(), all.join("\n"));
}

/// Boxes grow with what stands in them, or it breaks into lines.
#[test]
fn no_long_text_crosses_an_edge() {
    let long = "reserve-the-warehouse-place and whatever else a name may say of MMMMMMMM and WWWWWWWW";
    let mut picture = Diagram::new(&format!("order 4711: {long}"), Clock::Milliseconds);
    picture.between("the whole road between the two of them");
    let shop = picture.line("shop");
    let payment = picture.line(long);
    picture.role(payment, "cannot be undone, cannot be closed, keys forgotten after a day, refusals do not hold");
    picture.mark(shop, 0, Mark::Durable, "placed");
    picture.message(shop, payment, long).sent(0).arrives(2).brings(Mark::Durable, long);
    picture.mark(shop, 5, Mark::Crash, long).mark(shop, 9, Mark::Restart, long);
    picture.message(payment, shop, "done").reply().sent(9).captured_by(long);
    picture.outcome(payment, Tone::Bad, long).verdict(Tone::Bad, long).caption(long);
    let map = HeatMap {
        title: format!("How likely it is that exactly one attacks: {long}"),
        subtitle: format!("every messenger is captured with probability p, independently, and {long}"),
        shade: Shade::Bad,
        down: Axis { name: "messengers".to_owned(), values: vec!["1000000000000".to_owned(), "5".to_owned()] },
        across: Axis { name: "capture rate p".to_owned(), values: vec!["0.123456789".to_owned()] },
        cells: [1, 2].map(|_| vec![Ratio("1/123456789".parse::<Ratio>().expect("a number").0.pow(40))]).to_vec(),
    };
    let options = options();
    let faults = [picture.to_svg(), map.to_svg()].map(|svg| faults(&svg, &options));
    assert_eq!(faults.concat(), Vec::<String>::new());
}
