//! The arrows between the crates: what each may not depend on, directly or through others.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{Finding, Rule};

pub(super) const RULES: &[Rule] = &[Rule {
    name: "wall",
    why: "a crate exists to forbid something",
    fix: "move the code to a crate that may use it, or pass in what it needs",
}];

/// What a crate may not reach by the dependencies it is built from.
struct Wall {
    package: &'static str,
    forbidden: &'static [&'static str],
}

const NETWORK: &[&str] =
    &["axum", "hyper", "hyper-util", "reqwest", "mio", "socket2", "tokio", "async-std", "smol", "futures-util"];
const STORES: &[&str] = &["rusqlite", "tokio-postgres", "refinery"];
const OWN: &[&str] = &["handfast", "handfast-participant", "handfast-lab", "handfast-server", "handfast-testkit"];
const SERVER: &[&str] = &["axum", "warp", "actix-web"];
/// Its clock is real: what takes time as an argument may not come by it through a program's crate.
const MACHINE: &[&str] = &["handfast-machine"];
const SCREEN: &[&str] = &["clap", "anstream", "indicatif", "comfy-table"];

const WALLS: &[Wall] = &[
    Wall { package: "handfast-lab", forbidden: NETWORK },
    Wall { package: "handfast-lab", forbidden: STORES },
    Wall { package: "handfast-lab", forbidden: OWN },
    Wall { package: "handfast-lab", forbidden: SCREEN },
    Wall { package: "handfast-toml", forbidden: NETWORK },
    Wall { package: "handfast-toml", forbidden: STORES },
    Wall { package: "handfast-toml", forbidden: OWN },
    Wall { package: "handfast-toml", forbidden: &["handfast-protocol", "handfast-sqlite", "handfast-http"] },
    Wall { package: "handfast-toml", forbidden: MACHINE },
    Wall { package: "handfast-lab", forbidden: MACHINE },
    Wall { package: "handfast-sqlite", forbidden: MACHINE },
    Wall { package: "handfast-participant", forbidden: MACHINE },
    Wall { package: "handfast-toml", forbidden: SCREEN },
    Wall { package: "handfast-sqlite", forbidden: NETWORK },
    Wall { package: "handfast-sqlite", forbidden: STORES },
    Wall { package: "handfast-sqlite", forbidden: OWN },
    Wall { package: "handfast-sqlite", forbidden: &["handfast-protocol"] },
    Wall { package: "handfast-http", forbidden: STORES },
    Wall { package: "handfast-http", forbidden: OWN },
    Wall { package: "handfast-http", forbidden: SCREEN },
    Wall { package: "handfast-http", forbidden: &["handfast-protocol", "handfast-sqlite"] },
    Wall { package: "handfast-participant", forbidden: OWN },
    Wall { package: "handfast-participant", forbidden: SCREEN },
    Wall { package: "handfast-participant", forbidden: &["reqwest"] },
    Wall { package: "handfast", forbidden: OWN },
    Wall { package: "handfast", forbidden: SERVER },
    Wall { package: "handfast", forbidden: SCREEN },
    Wall { package: "handfast-programs", forbidden: NETWORK },
    Wall { package: "handfast-programs", forbidden: STORES },
    Wall {
        package: "handfast-programs",
        forbidden: &["handfast", "handfast-participant", "handfast-server", "handfast-testkit"],
    },
    Wall { package: "handfast-programs", forbidden: SCREEN },
    Wall { package: "handfast-server", forbidden: &["handfast-participant", "handfast-lab", "handfast-testkit"] },
    Wall { package: "handfast-server", forbidden: SCREEN },
    Wall { package: "handfast-testkit", forbidden: &["handfast-lab", "handfast-server"] },
    Wall { package: "handfast-testkit", forbidden: SCREEN },
];

/// Depends on nothing at all, not even for its tests or its build.
const PURE: &[&str] = &["handfast-protocol", "handfast-machine"];

