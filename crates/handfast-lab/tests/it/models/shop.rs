//! A shop that charges a card over a network that loses, repeats and reorders messages: the smallest saga worth exploring.
//!
//! ```text
//! shop: Idle ──> Charging ──Charged──> Shipped              pay: None ──Charge──> Charged ──Refund──> Refunded
//!                   │ └─────Declined─> Failed                     │ └───Charge──> Declined
//!               give up                                           └─────Refund──> Void, the tombstone: a late Charge
//!                   v                                                             finds it and does nothing
//!               Cancelling ──Refunded or Declined──> Cancelled
//! ```
//!
//! What the shop has decided and what the payment service has done is durable, messages are not. The undo of something that
//! may never have arrived leaves a tombstone (Garcia-Molina and Salem 1987 undo what was done; here one cannot know whether it
//! was, after Akkoyunlu, Ekanadham and Huber 1975). Each [`Guard`] can be taken away, to see what it is good for.

use handfast_lab::explorer::{Model, Property};
use std::fmt::{self, Debug};

/// The shop, the payment service, and what may go wrong between them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shop {
    /// How messages are kept.
    pub(crate) network: Network,
    /// How many crashes there may be in all. A restart is free.
    pub(crate) crashes: u8,
    /// The guard that is taken away, if one is.
    pub(crate) without: Option<Guard>,
}

/// How messages are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Network {
    /// What was ever sent can arrive at any time, again and again, or never.
    Set,
    /// Up to so many of each kind, at most [`UnderWay::MOST`], are under way; one more than that is lost. Each may be lost, delivered, or delivered and
    /// kept.
    Multiset(u8),
}

/// What keeps the shop and the payment service safe, and able to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Guard {
    /// A charge of an order that was charged answers again and does nothing.
    ChargeOnce,
    /// Nothing is shipped before the payment service said that it has charged.
    WaitForTheAnswer,
    /// The payment service remembers what it did through a crash.
    DurableTable,
    /// That nothing was found is no answer: the charge may be under way.
    NotFoundIsNoAnswer,
    /// A refund of what was never charged leaves a tombstone.
    Tombstone,
    /// A refund is sent until it is answered.
    RepeatRefund,
}

impl Guard {
    /// All guards.
    pub(crate) const ALL: [Self; 6] = [
        Self::ChargeOnce,
        Self::WaitForTheAnswer,
        Self::DurableTable,
        Self::NotFoundIsNoAnswer,
        Self::Tombstone,
        Self::RepeatRefund,
    ];
}

/// What the shop has decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Shopkeeper {
    Idle,
    Charging,
    Cancelling,
    Shipped,
    Cancelled,
    Failed,
}

/// What the payment service remembers of the order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Pay {
    None,
    Charged,
    Declined,
    Refunded,
    Void,
}

/// The kinds of message: three to the payment service, four to the shop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Message {
    Charge,
    Refund,
    Query,
    Charged,
    Declined,
    Refunded,
    NotFound,
}

const MESSAGES: [Message; 7] =
    [Message::Charge, Message::Refund, Message::Query, Message::Charged, Message::Declined, Message::Refunded, Message::NotFound];

/// One of the two sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Side {
    Shop,
    Pay,
}

/// Both sides and everything under way.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct State {
    /// What the shop has decided.
    pub(crate) shop: Shopkeeper,
    /// What the payment service remembers.
    pub(crate) pay: Pay,
    /// How often the card was charged, up to two. The card's own statement, so no crash takes it away.
    pub(crate) charges: u8,
    /// How often the card was refunded, up to two.
    pub(crate) refunds: u8,
    /// Which sides are down.
    down: u8,
    /// Crashes so far.
    crashes: u8,
    /// For each kind how many are under way, or for a set whether it was sent.
    pub(crate) under_way: UnderWay,
}

/// How many messages of each kind are under way, four bits a kind: at most [`UnderWay::MOST`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct UnderWay(u32);

