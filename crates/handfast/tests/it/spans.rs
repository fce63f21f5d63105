//! What is reported while a saga is driven says of which saga it is, and of which step: a subscriber finds both in the spans.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use handfast::participant::InMemory;
use handfast::store::MemoryStore;
use handfast::{Engine, Flow, Outcome};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use crate::lines::listen;
use crate::support::{Road, World, order};

/// Names and values.
#[derive(Clone, Default, Debug)]
struct Fields(BTreeMap<&'static str, String>);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.insert(field.name(), format!("{value:?}").trim_matches('"').to_owned());
    }
}

#[derive(Default)]
struct Heard {
    /// The fields of every span, with those of the spans that it stands in.
    spans: Vec<Fields>,
    /// The name of every span, after those of the spans that it stands in.
    paths: Vec<Vec<&'static str>>,
    entered: Vec<usize>,
    /// The name of every event, with its fields and those of the spans that it stands in.
    events: Vec<(&'static str, Fields)>,
}

impl Heard {
    fn around(&self) -> Fields {
        self.entered.last().map_or_else(Fields::default, |&at| self.spans[at].clone())
    }
}

/// Writes down what a log with spans would.
#[derive(Clone, Default)]
struct Listener(Arc<Mutex<Heard>>);

fn number(id: &Id) -> usize {
    usize::try_from(id.into_u64()).unwrap() - 1
}

impl Subscriber for Listener {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("handfast") && *metadata.level() <= tracing::Level::INFO
    }
    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let mut heard = self.0.lock().unwrap();
        let parent = if span.is_contextual() { heard.entered.last().copied() } else { span.parent().map(number) };
        let mut fields = parent.map_or_else(Fields::default, |at| heard.spans[at].clone());
        let mut path = parent.map_or_else(Vec::new, |at| heard.paths[at].clone());
        span.record(&mut fields);
        path.push(span.metadata().name());
        heard.spans.push(fields);
        heard.paths.push(path);
        Id::from_u64(heard.spans.len() as u64)
    }
    fn record(&self, span: &Id, values: &Record<'_>) {
        values.record(&mut self.0.lock().unwrap().spans[number(span)]);
    }
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, event: &Event<'_>) {
        let mut heard = self.0.lock().unwrap();
        let mut fields = heard.around();
        event.record(&mut fields);
        heard.events.push((event.metadata().name(), fields));
    }
    fn enter(&self, span: &Id) {
        self.0.lock().unwrap().entered.push(number(span));
    }
    fn exit(&self, span: &Id) {
        let mut heard = self.0.lock().unwrap();
        let at = heard.entered.iter().rposition(|&entered| entered == number(span)).unwrap();
        heard.entered.remove(at);
    }
}

#[tokio::test(start_paused = true)]
async fn every_line_says_of_which_saga_and_step_it_is() {
    let listener = Listener::default();
    let _guard = listen(listener.clone());
    let world = World::new(None);
    world.depot.set_road(|_| Road::RequestCaptured);
    let engine = world.engine().await;
    let mut sagas = Vec::new();
    for id in ["order-1", "order-2"] {
        sagas.push(engine.submit(order(id, "visa", "tea")).await.unwrap());
    }
    tokio::time::sleep(Duration::from_mins(1)).await;
    world.depot.set_road(|_| Road::Open(1));
    for saga in &mut sagas {
        assert_eq!(saga.outcome().await.unwrap(), Outcome::Completed);
    }
    let heard = listener.0.lock().unwrap();
    let of =
        |name: &str| heard.events.iter().filter(|(event, _)| *event == name).map(|(_, fields)| &fields.0).collect::<Vec<_>>();
    for id in ["order-1", "order-2"] {
        for name in ["saga_placed", "saga_tried", "saga_ended"] {
            let of_it = of(name).into_iter().filter(|fields| fields["saga"] == id && fields["flow"] == "shop").count();
            assert!(of_it == 1 || name == "saga_tried" && of_it > 2, "{of_it} {name} of {id}");
        }
    }
    // What knows of no saga itself is told in the spans of the request that it came of.
    for name in ["participant_silent", "participant_answers"] {
        let [fields] = of(name)[..] else { panic!("{name} is said once") };
        assert!(fields["saga"].starts_with("order-") && fields["flow"] == "shop", "{name}: {fields:?}");
        assert_eq!((fields["step"].as_str(), fields["participant"].as_str()), ("dispatch", "depot"), "{name}");
    }
    let asked: Vec<_> =
        of("saga_tried").into_iter().map(|fields| (fields["step"].as_str(), fields["participant"].as_str())).collect();
    assert!(asked.iter().all(|asked| [("payment", "bank"), ("dispatch", "depot")].contains(asked)), "{asked:?}");
    assert!(heard.entered.is_empty(), "every span was left");
}

/// What leaves once is marked as sent while the turn of its request is taken, and only then leaves.
#[tokio::test(start_paused = true)]
async fn a_request_stands_in_the_span_of_its_saga_and_in_no_other_request() {
    let listener = Listener::default();
    let _guard = listen(listener.clone());
    let flow =
        Flow::builder("shop").compensatable("payment", "bank").cannot_close().not_idempotent().accept_risk("not-idempotent");
    let flow = flow.pivot("dispatch", "depot").build().unwrap();
    let engine = Engine::builder(Arc::new(MemoryStore::new())).flow(flow).participant("bank", InMemory::new(|_, _| true));
    let engine = engine.participant("depot", InMemory::new(|_, _| true)).open().await.unwrap();
    let mut saga = engine.submit(order("order-1", "visa", "tea")).await.unwrap();
    assert_eq!(saga.outcome().await.unwrap(), Outcome::Completed);
    let heard = listener.0.lock().unwrap();
    let requests: Vec<_> = heard.paths.iter().filter(|path| path.last() == Some(&"request")).collect();
    assert!(requests.len() >= 3, "one waits for its turn, leaves once, and the other leaves: {requests:?}");
    assert!(requests.iter().all(|path| **path == ["saga", "request"]), "{requests:?}");
}