/// Nobody depends on these.
const TOPS: &[&str] = &["handfast-cli", "xtask"];

/// What would need more of a machine than Rust and a C compiler.
const HEAVY: &[&str] = &["cmake", "aws-lc-sys", "aws-lc-rs", "openssl-sys", "bindgen"];

/// Who depends on whom, by name.
#[derive(Default)]
pub(super) struct Graph {
    /// The workspace's own packages: everything each names in its manifest, for whatever purpose.
    declared: BTreeMap<String, BTreeSet<String>>,
    /// Every package: what it is built from, without what only its tests use.
    built_from: BTreeMap<String, BTreeSet<String>>,
}

impl Graph {
    /// Reads what `cargo metadata` says.
    pub(super) fn of_workspace(metadata: &Value) -> Self {
        let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
        let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let packages = list(&metadata["packages"]);
        let names: BTreeMap<String, String> =
            packages.iter().map(|package| (word(&package["id"]), word(&package["name"]))).collect();
        let name = |id: &Value| names.get(&word(id)).cloned().unwrap_or_default();
        let members = list(&metadata["workspace_members"]);
        let declared = packages
            .iter()
            .filter(|package| members.contains(&package["id"]))
            .map(|package| (word(&package["name"]), list(&package["dependencies"]).iter().map(|to| word(&to["name"])).collect()))
            .collect();
        let mut built_from: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for node in list(&metadata["resolve"]["nodes"]) {
            let built =
                list(&node["deps"]).into_iter().filter(|to| list(&to["dep_kinds"]).iter().any(|kind| kind["kind"] != "dev"));
            built_from.entry(name(&node["id"])).or_default().extend(built.map(|to| name(&to["pkg"])));
        }
        Self { declared, built_from }
    }

    /// The way by which `from` reaches `to`, both ends included, if there is one.
    fn way(&self, from: &str, to: &str) -> Option<Vec<String>> {
        let mut came_from: BTreeMap<&str, &str> = BTreeMap::new();
        let mut front = vec![from];
        while let Some(at) = front.pop() {
            for next in self.built_from.get(at).into_iter().flatten() {
                if next != from && !came_from.contains_key(next.as_str()) {
                    came_from.insert(next, at);
                    front.push(next);
                }
            }
        }
        let mut way = vec![to.to_owned()];
        let mut at = to;
        while at != from {
            at = came_from.get(at)?;
            way.push(at.to_owned());
        }
        way.reverse();
        Some(way)
    }
}

pub(super) fn check(graph: &Graph) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut find = |package: &str, what: String| {
        let path = if package == "xtask" { "xtask/Cargo.toml".to_owned() } else { format!("crates/{package}/Cargo.toml") };
        findings.push(Finding { path, line: 1, rule: &RULES[0], what });
    };
    for (package, dependencies) in &graph.declared {
        if PURE.contains(&package.as_str()) && !dependencies.is_empty() {
            find(package, format!("{package} has no dependency at all, and here it names {}", join(dependencies)));
        }
        for top in dependencies.iter().filter(|to| TOPS.contains(&to.as_str())) {
            find(package, format!("{package} depends on {top}, on which nobody depends"));
        }
        for heavy in HEAVY {
            if let Some(way) = graph.way(package, heavy) {
                find(package, format!("{heavy} needs more than Rust and a C compiler ({})", way.join(" -> ")));
            }
        }
    }
    for Wall { package, forbidden } in WALLS {
        for to in forbidden.iter().filter(|to| *to != package) {
            if let Some(way) = graph.way(package, to) {
                find(package, format!("{package} may not reach {to} ({})", way.join(" -> ")));
            }
        }
    }
    findings
}