/// What may happen next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Action {
    /// The shop begins, and sends the charge.
    Begin,
    /// The shop sends the charge again.
    SendCharge,
    /// The shop asks what became of it.
    SendQuery,
    /// The shop gives up, and sends the refund.
    GiveUp,
    /// The shop sends the refund again.
    SendRefund,
    /// The shop ships without an answer; only where [`Guard::WaitForTheAnswer`] is taken away.
    ShipUnanswered,
    /// A message arrives.
    Deliver(Message),
    /// A message arrives, and will again. With a charge that the card does not bear, see [`Action::Decline`].
    DeliverAndKeep(Message),
    /// A charge arrives, and the card does not bear it.
    Decline,
    /// A charge arrives that the card does not bear, and will again.
    DeclineAndKeep,
    /// A message is captured.
    Lose(Message),
    /// A side goes down.
    Crash(Side),
    /// A side comes back with what was durable.
    Restart(Side),
}

impl Debug for State {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mark = |side| if self.is_down(side) { " (down)" } else { "" };
        write!(formatter, "shop {:?}{}, pay {:?}{}", self.shop, mark(Side::Shop), self.pay, mark(Side::Pay))?;
        if self.charges > 1 {
            write!(formatter, ", charged twice")?;
        }
        for message in MESSAGES {
            match self.under_way.count(message) {
                0 => {}
                1 => write!(formatter, ", {message:?}")?,
                more => write!(formatter, ", {message:?} x{more}")?,
            }
        }
        Ok(())
    }
}

impl UnderWay {
    /// The greatest capacity of a multiset.
    pub(crate) const MOST: u8 = 15;

    /// How many of this kind are under way.
    pub(crate) const fn count(self, message: Message) -> u8 {
        (self.0 >> (4 * message as u32)) as u8 & Self::MOST
    }

    /// One more of this kind, up to the capacity.
    const fn add(&mut self, message: Message, capacity: u8) {
        if self.count(message) < capacity {
            self.0 += 1 << (4 * message as u32);
        }
    }

    /// One less of this kind, of which there is at least one.
    const fn take(&mut self, message: Message) {
        self.0 -= 1 << (4 * message as u32);
    }
}

impl State {
    const fn is_down(&self, side: Side) -> bool {
        self.down & (1 << side as u8) != 0
    }

    /// Whether the shop has ended, with the money where it belongs: shipped and charged, or neither.
    pub(crate) const fn is_consistent_end(&self) -> bool {
        let charged = matches!(self.pay, Pay::Charged);
        match self.shop {
            Shopkeeper::Shipped => charged,
            Shopkeeper::Cancelled | Shopkeeper::Failed => !charged,
            Shopkeeper::Idle | Shopkeeper::Charging | Shopkeeper::Cancelling => false,
        }
    }
}

impl Message {
    const fn to(self) -> Side {
        match self {
            Self::Charge | Self::Refund | Self::Query => Side::Pay,
            Self::Charged | Self::Declined | Self::Refunded | Self::NotFound => Side::Shop,
        }
    }
}

impl Shop {
    /// The shop with every guard in its place.
    pub(crate) const fn new(network: Network, crashes: u8) -> Self {
        Self { network, crashes, without: None }
    }

    /// The same without one guard.
    pub(crate) const fn without(self, guard: Guard) -> Self {
        Self { without: Some(guard), ..self }
    }

    fn lacks(&self, guard: Guard) -> bool {
        self.without == Some(guard)
    }

    const fn send(&self, state: &mut State, message: Message) {
        let capacity = match self.network {
            Network::Set => 1,
            Network::Multiset(capacity) => capacity,
        };
        state.under_way.add(message, capacity);
    }

    /// What the shop may do of itself.
    fn shop_actions(&self, state: &State, into: &mut Vec<Action>) {
        match state.shop {
            Shopkeeper::Idle => into.push(Action::Begin),
            Shopkeeper::Charging => {
                into.extend([Action::SendCharge, Action::SendQuery, Action::GiveUp]);
                if self.lacks(Guard::WaitForTheAnswer) {
                    into.push(Action::ShipUnanswered);
                }
            }
            Shopkeeper::Cancelling => into.push(Action::SendRefund),
            Shopkeeper::Shipped | Shopkeeper::Cancelled | Shopkeeper::Failed => {}
        }
    }

