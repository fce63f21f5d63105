//! Random flow files, made of everything that their grammar has, and what their services promise.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use handfast_protocol::{Close, Kind, Operation, Repeat, Undo};
use rand::RngExt;
use rand::rngs::StdRng;

use super::meanings::{self, Described};
use crate::participant::template::operation_key;

/// A flow file with what its reader is not told: how its services read what they are asked, and what they answer.
#[derive(Clone, Debug)]
pub(super) struct Form {
    pub(super) text: String,
    pub(super) steps: Vec<StepForm>,
    pub(super) road: Road,
}

impl Form {
    /// How many operations are called by templates.
    pub(super) fn templates(&self) -> u64 {
        self.steps.iter().map(|step| step.calls.len() as u64).sum()
    }
}

/// What is taken for granted about the world, in milliseconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Road {
    pub(super) lifetime_ms: u64,
    pub(super) clock_error_ms: u64,
    pub(super) outage_ms: u64,
}

impl Road {
    pub(super) const fn margin_ms(self) -> u64 {
        self.lifetime_ms + self.clock_error_ms + self.outage_ms
    }
}

/// What a service promises, as its profile says it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Promises {
    pub(super) undo: Undo,
    pub(super) may_refuse: bool,
    pub(super) close: Close,
    pub(super) repeat: Repeat,
    pub(super) is_sticky: bool,
    pub(super) hold_ms: Option<u64>,
    pub(super) peek: bool,
    pub(super) lag_ms: u64,
    pub(super) is_later: bool,
    pub(super) is_harmless: bool,
}

#[derive(Clone, Debug)]
pub(super) struct StepForm {
    pub(super) name: String,
    pub(super) kind: Kind,
    pub(super) promises: Promises,
    pub(super) captures: Option<usize>,
    /// It sends an amount.
    pub(super) sends_money: bool,
    /// The gap by which its service knows a key.
    pub(super) reference: &'static str,
    pub(super) calls: BTreeMap<Operation, CallForm>,
    /// The earlier step whose id its act names.
    uses: Option<usize>,
    undo_by_id: bool,
    keeps_id: bool,
    beside: bool,
    deadline_ms: Option<u64>,
    timeout_ms: Option<u64>,
    undo_after: Option<usize>,
}

/// Where a request says which key it is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Place {
    Path,
    Query,
    Header,
    Json,
    Form,
    Base64,
}

/// How a request writes an amount.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Amount {
    Minor,
    MinorText,
    Decimal,
    DecimalText,
    Object,
}

#[derive(Clone, Debug)]
pub(super) struct CallForm {
    pub(super) at: Place,
    /// It is asked by the id that the answer to its act has brought, and not by the reference.
    pub(super) by_id: bool,
    pub(super) amount: Option<Amount>,
    /// The earlier step whose id it names.
    pub(super) uses: Option<usize>,
    pub(super) described: Described,
    method: &'static str,
    in_form: bool,
    extras: u32,
}

pub(super) fn chance(random: &mut StdRng, percent: u32) -> bool {
    random.random_range(0..100) < percent
}

pub(super) fn pick<T: Copy>(random: &mut StdRng, all: &[T]) -> T {
    all[random.random_range(0..all.len())]
}

/// Another flow.
pub(super) fn any_form(random: &mut StdRng) -> Form {
    let road = Road {
        lifetime_ms: random.random_range(300..2_000),
        clock_error_ms: random.random_range(1..50),
        outage_ms: random.random_range(1..500),
    };
    let mut kinds = vec![Kind::Compensatable; pick(random, &[0, 1, 1, 1, 2, 2, 3])];
    kinds.extend(chance(random, 75).then_some(Kind::Pivot));
    kinds.extend(chance(random, 3).then_some(Kind::Pivot));
    kinds.extend(vec![Kind::Retriable; pick(random, &[0, 0, 1, 1, 2])]);
    if kinds.is_empty() {
        kinds.push(Kind::Pivot);
    }
    // A hold needs a step after the decision that captures it, and waits for nothing but the decision.
    let gate = kinds.iter().position(|kind| *kind != Kind::Compensatable);
    let capturing = gate.filter(|&gate| gate > 0 && kinds[gate] == Kind::Pivot).map(|gate| gate + 1);
    let capturing = capturing.filter(|&at| kinds.get(at) == Some(&Kind::Retriable) && chance(random, 40));
    let held = capturing.map(|_| random.random_range(0..gate.unwrap_or(1)));
    let mut steps: Vec<StepForm> = Vec::new();
    for (at, &kind) in kinds.iter().enumerate() {
        let hold_ms = (held == Some(at)).then(|| road.margin_ms() + random.random_range(1_000..30_000));
        let captures = held.filter(|_| capturing == Some(at));
        let step = any_step(random, (at, kind), (hold_ms, captures), &steps);
        steps.push(step);
    }
    let text = written(&steps, road);
    Form { text, steps, road }
}

