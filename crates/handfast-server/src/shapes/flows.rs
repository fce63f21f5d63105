//! The flows of a service as answers have them.

use handfast::journal::hex;
use serde_json::{Value, json};

use crate::flows::{Flows, Reloaded, Reread, ServedFlow};

/// Every flow that may be seen, and every file of which there is none; `last` is what came of the last reading.
pub(crate) fn all(flows: &Flows, last: &Reloaded, may_see: impl Fn(Option<&str>) -> bool) -> Vec<Value> {
    let trouble = |flow: &ServedFlow| {
        let of_it = last.flows.iter().find(|reread| reread.flow.as_deref() == Some(flow.name()));
        of_it.and_then(|reread| reread.why.clone())
    };
    let served = flows.with_removed().filter(|flow| may_see(Some(flow.name()))).map(|flow| {
        json!({
            "flow": flow.name(),
            "hash": hex(&flow.flow().hash()),
            "file": flow.file().file(),
            "takes_orders": flows.named(flow.name()).is_some(),
            "trouble": trouble(flow),
        })
    });
    let refused = last.flows.iter().filter(|reread| reread.flow.is_none() && may_see(None)).map(
        |Reread { file, why, .. }| json!({ "flow": null, "hash": null, "file": file, "takes_orders": false, "trouble": why }),
    );
    served.chain(refused).collect()
}

/// What came of reading every flow anew.
pub(crate) fn reloaded(reloaded: &Reloaded) -> Value {
    let one = |Reread { flow, file, change, why, .. }: &Reread| json!({ "flow": flow, "file": file, "change": change.name(), "why": why });
    json!({
        "complete": reloaded.is_whole(),
        "why": reloaded.why,
        "flows": reloaded.flows.iter().map(one).collect::<Vec<_>>(),
    })
}