    /// What may become of a message that is under way.
    fn message_actions(&self, state: &State, message: Message, into: &mut Vec<Action>) {
        let loses = matches!(self.network, Network::Multiset(_));
        if !state.is_down(message.to()) {
            // In a set a message is always kept.
            let may_be_declined = message == Message::Charge && state.pay == Pay::None;
            if loses {
                into.push(Action::Deliver(message));
                if may_be_declined {
                    into.push(Action::Decline);
                }
            }
            into.push(Action::DeliverAndKeep(message));
            if may_be_declined {
                into.push(Action::DeclineAndKeep);
            }
        }
        if loses {
            into.push(Action::Lose(message));
        }
    }

    fn arrive(&self, state: &mut State, message: Message, declined: bool) {
        match message {
            Message::Charge => self.charge(state, declined),
            Message::Refund => self.refund(state),
            Message::Query => self.query(state),
            Message::Charged | Message::Declined | Message::Refunded | Message::NotFound => self.told(state, message),
        }
    }

    fn charge(&self, state: &mut State, declined: bool) {
        match state.pay {
            Pay::None if declined => state.pay = Pay::Declined,
            Pay::None => {
                state.pay = Pay::Charged;
                state.charges = (state.charges + 1).min(2);
            }
            Pay::Charged if self.lacks(Guard::ChargeOnce) => state.charges = 2,
            Pay::Charged | Pay::Declined | Pay::Refunded | Pay::Void => {}
        }
        self.query(state);
    }

    fn refund(&self, state: &mut State) {
        match state.pay {
            Pay::None if self.lacks(Guard::Tombstone) => {}
            Pay::None => state.pay = Pay::Void,
            Pay::Charged => {
                state.pay = Pay::Refunded;
                state.refunds = (state.refunds + 1).min(2);
            }
            Pay::Declined | Pay::Refunded | Pay::Void => {}
        }
        self.send(state, Message::Refunded);
    }

    /// Answers what the payment service remembers.
    const fn query(&self, state: &mut State) {
        let answer = match state.pay {
            Pay::None => Message::NotFound,
            Pay::Charged => Message::Charged,
            Pay::Declined => Message::Declined,
            Pay::Refunded | Pay::Void => Message::Refunded,
        };
        self.send(state, answer);
    }

    fn told(&self, state: &mut State, answer: Message) {
        state.shop = match (state.shop, answer) {
            (Shopkeeper::Charging, Message::Charged) => Shopkeeper::Shipped,
            (Shopkeeper::Charging, Message::Declined) => Shopkeeper::Failed,
            (Shopkeeper::Cancelling, Message::Declined) => Shopkeeper::Cancelled,
            (Shopkeeper::Charging | Shopkeeper::Cancelling, Message::Refunded) => Shopkeeper::Cancelled,
            (Shopkeeper::Charging, Message::NotFound) if self.lacks(Guard::NotFoundIsNoAnswer) => Shopkeeper::Cancelled,
            (unchanged, _) => unchanged,
        };
    }
}

impl Model for Shop {
    type State = State;
    type Action = Action;

    fn initial(&self) -> Vec<State> {
        let fits = match self.network {
            Network::Set => true,
            Network::Multiset(capacity) => capacity <= UnderWay::MOST,
        };
        assert!(fits, "the shop model counts at most {} messages of a kind", UnderWay::MOST);
        let (shop, pay) = (Shopkeeper::Idle, Pay::None);
        vec![State { shop, pay, charges: 0, refunds: 0, down: 0, crashes: 0, under_way: UnderWay(0) }]
    }

    fn actions(&self, state: &State, into: &mut Vec<Action>) {
        if !state.is_down(Side::Shop) {
            self.shop_actions(state, into);
        }
        for message in MESSAGES {
            if state.under_way.count(message) > 0 {
                self.message_actions(state, message, into);
            }
        }
        for side in [Side::Shop, Side::Pay] {
            if state.is_down(side) {
                into.push(Action::Restart(side));
            } else if state.crashes < self.crashes {
                into.push(Action::Crash(side));
            }
        }
    }