fn join(names: &BTreeSet<String>) -> String {
    names.iter().map(String::as_str).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each edge is (from, to, for tests only).
    #[track_caller]
    fn check_edges(edges: &[(&str, &str, bool)], expected: &[&str]) {
        let mut graph = Graph::default();
        for &(from, to, dev) in edges {
            if from.starts_with("handfast") || from == "xtask" {
                graph.declared.entry(from.into()).or_default().insert(to.into());
            }
            if !dev {
                graph.built_from.entry(from.into()).or_default().insert(to.into());
            }
        }
        let found: Vec<String> = check(&graph).into_iter().map(|finding| finding.what).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn the_arrows_of_the_design_are_let_through() {
        check_edges(
            &[
                ("handfast-lab", "handfast-protocol", false),
                ("handfast-lab", "rayon", false),
                ("handfast", "handfast-protocol", false),
                ("handfast", "handfast-toml", false),
                ("handfast-toml", "toml", false),
                ("handfast", "reqwest", false),
                ("handfast", "handfast-participant", true),
                ("handfast-participant", "axum", false),
                ("handfast-cli", "handfast", false),
                ("handfast-cli", "handfast-participant", false),
                ("handfast-cli", "handfast-lab", false),
            ],
            &[],
        );
    }

    #[test]
    fn the_protocol_depends_on_nothing() {
        check_edges(
            &[("handfast-protocol", "proptest", true)],
            &["handfast-protocol has no dependency at all, and here it names proptest"],
        );
    }

    #[test]
    fn a_wall_holds_through_others_too() {
        check_edges(
            &[("handfast-lab", "innocent", false), ("innocent", "tokio", false)],
            &["handfast-lab may not reach tokio (handfast-lab -> innocent -> tokio)"],
        );
        check_edges(&[("handfast-lab", "tokio", true)], &[]);
        check_edges(
            &[("handfast-lab", "innocent", false), ("innocent", "handfast-machine", false)],
            &["handfast-lab may not reach handfast-machine (handfast-lab -> innocent -> handfast-machine)"],
        );
        check_edges(&[("handfast", "axum", false)], &["handfast may not reach axum (handfast -> axum)"]);
        check_edges(
            &[("handfast-participant", "handfast", false)],
            &["handfast-participant may not reach handfast (handfast-participant -> handfast)"],
        );
        check_edges(
            &[("handfast-toml", "handfast-protocol", false)],
            &["handfast-toml may not reach handfast-protocol (handfast-toml -> handfast-protocol)"],
        );
    }

    #[test]
    fn nobody_depends_on_the_command_line() {
        check_edges(
            &[("handfast-lab", "handfast-cli", true)],
            &["handfast-lab depends on handfast-cli, on which nobody depends"],
        );
    }

    #[test]
    fn nothing_needs_a_second_compiler() {
        check_edges(
            &[("handfast", "rustls", false), ("rustls", "aws-lc-sys", false)],
            &["aws-lc-sys needs more than Rust and a C compiler (handfast -> rustls -> aws-lc-sys)"],
        );
    }

    #[test]
    fn what_cargo_says_is_understood() {
        let kind = |kind: Value| serde_json::json!([{"kind": kind, "target": null}]);
        let metadata = serde_json::json!({
            "workspace_members": ["l"],
            "packages": [
                {"id": "l", "name": "handfast-lab", "dependencies": [{"name": "tokio"}, {"name": "insta"}]},
                {"id": "t", "name": "tokio", "dependencies": []},
                {"id": "i", "name": "insta", "dependencies": []},
            ],
            "resolve": {"nodes": [
                {"id": "l", "deps": [{"pkg": "t", "dep_kinds": kind(Value::Null)}, {"pkg": "i", "dep_kinds": kind("dev".into())}]},
            ]},
        });
        let graph = Graph::of_workspace(&metadata);
        assert_eq!(graph.way("handfast-lab", "tokio"), Some(vec!["handfast-lab".into(), "tokio".into()]));
        assert_eq!(graph.way("handfast-lab", "insta"), None);
        assert_eq!(graph.declared["handfast-lab"].len(), 2);
    }
}
