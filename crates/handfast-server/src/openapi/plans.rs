//! The schemas of plans: what is made, applied, and asked for afterwards.

use handfast::Deed;
use serde_json::{Value, json};

use super::schemas::{Member, flag, list, maybe_text, named, number, object, one_of, said, standing, text, whole};

/// Numbers by name: of amounts by currency, or of sagas by standing.
fn by_name(of: &Value) -> Value {
    json!({ "type": "object", "additionalProperties": of })
}

pub(super) fn all() -> Vec<Member<'static>> {
    let ranges = by_name(&named("Range"));
    let effects = object(
        &[
            ("refunds", ranges.clone()),
            ("stays", ranges.clone()),
            ("for_a_person", ranges.clone()),
            ("undoes_without_amount", named("Range")),
            ("leaves_without_amount", named("Range")),
            ("closes", named("Range")),
            ("dispatches", named("Range")),
            ("ends", ranges),
        ],
        &[],
    );
    let head = object(
        &[
            ("format", text()),
            ("store", text()),
            ("made_at_ms", whole()),
            ("by", text()),
            ("reason", text()),
            ("filter", text()),
            ("act", one_of(Deed::NAMES)),
            ("sagas", whole()),
            ("refused", whole()),
            ("sums", named("Effects")),
            ("pages", list(&text())),
        ],
        &[("step", maybe_text())],
    );
    let entry = object(&[("saga", text()), ("seq", whole()), ("digest", text()), ("effects", named("Effects"))], &[]);
    let refused = object(&[("saga", text()), ("why", text())], &[]);
    let made = object(
        &[
            ("store", text()),
            ("made_at_ms", number()),
            ("page", named("PlanPage")),
            ("sums", named("Effects")),
            ("next", maybe_text()),
        ],
        &[],
    );
    let of_plan = [("token", text()), ("head", named("PlanHead")), ("page", named("PlanPage"))];
    let age = ("not_older_than_ms", json!({ "type": ["integer", "null"], "minimum": 0, "maximum": u64::MAX }));
    let applies = object(&[&of_plan[..], &[("by", said())]].concat(), std::slice::from_ref(&age));
    let asks = object(&of_plan, &[("by", maybe_text()), age]);
    vec![
        ("Range", object(&[("at_least", whole()), ("at_most", whole())], &[])),
        ("Effects", effects),
        ("PlanHead", head),
        ("PlanPage", object(&[("sagas", list(&entry)), ("refused", list(&refused))], &[])),
        ("MadePlan", made),
        ("AppliesPlan", applies),
        ("AsksOfPlan", asks),
    ]
    .into_iter()
    .chain(answers())
    .collect()
}

fn answers() -> Vec<Member<'static>> {
    let done = one_of(["acted", "acted_before", "moved", "refused", "unknown"]);
    let row = object(&[("saga", text()), ("done", done), ("why", maybe_text())], &[]);
    let ranges = by_name(&named("Range"));
    let come = object(
        &[
            ("refunded", ranges.clone()),
            ("stays", ranges.clone()),
            ("for_a_person", ranges.clone()),
            ("under_way", ranges),
            ("undone_without_amount", number()),
            ("left_without_amount", number()),
            ("closed", number()),
            ("dispatched", number()),
            ("standing", by_name(&number())),
        ],
        &[],
    );
    let of_saga = object(
        &[("saga", text()), ("seq", number()), ("standing", standing()), ("under_way", flag()), ("come", named("Come"))],
        &[],
    );
    vec![
        ("AppliedPlan", object(&[("sagas", list(&row))], &[])),
        ("Come", come),
        ("OutcomeOfPlan", object(&[("sagas", list(&of_saga)), ("sums", named("Come"))], &[])),
    ]
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::plans::money::{Come, Effects};

    /// The names of its members.
    fn names(of: &Value) -> BTreeSet<String> {
        of.as_object().expect("an object").keys().cloned().collect()
    }

    #[test]
    fn sums_of_plans_have_the_members_that_are_described() {
        let shapes = all();
        let described = |name: &str| &shapes.iter().find(|(of, _)| *of == name).expect("it is described").1["properties"];
        let effects = json!(Effects::default());
        assert_eq!(names(described("Effects")), names(&effects));
        assert_eq!(names(described("Come")), names(&json!(Come::default())));
        for (name, value) in effects.as_object().expect("an object") {
            let is_range = value.get("at_least").is_some();
            assert_eq!(is_range, described("Effects")[name] == named("Range"), "{name}");
        }
    }
}