    fn after(&self, state: &State, action: &Action) -> Option<State> {
        let mut next = *state;
        match *action {
            Action::Begin => {
                next.shop = Shopkeeper::Charging;
                self.send(&mut next, Message::Charge);
            }
            Action::SendCharge => self.send(&mut next, Message::Charge),
            Action::SendQuery => self.send(&mut next, Message::Query),
            Action::GiveUp => {
                next.shop = if self.lacks(Guard::RepeatRefund) { Shopkeeper::Cancelled } else { Shopkeeper::Cancelling };
                self.send(&mut next, Message::Refund);
            }
            Action::SendRefund => self.send(&mut next, Message::Refund),
            Action::ShipUnanswered => next.shop = Shopkeeper::Shipped,
            Action::Deliver(message) => {
                next.under_way.take(message);
                self.arrive(&mut next, message, false);
            }
            Action::DeliverAndKeep(message) => self.arrive(&mut next, message, false),
            Action::Decline => {
                next.under_way.take(Message::Charge);
                self.arrive(&mut next, Message::Charge, true);
            }
            Action::DeclineAndKeep => self.arrive(&mut next, Message::Charge, true),
            Action::Lose(message) => next.under_way.take(message),
            Action::Crash(side) => {
                next.down |= 1 << side as u8;
                next.crashes += 1;
                if side == Side::Pay && self.lacks(Guard::DurableTable) {
                    next.pay = Pay::None;
                }
            }
            Action::Restart(side) => next.down &= !(1 << side as u8),
        }
        Some(next)
    }

    fn kinds(&self) -> Vec<&'static str> {
        let mut kinds = vec!["begin", "send charge", "send query", "give up", "send refund", "deliver and keep", "decline"];
        if matches!(self.network, Network::Multiset(_)) {
            kinds.extend(["deliver", "lose"]);
        }
        if self.crashes > 0 {
            kinds.extend(["crash", "restart"]);
        }
        if self.lacks(Guard::WaitForTheAnswer) {
            kinds.push("ship unanswered");
        }
        kinds
    }

    fn kind(&self, action: &Action) -> &'static str {
        match action {
            Action::Begin => "begin",
            Action::SendCharge => "send charge",
            Action::SendQuery => "send query",
            Action::GiveUp => "give up",
            Action::SendRefund => "send refund",
            Action::ShipUnanswered => "ship unanswered",
            Action::Deliver(_) => "deliver",
            Action::DeliverAndKeep(_) => "deliver and keep",
            Action::Decline | Action::DeclineAndKeep => "decline",
            Action::Lose(_) => "lose",
            Action::Crash(_) => "crash",
            Action::Restart(_) => "restart",
        }
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::<Self>::always("what is shipped is paid", |_, state| {
                state.shop != Shopkeeper::Shipped || (state.charges > 0 && state.refunds == 0)
            }),
            Property::<Self>::always("no card is charged twice", |_, state| state.charges < 2),
            Property::<Self>::always("what was answered as refunded is not charged", |_, state| {
                state.under_way.count(Message::Refunded) == 0 || state.pay != Pay::Charged
            }),
            Property::<Self>::always_step("what the shop has ended stays ended", |_, before, _, after| {
                before.shop == after.shop
                    || matches!(before.shop, Shopkeeper::Idle | Shopkeeper::Charging | Shopkeeper::Cancelling)
            }),
            Property::<Self>::can_always_reach("both or neither", |_, state| state.is_consistent_end()),
            Property::<Self>::sometimes("shipped and paid", |_, state| {
                state.shop == Shopkeeper::Shipped && state.pay == Pay::Charged
            }),
            Property::<Self>::sometimes("declined", |_, state| state.shop == Shopkeeper::Failed),
            Property::<Self>::sometimes("refunded", |_, state| state.shop == Shopkeeper::Cancelled && state.pay == Pay::Refunded),
            Property::<Self>::sometimes("a tombstone, and a late charge that finds it", |_, state| {
                state.pay == Pay::Void && state.under_way.count(Message::Charge) > 0
            }),
        ]
    }
}