fn any_promises(random: &mut StdRng, kind: Kind, hold_ms: Option<u64>) -> Promises {
    let can_be_undone = kind == Kind::Compensatable;
    let is_harmless = can_be_undone && hold_ms.is_none() && chance(random, 10);
    let repeat = match random.random_range(0..100) {
        0..15 => Repeat::Never,
        15..30 => Repeat::For(random.random_range(2_000..20_000)),
        _ => Repeat::ForEver,
    };
    let close = match random.random_range(0..100) {
        0..35 => Close::Never,
        35..45 => Close::For(random.random_range(1_000..15_000)),
        45..55 => Close::NoOpWhenAbsent,
        _ => Close::ForEver,
    };
    let undo = if chance(random, 50) { Undo::Closes } else { Undo::NoOpWhenAbsent };
    let peek = chance(random, 60);
    let may_refuse = kind == Kind::Pivot || can_be_undone && chance(random, 70);
    Promises {
        undo: if can_be_undone { undo } else { Undo::Never },
        may_refuse,
        close,
        repeat,
        is_sticky: !may_refuse || chance(random, 70),
        hold_ms,
        peek,
        lag_ms: if peek && chance(random, 25) { random.random_range(10..500) } else { 0 },
        is_later: (repeat != Repeat::Never || is_harmless) && chance(random, 12),
        is_harmless,
    }
}

/// Another step after these.
fn any_step(
    random: &mut StdRng,
    (at, kind): (usize, Kind),
    (hold_ms, captures): (Option<u64>, Option<usize>),
    before: &[StepForm],
) -> StepForm {
    let mut promises = any_promises(random, kind, hold_ms);
    let undo_by_id = kind == Kind::Compensatable && chance(random, 35);
    if undo_by_id {
        promises.undo = Undo::NoOpWhenAbsent;
    }
    let beside = captures.is_none() && chance(random, 30) && may_run_beside(kind, before);
    let can_wait = before.iter().filter(|step| step.kind == Kind::Compensatable).count();
    let waits = kind == Kind::Compensatable && can_wait > 0 && chance(random, 15);
    // Those that run side by side know nothing of each other.
    let keeping: Vec<usize> = (0..before.len()).filter(|&other| !beside && before[other].keeps_id).collect();
    let mut step = StepForm {
        name: format!("s{at}"),
        kind,
        promises,
        captures,
        sends_money: chance(random, 75),
        reference: pick(random, &["{key}", "{key}", "{key.hash}", "{key.uuid}", "{saga}-{step}"]),
        calls: BTreeMap::new(),
        uses: (!keeping.is_empty() && chance(random, 50)).then(|| pick(random, &keeping)),
        undo_by_id,
        keeps_id: undo_by_id || chance(random, 35),
        beside,
        deadline_ms: (kind != Kind::Retriable && chance(random, 35)).then(|| random.random_range(100..4_000)),
        timeout_ms: chance(random, 50).then(|| random.random_range(50..800)),
        undo_after: waits.then(|| random.random_range(0..can_wait)),
    };
    for operation in [Operation::Act, Operation::Close, Operation::Undo, Operation::Look] {
        let has_it = match operation {
            Operation::Act => true,
            Operation::Close => promises.close != Close::Never,
            Operation::Undo => promises.undo != Undo::Never,
            Operation::Look => promises.peek,
        };
        if has_it {
            let call = any_call(random, &step, operation);
            step.calls.insert(operation, call);
        }
    }
    step
}

/// Whether a step of this kind may run side by side with the one before it, which must not be the one that decides.
fn may_run_beside(kind: Kind, before: &[StepForm]) -> bool {
    let is_like_the_last = before.last().is_some_and(|last| last.kind == kind);
    let has_pivot = before.iter().any(|step| step.kind == Kind::Pivot);
    is_like_the_last && (kind == Kind::Compensatable || kind == Kind::Retriable && has_pivot)
}

