//! The SQL of every write, prepared once, run inside the transaction of the writer.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use handfast_protocol::Time;
use handfast_sqlite::{is_behind, next_generation};
use rusqlite::{Connection, OptionalExtension as _, Result, Row, Statement, params};

use super::queries::{IS_KEPT, OPEN, TIPS, tip};
use super::reader::forget_pages;
use super::shape::{column, ordered, pack, placed_digest};
use crate::store::time::{judge_acceptance, keep};
use crate::store::{
    Acceptance, Adoption, Append, ClockMark, Created, Entry, KeptTime, Memory, NewSaga, Offer, SUSPENDED, Seen, StoreError,
    TRIES_KEPT, TimeAcceptance, TimeAccepted, Try, check_new,
};

/// What a write came to: its answer, or what is wrong with it. The outer `Result` of a method says that the transaction
/// cannot go on.
pub(super) type Verdict<T> = std::result::Result<T, StoreError>;

pub(super) struct Statements<'c> {
    begin: Statement<'c>,
    commit: Statement<'c>,
    rollback: Statement<'c>,
    insert_flow: Statement<'c>,
    insert_saga: Statement<'c>,
    insert_placed: Statement<'c>,
    find_placed: Statement<'c>,
    find_request: Statement<'c>,
    insert_request: Statement<'c>,
    find_end: Statement<'c>,
    insert_entry: Statement<'c>,
    update_saga: Statement<'c>,
    park: Statement<'c>,
    find_longer: Statement<'c>,
    suspend: Statement<'c>,
    find_tries: Statement<'c>,
    insert_try: Statement<'c>,
    upsert_participant: Statement<'c>,
    find_generation: Statement<'c>,
    carry_over: Statement<'c>,
    upsert_probe: Statement<'c>,
    find_clock: Statement<'c>,
    upsert_clock: Statement<'c>,
    find_tips: Statement<'c>,
    delete_tip: Statement<'c>,
    insert_tip: Statement<'c>,
    connection: &'c Connection,
    /// The highest generation of the file that was seen, and what this transaction makes of it.
    generation: i32,
    raised: i32,
    /// How many rows this connection had changed when the transaction began.
    changes_before: u64,
    /// Flows that are in the store for certain; forgotten with every transaction that does not end well.
    flows: BTreeSet<[u8; 32]>,
    /// What the answers of this transaction have shown of participants, at most one a participant and incarnation.
    seen: Vec<Seen>,
    /// What is kept of incarnations, as it was when this transaction first met them and as it is now.
    memories: BTreeMap<String, (Memory, Memory)>,
}

/// How the generation of the file compares with what was seen of it before.
pub(super) enum Generation {
    /// It goes on from there.
    Current,
    /// An older copy was put in its place.
    Behind { found: i32, known: i32 },
}

/// How a saga stands in its row, and the digest of the entry that the writer believes to be the last.
struct End {
    saga: i64,
    wake_at: Option<i64>,
    stands_otherwise: bool,
    is_parked_or_suspended: bool,
    digest: Option<Vec<u8>>,
    adoptions: i64,
}

