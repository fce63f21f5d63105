//! Every metric of the service: the one table from which they are written, documented and tested.

/// What kind of numbers a metric has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// It only grows, and begins anew with the process.
    Counter,
    /// How something is now.
    Gauge,
    /// How long something took.
    Histogram,
}

impl Kind {
    /// The word for it in the text.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

/// One metric.
#[derive(Debug)]
pub(crate) struct Family {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    /// The names of its labels. What they may say comes from flow definitions, from the protocol or from the list of currencies, never
    /// from an order.
    pub(crate) labels: &'static [&'static str],
    /// What it says, in one sentence.
    pub(crate) help: &'static str,
}

macro_rules! families {
    ($($constant:ident = $name:literal, $kind:ident, [$($label:literal),*], $help:literal;)*) => {
        $(pub(crate) const $constant: &Family =
            &Family { name: $name, kind: Kind::$kind, labels: &[$($label),*], help: $help };)*
        /// Every metric there is.
        #[cfg(test)]
        pub(crate) const ALL: &[&Family] = &[$($constant),*];
    };
}

families! {
    BUILD_INFO = "handfast_build_info", Gauge, ["version", "protocol_version"],
        "Always 1; its labels say which version runs, and to which version of the protocol new sagas are pinned.";
    START = "handfast_start_time_seconds", Gauge, [], "When the service was opened, in seconds since 1970.";
    STOPPING = "handfast_stopping", Gauge, [], "1 while the service stops.";
    DEAD = "handfast_dead_parts", Gauge, [], "1 where a part has stopped for good, so that only a restart helps.";
    RISKS = "handfast_accepted_risk", Gauge, ["flow", "step", "risk"],
        "Always 1, once for each risk that was accepted of a flow at hand.";
    SAGAS = "handfast_stored_sagas", Gauge, ["standing"], "Sagas in the store, by how they stand.";
    PLACED = "handfast_sagas_placed_total", Counter, ["flow"], "Sagas that were placed here, by flow.";
    ENDED = "handfast_sagas_total", Counter, ["flow", "outcome"], "Sagas that have ended here, by flow and outcome.";
    IN_DOUBT = "handfast_in_doubt_sagas", Gauge, [], "Sagas that have neither ended nor wait for a person.";
    OLDEST = "handfast_oldest_in_doubt_age_seconds", Gauge, [],
        "For how long the saga has been under way that was placed first of those in doubt, held ones among them; 0 where there is none.";
    IN_DOUBT_MONEY = "handfast_in_doubt_money_minor_units", Gauge, ["currency"],
        "How much the sagas in doubt are about at most, in the currency's smallest unit: of each all amounts of its order, or all of its steps' bodies, whichever is more.";
    IN_DOUBT_NO_AMOUNT = "handfast_in_doubt_sagas_without_amount", Gauge, [],
        "Sagas in doubt whose orders say no amount, which are in no sum.";
    IN_DOUBT_UNREADABLE = "handfast_in_doubt_sagas_unreadable", Gauge, [],
        "Sagas in doubt whose orders are not what was written, or name an amount that cannot be added up; they are in no sum.";
    IN_DOUBT_SEVERAL = "handfast_in_doubt_sagas_with_several_amounts", Gauge, [],
        "Sagas in doubt that have several amounts: all of them are in the sum, so that it may be less.";
    SUSPENDED_MONEY = "handfast_suspended_money_minor_units", Gauge, ["currency"],
        "How much the sagas are about at most that wait for a person, in the currency's smallest unit, counted the same way.";
    SUSPENDED_NO_AMOUNT = "handfast_suspended_sagas_without_amount", Gauge, [],
        "Sagas that wait for a person and whose orders say no amount, which are in no sum.";
    SUSPENDED_UNREADABLE = "handfast_suspended_sagas_unreadable", Gauge, [],
        "Sagas that wait for a person and whose orders are not what was written, or name an amount that cannot be added up.";
    SUSPENDED_SEVERAL = "handfast_suspended_sagas_with_several_amounts", Gauge, [],
        "Sagas that wait for a person and have several amounts, all of which are in the sum.";
    DIGITS = "handfast_currency_minor_unit_digits", Gauge, ["currency"],
        "How many places an amount of the currency has: 2 where 100 of the smallest unit make one of it.";
    MONEY_ROUNDED = "handfast_money_sums_rounded", Gauge, [],
        "Sums of money beyond 2^53, which Prometheus keeps rounded; all others are exact.";
    MONEY_READ = "handfast_money_read_timestamp_seconds", Gauge, [],
        "When the reading of the store began that the sums of money in doubt are of, in seconds since 1970.";
    MONEY_READ_TOOK = "handfast_money_read_duration_seconds", Gauge, [], "How long that reading took, with its pauses.";
    SUSPENDED = "handfast_suspended_sagas", Gauge, [], "Sagas that wait for a person.";
    NEED_PERSON = "handfast_person_needed_sagas", Gauge, [],
        "Sagas met here that wait for a person, or after whose end a participant broke its promise; 1000 stands for that many or more.";
    NEEDS_PERSON = "handfast_needs_person_sagas", Gauge, ["standing"],
        "Sagas of the store that do not go on, or some step of which does not, before a person says something, by how they stand.";
    NEEDS_PERSON_MONEY = "handfast_needs_person_money_minor_units", Gauge, ["currency"],
        "How much those sagas are about at most, in the currency's smallest unit.";
    NEEDS_PERSON_UNSUMMED = "handfast_needs_person_sagas_not_in_sums", Gauge, [],
        "Those of them that have no amount, or one that cannot be read.";
    LOOKED_THROUGH = "handfast_looked_through_timestamp_seconds", Gauge, ["part"],
        "When the latest look through all journals began, of sagas that are open and of those that have ended, in seconds since 1970.";
    LOOKED_THROUGH_TOOK = "handfast_looked_through_duration_seconds", Gauge, ["part"], "How long that look took, with its pauses.";
    LONG_IN_DOUBT = "handfast_long_in_doubt_sagas", Gauge, [],
        "Sagas that were placed more than an hour ago and are in doubt, without those that are held.";
    PERSON_NEEDED = "handfast_person_needed_total", Counter, ["flow", "step", "reason"],
        "How often it was found here that a saga needs a person, by flow, step and reason.";
    HELD = "handfast_held_sagas", Gauge, [],
        "Open sagas for which nothing is sent before a person decides about their definition.";
    LEFT_ALONE = "handfast_left_alone_sagas", Gauge, [],
        "Sagas met here that another version or configuration has to drive; 1000 stands for that many or more.";
    UNCONFIRMED = "handfast_unconfirmed_sagas", Gauge, [],
        "Sagas met here that rest on answers of before a participant was put back; 1000 stands for that many or more.";
    ACTIVE = "handfast_active_sagas", Gauge, [], "Sagas in memory.";
    WAITING = "handfast_waiting_sagas", Gauge, [], "Sagas that were just placed and wait for a place in memory.";
    PLACES = "handfast_places_left", Gauge, ["class"], "Places in memory that are left for new sagas, and for those that were put aside.";
    CALLER_PLACES = "handfast_caller_places_left", Gauge, [], "Callers that may yet wait for the end of a saga.";
    IN_FLIGHT = "handfast_requests_in_flight", Gauge, ["participant"], "Requests that are out now, by participant.";
    REQUESTS = "handfast_participant_request_duration_seconds", Histogram, ["participant", "operation", "result"],
        "How long requests took until they were answered or given up on, by participant, operation and what came of them.";
    BREAKER = "handfast_participant_breaker", Gauge, ["participant", "state"],
        "1 for the state that a participant's breaker is in: it is left alone while that is open, half_open or behind.";
    NOT_UNDERSTOOD = "handfast_participant_answers_not_understood_total", Counter, ["participant"],
        "Answers of a participant that mean nothing that the flow describes.";
    NOT_MADE = "handfast_participant_requests_not_made_total", Counter, ["participant"],
        "Requests that could not be made, so that the participant was not asked.";
    STORE_ANSWERS = "handfast_store_answers", Gauge, [],
        "1 where the store was read for this; 0 where it did not answer, and what is read from it is missing.";
    STORE_TROUBLE = "handfast_store_trouble", Gauge, [], "1 where the store takes no writes, or something of it cannot be read.";
    STORE = "handfast_store_request_duration_seconds", Histogram, ["kind"],
        "How long the store took over a read, over a write that a saga waits for, and over what is written aside.";
    CLOCK_TROUBLE = "handfast_clock_trouble", Gauge, [], "1 while this process's clock is not believed.";
    CLOCK_TURNS = "handfast_clock_turns_total", Counter, [], "How often the wall clock was seen being set.";
    WEBHOOKS = "handfast_webhooks_total", Counter, ["flow", "step", "result"], "Webhooks that came, by flow, step and what became of them.";
}