fn any_call(random: &mut StdRng, step: &StepForm, operation: Operation) -> CallForm {
    let by_id = match operation {
        Operation::Undo => step.undo_by_id,
        // What has no id yet was never done, or is left alone where that is harmless.
        Operation::Close | Operation::Look => step.undo_by_id && step.promises.is_harmless && chance(random, 50),
        Operation::Act => false,
    };
    let is_look = operation == Operation::Look;
    let told = (operation, &step.promises, step.captures.is_some());
    let described = meanings::any_described(random, told, (step.sends_money, step.reference), step.keeps_id);
    let in_form = !is_look && chance(random, 30);
    let bodies = if in_form { Place::Form } else { Place::Json };
    let places = [Place::Path, Place::Path, Place::Query, Place::Header, Place::Base64, bodies];
    let at = pick(random, &places[..if is_look { 5 } else { 6 }]);
    let amounts = [Amount::Minor, Amount::MinorText, Amount::Decimal, Amount::DecimalText, Amount::Object];
    let amount = pick(random, if in_form { &amounts[1..4] } else { &amounts });
    let is_acting = operation == Operation::Act;
    let has_amount = step.sends_money && (is_acting || operation == Operation::Undo && chance(random, 30));
    let methods: &[&str] = match operation {
        Operation::Look => &["GET", "GET", "POST"],
        Operation::Act => &["POST", "PUT", "PATCH"],
        Operation::Close | Operation::Undo => &["POST", "PUT", "DELETE"],
    };
    let (method, extras) = (pick(random, methods), random.random_range(0..256));
    let uses = step.uses.filter(|_| is_acting);
    CallForm { at, by_id, amount: has_amount.then_some(amount), uses, described, method, in_form, extras }
}

/// The flow file.
fn written(steps: &[StepForm], road: Road) -> String {
    let Road { lifetime_ms, clock_error_ms, outage_ms } = road;
    let mut text = format!(
        "name = \"random\"\n[input]\namount = \"money\"\nnote = {{ type = \"text\", optional = true }}\nlines = \"list\"\n\
         count = \"integer\"\n[assume]\nmessage_lifetime = \"{lifetime_ms}ms\"\nclock_error = \"{clock_error_ms}ms\"\n\
         longest_outage = \"{outage_ms}ms\"\n"
    );
    for step in steps {
        step.write(&mut text, steps);
    }
    text
}

impl StepForm {
    fn write(&self, text: &mut String, all: &[Self]) {
        let send = if self.sends_money { "\"amount\", \"note\"" } else { "\"note\"" };
        let name = &self.name;
        writeln!(text, "[[step]]\nname = \"{name}\"\nparticipant = \"http\"\nsend = [{send}, \"lines\", \"count\"]").unwrap();
        if self.beside {
            text.push_str("beside = true\n");
        }
        for (key, ms) in [("deadline", self.deadline_ms), ("timeout", self.timeout_ms)] {
            ms.into_iter().for_each(|ms| writeln!(text, "{key} = \"{ms}ms\"").unwrap());
        }
        for (key, other) in [("captures", self.captures), ("undo_after", self.undo_after)] {
            other.into_iter().for_each(|other| writeln!(text, "{key} = \"{}\"", all[other].name).unwrap());
        }
        self.write_profile(text);
        // Of every other header a flow says nothing, so it proves nothing.
        text.push_str("[step.http]\nown_headers = ['x-done', 'x-refused', 'x-closed', 'x-undone', 'x-absent', 'x-amount']\n");
        for (operation, call) in &self.calls {
            call.write(text, *operation, self);
        }
    }

    fn write_profile(&self, text: &mut String) {
        let promises = &self.promises;
        text.push_str("[step.profile]\n");
        let undo = match promises.undo {
            Undo::Closes => "closes",
            Undo::NoOpWhenAbsent => "no-op-when-absent",
            Undo::Never => "never",
        };
        let close = match promises.close {
            Close::ForEver => "for-ever".to_owned(),
            Close::For(ms) => format!("{ms}ms"),
            Close::NoOpWhenAbsent => "no-op-when-absent".to_owned(),
            Close::Never => "never".to_owned(),
        };
        let (is_later, is_harmless) = (promises.is_later, promises.is_harmless);
        let answers = if is_later { "later" } else { "now" };
        let (may_refuse, is_sticky) = (promises.may_refuse, promises.is_sticky);
        writeln!(text, "undo = \"{undo}\"\nclose = \"{close}\"\nanswers = \"{answers}\"\nmay_refuse = {may_refuse}").unwrap();
        match promises.repeat {
            Repeat::ForEver => text.push_str("idempotent = true\nremembers = \"for-ever\"\n"),
            Repeat::For(ms) => writeln!(text, "idempotent = true\nremembers = \"{ms}ms\"").unwrap(),
            Repeat::Never => text.push_str("idempotent = false\n"),
        }
        if promises.may_refuse {
            writeln!(text, "sticky_refusal = {is_sticky}").unwrap();
        }
        if is_harmless {
            text.push_str("duplicates = \"harmless\"\n");
        }
        for (key, ms) in [("hold_expires", promises.hold_ms), ("peek_lag", Some(promises.lag_ms).filter(|ms| *ms > 0))] {
            ms.into_iter().for_each(|ms| writeln!(text, "{key} = \"{ms}ms\"").unwrap());
        }
    }
}