impl<'c> Statements<'c> {
    pub(super) fn prepare(connection: &'c Connection) -> Result<Self> {
        let sql = |text| connection.prepare(text);
        Ok(Self {
            // Immediate: two processes never find out at their commit that they wrote side by side.
            begin: sql("BEGIN IMMEDIATE")?,
            commit: sql("COMMIT")?,
            rollback: sql("ROLLBACK")?,
            insert_flow: sql("INSERT INTO flow (hash, text) VALUES (?1, ?2) ON CONFLICT (hash) DO NOTHING")?,
            insert_saga: sql("INSERT INTO saga (name, created, wake_at, standing, tries) VALUES (?1, ?2, ?3, ?4, 0) \
                 ON CONFLICT (name) DO NOTHING")?,
            insert_placed: sql(
                "INSERT INTO placed (saga, flow, version, input, bodies, digest) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?,
            find_placed: sql("SELECT saga.id, placed.flow = ?2, placed.input = ?3, flow.text FROM saga \
                 JOIN placed ON placed.saga = saga.id LEFT JOIN flow ON flow.hash = placed.flow WHERE saga.name = ?1")?,
            find_request: sql("SELECT saga.name FROM request JOIN saga ON saga.id = request.saga WHERE request.key_hash = ?1")?,
            insert_request: sql("INSERT INTO request (key_hash, saga) VALUES (?1, ?2) ON CONFLICT (key_hash) DO NOTHING")?,
            find_end: sql(
                "SELECT saga.id, saga.wake_at, saga.standing <> ?3, saga.tries <> 0 OR saga.why IS NOT NULL, journal.digest, \
                 (SELECT count(*) FROM adopted WHERE adopted.saga = saga.id) \
                 FROM saga LEFT JOIN journal ON journal.saga = saga.id AND journal.seq = ?2 WHERE saga.name = ?1",
            )?,
            insert_entry: sql("INSERT INTO journal (saga, seq, at, input, digest) VALUES (?1, ?2, ?3, ?4, ?5) \
                 ON CONFLICT (saga, seq) DO NOTHING")?,
            update_saga: sql("UPDATE saga SET wake_at = ?2, standing = ?3, tries = 0, why = NULL WHERE id = ?1")?,
            park: sql("UPDATE saga SET wake_at = ?2, tries = ?3 WHERE name = ?1 AND wake_at IS NOT NULL")?,
            find_longer: sql(
                "SELECT count(*) FROM saga JOIN journal ON journal.saga = saga.id WHERE saga.name = ?1 AND journal.seq > ?2",
            )?,
            suspend: sql("UPDATE saga SET wake_at = NULL, standing = ?2, why = ?3 WHERE name = ?1")?,
            find_tries: sql("SELECT id, (SELECT max(nth) FROM try WHERE saga = saga.id) FROM saga WHERE name = ?1")?,
            insert_try: sql("INSERT OR REPLACE INTO try (saga, slot, nth, step, operation, number, sent, ended, seen) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)")?,
            upsert_participant: sql("INSERT INTO participant (base, incarnation, seq) VALUES (?1, ?2, ?3) \
                 ON CONFLICT (base) DO UPDATE SET seq = excluded.seq \
                 WHERE incarnation = excluded.incarnation AND seq < excluded.seq")?,
            find_generation: sql("PRAGMA user_version")?,
            carry_over: sql("PRAGMA wal_checkpoint(PASSIVE)")?,
            find_clock: sql("SELECT value FROM meta WHERE name = 'clock'")?,
            upsert_clock: sql("INSERT INTO meta (name, value) VALUES ('clock', ?1) \
                 ON CONFLICT (name) DO UPDATE SET value = excluded.value")?,
            upsert_probe: sql("INSERT INTO meta (name, value) VALUES ('probe', ?1) \
                 ON CONFLICT (name) DO UPDATE SET value = excluded.value")?,
            find_tips: sql(TIPS)?,
            delete_tip: sql("DELETE FROM seen WHERE incarnation = ?1 AND key = ?2 AND seq = ?3 AND mark = ?4")?,
            insert_tip: sql("INSERT INTO seen (incarnation, key, seq, mark, opening) VALUES (?1, ?2, ?3, ?4, ?5)")?,
            connection,
            generation: connection.pragma_query_value(None, "user_version", |row| row.get(0))?,
            raised: 0,
            changes_before: 0,
            flows: BTreeSet::new(),
            seen: Vec::new(),
            memories: BTreeMap::new(),
        })
    }

    /// Writes this many bytes over those of the last probe.
    pub(super) fn probe(&mut self, bytes: usize) -> Result<()> {
        self.upsert_probe.execute(["p".repeat(bytes)]).map(drop)
    }

    pub(super) fn begin(&mut self) -> Result<()> {
        self.begin.execute([])?;
        self.changes_before = self.connection.total_changes();
        Ok(())
    }

    /// Raises the generation of the file, if this transaction has changed anything, and compares it with what it was.
    pub(super) fn raise_generation(&mut self) -> Result<Generation> {
        let found: i32 = self.find_generation.query_row([], |row| row.get(0))?;
        if is_behind(found, self.generation) {
            return Ok(Generation::Behind { found, known: self.generation });
        }
        self.raised = found;
        if self.connection.total_changes() != self.changes_before {
            self.raised = next_generation(found);
            // It lies in the first page, and so in the file's header once the log is carried over.
            self.connection.pragma_update(None, "user_version", self.raised)?;
        }
        Ok(Generation::Current)
    }

    /// Carries the log over into the file, except for those pages whose older version a reader still needs (a checkpoint). Where all of
    /// it was carried over, gives the generation that the file's header then has at least.
    pub(super) fn carry_over(&mut self) -> Result<Option<i32>> {
        let (written, carried_over): (i64, i64) = self.carry_over.query_row([], |row| Ok((row.get(1)?, row.get(2)?)))?;
        Ok((carried_over == written).then_some(self.generation))
    }

    /// Everything since [`begin`](Self::begin) is in the file, and flushed, if this is `Ok`.
    pub(super) fn commit(&mut self) -> Result<()> {
        self.commit.execute([])?;
        self.generation = self.raised;
        Ok(())
    }

    /// Makes undone whatever is not committed. SQLite may have done so by itself when the disk was full.
    pub(super) fn rollback(&mut self) {
        self.flows.clear();
        self.seen.clear();
        self.memories.clear();
        if !self.connection.is_autocommit()
            && let Err(error) = self.rollback.execute([])
        {
            tracing::error!(name: "store_rollback_refused", "the store cannot take back a transaction: {error}");
        }
        forget_pages(self.connection);
    }

    pub(super) fn create(&mut self, new: &NewSaga) -> Result<Verdict<Created>> {
        if let Err(error) = check_new(new) {
            return Ok(Err(error));
        }
        if let Some(id) = self.holder_of_request(new)?.filter(|id| *id != new.id) {
            return Ok(Ok(Created::KeyTaken { id }));
        }
        let created = new.entries.first().map_or(Time(0), |entry| entry.at);
        let wake_at = new.wake_at.map(|time| ordered(time.0));
        if self.insert_saga.execute(params![new.id, column(created.0), wake_at, new.standing])? == 0 {
            return self.compare(new);
        }
        let saga = self.connection.last_insert_rowid();
        self.keep_request(new, saga)?;
        let packed = pack(&new.input, &new.bodies);
        let digest = placed_digest(&new.flow_hash, new.version, &new.input, &packed);
        self.insert_placed.execute(params![saga, new.flow_hash, new.version, new.input, packed, digest])?;
        if self.flows.insert(new.flow_hash) {
            self.insert_flow.execute(params![new.flow_hash, new.flow_text])?;
        }
        for entry in &new.entries {
            self.insert(saga, entry)?;
        }
        Ok(Ok(Created::New))
    }

    /// Whether what is placed under this id is the same.
    fn compare(&mut self, new: &NewSaga) -> Result<Verdict<Created>> {
        let read = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?));
        let placed = self.find_placed.query_row(params![new.id, new.flow_hash, new.input], read).optional()?;
        let Some((saga, same_flow, same_input, flow_text)) = placed else {
            return Ok(Err(StoreError::Corrupt { id: new.id.clone(), what: "its row in `placed` is missing".to_owned() }));
        };
        let flow_text: Option<String> = flow_text;
        if same_input && flow_text.is_some_and(|text| new.is_of_flow(&text)) {
            self.keep_request(new, saga)?;
        }
        Ok(Ok(if same_flow && same_input { Created::Same } else { Created::Different }))
    }

    /// The id of the saga that the request's key stands for.
    fn holder_of_request(&mut self, new: &NewSaga) -> Result<Option<String>> {
        let Some(hash) = &new.request_key_hash else { return Ok(None) };
        self.find_request.query_row([hash], |row| row.get(0)).optional()
    }

    fn keep_request(&mut self, new: &NewSaga, saga: i64) -> Result<()> {
        let Some(hash) = &new.request_key_hash else { return Ok(()) };
        self.insert_request.execute(params![hash, saga]).map(drop)
    }

    pub(super) fn append(&mut self, append: &Append) -> Result<Verdict<()>> {
        let Some(end) = self.end(append)? else { return Ok(Err(StoreError::Conflict)) };
        let follows = end.digest.as_deref() == Some(&append.previous[..]);
        let follows = follows && end.adoptions == column(append.adoptions);
        if !follows || self.insert(end.saga, &append.entry)? == 0 {
            return Ok(Err(StoreError::Conflict));
        }
        let wake_at = append.wake_at.map(|time| ordered(time.0));
        if end.is_parked_or_suspended || end.stands_otherwise || end.wake_at != wake_at {
            self.update_saga.execute(params![end.saga, wake_at, append.standing])?;
        }
        if let Some(seen) = &append.seen {
            self.note_seen(seen)?;
        }
        Ok(Ok(()))
    }

    fn end(&mut self, append: &Append) -> Result<Option<End>> {
        let Some(previous) = append.entry.seq.checked_sub(1) else { return Ok(None) };
        let end = self.find_end.query_row(params![append.id, column(previous), append.standing], |row| {
            Ok(End {
                saga: row.get(0)?,
                wake_at: row.get(1)?,
                stands_otherwise: row.get(2)?,
                is_parked_or_suspended: row.get(3)?,
                digest: row.get(4)?,
                adoptions: row.get(5)?,
            })
        });
        end.optional()
    }

    fn insert(&mut self, saga: i64, entry: &Entry) -> Result<usize> {
        let Entry { seq, at, input, digest } = entry;
        self.insert_entry.execute(params![saga, column(*seq), column(at.0), input, digest])
    }

    pub(super) fn note_seen(&mut self, seen: &Seen) -> Result<()> {
        if !seen.shown.is_empty() {
            if !self.memories.contains_key(&seen.incarnation) {
                let kept = self.find_tips.query_map([&seen.incarnation], tip)?.collect::<Result<_>>()?;
                let kept = Memory::kept(kept);
                self.memories.insert(seen.incarnation.clone(), (kept.clone(), kept));
            }
            if let Some((_, memory)) = self.memories.get_mut(&seen.incarnation) {
                seen.remember_in(memory);
            }
        }
        let same = |known: &&mut Seen| known.participant == seen.participant && known.incarnation == seen.incarnation;
        match self.seen.iter_mut().find(same) {
            Some(known) => known.seq = known.seq.max(seen.seq),
            None => {
                let Seen { participant, incarnation, seq, .. } = seen;
                let (participant, incarnation) = (participant.clone(), incarnation.clone());
                self.seen.push(Seen { participant, incarnation, seq: *seq, ..Seen::default() });
            }
        }
        Ok(())
    }

    /// Writes what the answers of this transaction have shown of participants.
    pub(super) fn write_seen(&mut self) -> Result<()> {
        for Seen { participant, incarnation, seq, .. } in self.seen.drain(..) {
            self.upsert_participant.execute(params![participant, incarnation, ordered(seq)])?;
        }
        for (incarnation, (before, after)) in std::mem::take(&mut self.memories) {
            for gone in before.tips().iter().filter(|tip| !after.tips().contains(tip)) {
                let (key, change) = (&gone.sighting.key, &gone.sighting.change);
                self.delete_tip.execute(params![incarnation, key, column(change.number), change.mark])?;
            }
            for new in after.tips().iter().filter(|tip| !before.tips().contains(tip)) {
                let (key, change) = (&new.sighting.key, &new.sighting.change);
                self.insert_tip.execute(params![incarnation, key, column(change.number), change.mark, new.opening])?;
            }
        }
        Ok(())
    }

    /// Compares a clock with the one that is kept. What cannot be read is as good as none.
    pub(super) fn keep_time(&mut self, mark: &ClockMark, error_ms: u64) -> Result<KeptTime> {
        let kept: Option<String> = self.find_clock.query_row([], |row| row.get(0)).optional()?;
        let (told, keeps) = keep(kept.as_deref().and_then(ClockMark::read).as_ref(), mark, error_ms);
        if let Some(keeps) = keeps {
            self.upsert_clock.execute([keeps.write()])?;
        }
        Ok(told)
    }

    /// Lets the present time take the place of a later one, and keeps who said so: one row for each acceptance.
    pub(super) fn accept_time(&mut self, acceptance: &TimeAcceptance) -> Result<TimeAccepted> {
        let TimeAcceptance { mark, by, why } = acceptance;
        let kept: Option<String> = self.find_clock.query_row([], |row| row.get(0)).optional()?;
        let kept = kept.as_deref().and_then(ClockMark::read);
        let accepted = judge_acceptance(kept.as_ref(), mark);
        if let TimeAccepted::Taken { before } = accepted {
            const KEEP: &str = "INSERT INTO meta (name, value) VALUES ('clock accepted ' || \
                 (SELECT count(*) + 1 FROM meta WHERE name LIKE 'clock accepted %'), ?1)";
            let said = serde_json::json!({ "at": mark.at.0, "instead_of": before.0, "by": by, "why": why });
            self.connection.prepare_cached(KEEP)?.execute([said.to_string()])?;
            self.upsert_clock.execute([mark.instead_of(kept.as_ref()).write()])?;
        }
        Ok(accepted)
    }

    /// Keeps the definitions at hand, as a list of texts.
    pub(super) fn keep_at_hand(&self, flows: &[Arc<str>]) -> Result<()> {
        let sql = "INSERT INTO meta (name, value) VALUES ('at_hand', ?1) ON CONFLICT (name) DO UPDATE SET value = excluded.value";
        let texts: Vec<&str> = flows.iter().map(|flow| &**flow).collect();
        self.connection.prepare_cached(sql)?.execute([serde_json::json!(texts).to_string()]).map(drop)
    }

    pub(super) fn offer(&self, offer: &Offer) -> Result<()> {
        let Offer { participant, incarnation, seq, at } = offer;
        let sql = "INSERT OR REPLACE INTO offered (base, incarnation, seq, at) VALUES (?1, ?2, ?3, ?4)";
        self.connection.prepare_cached(sql)?.execute(params![participant, incarnation, ordered(*seq), column(at.0)]).map(drop)
    }

    pub(super) fn withdraw(&self, participant: &str, incarnation: &str) -> Result<()> {
        let sql = "DELETE FROM offered WHERE base = ?1 AND incarnation = ?2";
        self.connection.prepare_cached(sql)?.execute([participant, incarnation]).map(drop)
    }

    pub(super) fn accept(&self, acceptance: &Acceptance) -> Result<Verdict<()>> {
        let Acceptance { participant, incarnation, former, seq, at, by, why } = acceptance;
        let is_as_believed = "UPDATE participant SET incarnation = ?2, seq = 0 WHERE base = ?1 AND incarnation = ?3
             AND EXISTS (SELECT 1 FROM offered WHERE base = ?1 AND incarnation = ?2)";
        if self.connection.prepare_cached(is_as_believed)?.execute(params![participant, incarnation, former])? == 0 {
            return Ok(Err(StoreError::Conflict));
        }
        self.connection.prepare_cached("DELETE FROM offered WHERE base = ?1")?.execute([participant])?;
        let keep = "INSERT INTO accepted (base, nth, incarnation, former, seq, at, by, why)
             VALUES (?1, (SELECT count(*) + 1 FROM accepted WHERE base = ?1), ?2, ?3, ?4, ?5, ?6, ?7)";
        let values = params![participant, incarnation, former, ordered(*seq), column(at.0), by, why];
        self.connection.prepare_cached(keep)?.execute(values)?;
        Ok(Ok(()))
    }

    pub(super) fn park(&mut self, id: &str, length: Option<u64>, wake_at: Time, tries: u32) -> Result<Verdict<()>> {
        if let Some(length) = length
            && self.is_longer_than(id, length)?
        {
            return Ok(Err(StoreError::Conflict));
        }
        self.park.execute(params![id, ordered(wake_at.0), tries])?;
        Ok(Ok(()))
    }

    pub(super) fn suspend(&mut self, id: &str, length: u64, reason: &str) -> Result<Verdict<()>> {
        if self.is_longer_than(id, length)? {
            return Ok(Err(StoreError::Conflict));
        }
        self.suspend.execute(params![id, SUSPENDED, reason])?;
        Ok(Ok(()))
    }

    /// Whether the journal of a saga has entries after that number.
    fn is_longer_than(&mut self, id: &str, length: u64) -> Result<bool> {
        let longer_by: i64 = self.find_longer.query_row(params![id, column(length)], |row| row.get(0))?;
        Ok(longer_by > 0)
    }

    /// Keeps that every open saga of a definition follows another from the end of its journal on, or goes on with its own.
    pub(super) fn adopt(&mut self, adoption: &Adoption) -> Result<u64> {
        let sql = format!(
            "INSERT INTO adopted (saga, nth, flow, seq, same_books, at, by, why) \
             SELECT saga, (SELECT count(*) + 1 FROM adopted WHERE adopted.saga = open.saga), ?3, \
             (SELECT coalesce(max(seq), 0) FROM journal WHERE journal.saga = open.saga), ?4, ?5, ?6, ?7 \
             FROM ({OPEN}) AS open WHERE placed_with = ?1 AND coalesce(last, placed_with) = ?2 \
             AND (?2 <> ?3 OR CASE WHEN ?4 THEN has_moved AND NOT same_books ELSE NOT {IS_KEPT} END)"
        );
        let Adoption { placed_with, follows, flow_hash, flow_text, same_books, at, by, why } = adoption;
        if self.flows.insert(*flow_hash) {
            self.insert_flow.execute(params![flow_hash, flow_text])?;
        }
        let values = params![placed_with, follows, flow_hash, same_books, column(at.0), by, why];
        Ok(self.connection.execute(&sql, values)? as u64)
    }

    pub(super) fn record_try(&mut self, attempt: &Try) -> Result<()> {
        let found = self.find_tries.query_row([&attempt.id], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, Option<i64>>(1)?)));
        let Some((saga, newest)) = found.optional()? else { return Ok(()) };
        let nth = newest.unwrap_or(0) + 1;
        let slot = nth % TRIES_KEPT as i64;
        let Try { id: _, step, operation, number, sent, ended, seen } = attempt;
        let (number, sent, ended) = (column(*number), column(sent.0), column(ended.0));
        self.insert_try.execute(params![saga, slot, nth, *step as i64, operation, number, sent, ended, seen]).map(drop)
    }
}
