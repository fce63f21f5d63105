//! The deployed code with one guard off each, as types.

use handfast_protocol::Guards;

/// Declares mutants of the deployed code: each a type whose one guard is off.
macro_rules! without {
    ($($mutant:ident lacks $guard:ident),* $(,)?) => {
        $(
            #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
            pub(super) struct $mutant;
            impl Guards for $mutant {
                const $guard: bool = false;
            }
        )*
    };
}

without! {
    CloseIsARead lacks CLOSE_LEAVES_TOMBSTONE,
    UndoForgetsAbsent lacks UNDO_LEAVES_TOMBSTONE,
    UndoIsANoOp lacks UNDO_OF_ABSENT_IS_A_CLOSE,
    ActsTwice lacks ACT_IS_IDEMPOTENT,
    UndoesTwice lacks UNDO_IS_IDEMPOTENT,
    RefusalIsLoose lacks REFUSAL_IS_STICKY,
    LateActIsSuccess lacks LATE_ACT_IS_TOLD,
    AnyBodyWillDo lacks BODY_IS_COMPARED,
    UnknownIsRefused lacks UNKNOWN_IS_NOT_REFUSED,
    UnknownIsDone lacks UNKNOWN_IS_NOT_DONE,
    ShipsWhileCharging lacks DECISION_BEFORE_PIVOT,
    TrustsItsJournal lacks UNSENT_PIVOT_IS_CLOSED,
    RefundsAtOnce lacks PIVOT_CLOSED_BEFORE_UNDO,
    RefundsShippedGoods lacks DONE_PIVOT_MEANS_FORWARD,
    EndsBeforeTheUndo lacks UNDO_IS_AWAITED,
    LastAnswerWins lacks STALE_ANSWER_IS_IGNORED,
    KeepsKnocking lacks CLOSED_ELSEWHERE_TURNS_BACK,
    ActsAfterClosing lacks COMMANDS_ARE_MONOTONE,
    BelievesRefusals lacks LOOSE_REFUSAL_IS_CLOSED,
    BelievesRefusedCloses lacks REFUSED_CLOSE_CLOSES_NOTHING,
    StopsAsking lacks UNCLOSABLE_IS_ASKED_AGAIN,
    AsksTheForgetful lacks FORGOTTEN_KEY_IS_LEFT_ALONE,
    ClosesTheForgotten lacks FORGOTTEN_KEY_IS_NOT_CLOSED,
    LeavesTheRest lacks REST_IS_TAKEN_BACK,
    SendsAgain lacks ACT_IS_MARKED_AS_SENT,
    UndoesTheAbsent lacks ABSENT_IS_CLOSED_BEFORE_UNDO,
    UndoesAtRandom lacks UNDO_WAITS_ITS_TURN,
    RestsOnHolds lacks HOLD_IS_COMMITTED_IN_TIME,
    BelievesAnyAmount lacks OTHER_VALUES_ARE_NOT_DONE,
    TakesOtherForNothing lacks OTHER_VALUES_ARE_IN_EFFECT,
    UndoesByHandAndAgain lacks OTHER_VALUES_MEET_THE_MARK,
    LooksAway lacks LATE_EFFECT_IS_UNDONE,
    MixesIntents lacks FIRST_OF_HARMLESS_STAYS,
    CountsAcceptedUndos lacks ACCEPTED_UNDO_IS_AWAITED,
    LooksForFailedUndos lacks FAILED_UNDO_IS_TOLD,
    UndoesAgain lacks UNDO_IS_MARKED_AS_SENT,
    UndoesAgainTooSoon lacks UNDO_IS_REPEATED_ONCE_LATE,
    BelievesNotFound lacks NOTHING_FOUND_IS_NOT_REFUSED,
    FindsLooseRefusals lacks LOOSE_REFUSAL_IS_NOT_FOUND,
    CountsLateLooks lacks LOOK_COUNTS_FROM_ITS_LEAVING,
    ClosesTheUnwritable lacks UNWRITABLE_CLOSE_IS_NOT_SENT,
    TakesDoubtForNever lacks NEED_IN_DOUBT_IS_AWAITED,
    UndoesTheUnknown lacks NEED_IS_KNOWN_BEFORE_UNDO,
    TakesUndoneForNever lacks UNDONE_NEED_PROVES_NOTHING,
    KeepsTheRest lacks CONTRADICTION_KEEPS_NOTHING_ELSE,
    TakesAWordForIt lacks NOT_DONE_IS_NO_ANSWER,
    BelievesPeople lacks MARK_IS_OVERRULED,
    MarksTheGate lacks GATE_IS_CLOSED_NOT_MARKED,
    RetriesByActing lacks RETRY_SENDS_NOTHING_TWICE,
    SettlesAsNeither lacks SETTLED_IS_NO_OUTCOME,
    NamesNumbers lacks SEEN_NAMES_A_KEY,
    NamesNoMark lacks SEEN_NAMES_A_MARK,
    ForgetsTheFirstChange lacks BOTH_CHANGES_STAY,
    CommitsOutOfOrder lacks CHANGES_COMMIT_IN_ORDER,
    BelievesAFormerLife lacks FORMER_LIFE_IS_READ_AGAIN,
    UndoesOnAForgottenGate lacks FORGOTTEN_GATE_HOLDS_UNDOS,
    ShipsOnAKnownRestore lacks KNOWN_RESTORE_HOLDS,
    BelievesAWordForEver lacks WORD_ENDS_WITH_A_LIFE,
    MarksAFollowedGate lacks FOLLOWED_GATE_STAYS,
    ActsElsewhere lacks MOVED_KEY_IS_ONLY_FOUND,
    BelievesOtherBooks lacks NOT_FOUND_ELSEWHERE_IS_NOT_OFF,
    UndoesAtACopy lacks UNDO_LEAVES_FOR_ONE_ADDRESS,
    BelievesAHastyWord lacks NOT_DONE_ELSEWHERE_IS_SAID_AGAIN,
    BelievesACopy lacks CONFIRMED_HISTORY_IS_NOT_SAME_BOOKS,
    TrustsABackup lacks UNKNOWN_COUNTS_AS_ASKED,
    ForgetsARefund lacks FORGOTTEN_SINCE_MAY_HAVE_LEFT,
    JoinsByNumber lacks SEEN_IS_JOINED_BY_PROOF,
}