impl CallForm {
    /// Gaps beyond what the service has to know, each in a place of its own.
    fn extra(&self, bit: u32) -> bool {
        self.extras >> bit & 1 == 1
    }

    fn write(&self, text: &mut String, operation: Operation, step: &StepForm) {
        let key = operation_key(operation);
        let name = &step.name;
        let which = if self.by_id { format!("{{receipt.{name}.id}}") } else { step.reference.to_owned() };
        let encoded =
            if which == "{saga}-{step}" { "{base64.saga}.{base64.step}".to_owned() } else { which.replace('{', "{base64.") };
        let mut url = format!("http://services.example/{name}/{key}");
        let mut query = Vec::new();
        let mut headers = vec!["authorization = 'Bearer {secret.TOKEN}'".to_owned()];
        match self.at {
            Place::Path => write!(url, "/{which}/it").unwrap(),
            Place::Query => query.push(format!("ref={which}")),
            Place::Header => headers.push(format!("x-ref = '{which}'")),
            Place::Base64 => headers.push(format!("x-coded = '{encoded}'")),
            Place::Json | Place::Form => {}
        }
        if self.extra(0) {
            query.push("note={input.note}&at={now}".to_owned());
        }
        if self.extra(1) {
            headers.push("x-now = '{now.iso}'".to_owned());
        }
        if self.extra(2) {
            headers[0] = "authorization = 'Basic {basic.USER.TOKEN}'".to_owned();
        }
        if !query.is_empty() {
            write!(url, "?{}", query.join("&")).unwrap();
        }
        writeln!(text, "[step.http.{key}]\nmethod = \"{}\"\nurl = '{url}'\nheaders = {{ {} }}", self.method, headers.join(", "))
            .unwrap();
        if operation != Operation::Look {
            self.write_body(text, &which);
        }
        self.described.write(text);
    }

    fn write_body(&self, text: &mut String, which: &str) {
        let mut members: Vec<(&str, String)> = Vec::new();
        let is_json = !self.in_form;
        if matches!(self.at, Place::Json | Place::Form) {
            members.push(("ref", if is_json { format!("\"{which}\"") } else { which.to_owned() }));
        }
        let quoted = |gap: &str| if is_json { format!("\"{gap}\"") } else { gap.to_owned() };
        match self.amount {
            Some(Amount::Minor) => members.push(("amount", "{input.amount.minor}".to_owned())),
            Some(Amount::MinorText) => members.push(("amount", quoted("{input.amount.minor}"))),
            Some(Amount::Decimal) => members.push(("amount", "{input.amount.decimal}".to_owned())),
            Some(Amount::DecimalText) => members.push(("amount", quoted("{input.amount.decimal}"))),
            Some(Amount::Object) => members.push(("amount", "{input.amount}".to_owned())),
            None => {}
        }
        if self.amount.is_some() {
            members.push(("currency", quoted("{input.amount.currency.lower}")));
        }
        if let Some(other) = self.uses {
            members.push(("held", quoted(&format!("{{receipt.s{other}.id}}"))));
        }
        if self.extra(3) {
            members.push(("note", quoted("about {input.note}")));
        }
        if self.extra(4) {
            members.push(("lines", "{input.lines}".to_owned()));
        }
        if self.extra(5) {
            members.push(("count", "{input.count}".to_owned()));
        }
        if self.extra(6) {
            members.push(("at", quoted("{now.ms}")));
        }
        if self.extra(7) {
            members.push(("coded", quoted("{base64.input.note}")));
        }
        if members.is_empty() {
            return;
        }
        if is_json {
            let members: Vec<String> = members.iter().map(|(name, value)| format!("\"{name}\": {value}")).collect();
            writeln!(text, "body = '{{{}}}'", members.join(", ")).unwrap();
        } else {
            let members: Vec<String> = members.iter().map(|(name, value)| format!("{name} = '{value}'")).collect();
            writeln!(text, "form = {{ {} }}", members.join(", ")).unwrap();
        }
    }
}
